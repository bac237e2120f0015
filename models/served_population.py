"""Served population of a city: who is present, by kind, what they need by year, and how likely it is too much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from reprlib import repr as shown
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.fault_words import nearest
from models.served_population_case import REGISTERED, Case, ServedError
from models.served_population_ledger import Reconciled, dates_of, ledger_of, reconcile
from models.served_population_load import EVERYBODY, Load, Presence, assumptions_of, load_table, loads_of

if TYPE_CHECKING:
    from models.outlook import Outlook

SEED = 20
MEASURES = (EVERYBODY, "children", "working_age", "pension_age")
ILLUSTRATIVE = "norms, capacities, recipients and budgets are illustrative: they show the form, no law and no measure"


@dataclass(frozen=True, eq=False)
class Residents:
    """Projected residents of a city on 1 January. persons: `population`, `children`, `working_age`, `pension_age`, each
    (draw, year). official: population by year, of which years that are not projected are used."""

    years: tuple[int, ...]
    persons: Mapping[str, np.ndarray]
    official: Mapping[int, float] = field(default_factory=dict)

    def population_on(self, day: date) -> np.ndarray:
        """Residents on a day, straight between 1 January and the next one, (draw)."""
        passed = (day - date(day.year, 1, 1)).days / (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
        return (1 - passed) * self._population(day.year, day) + passed * self._population(day.year + 1, day)

    def _population(self, year: int, day: date) -> np.ndarray:
        population = self.persons[EVERYBODY]
        if year in self.years:
            return population[:, self.years.index(year)]
        if year in self.official:
            return np.full(len(population), self.official[year])
        span = f"{min([*self.official, *self.years])} to {max(self.years)}"
        raise ServedError(f"city: date = {day}: no population of 1 January {year}; must be within {span}")


def residents_of(outlook: "Outlook", dataset: Dataset, region: str, level: str) -> Residents:
    """Projected residents of a region, and its official population of the years before, as known at the cutoff.

    Raises ServedError where there is none of the region.
    """
    if region not in outlook.regions:
        known = ", ".join(outlook.regions) + nearest(region, outlook.regions)
        raise ServedError(f"city: region = {shown(region)}: must be one of {known}")
    place = list(outlook.regions).index(region)
    persons = {name: outlook.draws(level, name)[:, :, place] for name in MEASURES}
    population = dataset.as_of(outlook.years[0] - 1).indicator(EVERYBODY)[region].dropna()
    official = dict(zip(population.index.tolist(), population.tolist(), strict=True))
    return Residents(tuple(outlook.years), persons, official)


@dataclass(frozen=True, eq=False)
class ServedPopulation:
    """Everything in it is `assumed`, but the ledger, which is `estimated`. years: those after the ledger's date."""

    case: Case
    reconciled: Reconciled
    years: tuple[int, ...]
    loads: tuple[Load, ...]
    assumptions: tuple[str, ...]

    def of(self, part: str) -> list[Load]:
        """part: `presence`, `demand`, `recipients` or `cost`."""
        return [load for load in self.loads if load.part == part]

    def ledger_table(self) -> pd.DataFrame:
        """A row per kind, and `total`: stated and reconciled persons, their errors, the residual, the source."""
        found, rows = self.reconciled, self.case.component
        table = pd.DataFrame(
            {
                "kind": found.ledger.kinds,
                "stated": found.ledger.stated,
                "error": found.ledger.error,
                "reconciled": found.value,
                "reconciled_error": found.error,
                "residual": found.residual,
                "coverage": [row.coverage for row in rows],
                "date": [row.date.isoformat() for row in rows],
                "basis": [row.basis for row in rows],
                "source": [row.source for row in rows],
            }
        )
        return pd.concat([table, pd.DataFrame([self._total_row()])], ignore_index=True)

    def _total_row(self) -> dict[str, object]:
        found, stated = self.reconciled, self.case.total
        row: dict[str, object] = {"kind": "total", "reconciled": found.total, "reconciled_error": found.total_error}
        if stated is not None:
            row |= {"stated": stated.value, "error": stated.standard_error, "residual": found.total_residual}
            row |= {"date": stated.date.isoformat(), "basis": stated.basis, "source": stated.source}
        return row

    def table(self) -> pd.DataFrame:
        """A row per load and year: expected, quantiles, limit, probability_over, basis, illustrative."""
        table = load_table(self.loads)
        stated = table["part"] != "presence"
        return table.assign(basis="assumed", illustrative=stated & self.case.illustrative)


def served_population(case: Case, residents: Residents, to: int) -> ServedPopulation:
    """The case carried on with projected residents, for the years after its date up to `to`.

    Raises ServedError where the projection does not reach the case's date, or the last year.
    """
    reconciled = reconcile(ledger_of(case))
    years = tuple(year for year in residents.years if case.city.date.year < year <= to)
    if to not in years:
        span = f"{max(case.city.date.year + 1, residents.years[0])} to {residents.years[-1]}"
        raise ServedError(f"last year {to}: must be projected, and after {case.city.date}: from {span}")
    presence = _presence(case, reconciled, residents, years)
    assumptions = [*_ledger_assumptions(case), *assumptions_of(case, years)]
    assumptions += [ILLUSTRATIVE] if case.illustrative else []
    return ServedPopulation(case, reconciled, years, loads_of(case, presence), tuple(assumptions))


def _presence(case: Case, reconciled: Reconciled, residents: Residents, years: tuple[int, ...]) -> Presence:
    """Draw i of the ledger goes with draw i of the projection."""
    columns = [residents.years.index(year) for year in years]
    projected = {name: draws[:, columns] for name, draws in residents.persons.items()}
    start = reconciled.draws(len(projected[EVERYBODY]), np.random.default_rng(SEED))
    growth = projected[EVERYBODY] / residents.population_on(case.city.date)[:, None]
    passed = np.array(years) - (case.city.date.year + (case.city.date.timetuple().tm_yday - 1) / 365.25)
    persons = [
        start[:, [place]] * (growth if row.growth_per_year is None else (1 + row.growth_per_year) ** passed)
        for place, row in enumerate(case.component)
    ]
    return Presence(reconciled.ledger.kinds, years, np.stack(persons, axis=2), projected)


def _ledger_assumptions(case: Case) -> list[str]:
    told = ["registered residents grow as the projected population"]
    days = dates_of(case)
    if len(days) > 1:
        told.append(f"figures of {days[0]} to {days[1]} are taken as of {case.city.date}")
    for row in (row for row in case.component if row.kind != REGISTERED):
        constant = "stay in constant ratio to registered residents"
        given = row.growth_per_year
        told.append(f"{row.kind}: {constant if given is None else f'grow by {100 * given:g} % a year, as stated'}")
    return told
