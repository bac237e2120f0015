"""The door: every request comes in and every answer goes out here, with its identity, its rules, its line in the log.

Pure ASGI: a middleware that passes answers on as streams costs more than an answer does.
"""

from collections.abc import Iterable
from time import perf_counter

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import RequestError
from serving.exchange import Exchange
from serving.requests_log import FAULTS, log_request
from serving.rules import PROBES, Rules, address

JSON = "application/json"
OTHER = "other"


class Door:
    """app.state has `answers` and `rules`. endpoints: paths that metrics name; all others are one."""

    def __init__(self, app: ASGIApp, endpoints: Iterable[str]) -> None:
        self.app = app
        self.endpoints = frozenset(endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["app"].state
        rules: Rules = state.rules
        endpoint = scope["path"] if scope["path"] in self.endpoints else OTHER
        exchange = scope["exchange"] = Exchange(scope, endpoint, state.answers)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = _headers(message, rules, exchange)
            elif message["type"] == "http.response.body":
                exchange.size += len(message.get("body", b""))
            await send(message)

        try:
            await self._answer(scope, receive, answer, rules)
        except Exception:
            FAULTS.exception({"message": "a request failed", "id": exchange.id.decode(), "path": exchange.path[:200]})
            if exchange.status:
                # What was begun cannot be taken back: the connection is cut, which the client sees.
                raise
            await _refused(exchange, failure())(scope, receive, answer)
        finally:
            _leave(exchange, rules, scope)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, rules: Rules) -> None:
        exchange: Exchange = scope["exchange"]
        try:
            if rules.preflight(exchange):
                await Response(status_code=204)(scope, receive, send)
                return
            rules.check(exchange, scope)
        except RequestError as fault:
            await _refused(exchange, fault)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def failure() -> RequestError:
    return RequestError(500, "internal_error", "a fault of ours; the log of the service tells more")


def _refused(exchange: Exchange, fault: RequestError) -> Response:
    exchange.code = fault.error.code
    return Response(fault.body(), fault.status, fault.headers, JSON)


def _headers(message: Message, rules: Rules, exchange: Exchange) -> list[tuple[bytes, bytes]]:
    headers = list(message.get("headers", ()))
    own = {name.lower() for name, _ in headers}
    return headers + [header for header in rules.headers(exchange) if header[0] not in own]


def _leave(exchange: Exchange, rules: Rules, scope: Scope) -> None:
    seconds = perf_counter() - exchange.started
    if rules.metrics is not None:
        rules.metrics.count(exchange, seconds)
    if exchange.path not in PROBES or exchange.status >= 400:
        log_request(exchange, address(scope), seconds)
