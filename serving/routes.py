"""The routes: reads a request, looks its answer up, and answers every fault in the one form. Knows Starlette."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar, cast

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.answers import Answers
from serving.api import EmptyRequest, Endpoint, ForecastRequest, IndexResponse
from serving.door import JSON, Door, failure
from serving.drivers import DriversRequest
from serving.errors import Detail, RequestError, error_of, expected, shown
from serving.etags import NotModified, answer_tag, is_had
from serving.exchange import Exchange
from serving.flows import FlowsRequest
from serving.labour import LabourRequest
from serving.openapi import document
from serving.page import page_routes, wants_html, whole_page
from serving.projection import ProjectionRequest
from serving.rules import ADMIN, Rules
from serving.scenario import ScenarioRequest
from serving.scoreboard import scoreboard
from serving.served_population import ServedRequest
from serving.settings import Settings

MEGABYTE = 1_000_000
MOST_FIELDS = 10_000
"""Of a body: for each that is unknown the nearest name is looked for, which takes its time."""
ENDPOINTS = [
    Endpoint(path="/forecast", methods=["POST"], about="Quantiles of a target by region and year."),
    Endpoint(path="/flows", methods=["POST"], about="Quantiles of flows by origin, destination and year."),
    Endpoint(path="/drivers", methods=["POST"], about="What rates of regions and corridors go together with."),
    Endpoint(path="/scenario", methods=["POST"], about="What changed indicators would do to moves; assumed."),
    Endpoint(path="/projection", methods=["POST"], about="Population by region, sex and age many years ahead."),
    Endpoint(path="/served-population", methods=["POST"], about="Who is served in a city, and demand by year."),
    Endpoint(path="/labour", methods=["POST"], about="Labour supply by region and year, against jobs."),
    Endpoint(path="/regions", methods=["GET", "POST"], about="Regions that the forecast answers for."),
    Endpoint(path="/model", methods=["GET", "POST"], about="What is served, why, and how well it did in the past."),
    Endpoint(path="/scoreboard", methods=["GET"], about="How right sealed forecasts were, beside persistence."),
    Endpoint(path="/history", methods=["GET"], about="What was recorded of the past, by region and year."),
    Endpoint(path="/indicators", methods=["GET"], about="Indicators that a scenario can change, and how far."),
    Endpoint(path="/admin/reload", methods=["POST"], about="Look for another model, and serve it; needs a key."),
    Endpoint(path="/openapi.json", methods=["GET"], about="This service, as OpenAPI 3.1."),
    Endpoint(path="/healthz", methods=["GET"], about="200 while the service runs; also /livez."),
    Endpoint(path="/readyz", methods=["GET"], about="200 once it answers."),
    Endpoint(path="/metrics", methods=["GET"], about="Metrics for Prometheus."),
]
BENTOML = ("/healthz", "/livez", "/readyz", "/metrics", "/schema.json")
"""Paths that BentoML answers, with GET."""

Asked = TypeVar("Asked", bound=BaseModel)


def create_app() -> Starlette:
    """The app; `app.state.answers` must be set before it is asked. Where BentoML serves it, `bentoml` is BentoML's own
    app, `rules` those of the service, and `reloader` what replaces the answers."""
    routes = [
        Route("/", index),
        Route("/forecast", forecast, methods=["POST"]),
        Route("/flows", flows, methods=["POST"]),
        Route("/drivers", advice("drivers", DriversRequest), methods=["POST"]),
        Route("/scenario", advice("scenario", ScenarioRequest), methods=["POST"]),
        Route("/projection", advice("projection", ProjectionRequest), methods=["POST"]),
        Route("/served-population", advice("served_population", ServedRequest), methods=["POST"]),
        Route("/labour", advice("labour", LabourRequest), methods=["POST"]),
        Route("/regions", regions, methods=["GET", "POST"]),
        Route("/model", model, methods=["GET", "POST"]),
        Route("/history", history),
        Route("/scoreboard", scored),
        Route("/indicators", indicators),
        Route("/openapi.json", openapi),
        Route("/docs.json", openapi),
        Route("/admin/reload", reload, methods=["POST"]),
        *page_routes(),
        *(Route(path, ByBentoml(), methods=["GET"]) for path in BENTOML),
    ]
    methods = {route.path: sorted(route.methods or ()) for route in routes}
    app = Starlette(
        routes=[*routes, Route("/{path:path}", Unanswered(methods))],
        middleware=[Middleware(Door, endpoints=methods)],
        exception_handlers={
            RequestError: _told,
            NotModified: _not_modified,
            ClientDisconnect: _gone,
            Exception: _failed,
        },  # pyright: ignore[reportArgumentType]
    )
    # A path with a line break is matched by no pattern.
    app.router.default = Unanswered(methods)
    app.state.answers, app.state.rules, app.state.bentoml = None, Rules(Settings()), None
    return app


# --- endpoints ------------------------------------------------------------------------------------------------------


async def index(request: Request) -> Response:
    """The page for a browser, else what can be asked."""
    if wants_html(request):
        return await whole_page(request)
    about = "Forecasts who leaves a region and who arrives in a city."
    told = IndexResponse(name="qonys", about=about, documentation="/openapi.json", endpoints=ENDPOINTS)
    return _json(told.model_dump_json().encode())


async def forecast(request: Request) -> Response:
    return _json(_answers(request).forecast(await _asked(request, ForecastRequest)))


async def flows(request: Request) -> Response:
    recorded = _answers(request).recorded_flows()
    return _json(recorded.answer(await _asked(request, FlowsRequest)))


def advice(name: str, model: type[BaseModel]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a kind of advice. It works for up to a second, in which others must not wait."""

    async def endpoint(request: Request) -> Response:
        answer = cast("Callable[[BaseModel], bytes]", _answers(request).advising(name).answer)
        return _json(await run_in_threadpool(answer, await _asked(request, model)))

    return endpoint


