"""Projection backtest: from past years to one whose population is known, beside constant growth and no migration.

Units of constant boundaries. Nothing of the width of intervals is chosen here: it is what was known at each cutoff.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from models.age_structure import age_structure
from models.cohort_year import cohort_year
from models.forecaster import HORIZONS, MigrationForecaster
from models.mobility import Moves
from models.projection import project
from models.vital_rates import vital_rates

YEARS = (15, 13, 11, 9)
"""Years from the cutoffs to the one that is projected; the first is what is reported, the others stand beside it."""
INTERVAL = (0.1, 0.9)
STILL_DRAWS = 200


@dataclass(frozen=True, eq=False)
class ProjectionBacktest:
    """rows: region, start, observed, projected, lower, upper, constant_growth, no_migration; persons on 1 January of
    `to`, `start` on that after the cutoff; projected: median."""

    cutoff: int
    to: int
    rows: pd.DataFrame

    def errors(self) -> pd.DataFrame:
        """Relative error, region × projected, constant_growth, no_migration."""
        told = self.rows.set_index("region")
        made = told[["projected", "constant_growth", "no_migration"]]
        return made.div(told["observed"], axis=0) - 1

    def scores(self) -> dict[str, float]:
        """Mean absolute percentage errors, as a part of one, and the part of regions inside the 80 % interval."""
        inside = self.rows["observed"].between(self.rows["lower"], self.rows["upper"])
        errors = {str(name): float(error) for name, error in self.errors().abs().mean().items()}
        return errors | {"coverage_80": float(inside.mean())}

    def table(self) -> pd.DataFrame:
        """Rows with their errors."""
        errors = self.errors().add_prefix("error_").reset_index()
        told = self.rows.merge(errors, on="region", validate="one_to_one")
        return told.assign(cutoff=self.cutoff, year=self.to)


def projection_backtests(
    dataset: Dataset, to: int, progress: Callable[[str], None], years: tuple[int, ...] = YEARS
) -> list[ProjectionBacktest]:
    found = []
    for ahead in years:
        progress(f"projecting {to} from what was known in {to - ahead}")
        found.append(projection_backtest(dataset, to - ahead, to))
    return found


def projection_backtest(dataset: Dataset, cutoff: int, to: int) -> ProjectionBacktest:
    """Raises ForecastError, HistoryError where a projection could not have been made."""
    forecast = MigrationForecaster(horizons=HORIZONS).fit(dataset, cutoff).predict_units(dataset, cutoff, HORIZONS)
    made = project(dataset, cutoff, forecast, to)
    regions, people = list(made.regions), made.measure("population")
    lower, upper = np.quantile(people[:, -1], INTERVAL, axis=0)
    start = people[0, 0].astype("float64")
    rows = {
        "region": regions,
        "start": start,
        "observed": _population(dataset, regions).loc[to],
        "projected": np.median(people[:, -1], axis=0),
        "lower": lower,
        "upper": upper,
        "constant_growth": _constant_growth(dataset.as_of(cutoff), regions, start, cutoff, to),
        "no_migration": _no_migration(dataset.as_of(cutoff), made.regions, cutoff, to),
    }
    return ProjectionBacktest(cutoff, to, pd.DataFrame(rows).reset_index(drop=True))


def _population(dataset: Dataset, regions: list[str]) -> pd.DataFrame:
    """Year × region, in units."""
    first = int(dataset.indicators["year"].min())
    return at_constant_boundaries(dataset, first).indicator("population").reindex(columns=regions)


def _constant_growth(known: Dataset, regions: list[str], start: np.ndarray, cutoff: int, to: int) -> np.ndarray:
    """Every region grows as in the mean of all years that are known."""
    past = _population(known, regions).dropna()
    growth = np.log(start / past.iloc[0].to_numpy()) / (cutoff + 1 - past.index[0])
    return start * np.exp(growth * (to - cutoff - 1))


def _no_migration(known: Dataset, regions: tuple[str, ...], cutoff: int, to: int) -> np.ndarray:
    """The same births and deaths, and nobody moves: median."""
    structure, rng = age_structure(known, cutoff, regions), np.random.default_rng(0)
    rates = vital_rates(structure, to - structure.year, STILL_DRAWS, rng)
    people = np.broadcast_to(structure.persons, (STILL_DRAWS, *structure.persons.shape))
    still = Moves(np.zeros((STILL_DRAWS, len(regions)), dtype=np.int64))
    for step in range(to - structure.year):
        people = cohort_year(people, still, rates.fertility[:, step], rates.mortality[:, step], rng).people
    return np.median(people.sum(axis=(2, 3)), axis=0)
