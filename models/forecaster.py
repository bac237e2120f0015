"""MigrationForecaster: the one door. fit(dataset, cutoff), predict(dataset, cutoff, horizons)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.targets import margins_record_net, recorded_targets, target_history
from models import combination, placement
from models.boosted import BoostedSettings
from models.calibration import Calibration
from models.estimated_flows import EstimatedFlows, estimates_flows, sums_of_record
from models.flow_forecaster import FittedFlows, fit_flows, flow_forecast, flow_targets
from models.flow_record import FlowRecord, flow_cutoffs, flow_record
from models.forecast import Forecast, TargetForecast
from models.track_record import DEFAULTS, Model, TrackRecord, fitted_models, past_cutoffs, size_at, track_record

HORIZONS = (1, 2, 3)


class ForecastError(ValueError):
    """A forecast that the data or the fitted model cannot give; says what could be."""


Served = Mapping[tuple[str, int], str]
"""Served model by target and horizon."""


def fallback(dataset: Dataset, target: str) -> str:
    """What is served where nothing better is proven: persistence; for a balance without recorded flows the frozen pull
    to the long mean, whose first year is persistence."""
    net_only = target == "net_migration" and not margins_record_net(dataset)
    return "long_mean_pull" if net_only else "persistence"


@dataclass(frozen=True, eq=False)
class FittedTarget:
    """What is learnt of one target. `regions` are the units of constant boundaries that the arrays are of."""

    regions: tuple[str, ...]
    served: dict[int, str]
    models: dict[str, Model]
    weights: dict[int, np.ndarray]
    calibration: Calibration


@dataclass(frozen=True, eq=False)
class MigrationForecaster:
    """Forecasts every target that a dataset records, in draws that add up.

    served: model by (target, horizon), as the gate chose; what is left out gets the fallback. Where flows are recorded,
    their sums are served by the model of the target `flow`; where they can only be estimated, by the balanced record.

    >>> from features.dataset import load_dataset
    >>> dataset = load_dataset()
    >>> forecaster = MigrationForecaster(horizons=(1,)).fit(dataset, cutoff=2005)
    >>> forecast = forecaster.predict(dataset, cutoff=2005, horizons=[1])
    >>> forecast.targets["net_migration"].draws.shape
    (1000, 1, 16)
    """

    served: Served = field(default_factory=dict)
    horizons: tuple[int, ...] = HORIZONS
    draws: int = 1000
    seed: int = 20
    settings: BoostedSettings = DEFAULTS
    fitted: dict[str, FittedTarget] = field(default_factory=dict)
    flows: FittedFlows | None = None
    estimated: EstimatedFlows | None = None

    def fit(
        self,
        dataset: Dataset,
        cutoff: int,
        records: Mapping[str, TrackRecord] | None = None,
        flows: FlowRecord | None = None,
    ) -> "MigrationForecaster":
        """Fit on what was known at the cutoff.

        records: track records by target that reach the cutoff, where a backtest has made them; flows: the same of
        flows. Else they are made here.

        Raises ForecastError where no target has a past forecast with a known outcome, or settings cannot be used.
        """
        self._check_settings()
        known = dataset.as_of(cutoff)
        fitted = replace(self.fit_targets(known, cutoff, records), flows=self._fit_flows(known, cutoff, flows))
        if not fitted.fitted and fitted.flows is None:
            raise ForecastError(f"{dataset.name}: no target has two years of values that are known by {cutoff}")
        if fitted.flows is None and "net_migration" in fitted.fitted and estimates_flows(known, cutoff):
            return replace(fitted, estimated=EstimatedFlows.fit(known))
        return fitted

    def fit_targets(
        self, dataset: Dataset, cutoff: int, records: Mapping[str, TrackRecord] | None = None
    ) -> "MigrationForecaster":
        """Fit the targets that have models of their own, and no flows."""
        known, fitted = dataset.as_of(cutoff), {}
        for target in region_targets(known, cutoff):
            record = (records or {}).get(target)
            if record is None:
                cutoffs = past_cutoffs(known, target, cutoff)
                record = track_record(known, target, cutoffs, self.horizons, settings=self.settings)
            record = record.before(cutoff).of(target_history(known, target).regions)
            if record.taught(known, cutoff):
                fitted[target] = self._fit_target(known, target, cutoff, record)
        return replace(self, fitted=fitted)

    def _fit_flows(self, known: Dataset, cutoff: int, record: FlowRecord | None) -> FittedFlows | None:
        if not flow_targets(known, cutoff):
            return None
        if record is None:
            record = flow_record(known, flow_cutoffs(known, cutoff), self.horizons)
        if not record.taught(known, cutoff):
            return None
        return fit_flows(known, cutoff, record, self.served, self.horizons)

    def _fit_target(self, known: Dataset, target: str, cutoff: int, record: TrackRecord) -> FittedTarget:
        default = fallback(known, target)
        served = {horizon: self.served.get((target, horizon), default) for horizon in self.horizons}
        needed = set(served.values())
        if combination.NAME in needed:
            needed |= set(combination.MEMBERS)
        fitted = fitted_models(known, target, cutoff, self.horizons, self.settings)
        models = {name: model for name, model in fitted.items() if name in needed}
        rows = [record.horizons.index(horizon) for horizon in self.horizons]
        points = np.stack(
            [record.points[served[h]][:, row] for h, row in zip(self.horizons, rows, strict=True)], axis=1
        )
        actual = record.actual(known, cutoff)[:, rows]
        now = size_at(known, target, cutoff, record.regions)
        counts = target != "net_migration"
        calibration = Calibration.fit(points, actual, record.cutoffs, self.horizons, record.size, now, counts)
        weights = record.weights(known, cutoff) if combination.NAME in needed else {}
        return FittedTarget(record.regions, served, models, weights, calibration)

    def predict(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> Forecast:
        """Draws for the regions in which people were last counted at the cutoff.

        Raises ForecastError for a horizon that was not fitted.
        """
        known = dataset.as_of(cutoff)
        placed = placement.in_present_regions(
            known, self._unit_draws(known, cutoff), np.random.default_rng(self.seed + 1)
        )
        made = self._forecast(known, cutoff, horizons, placed, in_units=False)
        if self.estimated is None:
            return made
        flows, sums = self.estimated.forecast(made.targets, cutoff, horizons, self.seed)
        return Forecast(cutoff, made.targets | sums, flows)

    def predict_units(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> Forecast:
        """The same draws in units of constant boundaries, in which outcomes can be compared over years."""
        known = dataset.as_of(cutoff)
        placed = placement.in_units(known, self._unit_draws(known, cutoff))
        return self._forecast(known, cutoff, horizons, placed, in_units=True)

    def _forecast(
        self, known: Dataset, cutoff: int, horizons: Sequence[int], placed: placement.Placed, in_units: bool
    ) -> Forecast:
        self._check_horizons(horizons)
        chosen = [self.horizons.index(horizon) for horizon in horizons]
        targets = {}
        for target, (regions, draws, basis) in placement.whole_persons(known, placed).items():
            scope = target_history(known, target).scope
            models = {horizon: self.fitted[target].served[horizon] for horizon in horizons}
            targets[target] = TargetForecast(
                target, scope, cutoff, tuple(horizons), regions, draws[:, chosen], models, basis
            )
        if self.flows is None:
            return Forecast(cutoff, targets)
        flows, sums = flow_forecast(self.flows, known, cutoff, horizons, self.draws, self.seed, in_units)
        return Forecast(cutoff, targets | sums, flows)

    def _check_settings(self) -> None:
        if list(self.horizons) != sorted(set(self.horizons)) or not self.horizons or self.horizons[0] < 1:
            raise ForecastError(f"horizons {list(self.horizons)}: must be rising years ahead from 1 on")
        if self.draws < 2 or self.draws % 2:
            raise ForecastError(f"draws {self.draws}: must be even, since futures come in mirrored pairs")

    def _check_horizons(self, horizons: Sequence[int]) -> None:
        unknown = [horizon for horizon in horizons if horizon not in self.horizons]
        if unknown or not horizons:
            raise ForecastError(f"horizons {list(horizons)}: must be some of {list(self.horizons)}")

    def _unit_draws(self, known: Dataset, cutoff: int) -> dict[str, np.ndarray]:
        """Draws of every target in its units, in fractions of persons; inflow, out_migration and net reconciled."""
        common = np.random.default_rng(self.seed).random(self.draws // 2)
        draws, spread = {}, {}
        for target, fitted in self.fitted.items():
            point = self._points(known, target, cutoff, fitted)
            draws[target] = fitted.calibration.draws(point, self.draws, np.random.default_rng(self.seed + 2), common)
            spread[target] = fitted.calibration.scale
        return placement.reconciled(known, draws, spread)

    def _points(self, known: Dataset, target: str, cutoff: int, fitted: FittedTarget) -> np.ndarray:
        """Point forecasts of the served models, (horizon, region)."""
        said = {name: model.predict(known, target, cutoff, self.horizons) for name, model in fitted.models.items()}
        points = []
        for horizon in self.horizons:
            name = fitted.served[horizon]
            if name == combination.NAME:
                members = zip(combination.MEMBERS, fitted.weights[horizon], strict=True)
                point = sum(
                    (weight * said[member][horizon] for member, weight in members),
                    start=pd.Series(0.0, list(fitted.regions)),
                )
            else:
                point = said[name][horizon]
            points.append(point.reindex(list(fitted.regions)).to_numpy())
        return np.stack(points)


def region_targets(known: Dataset, cutoff: int) -> list[str]:
    """Forecastable targets that have models of their own; the others are sums of flows, recorded or estimated."""
    found, sums = forecastable_targets(known, cutoff), flow_targets(known, cutoff)
    if {"inflow", "out_migration"} & set(found).difference(sums):
        sums = [*sums, *sums_of_record(known, cutoff)]
    return [target for target in found if target not in sums]


def forecastable_targets(known: Dataset, cutoff: int) -> list[str]:
    """Targets with values in at least two years, the last of them within two years of the cutoff."""
    found = []
    for target in recorded_targets(known):
        years = target_history(known, target).recorded
        if len(years) >= 2 and years[-1] > cutoff - 3:
            found.append(target)
    return found
