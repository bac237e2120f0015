"""The OpenAPI document, made from the models of requests and answers."""

import json
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.api import (
    EmptyRequest,
    ForecastRequest,
    ForecastResponse,
    IndexResponse,
    ModelResponse,
    RegionsResponse,
    ReloadResponse,
)
from serving.drivers import DriversRequest, DriversResponse
from serving.errors import ErrorResponse
from serving.examples import BODIES
from serving.flows import FlowsRequest, FlowsResponse
from serving.history import HistoryResponse
from serving.illustration import illustrated
from serving.labour import LabourRequest, LabourResponse
from serving.levers import LeversResponse
from serving.projection import ProjectionRequest, ProjectionResponse
from serving.rules import OPEN, PROBES
from serving.scenario import ScenarioRequest, ScenarioResponse
from serving.scoreboard import ScoreboardResponse
from serving.served_population import ServedRequest, ServedResponse

ADVICE = {
    "drivers": ("What rates of regions and corridors go together with", DriversResponse, DriversRequest),
    "scenario": ("What changed indicators would do to moves", ScenarioResponse, ScenarioRequest),
    "projection": ("Population by region, sex and age many years ahead", ProjectionResponse, ProjectionRequest),
    "served-population": ("Who is served in a city, and what they need", ServedResponse, ServedRequest),
    "labour": ("Labour supply by region and year, against jobs", LabourResponse, LabourRequest),
}
REQUESTS = (ForecastRequest, FlowsRequest, EmptyRequest, *(asked for _, _, asked in ADVICE.values()))
ANSWERS = (
    ForecastResponse,
    FlowsResponse,
    RegionsResponse,
    ModelResponse,
    ReloadResponse,
    IndexResponse,
    HistoryResponse,
    ScoreboardResponse,
    LeversResponse,
    ErrorResponse,
    *(answered for _, answered, _ in ADVICE.values()),
)
FAULTS = {
    "413": "The body is above 1 MB.",
    "415": "The body is not application/json, not in UTF-8 by its charset, or packed by its Content-Encoding.",
    "422": "The body is JSON, but cannot be answered: an unknown field, region, target or horizon, a wrong type, or "
    "more flows than one answer may hold.",
}
LACKING = {"409": "The data that the bundle was trained on do not bear such an answer; the message says why."}
ALWAYS = {
    "400": "What was sent is no HTTP, or its body is empty or not JSON.",
    "405": "The path does not take this method; the header Allow says which it takes.",
    "408": "The head or the body was not whole after 15 seconds; the connection is closed.",
    "414": "The URL is above 8,000 bytes.",
    "431": "More than 100 headers, or than 32,000 bytes of them.",
    "500": "A fault of the service.",
}
KEYED = {"401": "The service has keys and the request has none, or one that it does not know."}
LIMITED = {
    "429": "More requests than the service takes of one client in a minute; the header Retry-After says when again."
}
UNREADY = {"503": "The service is about to end, or could not load a model yet; the header Retry-After says when again."}
ELSEWHERE = {"404": "Nothing is at this path."}
EVERYWHERE = ALWAYS | KEYED | ELSEWHERE | LIMITED | UNREADY
ADMIN = {
    "403": "The key may only read, or the service has no keys, and so no administration.",
    "409": "What was found is not served; the message says why. What answered before goes on.",
}
HAD = {"304": "The client has the answer: the header If-None-Match names its ETag. No body."}
KEY: list[dict[str, list[str]]] = [{"key": []}]
PARAMETERS = {
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "ETag of an answer to the same request; it is not sent again while the same model answers.",
        "schema": {"type": "string"},
        "example": '"d1a7c4b0e59f32a86e17c5b4"',
    },
    "RequestId": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "Name of the request in the log, up to 128 letters, digits and . _ : / + = @ -; without one the "
        "service makes one.",
        "schema": {"type": "string"},
        "example": "0f1aa68050794d4d",
    },
}
HEADERS = {
    "ETag": {
        "description": "Changes with the model that answers, and not without.",
        "schema": {"type": "string"},
        "example": '"d1a7c4b0e59f32a86e17c5b4"',
    },
    "X-Request-ID": {
        "description": "Name of the request in the log.",
        "schema": {"type": "string"},
        "example": "0f1aa68050794d4d",
    },
}
PLAIN = {
    "/healthz": "200 while the service runs",
    "/livez": "200 while the service runs",
    "/readyz": "200 once the service answers",
    "/metrics": "Metrics in Prometheus' text format",
}


