"""FlowRecord: what every model of flows would have said from past cutoffs, and by how much it missed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.flows import FlowHistory, carried, flow_history, has_flows, sums_by
from models.flow_models import flow_models
from models.smoothing import rake

CELLS_KEPT = 12_000
"""Cells of a past forecast whose errors are kept to learn from; large cells are all kept."""
SIZES = (0.5, 20.0, 50.0, 200.0, 1_000.0, 5_000.0, 20_000.0)
"""Where size classes end, in persons a year as forecast."""


@dataclass(frozen=True, eq=False)
class FlowErrors:
    """By how much one past forecast missed.

    level: logarithm of the outcome's national number of moves over the forecast's.
    regions: codes. out_total, into_total: totals as forecast, persons, (region); out, into: what they missed when the
    level is right; out_missed, into_missed: what they missed. Of some cells: origin, destination: positions in
    `regions`; size: as forecast; missed; cell: what they missed when the totals are right.
    """

    level: float
    regions: tuple[str, ...]
    out_total: np.ndarray
    into_total: np.ndarray
    out: np.ndarray
    into: np.ndarray
    out_missed: np.ndarray
    into_missed: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    size: np.ndarray
    missed: np.ndarray
    cell: np.ndarray


@dataclass(frozen=True, eq=False)
class FlowRecord:
    """points: by cutoff and model, persons (horizon, pair), over the pairs that were known at the cutoff.

    kept: what was computed from the record, to be computed once.
    """

    cutoffs: tuple[int, ...]
    horizons: tuple[int, ...]
    points: dict[int, dict[str, np.ndarray]]
    kept: dict[tuple, Any] = field(default_factory=dict, repr=False)

    def before(self, cutoff: int) -> "FlowRecord":
        return replace(self, cutoffs=tuple(past for past in self.cutoffs if past < cutoff))

    def errors(self, dataset: Dataset, model: str, horizon: int, cutoff: int) -> dict[int, FlowErrors]:
        """Errors of a model at a horizon whose outcomes were known at a cutoff, by past cutoff."""
        past = [one for one in self.cutoffs if one + horizon <= cutoff and model in self.points[one]]
        found = {one: self._missed(dataset, model, horizon, one, cutoff) for one in past}
        return {one: errors for one, errors in found.items() if errors is not None}

    def taught(self, dataset: Dataset, cutoff: int) -> bool:
        """Whether any forecast from before a cutoff has an outcome that was known at it."""
        before = self.before(cutoff)
        return any(before.errors(dataset, "persistence", horizon, cutoff) for horizon in self.horizons)

    def _missed(self, dataset: Dataset, model: str, horizon: int, past: int, cutoff: int) -> FlowErrors | None:
        """Against the outcome as it was first known; None where it was not yet at the cutoff."""
        key = ("errors", model, horizon, past)
        if key not in self.kept:
            year = past + horizon
            known = next((one for one in range(year, cutoff + 1) if _records(dataset.as_of(one), year)), None)
            if known is None:
                return None
            point = self.points[past][model][self.horizons.index(horizon)].astype("float64")
            self.kept[key] = flow_errors(dataset.as_of(known), flow_history(dataset.as_of(past)), point, year)
        return self.kept[key]


def _records(known: Dataset, year: int) -> bool:
    return has_flows(known) and not np.isnan(flow_history(known).year(year)).any()


def flow_record(
    dataset: Dataset, cutoffs: Sequence[int], horizons: Sequence[int], progress: Callable[[str], None] | None = None
) -> FlowRecord:
    """Fit every model of flows anew at each cutoff, on what was known then, and note what it says."""
    points = {}
    for cutoff in cutoffs:
        if progress:
            progress(f"flows: models at cutoff {cutoff}")
        points[cutoff] = {
            model.name: model.fit(dataset, cutoff, horizons).predict(dataset, cutoff, horizons).astype(np.float32)
            for model in flow_models(dataset.as_of(cutoff))
        }
    return FlowRecord(tuple(cutoffs), tuple(horizons), points)


def flow_cutoffs(dataset: Dataset, cutoff: int) -> list[int]:
    """Cutoffs before a cutoff that knew flows."""
    history = flow_history(dataset)
    first = int(history.years[history.recorded][0])
    return [past for past in range(first, cutoff) if len(dataset.as_of(past).flows)]


def flow_errors(known: Dataset, then: FlowHistory, point: np.ndarray, year: int) -> FlowErrors:
    """What a forecast (pair) of a year missed. known: a vintage that has the year."""
    now = flow_history(known)
    outcome = now.year(year)
    regions, ends = len(now.regions), (now.origin, now.destination)
    said = carried(point, then, now)
    level = np.log(max(outcome.sum(), 1.0) / max(said.sum(), 1.0))
    forecast = [sums_by(end, said, regions) for end in ends]
    actual = [sums_by(end, outcome, regions) for end in ends]
    given = carried(rake(said, *ends, *actual, rounds=10, tolerance=1e-3), now, then)
    place = pd.Index(now.regions).get_indexer(pd.Index(then.regions))
    forecast, actual = [one[place] for one in forecast], [one[place] for one in actual]
    came, kept = carried(outcome, now, then), _kept(point)
    right = np.exp(-level)
    return FlowErrors(
        level=level,
        regions=then.regions,
        out_total=forecast[0],
        into_total=forecast[1],
        out=actual[0] * right - forecast[0],
        into=actual[1] * right - forecast[1],
        out_missed=actual[0] - forecast[0],
        into_missed=actual[1] - forecast[1],
        origin=then.origin[kept],
        destination=then.destination[kept],
        size=point[kept],
        missed=(came - point)[kept],
        cell=(came - given)[kept],
    )


def _kept(said: np.ndarray) -> np.ndarray:
    """Positions of cells to learn from: at most CELLS_KEPT, each class of size thinned to the same number."""
    class_of = size_class(said)
    most = CELLS_KEPT // (len(SIZES) + 1)
    chosen = []
    for one in range(len(SIZES) + 1):
        own = np.flatnonzero(class_of == one)
        chosen.append(own[:: max(1, -(-len(own) // most))])
    return np.sort(np.concatenate(chosen))


def size_class(persons: np.ndarray) -> np.ndarray:
    """Class of a size, from 0 to len(SIZES).

    >>> size_class(np.array([0.0, 19.0, 20.0, 1e6])).tolist()
    [0, 1, 2, 7]
    """
    return np.searchsorted(SIZES, persons, side="right")


def size_names() -> list[str]:
    """
    >>> size_names()[:3]
    ['0', '1-19', '20-49']
    """
    ends = [round(end) for end in SIZES[1:]]
    return ["0", *(f"{low:,}-{high - 1:,}" for low, high in zip([1, *ends], ends, strict=False)), f"{ends[-1]:,}+"]


def by_region(errors: Sequence[FlowErrors], regions: Sequence[str], name: str) -> np.ndarray:
    """One of the arrays by region of FlowErrors, (error, region); NaN for a region that was not there."""
    rows = []
    for one in errors:
        place = pd.Index(one.regions).get_indexer(pd.Index(regions))
        rows.append(np.where(place < 0, np.nan, getattr(one, name)[place]))
    return np.array(rows).reshape(len(errors), len(regions))
