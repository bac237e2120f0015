"""MigrationForecaster: the one door. fit(dataset, cutoff), predict(dataset, cutoff, horizons)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from features.boundaries import present_parts, split, unit_of_region
from features.dataset import Dataset
from features.targets import History, first_year, recorded_targets, records, target_history
from models import coherence, combination
from models.boosted import BoostedSettings
from models.calibration import Calibration
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


def margins_agree(dataset: Dataset) -> bool:
    """Whether inflow and out_migration count the same moves of the same regions."""
    if not {"inflow", "out_migration"} <= set(recorded_targets(dataset)):
        return False
    return _what_counts(dataset, "inflow") == _what_counts(dataset, "out_migration")


def margins_record_net(dataset: Dataset) -> bool:
    """Whether net_migration is inflow − out_migration in this dataset: all three recorded, of the same moves."""
    if not margins_agree(dataset) or "net_migration" not in recorded_targets(dataset):
        return False
    return _what_counts(dataset, "net_migration") == _what_counts(dataset, "inflow")


def _what_counts(dataset: Dataset, target: str) -> tuple[str, list[str]]:
    history = target_history(dataset, target)
    return history.scope, history.regions


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

    served: model by (target, horizon), as the gate chose; what is left out gets the fallback.

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

    def fit(
        self, dataset: Dataset, cutoff: int, records: Mapping[str, TrackRecord] | None = None
    ) -> "MigrationForecaster":
        """Fit on what was known at the cutoff.

        records: track records by target that reach the cutoff, where a backtest has made them; else they are made here.

        Raises ForecastError where no target has two years of values.
        """
        known = dataset.as_of(cutoff)
        fitted = {}
        for target in forecastable_targets(known, cutoff):
            record = (records or {}).get(target)
            if record is None:
                cutoffs = past_cutoffs(known, target, cutoff)
                record = track_record(known, target, cutoffs, self.horizons, settings=self.settings)
            record = record.before(cutoff).of(target_history(known, target).regions)
            fitted[target] = self._fit_target(known, target, cutoff, record)
        if not fitted:
            raise ForecastError(f"{dataset.name}: no target has two years of values up to {cutoff}")
        return replace(self, fitted=fitted)

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
        placed = _in_present_regions(known, self._unit_draws(known, cutoff), np.random.default_rng(self.seed + 1))
        return self._forecast(known, cutoff, horizons, placed)

    def predict_units(self, dataset: Dataset, cutoff: int, horizons: Sequence[int]) -> Forecast:
        """The same draws in units of constant boundaries, in which outcomes can be compared over years."""
        known = dataset.as_of(cutoff)
        return self._forecast(known, cutoff, horizons, _in_units(known, self._unit_draws(known, cutoff)))

    def _forecast(self, known: Dataset, cutoff: int, horizons: Sequence[int], placed: "Placed") -> Forecast:
        self._check_horizons(horizons)
        chosen = [self.horizons.index(horizon) for horizon in horizons]
        targets = {}
        for target, (regions, draws, basis) in _whole_persons(known, placed).items():
            scope = target_history(known, target).scope
            models = {horizon: self.fitted[target].served[horizon] for horizon in horizons}
            targets[target] = TargetForecast(
                target, scope, cutoff, tuple(horizons), regions, draws[:, chosen], models, basis
            )
        return Forecast(cutoff, targets)

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
        return _reconciled(known, draws, spread)

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


def forecastable_targets(known: Dataset, cutoff: int) -> list[str]:
    """Targets with values in at least two years, the last of them within two years of the cutoff."""
    found = []
    for target in recorded_targets(known):
        years = target_history(known, target).persons.dropna(how="all").index
        if len(years) >= 2 and years.max() > cutoff - 3:
            found.append(target)
    return found


def _reconciled(known: Dataset, draws: dict[str, np.ndarray], spread: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if {"inflow", "out_migration"} <= set(draws) and margins_agree(known):
        together = margins_record_net(known) and "net_migration" in draws
        net, balanced = draws["net_migration"] if together else None, target_history(known, "inflow").balanced
        inflow, out_migration = coherence.reconcile(draws["inflow"], draws["out_migration"], net, spread, balanced)
        draws = draws | {"inflow": inflow, "out_migration": out_migration}
        if together:
            return draws | {"net_migration": inflow - out_migration}
    if "net_migration" in draws and target_history(known, "net_migration").balanced:
        return draws | {"net_migration": coherence.balance_net(draws["net_migration"], spread["net_migration"])}
    return draws


# --- from units to regions, from fractions to persons ---------------------------------------------------------------

Placed = dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]]
"""By target: regions, draws (draw, horizon, region), basis by region."""


def _in_units(known: Dataset, draws: dict[str, np.ndarray]) -> Placed:
    histories = {target: target_history(known, target) for target in draws}
    return {target: (tuple(one.regions), draws[target], _last_basis(one)) for target, one in histories.items()}


def _in_present_regions(known: Dataset, draws: dict[str, np.ndarray], rng: np.random.Generator) -> Placed:
    placed = {}
    for target, unit_draws in draws.items():
        history = target_history(known, target)
        unit = unit_of_region(known.regions["region"], known.boundary_changes, first_year(known, target))
        parts = present_parts(known, unit)
        parts = parts[parts["unit"].isin(history.regions)].reset_index(drop=True)
        basis = _last_basis(history)
        told = zip(parts["region"], parts["unit"], parts["share"], strict=True)
        told = {region: basis[unit] if share == 1 else "estimated" for region, unit, share in told}
        regional = split(unit_draws, history.regions, parts, _differential(known, history, parts), rng)
        placed[target] = (tuple(parts["region"]), regional, told)
    return placed


def _last_basis(history: History) -> dict[str, str]:
    """Basis of the last value of each region."""
    known = history.basis.notna().to_numpy()
    last = len(known) - 1 - known[::-1].argmax(axis=0)
    return dict(zip(history.regions, history.basis.to_numpy()[last, range(len(last))], strict=True))


def _differential(known: Dataset, history: History, parts: pd.DataFrame) -> pd.Series:
    """Persons by which a part lay above its share of its unit in the last year in which all its parts are recorded:
    persistence, inside a unit."""
    recorded = records(known, history.target)[1].pivot(index="year", columns="region", values="persons")
    above = {}
    for _, group in parts[parts["share"] < 1].groupby("unit"):
        last = recorded.reindex(columns=group["region"]).dropna().iloc[-1:].sum()
        above |= (last - last.sum() * group.set_index("region")["share"]).to_dict()
    return pd.Series(above, dtype="float64")


def _whole_persons(known: Dataset, placed: Placed) -> Placed:
    """Whole persons in every draw; moves inside one country balance."""
    done = dict(placed)
    margins = {"inflow", "out_migration"} <= set(placed) and margins_agree(known)
    if margins:
        (regions, inflow, basis_in), (_, out, basis_out) = placed["inflow"], placed["out_migration"]
        inflow, out = coherence.whole_margins(inflow, out, target_history(known, "inflow").balanced)
        done |= {"inflow": (regions, inflow, basis_in), "out_migration": (regions, out, basis_out)}
    for target in set(placed) - ({"inflow", "out_migration"} if margins else set()):
        regions, draws, basis = placed[target]
        if target == "net_migration" and margins and margins_record_net(known):
            whole = done["inflow"][1] - done["out_migration"][1]
        elif target == "net_migration":
            whole = coherence.whole_net(draws, target_history(known, target).balanced)
        else:
            whole = np.rint(np.maximum(draws, 0)).astype(np.int64)
        done[target] = (regions, whole, basis)
    return done
