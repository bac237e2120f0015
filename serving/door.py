"""The door: every request comes in and every answer goes out here, with its identity, its rules, its line in the log.

Pure ASGI, and answers that are looked up go out straight from here: a router, and middleware that passes answers on,
each cost more than an answer.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import NoReturn

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import RequestError
from serving.etags import NotModified, tag_as_had
from serving.exchange import JSON, Exchange
from serving.packing import VARY, pack
from serving.requests_log import ACCESS, FAULTS
from serving.rules import PROBES, SECURITY, Headers, Rules

OTHER = "other"
Answering = Callable[[Exchange], Awaitable[bytes]]
"""An endpoint: answers JSON; what it raises is answered here."""


class Door:
    """The app. state: has `answers` and `rules`, which may be replaced between two requests.

    endpoints: by method and path. others: answers what they do not. named: paths that metrics name; all others are one.
    """

    def __init__(
        self, state: State, endpoints: Mapping[tuple[str, str], Answering], others: ASGIApp, named: Iterable[str]
    ) -> None:
        self.state = state
        self._endpoints = endpoints
        self._others = others
        self.named = frozenset(named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        endpoint = scope["path"] if scope["path"] in self.named else OTHER
        rules: Rules = self.state.rules
        exchange = Exchange(scope, receive, endpoint, self.state.answers)
        try:
            await self._answer(exchange, rules, scope, send)
        except Exception:
            FAULTS.exception({"message": "a request failed", "id": exchange.id.decode(), "path": exchange.path[:200]})
            if exchange.status:
                # What was begun cannot be taken back: the connection is cut, which the client sees.
                raise
            await _fail(exchange, rules, send)
        finally:
            _leave(exchange, rules)

    def refuse(self, fault: RequestError, client: tuple[str, int] | None) -> bytes:
        """All of the answer, in HTTP/1.1, to what is no whole request; told and counted as any other."""
        rules: Rules = self.state.rules
        exchange = Exchange({"method": "", "path": "", "headers": (), "client": client}, _nothing, OTHER, None)
        headers, body = _refusal(exchange, rules, fault)
        exchange.status, exchange.size = fault.status, len(body)
        _leave(exchange, rules)
        lines = [f"HTTP/1.1 {fault.status} {HTTPStatus(fault.status).phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        return b"\r\n".join([*lines, b"", body])

    async def _answer(self, exchange: Exchange, rules: Rules, scope: Scope, send: Send) -> None:
        try:
            if rules.preflight(exchange):
                await _send(exchange, send, 204, rules.headers(exchange))
                return
            rules.check(exchange, scope)
            endpoint = self._endpoints.get((exchange.method, exchange.path))
            if endpoint is None:
                await self._others(scope, exchange.receive, _noting(exchange, rules, send))
                return
            body = await endpoint(exchange)
        except NotModified:
            exchange.code = "not_modified"
            exchange.tag = tag_as_had(exchange.unless_tag, exchange.tag)
            await _send(exchange, send, 304, [VARY, *rules.headers(exchange)])
        except RequestError as fault:
            await _refuse(exchange, rules, send, fault)
        else:
            sent, packing = await pack(exchange, body)
            await _send(exchange, send, 200, [*_content(sent), *packing, *rules.headers(exchange)], sent)


async def _send(exchange: Exchange, send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    exchange.status, exchange.size = status, len(body)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(exchange: Exchange, rules: Rules, send: Send, fault: RequestError) -> None:
    headers, body = _refusal(exchange, rules, fault)
    await _send(exchange, send, fault.status, headers, body)


def _refusal(exchange: Exchange, rules: Rules, fault: RequestError) -> tuple[Headers, bytes]:
    exchange.code = fault.error.code
    body = fault.body()
    own = [*_content(body), *((name.lower().encode(), value.encode()) for name, value in (fault.headers or {}).items())]
    return _joined(own, rules.headers(exchange)), body


async def _nothing() -> NoReturn:
    raise RuntimeError("nothing comes after what was no request")


async def _fail(exchange: Exchange, rules: Rules, send: Send) -> None:
    """The rules may be what fails."""
    fault = failure()
    try:
        await _refuse(exchange, rules, send, fault)
    except Exception:
        if exchange.status:
            raise
        body = fault.body()
        await _send(exchange, send, fault.status, [*_content(body), *SECURITY], body)
        raise


def failure() -> RequestError:
    return RequestError(500, "internal_error", "a fault of ours; the log of the service tells more")


def _content(body: bytes) -> Headers:
    return [(b"content-type", JSON.encode()), (b"content-length", b"%d" % len(body))]


def _joined(own: Headers, told: Headers) -> Headers:
    """An answer's own headers, and those of every answer that it does not tell itself."""
    names = {name.lower() for name, _ in own}
    return own + [header for header in told if header[0] not in names]


def _noting(exchange: Exchange, rules: Rules, send: Send) -> Send:
    """What others send, with the headers of every answer; its status and size are noted."""

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = _joined(list(message.get("headers", ())), rules.headers(exchange))
            exchange.status = message["status"]
            message["headers"] = told
        elif message["type"] == "http.response.body":
            exchange.size += len(message.get("body", b""))
        await send(message)

    return noting


def _leave(exchange: Exchange, rules: Rules) -> None:
    seconds = perf_counter() - exchange.started
    if rules.metrics is not None:
        rules.metrics.count(exchange, seconds)
    if exchange.path not in PROBES or exchange.status >= 400:
        ACCESS.tell(exchange, seconds)