@lru_cache
def document() -> bytes:
    """OpenAPI 3.1, JSON in UTF-8."""
    models = [(model, "validation") for model in REQUESTS] + [(model, "serialization") for model in ANSWERS]
    _, schema = models_json_schema(models, ref_template="#/components/schemas/{model}")  # pyright: ignore[reportArgumentType]
    told = {
        "openapi": "3.1.0",
        "info": {
            "title": "Qonys",
            "version": _version(),
            "description": "Forecasts of regional migration: quantiles of a year's moves, in whole persons. A forecast "
            "is never an official figure. Every fault is answered as ErrorResponse. HEAD is taken wherever GET is.",
        },
        # A service without keys takes none.
        "security": [{}, *KEY],
        "paths": _paths(),
        "components": {
            "schemas": illustrated(schema["$defs"]),
            "responses": {_fault_name(status): _answer(ErrorResponse, text) for status, text in _faults().items()},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key of the service."}},
        },
    }
    return json.dumps(told, ensure_ascii=False).encode()


def _paths() -> dict[str, Any]:
    regions = ("Regions that the forecast answers for", RegionsResponse)
    model = ("What is served, why, and how well it did in the past", ModelResponse)
    ours = {
        "/forecast": {"post": _post("forecast", "Quantiles by region and year", ForecastResponse, ForecastRequest)},
        "/flows": {"post": _post("flows", "Quantiles by origin, destination and year", FlowsResponse, FlowsRequest)},
        "/regions": {"get": _get("regions", *regions), "post": _post("regions_posted", *regions, EmptyRequest)},
        "/model": {"get": _get("model", *model), "post": _post("model_posted", *model, EmptyRequest)},
        "/history": {"get": _get("history", "What was recorded of the past", HistoryResponse)},
        "/scoreboard": {"get": _lacking(_get("scoreboard", "How right sealed forecasts were", ScoreboardResponse))},
        "/indicators": {"get": _lacking(_get("indicators", "Indicators that a scenario can change", LeversResponse))},
        "/": {"get": _index()},
    }
    ours |= {f"/{path}": {"post": _advice(path.replace("-", "_"), *told)} for path, told in ADVICE.items()}
    ours["/admin/reload"] = {"post": _reload()}
    documents = {
        path: {"get": _plain(path, "This document", "application/json")} for path in ("/openapi.json", "/docs.json")
    }
    return ours | documents | {path: {"get": _plain(path, text, "text/plain")} for path, text in PLAIN.items()}


def _reload() -> dict[str, Any]:
    told = _post("reload", "Look for another model, and serve it", ReloadResponse, EmptyRequest)
    del told["responses"]["304"]
    told["responses"] |= {status: _answer(ErrorResponse, text) for status, text in ADMIN.items()}
    return told | {"parameters": [_parameter("RequestId")], "security": KEY}


def _index() -> dict[str, Any]:
    told = _get("index", "What can be asked; for a browser, which takes text/html, the page", IndexResponse)
    told["responses"]["200"]["content"]["text/html"] = {}
    del told["responses"]["401"], told["responses"]["503"]
    return told | {"security": []}


def _get(name: str, summary: str, answer: type[BaseModel]) -> dict[str, Any]:
    answered = _answer(answer, summary) | {
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    }
    had = {status: {"description": text} for status, text in HAD.items()}
    parameters = [_parameter(name) for name in PARAMETERS]
    responses = {"200": answered} | had | _references(EVERYWHERE)
    return {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses}


def _post(name: str, summary: str, answer: type[BaseModel], request: type[BaseModel]) -> dict[str, Any]:
    told = _get(name, summary, answer)
    told["responses"] |= _references(FAULTS)
    content = {"application/json": _content(request)["application/json"] | {"example": BODIES[request.__name__]}}
    return told | {"requestBody": {"required": True, "content": content}}


def _advice(name: str, summary: str, answer: type[BaseModel], request: type[BaseModel]) -> dict[str, Any]:
    return _lacking(_post(name, summary, answer, request))


def _lacking(told: dict[str, Any]) -> dict[str, Any]:
    """Of an answer that not all data bear."""
    told["responses"] |= _references(LACKING)
    return told


def _plain(path: str, summary: str, media_type: str) -> dict[str, Any]:
    faults = ALWAYS | ({} if path in PROBES else LIMITED) | ({} if path in OPEN else KEYED)
    faults |= UNREADY if path == "/readyz" else {}
    responses = {"200": {"description": summary, "content": {media_type: {}}}} | _references(faults)
    told = {"operationId": path.strip("/").replace(".", "_"), "summary": summary, "responses": responses}
    return told | ({"security": []} if path in OPEN else {})


def _parameter(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _answer(model: type[BaseModel], description: str) -> dict[str, Any]:
    return {"description": description, "content": _content(model)}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _faults() -> dict[str, str]:
    return FAULTS | LACKING | EVERYWHERE


def _fault_name(status: str) -> str:
    return f"Fault{status}"


def _references(faults: dict[str, str]) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{_fault_name(status)}"} for status in faults}


def _version() -> str:
    try:
        return version("qonys")
    except PackageNotFoundError:
        # A Bento holds the code, not the installed package.
        return "unknown"
