"""The national level of mobility: how many moves there are in a year, apart from who moves where.

Most of a one-year error is this one number, and no trend of it was found to last: last year's level is the frozen
choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from features.dataset import Dataset
from features.flows import FlowHistory
from features.part_years import part_year_level

CAUTION = 8.0
"""Years of no drift that stand beside those that were seen."""


class Level(Protocol):
    """ratio(...): the level at each horizon over the last known one, (horizon)."""

    @property
    def name(self) -> str: ...
    def ratio(self, dataset: Dataset, history: FlowHistory, horizons: Sequence[int]) -> np.ndarray: ...


@dataclass(frozen=True)
class LastLevel:
    """The level stays."""

    name: str = "last"

    def ratio(self, dataset: Dataset, history: FlowHistory, horizons: Sequence[int]) -> np.ndarray:
        return np.ones(len(horizons))


@dataclass(frozen=True)
class DriftLevel:
    """The level goes on as it went in its median year, drawn to no change by CAUTION years (random walk with drift)."""

    name: str = "drift"

    def ratio(self, dataset: Dataset, history: FlowHistory, horizons: Sequence[int]) -> np.ndarray:
        changes = np.diff(np.log(history.known.sum(axis=1)))
        drift = np.median(changes) * len(changes) / (len(changes) + CAUTION) if len(changes) else 0.0
        return np.exp(drift * np.array(horizons))


@dataclass(frozen=True)
class PartYearLevel:
    """The months of the running year that are known, over the same months of the year before; later years keep it.

    The vintage must hold them: `as_of(cutoff, month)`. Without them the level stays.
    """

    name: str = "part_year"

    def ratio(self, dataset: Dataset, history: FlowHistory, horizons: Sequence[int]) -> np.ndarray:
        running = part_year_level(dataset, "inflow")
        return np.full(len(horizons), 1.0 if running is None else running.ratio)
