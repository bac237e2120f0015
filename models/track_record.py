"""TrackRecord: what every model would have said from past cutoffs. Calibration, weights and the gate read it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.remembered import remembered
from features.targets import first_year, recorded_targets, target_history
from models import combination
from models.baselines import BASELINES
from models.boosted import BoostedRateChange, BoostedSettings
from models.net_migration import ExpertAverage, LongMeanPull

Progress = Callable[[str], None]
DEFAULTS = BoostedSettings()


class Model(Protocol):
    """See the folder's page."""

    @property
    def name(self) -> str: ...
    def fit(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> "Model": ...
    def predict(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> pd.DataFrame: ...


def models_of(target: str, settings: BoostedSettings = DEFAULTS) -> list[Model]:
    """Models that forecast a target, unfitted; the combination is made of them and is not listed."""
    balance = [LongMeanPull(), ExpertAverage()] if target == "net_migration" else []
    return [*BASELINES, *balance, BoostedRateChange(settings)]


def fitted_models(
    dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int], settings: BoostedSettings
) -> dict[str, Model]:
    """Every model of a target, fitted on what was known at the cutoff, by name."""
    return _fitted(dataset.as_of(cutoff), target, cutoff, tuple(horizons), settings)


@remembered(512)
def _fitted(
    known: Dataset, target: str, cutoff: int, horizons: tuple[int, ...], settings: BoostedSettings
) -> dict[str, Model]:
    return {model.name: model.fit(known, target, cutoff, horizons) for model in models_of(target, settings)}


@dataclass(frozen=True, eq=False)
class TrackRecord:
    """Point forecasts in persons, by model: arrays (cutoff, horizon, region), each made at its cutoff.

    size: mean of |persons| per year and region as known at the cutoff, (cutoff, region).
    """

    target: str
    cutoffs: tuple[int, ...]
    horizons: tuple[int, ...]
    regions: tuple[str, ...]
    points: dict[str, np.ndarray]
    size: np.ndarray

    def actual(self, dataset: Dataset, cutoff: int) -> np.ndarray:
        """Outcomes (cutoff, horizon, region) that were known at a cutoff; NaN where not."""
        persons = target_history(dataset.as_of(cutoff), self.target).persons.reindex(columns=list(self.regions))
        years = np.add.outer(np.array(self.cutoffs), np.array(self.horizons))
        known = persons.reindex(np.unique(years))
        return known.to_numpy()[np.searchsorted(known.index, years)]

    def taught(self, dataset: Dataset, cutoff: int) -> bool:
        """Whether any forecast from before a cutoff has an outcome that was known at it: an error to learn from."""
        past = self.before(cutoff)
        return bool(np.isfinite(past.actual(dataset, cutoff) - past.points["persistence"]).any())

    def before(self, cutoff: int) -> "TrackRecord":
        """The record of cutoffs before a cutoff."""
        kept = sum(past < cutoff for past in self.cutoffs)
        points = {name: array[:kept] for name, array in self.points.items()}
        return replace(self, cutoffs=self.cutoffs[:kept], points=points, size=self.size[:kept])

    def of(self, regions: Sequence[str]) -> "TrackRecord":
        """The record of some regions; what it has not of them is NaN, and of size 1."""
        if tuple(regions) == self.regions:
            return self
        place = pd.Index(self.regions).get_indexer(pd.Index(regions))
        points = {name: np.where(place < 0, np.nan, array[..., place]) for name, array in self.points.items()}
        return replace(self, regions=tuple(regions), points=points, size=np.where(place < 0, 1.0, self.size[:, place]))

    def weights(self, dataset: Dataset, cutoff: int) -> dict[int, np.ndarray]:
        """Weights of the combination's members by horizon, from outcomes known at a cutoff."""
        past = self.before(cutoff)
        actual = past.actual(dataset, cutoff)
        members = np.stack([past.points[name] for name in combination.MEMBERS])
        size = past.size[-1] if len(past.size) else np.ones(len(self.regions))
        return {
            horizon: combination.combination_weights(members[:, :, h], actual[:, h], size)
            for h, horizon in enumerate(self.horizons)
        }


def past_cutoffs(dataset: Dataset, target: str, cutoff: int) -> list[int]:
    """Cutoffs before a cutoff from which the target could have been forecast: those that knew a value."""
    return [
        past for past in range(first_year(dataset, target), cutoff) if target in recorded_targets(dataset.as_of(past))
    ]


def track_record(
    dataset: Dataset,
    target: str,
    cutoffs: Sequence[int],
    horizons: Sequence[int],
    progress: Progress | None = None,
    settings: BoostedSettings = DEFAULTS,
) -> TrackRecord:
    """Fit every model anew at each cutoff, on what was known then, and note what it says."""
    regions = tuple(target_history(dataset, target).regions)
    shape = (len(cutoffs), len(horizons), len(regions))
    points = {model.name: np.full(shape, np.nan) for model in models_of(target)}
    size = np.ones((len(cutoffs), len(regions)))
    for row, cutoff in enumerate(cutoffs):
        for name, model in fitted_models(dataset, target, cutoff, horizons, settings).items():
            said = model.predict(dataset, target, cutoff, horizons)
            points[name][row] = said.reindex(index=list(regions)).to_numpy().T
        size[row] = size_at(dataset, target, cutoff, regions)
        if progress:
            progress(f"{target}: models at cutoff {cutoff}")
    record = TrackRecord(target, tuple(cutoffs), tuple(horizons), regions, points, size)
    return replace(record, points=points | {combination.NAME: _combined(record, dataset)})


def size_at(dataset: Dataset, target: str, cutoff: int, regions: Sequence[str]) -> np.ndarray:
    """Mean of |persons| per year, by region, at least 1."""
    persons = target_history(dataset.as_of(cutoff), target).persons
    return np.fmax(persons.abs().mean().reindex(list(regions)).to_numpy(), 1.0)


def _combined(record: TrackRecord, dataset: Dataset) -> np.ndarray:
    members = np.stack([record.points[name] for name in combination.MEMBERS])
    combined = np.empty(members.shape[1:])
    for row, cutoff in enumerate(record.cutoffs):
        weights = record.weights(dataset, cutoff)
        for h, horizon in enumerate(record.horizons):
            combined[row, h] = weights[horizon] @ members[:, row, h]
    return combined
