"""Targets: what is forecast, and its recorded history.

A target is net_migration, inflow or out_migration. Its history comes from flows where there are flows, else from
movements; what kind of moves are counted is its scope.
"""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from features.boundaries import BASIS_ORDER, at_constant_boundaries
from features.dataset import Dataset
from features.remembered import remembered

TARGETS = ("net_migration", "inflow", "out_migration")

RECORD = ["region", "year", "persons", "basis"]
_MEASURE = {"net_migration": "net", "inflow": "arrivals", "out_migration": "departures"}
_SCOPES = {
    "net_migration": ("all", "within_country", "between_regions"),
    "inflow": ("between_regions", "within_country", "all"),
    "out_migration": ("between_regions", "within_country", "all"),
}


@dataclass(frozen=True, eq=False)
class History:
    """Recorded values of one target in units of constant boundaries.

    persons, population: year × region, population on 1 January of the year; NaN where not known. Years without any
    value inside the span are rows of NaN. basis: year × region. Regions are sorted; every region that ever has a rate
    has a column.
    scope: `between_regions`, `within_country` (with moves inside a region), or `all` (with abroad).
    """

    target: str
    scope: str
    persons: pd.DataFrame
    population: pd.DataFrame
    basis: pd.DataFrame

    @cached_property
    def rate(self) -> pd.DataFrame:
        """Persons per 1,000 inhabitants on 1 January, year × region; the same frame for everyone who asks."""
        return 1000 * self.persons / self.population.reindex(self.persons.index)

    @cached_property
    def last_basis(self) -> dict[str, str]:
        """Basis of the last value of each region."""
        known = self.basis.notna().to_numpy()
        last = len(known) - 1 - known[::-1].argmax(axis=0)
        return dict(zip(self.regions, self.basis.to_numpy()[last, range(len(last))], strict=True))

    @cached_property
    def recorded(self) -> list[int]:
        """Years with a value of any region."""
        return [int(year) for year in self.persons.index[self.persons.notna().any(axis=1)]]

    @property
    def regions(self) -> list[str]:
        return list(self.persons.columns)

    @property
    def balanced(self) -> bool:
        """Whether every gain of a region is a loss of another: moves inside the country only."""
        return self.scope != "all"


def recorded_targets(dataset: Dataset) -> list[str]:
    """The targets of which the dataset has a rate: persons, and the population they are of."""
    return [t for t in TARGETS if len(records(dataset, t)[1]) and target_history(dataset, t).regions]


def first_year(dataset: Dataset, target: str) -> int:
    """Of the recorded values. Raises ValueError where nothing is recorded; see `recorded_targets`."""
    return int(records(dataset, target)[1]["year"].min())


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


@remembered(512)
def target_history(dataset: Dataset, target: str) -> History:
    """The history of a target in units whose boundaries are constant over it.

    Raises ValueError where nothing is recorded.
    """
    constant = at_constant_boundaries(dataset, first_year(dataset, target))
    scope, rows = records(constant, target)
    years = pd.RangeIndex(int(rows["year"].min()), int(rows["year"].max()) + 1, name="year")
    persons = rows.pivot(index="year", columns="region", values="persons").astype("float64").sort_index(axis=1)
    population = constant.indicator("population").reindex(columns=persons.columns)
    rated = (persons.notna() & population.reindex(persons.index).notna()).any()
    regions = persons.columns[rated]
    basis = rows.pivot(index="year", columns="region", values="basis").reindex(columns=regions)
    return History(target, scope, persons[regions].reindex(years), population[regions], basis.reindex(years))


@remembered(512)
def records(dataset: Dataset, target: str) -> tuple[str, pd.DataFrame]:
    """Scope, and rows (region, year, persons, basis) of the widest scope for the balance, the narrowest for counts."""
    if len(dataset.flows):
        if target != "net_migration":
            return "between_regions", _margin(dataset.flows, target)
        if not (dataset.movements["scope"] == "all").any():
            return "between_regions", _difference(records(dataset, "inflow")[1], records(dataset, "out_migration")[1])
    movements = dataset.movements
    for scope in _SCOPES[target]:
        inside = movements[movements["scope"] == scope]
        rows = inside[inside["measure"] == _MEASURE[target]]
        if not len(rows) and target == "net_migration":
            rows = _difference(inside[inside["measure"] == "arrivals"], inside[inside["measure"] == "departures"])
        if len(rows):
            return scope, rows[RECORD]
    return "none", pd.DataFrame({column: [] for column in RECORD})


def _margin(flows: pd.DataFrame, target: str) -> pd.DataFrame:
    """Flows summed over destinations or origins; a region without a flow in a year that has flows is zero."""
    end = "destination" if target == "inflow" else "origin"
    regions = sorted(set(flows["origin"].unique()) | set(flows["destination"].unique()))
    sums = flows.rename(columns={end: "region"}).groupby(["year", "region"])["persons"].sum()
    every = pd.MultiIndex.from_product([sorted(flows["year"].unique()), regions], names=["year", "region"])
    rows = sums.reindex(every, fill_value=0).reset_index()
    worst = flows.groupby("year")["basis"].agg(lambda basis: max(basis.unique(), key=BASIS_ORDER.index))
    return rows.assign(basis=rows["year"].map(worst.astype("str")))


def _difference(arrivals: pd.DataFrame, departures: pd.DataFrame) -> pd.DataFrame:
    """Arrivals less departures, on the weaker basis of the two."""
    both = arrivals.merge(departures, on=["region", "year"], suffixes=("", "_out"), validate="one_to_one")
    weaker = [max(pair, key=BASIS_ORDER.index) for pair in zip(both["basis"], both["basis_out"], strict=True)]
    return both.assign(persons=both["persons"] - both["persons_out"], basis=weaker)[RECORD]
