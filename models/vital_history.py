"""Vital history: population, births, deaths and balances of regions over the years, as known at a cutoff.

A region that was part of another one before has the part of the other's figures that it had when it was first counted.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.boundaries import at_constant_boundaries, unit_of_region
from features.dataset import Dataset
from features.targets import records

NEEDED = ("population", "births", "deaths")
GROUPS = ("population_0_15", "population_working_age", "population_pension_age")


class HistoryError(ValueError):
    """A dataset that does not say what a projection starts from; lists all that is missing."""


@dataclass(frozen=True, eq=False)
class VitalHistory:
    """Figures by (year, region), NaN where not known; `women` are a part of population.

    years: from the first in which all of NEEDED are known in every region to the cutoff. groups: (year, region, group).
    by_age: rows region, year, sex, age_group, persons. net: balance of all moves.
    """

    years: tuple[int, ...]
    regions: tuple[str, ...]
    population: np.ndarray
    births: np.ndarray
    deaths: np.ndarray
    net: np.ndarray
    women: np.ndarray
    life_expectancy: np.ndarray
    groups: np.ndarray
    by_age: pd.DataFrame


def vital_history(known: Dataset, cutoff: int, regions: tuple[str, ...]) -> VitalHistory:
    """Of regions that stand at the cutoff, or of units of constant boundaries.

    Raises HistoryError where a region lacks a population, births, deaths or a balance of the cutoff year.
    """
    places = _Places(known, regions)
    tables = {name: places.filled(name) for name in (*NEEDED, "life_expectancy", "population_female", *GROUPS)}
    tables["net"] = places.balances()
    _check(tables, cutoff)
    complete = np.logical_and.reduce([tables[name].reindex(range(1800, cutoff + 1)).notna() for name in NEEDED])
    first = max((year for year, full in zip(range(1800, cutoff + 1), complete.all(axis=1), strict=True) if not full))
    years = range(first + 1, cutoff + 1)
    arrays = {name: table.reindex(years).to_numpy(dtype="float64") for name, table in tables.items()}
    return VitalHistory(
        years=tuple(years),
        regions=regions,
        population=arrays["population"],
        births=arrays["births"],
        deaths=arrays["deaths"],
        net=arrays["net"],
        women=arrays["population_female"] / arrays["population"],
        life_expectancy=arrays["life_expectancy"],
        groups=np.stack([arrays[name] for name in GROUPS], axis=-1),
        by_age=places.by_age(),
    )


def _check(tables: dict[str, pd.DataFrame], cutoff: int) -> None:
    faults = []
    for name in (*NEEDED, "net"):
        last = tables[name].reindex([cutoff]).iloc[0]
        if last.isna().any():
            missing, what = ", ".join(last.index[last.isna()]), "net migration" if name == "net" else name
            faults.append(f"{what} of {cutoff} is not known of {missing}")
    if faults:
        raise HistoryError("no projection can be made: " + "; ".join(faults))


class _Places:
    """Regions, and the units of which they are parts."""

    def __init__(self, known: Dataset, regions: tuple[str, ...]) -> None:
        first = int(known.indicators["year"].min())
        self._known, self._regions = known, regions
        self._whole = at_constant_boundaries(known, first)
        unit = unit_of_region(known.regions["region"], known.boundary_changes, first)
        self._unit = {region: str(unit.get(region, region)) for region in regions}
        self._members = unit

    def filled(self, name: str) -> pd.DataFrame:
        """An indicator, year × region. A mean has the level of the unit, corrected by the same ratio."""
        return self._parts(self._known.indicator(name), self._whole.indicator(name))

    def balances(self) -> pd.DataFrame:
        """Of moves, year × region: shares of a unit's are those of its population."""
        own, whole = (_pivot(records(one, "net_migration")[1]) for one in (self._known, self._whole))
        population, of_units = self.filled("population"), self._whole.indicator("population")
        columns = {}
        for region, unit in self._unit.items():
            share = population[region] / of_units[unit]
            columns[region] = _column(own, region).combine_first(_column(whole, unit) * share)
        return pd.DataFrame(columns)

    def _parts(self, own: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
        columns = {}
        for region, unit in self._unit.items():
            of_unit = _column(whole, unit)
            of_region = of_unit if region == unit else _column(own, region)
            ratio = (of_region / of_unit).dropna()
            columns[region] = of_region.combine_first(of_unit * ratio.iloc[0]) if len(ratio) else of_region
        return pd.DataFrame(columns)

    def by_age(self) -> pd.DataFrame:
        table, own = self._known.population_by_age, set(self._regions)
        place = [region if region in own else self._members.get(region, region) for region in table["region"]]
        table = table.assign(region=place)
        key = ["region", "year", "sex", "age_group"]
        return table[table["region"].isin(own)].groupby(key, observed=True)["persons"].sum().reset_index()


def _column(table: pd.DataFrame, region: str) -> pd.Series:
    """Empty where the table does not have it."""
    return table[region] if region in table else pd.Series(dtype="float64")


def _pivot(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.pivot(index="year", columns="region", values="persons").astype("float64")