async def regions(request: Request) -> Response:
    if request.method == "POST":
        await _asked(request, EmptyRequest)
    return _json(_answers(request).regions)


async def model(request: Request) -> Response:
    if request.method == "POST":
        await _asked(request, EmptyRequest)
    return _json(_answers(request).model)


async def scored(_: Request) -> Response:
    return _json(scoreboard())


async def history(request: Request) -> Response:
    return _json(_answers(request).history)


async def indicators(request: Request) -> Response:
    return _json(_answers(request).advising("indicators").answer(EmptyRequest()))  # pyright: ignore[reportArgumentType]


async def openapi(_: Request) -> Response:
    return _json(document())


async def reload(request: Request) -> Response:
    await _asked(request, EmptyRequest)
    # Takes seconds, in which others are answered.
    told = await run_in_threadpool(request.app.state.reloader.reload)
    return _json(told.model_dump_json().encode())


class ByBentoml:
    """What BentoML answers itself."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = scope["app"].state.bentoml
        if app is None:
            raise RequestError(404, "unknown_route", f"nothing is at {scope['path']!r}: BentoML does not run")
        await app(dict(scope), receive, send)


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
    """Those of the model that was served when the request came.

    Raises NotModified where the client has the answer.
    """
    exchange: Exchange = request.scope["exchange"]
    assert exchange.answers is not None
    if exchange.method in ("GET", "HEAD"):
        _check_had(exchange, exchange.answers, b"")
    return exchange.answers


def _check_had(exchange: Exchange, answers: Answers, body: bytes) -> None:
    if answers.tag:
        exchange.tag = answer_tag(answers.tag, exchange.path, body)
        if exchange.unless_tag and is_had(exchange.unless_tag, exchange.tag):
            raise NotModified


async def _asked(request: Request, model: type[Asked]) -> Asked:
    """The request's body as a model.

    Raises RequestError that lists every fault.
    """
    _check_content_type(request.headers.get("content-type", JSON))
    exchange: Exchange = request.scope["exchange"]
    body, answers = await _body(request), _answers(request)
    if not exchange.path.startswith(ADMIN):
        _check_had(exchange, answers, body)
    try:
        asked = model.model_validate(_parsed(body), context=answers.known)
    except ValidationError as error:
        raise error_of(error, model.model_fields) from None
    exchange.target = getattr(asked, "target", "")
    return asked


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
    if body.count(b":") > MOST_FIELDS:
        detail = Detail(field="body", value=None, expected=f"at most {MOST_FIELDS:,} fields")
        raise RequestError(422, "too_many_fields", "the body has too many fields", [detail])
    try:
        return DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        detail = Detail(field="body", value=None, expected="a JSON object in UTF-8")
        raise RequestError(400, "malformed_json", f"the body is not JSON: {reason}", [detail]) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


# --- answering ------------------------------------------------------------------------------------------------------


def _json(body: bytes) -> Response:
    return Response(body, media_type=JSON)


async def _told(request: Request, fault: RequestError) -> Response:
    request.scope["exchange"].code = fault.error.code
    return Response(fault.body(), fault.status, fault.headers, JSON)


async def _not_modified(request: Request, __: Exception) -> Response:
    request.scope["exchange"].code = "not_modified"
    return Response(status_code=304)


async def _gone(request: Request, __: Exception) -> Response:
    """The client left before its body was here; nobody reads this."""
    return await _told(request, RequestError(400, "disconnected", "the client left"))


async def _failed(_: Request, __: Exception) -> Response:
    """Beyond the door, which answers for what fails behind it."""
    return Response(failure().body(), failure().status, media_type=JSON)
