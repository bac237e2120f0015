"""Scoreboard: how right sealed forecasts were, from the file that `qonys score` writes.

The file is beside the service, not in its bundle: figures that came after a forecast are no part of it.
"""

import json
import os
from pathlib import Path

from pydantic import Field, ValidationError

from serving.api import Answer, Share
from serving.errors import RequestError

VINTAGES = "QONYS_VINTAGES"
FILE = "scoreboard.json"


class Vintage(Answer):
    """One forecast that was sealed before its outcome was known."""

    name: str = Field(description="Name of the sealed forecast.")
    dataset: str = Field(description="Dataset that it is of.")
    cutoff: int = Field(description="Last calendar year whose values it had seen.")
    sealed: str = Field(description="When it was sealed, UTC.")
    sha256: str = Field(description="sha256 of its numbers: it was not changed since.")
    model: str = Field(description="Registered model.")
    version: str = Field(description="Version that became champion with it.")
    reason: str = Field(description="Why that was.")


class VintageScore(Answer):
    """How right one sealed forecast was, for one target and horizon."""

    dataset: str = Field(description="Dataset.")
    vintage: str = Field(description="Name of the sealed forecast.")
    version: str = Field(description="Version of the registered model.")
    cutoff: int = Field(description="Last calendar year whose values it had seen.")
    sealed: str = Field(description="When it was sealed, UTC.")
    hindsight: bool = Field(
        description="Whether the outcome was at hand when it was sealed, so that it proves nothing."
    )
    target: str = Field(description="What was forecast; `flow` is from region to region.")
    horizon: int = Field(description="Years after the cutoff.")
    year: int = Field(description="Calendar year of the outcome.")
    cells: int = Field(description="Regions or pairs that were forecast.")
    n: int = Field(description="Of these, those with an outcome.")
    abs_error: float = Field(description="Σ|outcome − median|, persons.")
    mean_error: float = Field(description="The same of a region or pair, persons.")
    wape: float = Field(description="Σ|outcome − median| / Σ|outcome|.")
    n_persistence: int = Field(description="Regions or pairs that persistence had a forecast of.")
    error_persistence: float | None = Field(description="Error of persistence on these, persons; null: none.")
    skill: float | None = Field(description="1 − error / error of persistence, on these; null: not known.")
    coverage_80: Share = Field(description="Share of outcomes inside the 80 % interval, 0-1.")
    coverage_n: int = Field(description="Outcomes inside it.")


class ScoreboardResponse(Answer):
    """How right sealed forecasts were."""

    made: str | None = Field(description="When the scores were made, UTC; null: no sealed forecast was scored yet.")
    vintages: list[Vintage] = Field(description="Sealed forecasts, oldest first.")
    scores: list[VintageScore] = Field(description="By sealed forecast, target and horizon.")


def scoreboard() -> bytes:
    """A ScoreboardResponse, read anew: it is small, and changes while the service runs.

    Raises RequestError where the file cannot be read.
    """
    path = folder() / FILE
    if not path.is_file():
        return ScoreboardResponse(made=None, vintages=[], scores=[]).model_dump_json().encode()
    try:
        told = json.loads(path.read_text("utf-8"))
        rows = {name: [_known(row, model) for row in told[name]] for name, model in _ROWS.items()}
        return ScoreboardResponse.model_validate({"made": told["made"]} | rows).model_dump_json().encode()
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        raise RequestError(409, "no_scoreboard", "the scoreboard cannot be read; run `qonys score` again") from None


_ROWS = {"vintages": Vintage, "scores": VintageScore}


def _known(row: dict, model: type[Answer]) -> dict:
    """What the answer has of a row; the file holds more."""
    return {name: row[name] for name in model.model_fields}


def folder() -> Path:
    """Where sealed forecasts are: QONYS_VINTAGES, else build/vintages."""
    return Path(os.environ.get(VINTAGES) or Path("build") / "vintages")
