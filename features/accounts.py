"""The balanced record: one account of who moved between which regions, with how sure each cell is.

Flows of every year that agree with all figures that a dataset states, nearest to what distance, borders and population
say of moves (features/account_estimate.py). In the smallest regions of all years, so that those of any year are sums of
them: a region that was split or joined changes no total. What a register records stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.account_estimate import estimate
from features.account_level import Level
from features.dataset import Dataset
from features.evidence import OFFICIAL_ERROR, Evidence, evidence
from features.remembered import remembered

DRAWS = 200
SEED = 20
INTERVAL = (0.1, 0.9)
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class BalancedRecord:
    """tables: whole persons, (year, account, account); accounts are the parts and, last, abroad; a row is an origin, a
    column a destination, the diagonal moves inside a part. draws: what they could as well be, (draw, year, account,
    account). fitted: what was stated, with `fitted` persons and `gap`, stated less fitted.

    Invariants: exact figures of a region (official, of a whole year) hold to the person in `tables` unless they
    contradict each other; recorded flows are as recorded, in every draw.
    """

    told: Evidence
    level: Level
    tables: Array
    draws: Array
    fitted: pd.DataFrame

    @property
    def parts(self) -> tuple[str, ...]:
        return self.told.parts

    @property
    def years(self) -> list[int]:
        return self.told.years

    def flows(self, present: bool = False) -> pd.DataFrame:
        """Flows between the regions of the time, or always between the smallest parts.

        Columns origin, destination, year, persons, lower, upper (80 % interval), basis. Every pair has a row.
        """
        return pd.concat([self._flows_of(year, present) for year in self.years], ignore_index=True)

    def _flows_of(self, year: int, present: bool) -> pd.DataFrame:
        regions = self.parts if present else self.told.standing[year]
        groups, place = self.groups(regions), self.years.index(year)
        table, draws = summed(self.tables[place], groups), summed(self.draws[:, place], groups)
        origin, destination = np.nonzero(~np.eye(len(regions), dtype=bool))
        lower, upper = np.rint(np.quantile(draws[:, origin, destination], INTERVAL, axis=0)).astype("int64")
        known = summed(np.where(self.told.recorded_cells(year), 0, 1), groups)[origin, destination] == 0
        ends, whole = (np.array(regions)[end] for end in (origin, destination)), self.told.recorded_of(year)
        known |= pd.MultiIndex.from_arrays(list(ends)).isin(pd.MultiIndex.from_frame(whole[["other", "region"]]))
        return pd.DataFrame(
            {
                "origin": np.array(regions)[origin],
                "destination": np.array(regions)[destination],
                "year": year,
                "persons": table[origin, destination],
                "lower": lower,
                "upper": upper,
                "basis": np.where(known, "official", "estimated"),
            }
        )

    def groups(self, regions: Sequence[str]) -> Array:
        """Which account belongs to which of some regions, the last being abroad: (region + 1, account), 0 or 1."""
        of_region = [np.isin(self.parts, self.told.members[region]) for region in regions]
        groups = np.zeros((len(regions) + 1, len(self.parts) + 1), dtype="int64")
        groups[:-1, :-1] = np.array(of_region).reshape(len(regions), len(self.parts))
        groups[-1, -1] = 1
        return groups

    @cached_property
    def counts_inside(self) -> bool:
        """Whether figures say anything of moves inside regions."""
        return bool(np.diagonal(self.tables, axis1=1, axis2=2).any())


def summed(table: Array, groups: Array) -> Array:
    """Cells of a table, (…, account, account), summed to groups of accounts, (group, account): (…, group, group)."""
    return groups @ table @ groups.T


@remembered(8)
def balanced_record(dataset: Dataset, since: int | None = None, draws: int = DRAWS, seed: int = SEED) -> BalancedRecord:
    """The record that is nearest to what the dataset, or a vintage of it, states. The same input gives the same record.

    since: first year; by default the first from which every region has an official balance. Raises EvidenceError where
    the figures are too few, BalanceError where they leave no room.

    >>> from features.dataset import load_dataset
    >>> record = balanced_record(load_dataset(), since=2023, draws=10)
    >>> flows = record.flows().set_index(["year", "origin", "destination"])["persons"]
    >>> int(flows[2023, :, "KZ-71"].sum() - flows[2023, "KZ-71", :].sum())  # the official balance of Astana
    50078
    """
    told = evidence(dataset, since)
    found = estimate(dataset, told, draws, seed)
    tables = np.stack([_whole(told, year, found.tables[0, place]) for place, year in enumerate(told.years)])
    return BalancedRecord(told, found.level, tables, found.tables[1:], found.fitted)


# --- whole persons --------------------------------------------------------------------------------------------------


def _whole(told: Evidence, year: int, table: Array) -> Array:
    """Whole persons of a year's table, in which exact figures hold again after rounding; what contradicts others, by
    more than rounding could, is left as it was balanced."""
    whole = np.rint(table).astype("int64")
    exact = told.of(year)
    exact = exact[exact["error"] <= OFFICIAL_ERROR]
    _settle_pairs(whole, told, told.recorded_of(year))
    exact = exact[exact["other"] == ""]
    country, exact = exact[exact["region"] == ""], exact[exact["region"] != ""]
    within = exact[exact["scope"] == "within_country"]
    if year not in told.recorded:
        _settle_balances(whole, told, _stated(within, "arrivals").sub(_stated(within, "departures")).dropna())
    _settle_inside(whole, told, _stated(within, "arrivals"))
    balances = exact[(exact["measure"] == "net") & (exact["scope"] == "all")]
    _settle_abroad(whole, told, _stated(balances, "net"))
    _settle_country(whole, _stated(country[country["scope"] == "abroad"], "arrivals"))
    return whole


def _stated(rows: pd.DataFrame, measure: str) -> pd.Series:
    rows = rows[rows["measure"] == measure].drop_duplicates("region")
    return rows.set_index("region")["persons"].astype("int64")


def _by_rounding(lacking: int, cells: int) -> bool:
    """Whether rounding of so many cells may have changed their sum by that."""
    return abs(lacking) <= cells


def _largest(told: Evidence, region: str, size: Array) -> int:
    members = [told.parts.index(part) for part in told.members[region]]
    return max(members, key=lambda place: size[place])


def _settle_pairs(whole: Array, told: Evidence, flows: pd.DataFrame) -> None:
    """Recorded flows between regions of several parts: the largest of their cells takes up what rounding changed."""
    for region, other, persons in zip(flows["region"], flows["other"], flows["persons"], strict=True):
        rows, columns = (np.flatnonzero(np.isin(told.parts, told.members[end])) for end in (other, region))
        block = whole[np.ix_(rows, columns)]
        row, column = np.unravel_index(block.argmax(), block.shape)
        lacking = round(persons) - int(block.sum())
        if _by_rounding(lacking, block.size):
            whole[rows[row], columns[column]] += lacking


def _settle_balances(whole: Array, told: Evidence, balances: pd.Series) -> None:
    """Moves single persons between regions with too much and too little until each balance is as stated."""
    if balances.empty or balances.sum():
        return
    size = whole[:-1].sum(axis=0)
    places = {region: _largest(told, str(region), size) for region in balances.index}
    flows = whole[:-1, :-1]
    lacking = {region: int(balances[region]) - int(_balance(flows, told, str(region))) for region in balances.index}
    giving = [region for region, persons in lacking.items() for _ in range(-persons)]
    taking = [region for region, persons in lacking.items() for _ in range(persons)]
    for origin, destination in zip(giving, taking, strict=False):
        flows[places[origin], places[destination]] += 1


def _balance(flows: Array, told: Evidence, region: str) -> int:
    inside = np.isin(told.parts, told.members[region])
    return flows[~inside][:, inside].sum() - flows[inside][:, ~inside].sum()


def _settle_inside(whole: Array, told: Evidence, arrivals: pd.Series) -> None:
    """Moves inside regions take up what rounding changed of arrivals."""
    for region, persons in arrivals.items():
        place = _largest(told, str(region), np.diag(whole))
        inside = np.isin(told.parts, told.members[str(region)])
        lacking = persons - whole[:-1, :-1][:, inside].sum()
        if _by_rounding(lacking, len(whole) * inside.sum()) and whole[place, place] + lacking >= 0:
            whole[place, place] += lacking


def _settle_abroad(whole: Array, told: Evidence, balances: pd.Series) -> None:
    """Moves from and to abroad take up what rounding changed of balances."""
    for region, persons in balances.items():
        inside = np.append(np.isin(told.parts, told.members[str(region)]), False)
        lacking = int(persons - (whole[~inside][:, inside].sum() - whole[inside][:, ~inside].sum()))
        place = _largest(told, str(region), whole[-1, :-1] + whole[:-1, -1])
        if _by_rounding(lacking, 2 * len(whole) * int(inside.sum())):
            whole[-1, place] += max(lacking, 0)
            whole[place, -1] += max(-lacking, 0)


def _settle_country(whole: Array, arrivals: pd.Series) -> None:
    """Takes from, or adds to, both ways of the region with most moves abroad what rounding changed of the country's."""
    for persons in arrivals:
        place = int((whole[-1, :-1] + whole[:-1, -1]).argmax())
        excess = min(int(whole[-1].sum() - persons), int(whole[-1, place]), int(whole[place, -1]))
        whole[-1, place] -= excess
        whole[place, -1] -= excess
