"""The scoreboard: how right each sealed forecast was, beside persistence on the same cells."""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.targets import TARGETS, records
from models.forecast import FLOW
from training.metrics import skill
from training.vintages import SCOREBOARD, Vintage, read_vintage

FORMAT = 1
KEY = ["dataset", "vintage", "target", "horizon"]
COLUMNS = [
    *("dataset", "vintage", "version", "cutoff", "sealed", "hindsight", "target", "horizon", "year"),
    *("cells", "n", "abs_error", "mean_error", "wape"),
    *("n_persistence", "error_persistence", "skill", "coverage_80", "coverage_n"),
]
"""A row per vintage, target and horizon. cells: regions or pairs that were forecast; n: with an outcome. abs_error: sum
over them of |outcome − median|, persons; mean_error: a cell's. n_persistence: cells in which something was recorded to
stay, on which skill is measured. coverage_80: share of outcomes inside the 80 % interval. hindsight: the outcome was at
hand when the forecast was sealed, so it proves nothing."""


def vintage_scores(vintages: Iterable[Vintage], folder: Path, dataset: Dataset) -> pd.DataFrame:
    """COLUMNS, for the vintages of this dataset (by name) and the years that it has outcomes of.

    Raises VintageError for a vintage that is not as it was sealed.
    """
    rows = [
        row
        for vintage in vintages
        if vintage.dataset == dataset.name
        for row in _scores(vintage, read_vintage(vintage, folder), dataset)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _scores(vintage: Vintage, sealed: pd.DataFrame, dataset: Dataset) -> Iterator[dict]:
    """Outcomes are compared in the regions of the cutoff: what was split since is summed."""
    constant = at_constant_boundaries(dataset, vintage.cutoff)
    for (target, _), cells in sealed.groupby(["target", "horizon"], sort=False):
        horizon = int(cells["horizon"].iloc[0])
        year = vintage.cutoff + horizon
        came = _outcomes(constant, str(target), year, cells)
        if came.notna().any():
            told = {"dataset": vintage.dataset, "vintage": vintage.name, "version": vintage.version}
            told |= {"cutoff": vintage.cutoff, "sealed": vintage.sealed, "hindsight": year <= vintage.data_until}
            told |= {"target": target, "horizon": horizon, "year": year, "cells": len(cells)}
            yield told | _row(cells[came.notna()], came.dropna())


def _row(cells: pd.DataFrame, came: pd.Series) -> dict:
    """Where nothing was recorded to stay there is no skill. cells, came: same index."""
    error, last = (came - cells["q50"]).abs(), (came - cells["persistence"]).abs()
    stayed = last.notna()
    inside = (cells["q10"] <= came) & (came <= cells["q90"])
    return {
        "n": len(came),
        "abs_error": float(error.sum()),
        "mean_error": float(error.mean()),
        "wape": float(error.sum() / max(came.abs().sum(), 1)),
        "n_persistence": int(stayed.sum()),
        "error_persistence": float(last[stayed].sum()) if stayed.any() else np.nan,
        "skill": skill(float(error[stayed].sum()), float(last[stayed].sum())) if stayed.any() else np.nan,
        "coverage_80": float(inside.mean()),
        "coverage_n": int(inside.sum()),
    }


def _outcomes(dataset: Dataset, target: str, year: int, cells: pd.DataFrame) -> pd.Series:
    """Recorded persons of each cell, NaN where none; estimated figures are no outcomes. Index of `cells`."""
    if target == FLOW:
        return _flow_outcomes(dataset, year, cells)
    if target not in TARGETS:
        return pd.Series(np.nan, cells.index)
    scope, rows = records(dataset, target)
    rows = rows[(rows["year"] == year) & (rows["basis"] != "estimated")]
    if scope != cells["scope"].iloc[0] or not len(rows):
        return pd.Series(np.nan, cells.index)
    return cells["region"].map(rows.set_index("region")["persons"].astype("float64"))


def _flow_outcomes(dataset: Dataset, year: int, cells: pd.DataFrame) -> pd.Series:
    """In a year that has flows, a pair without a row is zero."""
    rows = dataset.flows[(dataset.flows["year"] == year) & (dataset.flows["basis"] != "estimated")]
    if not len(rows):
        return pd.Series(np.nan, cells.index)
    asked = pd.MultiIndex.from_frame(cells[["origin", "destination"]])
    persons = rows.groupby(["origin", "destination"])["persons"].sum().reindex(asked, fill_value=0)
    return pd.Series(persons.to_numpy(dtype="float64"), cells.index)


# --- the file -------------------------------------------------------------------------------------------------------


def write_scoreboard(scores: pd.DataFrame, vintages: Iterable[Vintage], folder: Path, dataset: Dataset) -> Path:
    """Replace the scores of this dataset in scoreboard.json; those of other datasets stay.

    {"format": 1, "made": UTC time, "datasets": {name: {"title", "sha256", "sources"}},
     "vintages": [a vintage's line in the index, with "name"],
     "scores": [a row of COLUMNS; what is not known is null]}
    """
    path = folder / SCOREBOARD
    before = read_scoreboard(folder)
    told = {"title": dataset.title, "sha256": dataset.sha256, "sources": list(dataset.sources)}
    kept = [row for row in before["scores"] if row["dataset"] != dataset.name]
    board = {
        "format": FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "datasets": before["datasets"] | {dataset.name: told},
        "vintages": [vars(vintage) | {"name": vintage.name} for vintage in vintages],
        "scores": kept + json.loads(scores.to_json(orient="records")),
    }
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(board, indent=1, ensure_ascii=False) + "\n", "utf-8")
    os.replace(unfinished, path)
    return path


def read_scoreboard(folder: Path) -> dict:
    """As `write_scoreboard` writes it; without scores where there is none yet."""
    path = folder / SCOREBOARD
    if not path.is_file():
        return {"format": FORMAT, "made": None, "datasets": {}, "vintages": [], "scores": []}
    return json.loads(path.read_text("utf-8"))
