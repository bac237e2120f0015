"""The OpenAPI document, made from the models of requests and answers."""

import json
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving.api import EmptyRequest, ForecastRequest, ForecastResponse, IndexResponse, ModelResponse, RegionsResponse
from serving.errors import ErrorResponse
from serving.flows import FlowsRequest, FlowsResponse

REQUESTS = (ForecastRequest, FlowsRequest, EmptyRequest)
ANSWERS = (ForecastResponse, FlowsResponse, RegionsResponse, ModelResponse, IndexResponse, ErrorResponse)
FAULTS = {
    "400": "The body is empty or not JSON.",
    "413": "The body is above 1 MB.",
    "415": "The body is not application/json.",
    "422": "The body is JSON, but cannot be answered: an unknown field, region, target or horizon, a wrong type, or "
    "more flows than one answer may hold.",
}
EVERYWHERE = {
    "404": "Nothing is at this path.",
    "405": "The path does not take this method; the header Allow says which it takes.",
    "500": "A fault of the service.",
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
            "is never an official figure. Every fault is answered as ErrorResponse.",
        },
        "paths": _paths(),
        "components": {
            "schemas": schema["$defs"],
            "responses": {_fault_name(status): _answer(ErrorResponse, text) for status, text in _faults().items()},
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
        "/": {"get": _get("index", "What can be asked", IndexResponse)},
    }
    documents = {
        path: {"get": _plain(path, "This document", "application/json")} for path in ("/openapi.json", "/docs.json")
    }
    return ours | documents | {path: {"get": _plain(path, text, "text/plain")} for path, text in PLAIN.items()}


def _get(name: str, summary: str, answer: type[BaseModel]) -> dict[str, Any]:
    responses = {"200": _answer(answer, summary)} | _references(EVERYWHERE)
    return {"operationId": name, "summary": summary, "responses": responses}


def _post(name: str, summary: str, answer: type[BaseModel], request: type[BaseModel]) -> dict[str, Any]:
    told = _get(name, summary, answer)
    told["responses"] |= _references(FAULTS)
    return told | {"requestBody": {"required": True, "content": _content(request)}}


def _plain(path: str, summary: str, media_type: str) -> dict[str, Any]:
    responses = {"200": {"description": summary, "content": {media_type: {}}}}
    return {"operationId": path.strip("/").replace(".", "_"), "summary": summary, "responses": responses}


def _answer(model: type[BaseModel], description: str) -> dict[str, Any]:
    return {"description": description, "content": _content(model)}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _faults() -> dict[str, str]:
    return FAULTS | EVERYWHERE


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
