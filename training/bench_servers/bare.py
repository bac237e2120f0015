"""The bare app: FastAPI that checks a request as FastAPI does and answers bytes that were prepared."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict


class ForecastAsked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    target: str
    regions: list[str]


class FlowsAsked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    horizons: list[int]


class ScenarioAsked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    changes: list[dict[str, Any]]
    allow_extrapolation: bool


def app() -> FastAPI:
    """QONYS_BENCH_ANSWERS: file with answers by path. That of /scenario nobody else could prepare."""
    answers: dict[str, str] = json.loads(Path(os.environ["QONYS_BENCH_ANSWERS"]).read_text("utf-8"))
    made = FastAPI()
    for path, model in {"/forecast": ForecastAsked, "/flows": FlowsAsked, "/scenario": ScenarioAsked}.items():
        made.post(path)(prepared(answers[path].encode(), model))
    return made


def prepared(body: bytes, model: type[BaseModel]) -> Callable[..., Awaitable[Response]]:
    """An endpoint: FastAPI checks what is asked for as it checks any request."""

    async def endpoint(asked: BaseModel) -> Response:  # noqa: ARG001 -- checked, and there is one answer
        return Response(body, media_type="application/json")

    endpoint.__annotations__["asked"] = model
    return endpoint
