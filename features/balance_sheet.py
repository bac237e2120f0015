"""The balance sheet: double entry of people by region and year, with what is left over and why."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from features.account_sums import MOVES, counts_abroad, moves_of_regions
from features.accounts import BalancedRecord
from features.dataset import Dataset
from features.evidence import DERIVED_ERROR
from features.flows import contiguous
from features.remembered import remembered

PEOPLE = ("population", "births", "deaths")
SMALL = DERIVED_ERROR
"""Residual that a later revision leaves, as a part of the population; a larger one is far off."""
SMALL_PERSONS = 10
NEARLY = 0.02
"""Two residuals of opposite sign are one transfer where they differ by no more than this part of the larger."""
REVISION = "later revision of population or of moves"
REBASED = "population re-based, as after a census"
NOT_COUNTED = "moves from and to abroad, which no figure tells, and all that is not explained"
UNEXPLAINED = "not explained: moves that nobody registered, or an error of a source"


@remembered(8)
def balance_sheet(record: BalancedRecord, dataset: Dataset) -> pd.DataFrame:
    """One row per region of the time and year; whole persons, each move once in its origin and once in its destination.

    Columns region, name, year, population (1 January), births, deaths; MOVES; residual, population_next, reason; lower
    and upper of MOVES (80 % interval), basis of them, source of PEOPLE. Empty is what no figure tells.

    Invariants: population + births − deaths + arrivals − departures + from_abroad − to_abroad + residual =
    population_next, to the person, where what no figure tells of abroad counts as 0. Where population, births or deaths
    are not known there is no residual, and `reason` says what is missing.
    """
    moves = moves_of_regions(record).set_index(["year", "region", "measure"])
    columns = pd.MultiIndex.from_product([["persons", "lower", "upper"], MOVES])
    wide = pd.DataFrame(moves[["persons", "lower", "upper"]].unstack("measure"), columns=columns).astype("Int64")
    keys = [(year, region) for year in record.years for region in record.told.standing[year]]
    sheet = pd.DataFrame(keys, columns=["year", "region"])
    names = dataset.regions.set_index("region")["name"]
    sheet = sheet.assign(name=sheet["region"].map(names))[["region", "name", "year"]]
    sheet = sheet.assign(**_people(sheet, dataset, record.told.members))
    for column, measure in columns:
        sheet[measure if column == "persons" else f"{measure}_{column}"] = wide[column, measure].loc[keys].array
    sheet["residual"] = sheet["population_next"] - explained(sheet)
    basis = moves["basis"].unstack("measure")["arrivals"].loc[keys]
    sheet = sheet.assign(basis=basis.to_numpy(), source=_sources(sheet, dataset, record.told.members))
    sheet = sheet.assign(reason=_reasons(sheet, record, dataset))
    own = ["region", "name", "year", *PEOPLE, *MOVES, "residual", "population_next", "reason"]
    return sheet[[*own, *(f"{one}_{end}" for one in MOVES for end in ("lower", "upper")), "basis", "source"]]


def explained(sheet: pd.DataFrame) -> pd.Series:
    """Population a year later as births, deaths and moves make it, without the residual."""
    gained = sheet["population"] + sheet["births"] - sheet["deaths"] + sheet["arrivals"] - sheet["departures"]
    return gained + sheet["from_abroad"].fillna(0) - sheet["to_abroad"].fillna(0)


# --- people ---------------------------------------------------------------------------------------------------------


def _people(sheet: pd.DataFrame, dataset: Dataset, members: Mapping[str, tuple[str, ...]]) -> dict[str, pd.Series]:
    """PEOPLE and `population_next`; a region that is given in parts has their sum."""
    found = {name: _given(dataset.indicator(name), sheet["year"], sheet["region"], members) for name in PEOPLE}
    later = _given(dataset.indicator("population"), sheet["year"] + 1, sheet["region"], members)
    return found | {"population_next": later}


def _given(
    table: pd.DataFrame, years: pd.Series, regions: pd.Series, members: Mapping[str, tuple[str, ...]]
) -> pd.Series:
    values = [
        sum(round(table.loc[year, part]) for part in parts) if parts else pd.NA
        for year, region in zip(years, regions, strict=True)
        for parts in [_parts_given(table, year, region, members)]
    ]
    return pd.Series(values, years.index, dtype="Int64")


def _parts_given(table: pd.DataFrame, year: int, region: str, members: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The region itself where it has a value, else regions with one that make up the whole of it; none where there are
    none."""
    if year not in table.index:
        return []
    known = set(table.loc[year].dropna().index)
    if region in known:
        return [region]
    whole, chosen, covered = set(members[region]), [], set()
    for one in sorted(known, key=lambda one: (-len(members[one]), one)):
        parts = set(members[one])
        if parts <= whole and not parts & covered:
            chosen.append(one)
            covered |= parts
    return chosen if covered == whole else []


