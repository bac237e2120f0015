"""Models of flows: the structure, and what each further component adds to it. Each has its own row in the backtest.

    persistence         last year's flows
    mean_of_years       mean of the last three years
    structure           cells smoothed by size, raked to last year's totals
    margins             the same, with small totals smoothed too
    corrected           the same, corrected by the surprises and growth of the last years
    corrected_drift     the same, at a level that drifts on
    corrected_part_year the same, at the level of the running year's months, where they are known

Constants are fixed; nothing is tuned. The level is last year's where no other is named.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from features.dataset import Dataset
from features.flows import flow_history
from features.part_years import part_year_level
from models.destination_choice import structure
from models.flow_correction import Correction, fitted_correction, momentum
from models.level import DriftLevel, LastLevel, Level, PartYearLevel

FROZEN = ("corrected", "margins", "structure")
"""Models whose constants were fixed before the panel at hand is seen, the fullest first. Each is served until the past
of the panel speaks against it, then the next."""
THREADS = 2
LAST = LastLevel()
DEFAULT = "corrected"
"""Served where nobody has chosen."""


@dataclass(frozen=True)
class FlowPersistence:
    """Last year's flows."""

    name: str = "persistence"

    def fit(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> "FlowPersistence":
        return self

    def predict(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> np.ndarray:
        last = flow_history(dataset.as_of(cutoff)).known[-1]
        return np.tile(last, (len(horizons), 1))


@dataclass(frozen=True)
class FlowMeanOfYears:
    """Mean of the last years."""

    years: int = 3
    name: str = "mean_of_years"

    def fit(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> "FlowMeanOfYears":
        return self

    def predict(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> np.ndarray:
        recent = flow_history(dataset.as_of(cutoff)).known[-self.years :]
        return np.tile(recent.mean(axis=0), (len(horizons), 1))


@dataclass(frozen=True)
class StructureModel:
    """The structure with last year's totals, or with smoothed ones."""

    name: str = "structure"
    smoothed: bool = False

    def fit(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> "StructureModel":
        return self

    def predict(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> np.ndarray:
        shape = structure(dataset.as_of(cutoff))
        return np.tile(shape.smoothed if self.smoothed else shape.raked, (len(horizons), 1))


@dataclass(frozen=True, eq=False)
class CorrectedModel:
    """The structure with smoothed totals, corrected, times a level. corrections: by horizon, once fitted."""

    name: str = "corrected"
    level: Level = LAST
    corrections: dict[int, Correction | None] = field(default_factory=dict)

    def fit(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> "CorrectedModel":
        known = dataset.as_of(cutoff)
        momentum(known)  # what all horizons share, before they are learnt side by side
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            fitted = list(pool.map(lambda horizon: fitted_correction(known, horizon), horizons))
        return replace(self, corrections=dict(zip(horizons, fitted, strict=True)))

    def predict(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> np.ndarray:
        known = dataset.as_of(cutoff)
        shape = structure(known).smoothed
        corrections = [self.corrections[horizon] for horizon in horizons]
        flows = np.stack([shape if one is None else one.applied(known) for one in corrections])
        return flows * self.level.ratio(known, flow_history(known), horizons)[:, None]


FlowModel = FlowPersistence | FlowMeanOfYears | StructureModel | CorrectedModel
"""fit(dataset, cutoff, horizons) and predict(dataset, cutoff, horizons) -> persons, (horizon, pair), over the pairs of
`flow_history(dataset.as_of(cutoff))`."""


MODELS: tuple[FlowModel, ...] = (
    FlowPersistence(),
    FlowMeanOfYears(),
    StructureModel(),
    StructureModel("margins", smoothed=True),
    CorrectedModel(),
    CorrectedModel("corrected_drift", DriftLevel()),
    CorrectedModel("corrected_part_year", PartYearLevel()),
)
"""Unfitted."""


def flow_models(known: Dataset) -> list[FlowModel]:
    """Every model that a vintage allows, unfitted: the running year's months are only known of some."""
    months = part_year_level(known, "inflow") is not None
    return [model for model in MODELS if months or model.name != "corrected_part_year"]


def flow_model(name: str) -> FlowModel:
    """An unfitted model by its name."""
    return next(model for model in MODELS if model.name == name)
