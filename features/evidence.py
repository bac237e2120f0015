"""Evidence: what a dataset states of the moves of a year, each figure with its error, as sums of cells of one table.

The table of a year has a row (origin) and a column (destination) for each part and, last, for abroad. Its diagonal
holds moves inside a part. So every move is a debit in one row and a credit in one column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.balancing import Statements
from features.boundaries import parts_of_regions, standing_in
from features.dataset import Dataset

OFFICIAL_ERROR = 1.0
"""Standard error of an official figure of a year, persons: it is taken at its word, but for the last digit."""
RECORDED_ERROR = 0.1
"""The same of a recorded flow, to which other figures give way."""
DERIVED_ERROR = 0.0005
"""Standard error of a derived balance, as a part of the population it was derived from."""
PART_YEAR_ERROR = 0.12
"""Standard error of a year that is told by some of its months, as a part of it: seasons differ between regions."""
SEASON_OF_NET = 2.0
"""Seasons of a balance differ that many times more,"""
BALANCE_OF_MONTHS = 0.001
"""and by that part of the population at least: a balance near zero in some months says little of the others."""
COLUMNS = [
    "year",
    "region",
    "other",
    "measure",
    "scope",
    "first_month",
    "last_month",
    "told",
    "persons",
    "error",
    "source",
]
EXTRA = ["basis", "rounding"]
"""Of figures, before they are evidence."""

KEY = [name for name in COLUMNS if name not in ("told", "persons", "error")]


class EvidenceError(ValueError):
    """Figures of which no record can be made; says what is missing."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """parts: sorted codes, the smallest regions; with `abroad` they are the accounts.

    rows: COLUMNS; `told` as printed, `persons` the same for a whole year, `error` its standard error. An empty region
    is the whole country. members: parts of a region. standing: regions of each year. recorded: by year that has them,
    flows between parts that a register records, (part, part), NaN where none does. recorded_sums: all moves between
    regions of the year, None where they are not all recorded.
    """

    parts: tuple[str, ...]
    rows: pd.DataFrame
    recorded: Mapping[int, np.ndarray]
    recorded_sums: Mapping[int, float | None]
    members: Mapping[str, tuple[str, ...]]
    standing: Mapping[int, tuple[str, ...]]

    @property
    def years(self) -> list[int]:
        return sorted(self.standing)

    def of(self, year: int) -> pd.DataFrame:
        return self.rows[self.rows["year"] == year]

    def recorded_cells(self, year: int) -> np.ndarray:
        """Whether a register records a cell of the table of accounts, (account, account)."""
        side = len(self.parts) + 1
        known = np.zeros((side, side), dtype=bool)
        if year in self.recorded:
            known[:-1, :-1] = ~np.isnan(self.recorded[year])
        return known

    def wholly_recorded(self, year: int) -> bool:
        """Whether a register records every flow of a year."""
        return year in self.recorded and int(np.isnan(self.recorded[year]).sum()) == len(self.parts)

    def recorded_of(self, year: int) -> pd.DataFrame:
        """Rows of recorded flows from or to regions of several parts."""
        rows = self.of(year)
        return rows[(rows["other"] != "") & (rows["error"] == RECORDED_ERROR)]

    def statements(self, rows: pd.DataFrame) -> Statements:
        """Rows of one year as sums of cells of the table of accounts, flattened."""
        keys = rows[["year", "region", "other", "measure", "scope"]].to_numpy("object")
        cells = [self.cells(*key).ravel() for key in keys]
        side = len(self.parts) + 1
        return Statements(np.array(cells).reshape(len(rows), side * side), rows["error"].to_numpy("float64"))

    def cells(self, year: int, region: str, other: str, measure: str, scope: str) -> np.ndarray:
        """Which cells a figure counts, (account, account): 1, or −1 where they are taken off."""
        if measure == "net":
            return self.cells(year, region, other, "arrivals", scope) - self.cells(
                year, region, other, "departures", scope
            )
        side = len(self.parts) + 1
        inside = self._masks[region] if region else np.append(np.ones(side - 1, dtype=bool), False)
        outside = self._masks[other] if other else self._other_end(scope)
        counted = np.outer(outside, inside).astype("float64")
        if scope == "between_regions" and not other:
            counted *= self.between(year)
        return counted if measure == "arrivals" else counted.T

    @cached_property
    def _masks(self) -> dict[str, np.ndarray]:
        """Which accounts belong to a region, (account)."""
        return {region: np.isin([*self.parts, "abroad"], parts) for region, parts in self.members.items()}

    def _other_end(self, scope: str) -> np.ndarray:
        country, abroad = scope != "abroad", scope in ("abroad", "all")
        return np.append(np.full(len(self.parts), country), abroad)

    def between(self, year: int) -> np.ndarray:
        """Cells between two different regions of the year, (account, account), without abroad."""
        return self._between[year]

    @cached_property
    def _between(self) -> dict[int, np.ndarray]:
        return {year: self._between_in(year) for year in self.standing}

    def _between_in(self, year: int) -> np.ndarray:
        region = np.full(len(self.parts) + 1, -1)
        for place, one in enumerate(self.standing[year]):
            region[self._masks[one]] = place
        inside = region >= 0
        return (region[:, None] != region) & inside[:, None] & inside


def of_regions(rows: pd.DataFrame) -> pd.DataFrame:
    """Figures of regions or the country, not of pairs."""
    return rows[rows["other"] == ""]


def wholly_counted(rows: pd.DataFrame) -> pd.Series:
    """Regions whose arrivals are told of the whole year."""
    whole = (rows["first_month"] == 1) & (rows["last_month"] == 12) & (rows["measure"] == "arrivals")
    return rows.loc[whole, "region"]


def all_counted(told: Evidence, year: int) -> bool:
    """Whether arrivals of a whole year are told of every region."""
    return set(told.standing[year]) <= set(wholly_counted(of_regions(told.of(year))))


def evidence(dataset: Dataset, since: int | None = None) -> Evidence:
    """All that is stated of moves from the year `since` on; by default from the first year on in which every region's
    balance is official, or the first of all where none is.

    Raises PartsError of features.boundaries, and EvidenceError where no year is told of every region.
    """
    regions, changes = dataset.regions["region"], dataset.boundary_changes
    rows, members = figures(dataset), parts_of_regions(regions, changes)
    standing = _standing(dataset, rows, members)
    years = _told_years(rows, standing, since)
    if not years:
        raise EvidenceError(f"{dataset.name}: no year has a balance, or arrivals and departures, of every region")
    # Of regions that begin after the last year nobody knows yet how many live in them.
    members = parts_of_regions(regions, changes[changes["year"] <= years[-1]])
    parts = sorted({part for year in years for one in standing[year] for part in members[one]})
    records = {year: _records(dataset, standing, year) for year in years if (dataset.flows["year"] == year).any()}
    recorded = {year: one.between_parts(parts, members) for year, one in records.items()}
    recorded_sums = {year: one.sum(standing[year]) for year, one in records.items()}
    of_parts = rows["of_flows"] & rows["region"].isin(parts) & rows["other"].isin(parts)
    rows = rows.loc[rows["year"].isin(years) & ~of_parts, COLUMNS].sort_values(KEY, ignore_index=True)
    return Evidence(tuple(parts), rows, recorded, recorded_sums, members, {year: standing[year] for year in years})


def figures(dataset: Dataset) -> pd.DataFrame:
    """All that is stated of moves in any year: COLUMNS, `basis`, `of_flows` (whether it is a recorded flow), and
    `rounding`, the standard error of `told`."""
    tables = [_of_movements(dataset), _of_population(dataset), _of_statements(dataset), _of_flows(dataset)]
    return pd.concat(tables, ignore_index=True).assign(of_flows=lambda all_: all_["of_flows"].eq(True))


def _records(dataset: Dataset, standing: Mapping[int, tuple[str, ...]], year: int) -> "_Records":
    flows = dataset.flows[dataset.flows["year"] == year]
    known = flows[flows["basis"] != "estimated"]
    persons = known.pivot(index="origin", columns="destination", values="persons").astype("float64")
    if len(known) == len(flows):
        among = list(standing[year])
        persons = persons.reindex(
            index=persons.index.union(among, sort=False), columns=persons.columns.union(among, sort=False)
        )
        persons.loc[among, among] = persons.loc[among, among].fillna(0.0)
    return _Records(persons)


@dataclass(frozen=True, eq=False)
class _Records:
    """persons: recorded flows of a year between regions of any time, origin × destination, NaN where none is. Where no
    flow of the year is estimated, a pair of regions of the year without a row is zero."""

    persons: pd.DataFrame

    def between_parts(self, parts: list[str], members: Mapping[str, tuple[str, ...]]) -> np.ndarray:
        """(part, part), NaN where a flow is not recorded. Parts have none where their regions had none."""
        known = self.persons.reindex(index=parts, columns=parts).to_numpy("float64").copy()
        origins, destinations = self.persons.index.to_numpy(), self.persons.columns.to_numpy()
        for origin, destination in np.argwhere(self.persons.to_numpy() == 0):
            ends = members[str(origins[int(origin)])], members[str(destinations[int(destination)])]
            if ends[0] != ends[1]:
                known[np.ix_(np.isin(parts, ends[0]), np.isin(parts, ends[1]))] = 0.0
        np.fill_diagonal(known, np.nan)
        return known

    def sum(self, regions: tuple[str, ...]) -> float | None:
        """All moves between some regions; None where they are not all recorded."""
        persons = self.persons.reindex(index=list(regions), columns=list(regions)).to_numpy("float64").copy()
        np.fill_diagonal(persons, 0.0)
        return None if np.isnan(persons).any() else float(persons.sum())


def _standing(
    dataset: Dataset, rows: pd.DataFrame, members: Mapping[str, tuple[str, ...]]
) -> dict[int, tuple[str, ...]]:
    """Regions of each year that figures are of, as far as their population is known."""
    counted, changes = dataset.indicator("population").notna(), dataset.boundary_changes
    return {
        int(year): tuple(
            one
            for one in standing_in(int(year), dataset.regions["region"], changes)
            if _lived_in(counted, int(year), one, members[one])
        )
        for year in sorted(rows["year"].unique())
    }


def _lived_in(counted: pd.DataFrame, year: int, region: str, parts: tuple[str, ...]) -> bool:
    """Whether the population of a region, or of all its parts, is known in a year."""
    known = counted.loc[year] if year in counted.index else pd.Series(dtype="bool")
    return bool(known.get(region, False)) or all(known.get(part, False) for part in parts)


def _told_years(rows: pd.DataFrame, standing: Mapping[int, tuple[str, ...]], since: int | None) -> list[int]:
    """Years in which every region has a balance, or arrivals and departures of one scope, or flows."""
    own = rows[(rows["region"] != "") & (rows["first_month"] == 1) & (rows["last_month"] == 12)]
    told = {year: _told_regions(own[own["year"] == year]) for year in standing}
    official = {year: _told_regions(own[(own["year"] == year) & (own["basis"] == "official")]) for year in standing}
    complete = [year for year in standing if standing[year] and set(standing[year]) <= told[year]]
    if since is None:
        first = [year for year in complete if set(standing[year]) <= official[year]]
        since = min(first or complete, default=0)
    return [year for year in complete if year >= since]


def _told_regions(rows: pd.DataFrame) -> set[str]:
    flows, rows = rows[rows["of_flows"]], rows[rows["other"] == ""]
    if len(flows):
        return set(flows["region"]) | set(flows["other"]) | _told_regions(rows)
    net = set(rows.loc[rows["measure"] == "net", "region"])
    ends = [
        set(zip(rows["region"], rows["scope"], strict=True))
        for _, rows in rows[rows["measure"] != "net"].groupby("measure")
    ]
    return net | ({region for region, _ in ends[0] & ends[1]} if len(ends) == 2 else set())


# --- figures of a year ----------------------------------------------------------------------------------------------


def _of_movements(dataset: Dataset) -> pd.DataFrame:
    """Yearly movements; where arrivals, departures and net are all given of one scope, the net says nothing more."""
    rows = dataset.movements
    counts = rows[rows["measure"] != "net"].groupby(["region", "year", "scope"])["measure"].nunique()
    both = counts.index[counts == 2]
    keys = pd.MultiIndex.from_frame(rows[["region", "year", "scope"]])
    rows = rows[(rows["measure"] != "net") | ~keys.isin(both)]
    return _of_years(rows.assign(other="", told=rows["persons"]), dataset)


def _of_years(rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    population = pd.DataFrame({"population": dataset.indicator("population").stack()})
    rows = rows.join(population, on=["year", "region"])
    derived = np.maximum(DERIVED_ERROR * rows["population"].fillna(0), 10 * OFFICIAL_ERROR)
    error = np.where(rows["basis"] == "official", OFFICIAL_ERROR, derived)
    source = rows.get("source", "")
    return rows.assign(error=error, rounding=error, first_month=1, last_month=12, source=source)[[*COLUMNS, *EXTRA]]


def _of_population(dataset: Dataset) -> pd.DataFrame:
    """Balances that follow from population change less natural increase, where no balance is given; not in a year of
    which the descriptor says that none can be."""
    wanted = ("population", "births", "deaths")
    population, births, deaths = (dataset.indicator(name) for name in wanted)
    residual = (population.shift(-1) - population).sub(births).add(deaths).stack().dropna()
    rows = pd.DataFrame({"told": residual}).reset_index()
    rows = rows.merge(_given(dataset), on=["region", "year"], how="left", indicator="given")
    gaps = [year for gap in dataset.gaps if gap.get("measure") == "net" for year in gap["years"]]
    rows = rows[(rows["given"] == "left_only") & ~rows["year"].isin(gaps)]
    told = rows.assign(other="", measure="net", scope="all", basis="derived", source="population, births, deaths")
    return _of_years(told.assign(persons=told["told"]), dataset)


def _given(dataset: Dataset) -> pd.DataFrame:
    """Regions and years with a balance that is given, or follows from flows or arrivals and departures."""
    rows = dataset.movements[["region", "year"]]
    flows = [dataset.flows[[end, "year"]].rename(columns={end: "region"}) for end in ("origin", "destination")]
    return pd.concat([rows, *flows]).drop_duplicates()


def _of_flows(dataset: Dataset) -> pd.DataFrame:
    """Recorded flows; estimated ones are no evidence."""
    rows = dataset.flows[dataset.flows["basis"] != "estimated"]
    rows = rows.rename(columns={"origin": "other", "destination": "region"})
    rows = _of_years(rows.assign(measure="arrivals", scope="between_regions", told=rows["persons"]), dataset)
    return rows.assign(of_flows=True, error=RECORDED_ERROR)


# --- figures of some months -----------------------------------------------------------------------------------------


def _of_statements(dataset: Dataset) -> pd.DataFrame:
    """Figures that were told of a period, brought to the whole year by the seasons of the months that are recorded."""
    rows = dataset.statements.copy()
    for column in ("region", "other"):
        rows[column] = rows[column].fillna("") if column in rows else ""
    share = season_of_moves(dataset)
    months = zip(rows["first_month"], rows["last_month"], strict=True)
    factor = np.array([1 / share[first - 1 : last].sum() for first, last in months])
    rounded = rows["error"].fillna(OFFICIAL_ERROR) if "error" in rows else pd.Series(OFFICIAL_ERROR, rows.index)
    rounded = rounded.clip(lower=OFFICIAL_ERROR)
    season = PART_YEAR_ERROR * np.where(rows["measure"] == "net", SEASON_OF_NET, 1.0) * (factor > 1 + 1e-9)
    persons = rows["persons"] * factor
    people = pd.DataFrame({"population": dataset.indicator("population").stack()})
    least = rows[["year", "region"]].join(people, on=["year", "region"])["population"].fillna(0) * BALANCE_OF_MONTHS
    season = season * persons.abs() + least * (rows["measure"] == "net") * (factor > 1 + 1e-9)
    error = np.hypot(rounded * factor, season)
    return rows.assign(told=rows["persons"], persons=persons, error=error, rounding=rounded)[[*COLUMNS, *EXTRA]]


def season_of_moves(dataset: Dataset) -> np.ndarray:
    """Part of a year's moves in each month, (12): of recorded arrivals, else equal parts."""
    months = dataset.monthly_movements
    arrivals = months[(months["measure"] == "arrivals") & (months["basis"] != "estimated")]
    table = arrivals.pivot_table(index=["year", "scope"], columns="month", values="persons", aggfunc="sum")
    whole = table.reindex(columns=range(1, 13)).dropna()
    return np.full(12, 1 / 12) if whole.empty else (whole.sum() / whole.to_numpy().sum()).to_numpy()