def _sources(sheet: pd.DataFrame, dataset: Dataset, members: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Of PEOPLE of the region, or of its parts; empty where the dataset names none."""
    rows = dataset.indicators[dataset.indicators["indicator"].isin(PEOPLE)]
    if "source" not in rows:
        return [""] * len(sheet)
    named = rows.dropna(subset="source").groupby(["year", "region"])["source"].unique()
    told = []
    for year, region in zip(sheet["year"], sheet["region"], strict=True):
        own = [one for part in (region, *members[region]) for one in named.get((year, part), [])]
        told.append("; ".join(dict.fromkeys(own)))
    return told


# --- reasons --------------------------------------------------------------------------------------------------------


def _reasons(sheet: pd.DataFrame, record: BalancedRecord, dataset: Dataset) -> pd.Series:
    """Of every residual that is not zero; found from the residuals of a year beside each other."""
    border = contiguous(dataset, record.parts)
    known = sheet["residual"].notna()
    found = {label: _missing(row) for label, row in sheet[~known].to_dict("index").items()}
    for _, rows in sheet[known].groupby("year"):
        reasons = _reasons_of(rows, record, border, dataset.boundary_changes)
        found |= dict(zip(rows.index, reasons, strict=True))
    return pd.Series(found, sheet.index, dtype="str")


def _missing(row: dict) -> str:
    """What is not known of a region's year."""
    year = row["year"]
    called = {"population": f"population on 1 January {year}", "births": f"births of {year}"}
    called |= {"deaths": f"deaths of {year}", "population_next": f"population on 1 January {year + 1}"}
    return "not known: " + ", ".join(text for column, text in called.items() if pd.isna(row[column]))


def _reasons_of(rows: pd.DataFrame, record: BalancedRecord, border: np.ndarray, changes: pd.DataFrame) -> list[str]:
    """rows: of one year, with residuals."""
    residual = rows["residual"].astype("int64")
    far = residual.abs() > np.maximum(SMALL * rows["population"].astype("float64"), SMALL_PERSONS)
    rebased = far.sum() > max(2, len(rows) / 2)
    regions, names = rows["region"].to_dict(), rows["name"].to_dict()
    pairs = {} if rebased else _transfers(residual[far], regions, record, border)
    reasons = []
    for label, persons in zip(residual.index, residual.tolist(), strict=True):
        if not persons:
            reasons.append("")
        elif not counts_abroad(record):
            reasons.append(NOT_COUNTED)
        elif not far[label]:
            reasons.append(REVISION)
        elif rebased:
            reasons.append(REBASED)
        elif label in pairs:
            reasons.append(f"counted over {'from' if persons > 0 else 'to'} {names[pairs[label]]}")
        else:
            reasons.append(_boundary_change(regions[label], int(rows["year"].iloc[0]), record, changes) or UNEXPLAINED)
    return reasons


def _transfers(residual: pd.Series, regions: Mapping, record: BalancedRecord, border: np.ndarray) -> dict:
    """Pairs with nearly the same number of persons and opposite signs, both ways; regions that border come first, then
    those whose numbers are nearest."""
    found = []
    for one, other in combinations(residual.index, 2):
        off = abs(int(residual[one] + residual[other])) / max(abs(int(residual[one])), abs(int(residual[other])))
        if off <= NEARLY:
            found.append((not _bordering(regions[one], regions[other], record, border), off, one, other))
    pairs = {}
    for _, _, one, other in sorted(found):
        if one not in pairs and other not in pairs:
            pairs |= {one: other, other: one}
    return pairs


def _bordering(one: str, other: str, record: BalancedRecord, border: np.ndarray) -> bool:
    first, second = (np.isin(record.parts, record.told.members[region]) for region in (one, other))
    return bool(border[first][:, second].any())


def _boundary_change(region: str, year: int, record: BalancedRecord, changes: pd.DataFrame) -> str:
    """Of the year, or in force when the next begins, that touches the region; empty where there is none."""
    members = record.told.members
    for change in changes[changes["year"].isin([year, year + 1])].itertuples():
        ends = set(members[str(change.predecessor)]) | set(members[str(change.successor)])
        if ends & set(members[region]):
            return f"boundary change of {change.year}"
    return ""
