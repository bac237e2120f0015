"""The routes: reads a request, looks its answer up, and answers every fault in the one form. Knows Starlette."""

import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.answers import Answers
from serving.api import EmptyRequest, Endpoint, ForecastRequest, IndexResponse
from serving.errors import Detail, RequestError, error_of, expected, shown
from serving.flows import FlowsRequest
from serving.openapi import document

MEGABYTE = 1_000_000
JSON = "application/json"
ENDPOINTS = [
    Endpoint(path="/forecast", methods=["POST"], about="Quantiles of a target by region and year."),
    Endpoint(path="/flows", methods=["POST"], about="Quantiles of flows by origin, destination and year."),
    Endpoint(path="/regions", methods=["GET", "POST"], about="Regions that the forecast answers for."),
    Endpoint(path="/model", methods=["GET", "POST"], about="What is served, why, and how well it did in the past."),
    Endpoint(path="/openapi.json", methods=["GET"], about="This service, as OpenAPI 3.1."),
    Endpoint(path="/healthz", methods=["GET"], about="200 while the service runs; also /livez."),
    Endpoint(path="/readyz", methods=["GET"], about="200 once it answers."),
    Endpoint(path="/metrics", methods=["GET"], about="Metrics for Prometheus."),
]
BENTOML = ("/healthz", "/livez", "/readyz", "/metrics", "/schema.json")
"""Paths that BentoML answers before ours, with GET."""

Asked = TypeVar("Asked", bound=BaseModel)


def create_app() -> Starlette:
    """The app; `app.state.answers` must be set before it is asked."""
    routes = [
        Route("/", index),
        Route("/forecast", forecast, methods=["POST"]),
        Route("/flows", flows, methods=["POST"]),
        Route("/regions", regions, methods=["GET", "POST"]),
        Route("/model", model, methods=["GET", "POST"]),
        Route("/openapi.json", openapi),
        Route("/docs.json", openapi),
    ]
    ours = {route.path: sorted(route.methods or ()) for route in routes}
    methods = ours | {path: ["GET", "HEAD"] for path in BENTOML}
    return Starlette(
        routes=[*routes, Route("/{path:path}", Unanswered(methods))],
        exception_handlers={RequestError: _told, ClientDisconnect: _gone, Exception: _failed},  # pyright: ignore[reportArgumentType]
    )


# --- endpoints ------------------------------------------------------------------------------------------------------


async def index(_: Request) -> Response:
    about = "Forecasts who leaves a region and who arrives in a city."
    told = IndexResponse(name="qonys", about=about, documentation="/openapi.json", endpoints=ENDPOINTS)
    return _json(told.model_dump_json().encode())


async def forecast(request: Request) -> Response:
    return _json(_answers(request).forecast(await _asked(request, ForecastRequest)))


async def flows(request: Request) -> Response:
    recorded = _answers(request).recorded_flows()
    return _json(recorded.answer(await _asked(request, FlowsRequest)))


async def regions(request: Request) -> Response:
    if request.method == "POST":
        await _asked(request, EmptyRequest)
    return _json(_answers(request).regions)


async def model(request: Request) -> Response:
    if request.method == "POST":
        await _asked(request, EmptyRequest)
    return _json(_answers(request).model)


async def openapi(_: Request) -> Response:
    return _json(document())


class Unanswered:
    """Any path or method that no route answers."""

    def __init__(self, methods: dict[str, list[str]]) -> None:
        self.methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> NoReturn:
        path, method = scope["path"], scope["method"]
        if path in self.methods:
            allowed = ", ".join(self.methods[path])
            detail = Detail(field="method", value=method, expected=f"one of {allowed}")
            raise RequestError(
                405, "method_not_allowed", f"{path} does not take {method}", [detail], {"Allow": allowed}
            )
        known = expected(path, {endpoint.path: () for endpoint in ENDPOINTS})
        detail = Detail(field="path", value=shown(path), expected=known)
        raise RequestError(404, "unknown_route", f"nothing is at {shown(path)!r}", [detail])


# --- reading --------------------------------------------------------------------------------------------------------


def _answers(request: Request) -> Answers:
    return request.app.state.answers


async def _asked(request: Request, model: type[Asked]) -> Asked:
    """The request's body as a model.

    Raises RequestError that lists every fault.
    """
    _check_content_type(request.headers.get("content-type", JSON))
    given = _parsed(await _body(request))
    try:
        return model.model_validate(given, context=_answers(request).known)
    except ValidationError as error:
        raise error_of(error, model.model_fields) from None


def _check_content_type(given: str) -> None:
    if given.partition(";")[0].strip().lower() != JSON:
        detail = Detail(field="content-type", value=shown(given), expected=JSON)
        raise RequestError(415, "unsupported_media_type", f"the body must be {JSON}", [detail])


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        chunks.append(chunk)
        size += len(chunk)
        if size > MEGABYTE:
            detail = Detail(field="body", value=None, expected=f"at most {MEGABYTE:,} bytes")
            raise RequestError(413, "body_too_large", "the body is too large", [detail], {"Connection": "close"})
    return b"".join(chunks)


def _parsed(body: bytes) -> Any:
    if not body.strip():
        detail = Detail(field="body", value=None, expected="a JSON object; {} takes every default")
        raise RequestError(400, "empty_body", "the body is empty", [detail])
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        detail = Detail(field="body", value=None, expected="a JSON object in UTF-8")
        raise RequestError(400, "malformed_json", f"the body is not JSON: {reason}", [detail]) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


# --- answering ------------------------------------------------------------------------------------------------------


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type=JSON)


async def _told(_: Request, fault: RequestError) -> Response:
    return Response(fault.body(), fault.status, fault.headers, JSON)


async def _gone(_: Request, __: Exception) -> Response:
    """The client left before its body was here; nobody reads this."""
    return _json(RequestError(400, "disconnected", "the client left").body(), 400)


async def _failed(_: Request, __: Exception) -> Response:
    return _json(RequestError(500, "internal_error", "a fault of ours; the log of the service tells more").body(), 500)
