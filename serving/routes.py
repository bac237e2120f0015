"""The routes: what is answered at which path: by look-up, by computing, by the page or by BentoML."""

from functools import partial
from typing import NoReturn

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.types import Receive, Scope, Send

from serving.api import EmptyRequest, Endpoint, ForecastRequest, IndexResponse
from serving.door import Answering, Door
from serving.drivers import DriversRequest
from serving.endpoints import asking, telling
from serving.errors import Detail, RequestError, expected, shown
from serving.exchange import JSON, Exchange
from serving.flows import FlowsRequest
from serving.labour import LabourRequest
from serving.openapi import document
from serving.page import page_routes, wants_html, whole_page
from serving.projection import ProjectionRequest
from serving.reading import asked_of, body_of
from serving.rules import Rules
from serving.scenario import ScenarioRequest
from serving.scoreboard import scoreboard
from serving.served_population import ServedRequest
from serving.settings import Settings

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
BENTOML = ("/healthz", "/livez", "/readyz", "/metrics")
"""Paths that BentoML answers, with GET."""


def create_app() -> Door:
    """The app; `app.state.answers` must be set before it is asked. Where BentoML serves it, `bentoml` is BentoML's own
    app, `rules` those of the service, and `reloader` what replaces the answers."""
    state = State({"answers": None, "rules": Rules(Settings()), "bentoml": None})
    endpoints = _endpoints(state)
    probes = [Exact(path, ByBentoml(state), methods=["GET"]) for path in BENTOML]
    routes = [Exact("/", index), *page_routes(), *probes]
    methods: dict[str, list[str]] = {route.path: sorted(route.methods or ()) for route in routes}
    for method, path in endpoints:
        methods[path] = sorted([*methods.get(path, ()), method])
    unanswered = Unanswered(methods)
    # A path with a line break is matched by no pattern.
    others = Router([*routes, Route("/{path:path}", unanswered)], default=unanswered)
    return Door(state, endpoints, others, named=methods)


def _endpoints(state: State) -> dict[tuple[str, str], Answering]:
    """By method and path."""
    posted = {
        "/forecast": asking(ForecastRequest, lambda answers: answers.forecast),
        "/flows": asking(FlowsRequest, lambda answers: answers.recorded_flows().answer),
        "/drivers": advice("drivers", DriversRequest),
        "/scenario": advice("scenario", ScenarioRequest),
        "/projection": advice("projection", ProjectionRequest),
        "/served-population": advice("served_population", ServedRequest),
        "/labour": advice("labour", LabourRequest),
        "/regions": asking(EmptyRequest, lambda answers: lambda _: answers.regions),
        "/model": asking(EmptyRequest, lambda answers: lambda _: answers.model),
        "/admin/reload": partial(reload, state),
    }
    told = {
        "/regions": telling(lambda answers: answers.regions),
        "/model": telling(lambda answers: answers.model),
        "/history": telling(lambda answers: answers.history),
        "/indicators": telling(lambda answers: answers.advising("indicators").answer(EmptyRequest())),  # pyright: ignore[reportArgumentType]
        "/scoreboard": scored,
        "/openapi.json": openapi,
        "/docs.json": openapi,
    }
    return {("POST", path): endpoint for path, endpoint in posted.items()} | {
        (method, path): endpoint for path, endpoint in told.items() for method in ("GET", "HEAD")
    }


def advice(name: str, model: type[BaseModel]) -> Answering:
    """The endpoint of a kind of advice. It works for up to a second, in which others must not wait."""
    return asking(model, lambda answers: answers.advising(name).answer, slow=True)


async def scored(_: Exchange) -> bytes:
    return scoreboard()


async def openapi(_: Exchange) -> bytes:
    return document()


async def reload(state: State, exchange: Exchange) -> bytes:
    asked_of(await body_of(exchange), EmptyRequest, None)
    # Takes seconds, in which others are answered.
    told = await run_in_threadpool(state.reloader.reload)
    return told.model_dump_json().encode()


async def index(request: Request) -> Response:
    """The page for a browser, else what can be asked."""
    if wants_html(request):
        return await whole_page(request)
    about = "Forecasts who leaves a region and who arrives in a city."
    told = IndexResponse(name="qonys", about=about, documentation="/openapi.json", endpoints=ENDPOINTS)
    return Response(told.model_dump_json(), media_type=JSON)


class Exact(Route):
    """A route whose path ends where it ends: in a pattern `$` matches before a last line break too."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if scope["path"].endswith("\n") else super().matches(scope)


class ByBentoml:
    """What BentoML answers itself."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.state.bentoml
        if app is None:
            raise RequestError(404, "unknown_route", f"nothing is at {scope['path']!r}: BentoML does not run")
        await app(dict(scope), receive, send)


class Unanswered:
    """Any path or method that nobody answers."""

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
