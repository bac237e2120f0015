"""Labour: who will work or look for work, by region and year, against jobs that are expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.fault_words import nearest
from models.forecast import QUANTILES, Forecast

if TYPE_CHECKING:
    from models.outlook import Outlook

ASSUMPTIONS = (
    "participation, labour force per person of working age, stays at its last known value",
    "whom the law makes retire later takes part as all others of working age do",
    "working-age population on 1 January stands for the year's",
    "people who move take part in the labour force as those of the region do",
)
OF_JOBS = (
    "jobs are as given, none is invented; years without a figure are not compared",
    "closing migration is what would have to have come by 1 January, of working age, beyond what is projected",
)


class LabourError(ValueError):
    """Figures of labour that cannot be used; names every fault and what would be right."""


@dataclass(frozen=True, eq=False)
class Labour:
    """supply: persons in the labour force, (draw, year, region). participation: labour force per person of working age,
    (region). jobs: as given, (year, region), NaN where none are. net_migration: projected balance of all ages from the
    first year up to 1 January of the year, persons, (year, region), NaN where it is not known.
    """

    years: tuple[int, ...]
    regions: tuple[str, ...]
    participation: np.ndarray
    supply: np.ndarray
    jobs: np.ndarray
    net_migration: np.ndarray

    @cached_property
    def gap(self) -> np.ndarray:
        """Jobs less supply, (draw, year, region): above 0 workers are missing, below 0 jobs."""
        return self.jobs - self.supply

    @cached_property
    def closing_migration(self) -> np.ndarray:
        """Net migration of persons of working age that would close the gap, (draw, year, region)."""
        return self.gap / self.participation

    @cached_property
    def probability_shortage(self) -> np.ndarray:
        """Share of draws in which workers are missing, 0-1, (year, region); NaN without jobs."""
        return np.where(np.isnan(self.jobs), np.nan, (self.gap > 0).mean(axis=0))

    @property
    def assumptions(self) -> tuple[str, ...]:
        return ASSUMPTIONS if np.isnan(self.jobs).all() else ASSUMPTIONS + OF_JOBS

    def table(self) -> pd.DataFrame:
        """A row per region and year: supply, gap and closing migration as expected and in quantiles, persons."""
        index = pd.MultiIndex.from_product([self.regions, self.years], names=["region", "year"])
        columns = {"participation": np.repeat(self.participation, len(self.years)), "jobs": self.jobs.T.ravel()}
        for name in ("supply", "gap", "closing_migration"):
            draws = getattr(self, name)
            columns[name] = draws.mean(axis=0).T.ravel()
            levels = np.quantile(draws, QUANTILES, axis=0).transpose(0, 2, 1).reshape(len(QUANTILES), -1)
            columns |= {f"{name}_{level}": row for level, row in zip(QUANTILES, levels, strict=True)}
        columns["probability_shortage"] = self.probability_shortage.T.ravel()
        columns["net_migration"] = self.net_migration.T.ravel()
        return pd.DataFrame(columns, index=index).reset_index().assign(basis="assumed")


def labour_of(
    outlook: "Outlook",
    dataset: Dataset,
    forecast: Forecast,
    level: str,
    to: int,
    regions: Sequence[str] | None = None,
    jobs: pd.DataFrame | None = None,
) -> Labour:
    """Labour supply of some regions, or all, by the projection, up to a year; jobs: region, year, jobs, source.

    Raises LabourError where a region or the last year is not projected, or jobs are of what is not asked for.
    """
    chosen = list(outlook.regions) if regions is None else list(dict.fromkeys(regions))
    years = [year for year in outlook.years if year <= to]
    _check(chosen, to, outlook, jobs)
    places = [list(outlook.regions).index(region) for region in chosen]
    people = outlook.draws(level, "working_age")[:, :, places]
    known = dataset.as_of(forecast.cutoff)
    participation = participation_of(known, chosen, outlook.years, people.mean(axis=0))
    given = np.full((len(years), len(chosen)), np.nan) if jobs is None else jobs_array(jobs, years, chosen)
    moved = migrated(_balances(forecast, chosen), years)
    return labour(people[:, : len(years)], years, chosen, participation, given, moved)


def _check(regions: Sequence[str], to: int, outlook: "Outlook", jobs: pd.DataFrame | None) -> None:
    faults = []
    if jobs is not None:
        unasked = jobs[~jobs["region"].isin(regions) | (jobs["year"] > to)]
        faults += [
            f"jobs of {region} in {year}: are not asked for; must be of {', '.join(regions)}, up to {to}"
            for region, year in zip(unasked["region"], unasked["year"], strict=True)
        ]
    for region in (region for region in regions if region not in outlook.regions):
        known = ", ".join(outlook.regions)
        faults.append(f"region '{region}' is not projected; known: {known}{nearest(region, outlook.regions)}")
    if to not in outlook.years:
        faults.append(f"last year {to} is not projected; must be from {outlook.years[0]} to {outlook.years[-1]}")
    if faults:
        raise LabourError("\n".join(faults))


def _balances(forecast: Forecast, regions: Sequence[str]) -> dict[int, np.ndarray]:
    """Expected net migration by year, (region), NaN of a region without a forecast."""
    made = forecast.targets["net_migration"]
    expected = pd.DataFrame(made.draws.mean(axis=0), columns=list(made.regions)).reindex(columns=list(regions))
    return {made.cutoff + horizon: row for horizon, row in zip(made.horizons, expected.to_numpy(), strict=True)}


def labour(
    working_age: np.ndarray,
    years: Sequence[int],
    regions: Sequence[str],
    participation: np.ndarray,
    jobs: np.ndarray,
    net_migration: np.ndarray,
) -> Labour:
    """working_age: persons on 1 January, (draw, year, region). The others as in Labour."""
    supply = working_age * participation
    return Labour(tuple(years), tuple(regions), participation, supply, jobs, net_migration)


def participation_of(dataset: Dataset, regions: Sequence[str], years: Sequence[int], people: np.ndarray) -> np.ndarray:
    """Last known labour force per person of working age, (region).

    people: of working age on 1 January of the years, expected, (year, region). A year's labour force is its average: it
    is divided by the mean of the two ends of its year, or the nearest 1 January where these are not both known.
    Raises LabourError that names the regions without a labour force.
    """
    known = dataset.indicator("labour_force")
    lacking = [region for region in regions if region not in known or known[region].isna().all()]
    if lacking:
        raise LabourError(f"labour_force: no value of {', '.join(lacking)}; must have one in a year at least")
    found = []
    for place, region in enumerate(regions):
        last = known[region].dropna()
        found.append(last.iloc[-1] / _in_year(int(last.index[-1]), years, people[:, place]))
    return np.array(found)


def _in_year(year: int, years: Sequence[int], people: np.ndarray) -> float:
    if {year, year + 1} <= set(years):
        return float(people[[years.index(year), years.index(year + 1)]].mean())
    return float(people[np.abs(np.array(years) - (year + 0.5)).argmin()])


def jobs_array(demand: pd.DataFrame, years: Sequence[int], regions: Sequence[str]) -> np.ndarray:
    """Jobs of a checked table (region, year, jobs), (year, region); NaN where none are given."""
    wide = demand.pivot(index="year", columns="region", values="jobs")
    return wide.reindex(index=list(years), columns=list(regions)).to_numpy("float64")


def migrated(net_migration: Mapping[int, np.ndarray], years: Sequence[int]) -> np.ndarray:
    """Balances by year of the moves, each (region), as sums up to 1 January of the years, (year, region).

    0 on the first 1 January; NaN as soon as a year before it is not known.
    """
    none = np.full(next(iter(net_migration.values())).shape, np.nan)
    balances = [net_migration.get(year, none) for year in range(years[0], years[-1])]
    sums = np.cumsum([np.zeros(none.shape), *balances], axis=0)
    return sums[np.array(years) - years[0]]
