"""Rules that cross rows and tables: known regions, whole series, moves that add up, people behind every move.

A rule is applied where its parts have no fault of their own, so that one fault is told once.
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from features.boundaries import unit_of_region
from features.contracts import MEASURES, REGION_COLUMNS, TABLES, Checked, capped, nearest, row_number
from features.indicators import INDICATORS

Gaps = Mapping[str, list[dict]]
"""By table, the gaps that the descriptor names: `years`, `reason`, and the key columns they are in."""


def rule_faults(checked: Mapping[str, Checked], gaps: Gaps) -> list[str]:
    """Faults that no table shows by itself. Rules that need a column or a table that is missing are left out."""
    usable = {name: one for name, one in checked.items() if set(TABLES[name].required) <= set(one.frame.columns)}
    if not checked.get("regions", _NOTHING).frame.get("region", pd.Series()).notna().any():
        return []
    known = sorted(checked["regions"].frame["region"].dropna().unique())
    faults = [fault for name, one in checked.items() for fault in _region_faults(name, one.frame, known)]
    if "movements" in usable:
        faults += _movement_faults(usable["movements"], known, gaps.get("movements", []))
    if "flows" in usable:
        faults += _told(_flow_gaps(usable["flows"].frame, gaps.get("flows", [])))
    changes = usable["boundary_changes"].sound if "boundary_changes" in usable else _NO_CHANGES
    faults += _change_faults(changes)
    if "indicators" in usable:
        faults += _bound_faults(usable["indicators"].sound)
        faults += _population_faults(usable, known, changes, gaps.get("indicators", []))
    return faults


_NOTHING = Checked(pd.DataFrame(), [], pd.Index([]))
_NO_CHANGES = pd.DataFrame(columns=["year", "predecessor", "successor"])


# --- regions --------------------------------------------------------------------------------------------------------


def _region_faults(name: str, frame: pd.DataFrame, known: list[str]) -> list[str]:
    """Every region code that is used is in `regions`; no move ends where it began."""
    if name == "regions":
        return []
    span = f"{known[0]} … {known[-1]} ({len(known)})" if known else "none"
    faults = []
    for column in [column for column in REGION_COLUMNS if column in frame]:
        unknown = frame.loc[~frame[column].isin(known) & frame[column].notna(), column]
        lines = [
            f"{name}: row {row_number(label)}: unknown {column} '{code}'; known: {span}{nearest(code, known)}"
            for label, code in unknown.items()
        ]
        faults += capped(lines, f"{name}: unknown {column}")
    if {"origin", "destination"} <= set(frame.columns):
        same = frame.loc[frame["origin"] == frame["destination"], "origin"]
        lines = [
            f"{name}: row {row_number(label)}: origin and destination are both '{code}'; must be two regions"
            for label, code in same.items()
        ]
        faults += capped(lines, f"{name}: origin = destination")
    return faults


def _change_faults(changes: pd.DataFrame) -> list[str]:
    """Boundary changes lead forward: a region is not its own successor, at once or later."""
    after = changes.groupby("predecessor")["successor"].agg(set).to_dict()
    lines = [
        f"boundary_changes: row {row_number(label)}: '{predecessor}' comes back after it ended; must be "
        "another region code"
        for label, predecessor, successor in changes[["predecessor", "successor"]].itertuples()
        if predecessor in _reached(str(successor), after)
    ]
    return capped(lines, "boundary_changes: regions that come back")


def _reached(region: str, after: Mapping[Hashable, set[str]]) -> set[str]:
    """The region and all that follow it."""
    found, new = set(), {region}
    while new:
        found |= new
        new = {successor for one in new for successor in after.get(one, ())} - found
    return found


# --- series ---------------------------------------------------------------------------------------------------------


class Gap(NamedTuple):
    """Years that are missing inside a series."""

    table: str
    series: tuple[str, ...]
    first: int
    last: int
    missing: frozenset[int]

    def __str__(self) -> str:
        return (
            f"{self.table}: {', '.join(self.series)}: {_years(self.missing)} missing inside the series "
            f"{self.first}-{self.last}; give the value, or name the gap and its reason in the descriptor"
        )


def _gaps_inside(table: str, frame: pd.DataFrame, series: list[str], known: list[str], named: list[dict]) -> list[Gap]:
    """A series that starts and ends has every year between, unless a gap is named for it.

    The year of a row whose key has a fault may be the missing one: nothing is said of it.
    """
    readable = frame[[*series, "year"]].notna().all(axis=1)
    if "region" in series:
        readable &= frame["region"].isin(known)
    doubtful = frame.loc[~readable, "year"]
    if doubtful.isna().any():
        return []
    groups = frame[readable].groupby(series, observed=True)["year"]
    spans = groups.agg(["min", "max", "nunique"])
    found = []
    for key in spans.index[spans["max"] - spans["min"] + 1 > spans["nunique"]]:
        key = key if isinstance(key, tuple) else (key,)
        own = groups.get_group(key)
        let_pass = {year for gap in named if _concerns(gap, series, key) for year in gap["years"]}
        missing = set(range(own.min(), own.max() + 1)) - set(own) - set(doubtful) - let_pass
        if missing:
            found.append(Gap(table, key, own.min(), own.max(), frozenset(missing)))
    return found


def _flow_gaps(flows: pd.DataFrame, named: list[dict]) -> list[Gap]:
    years = flows[["year"]].drop_duplicates().assign(series="all pairs")
    return _gaps_inside("flows", years, ["series"], [], named)


def _concerns(gap: dict, series: list[str], key: tuple[str, ...]) -> bool:
    return all(gap.get(column, value) == value for column, value in zip(series, key, strict=True))


def _told(gaps: list[Gap]) -> list[str]:
    return capped([str(gap) for gap in gaps], f"{gaps[0].table}: missing years") if gaps else []


def _years(years: frozenset[int] | set[int]) -> str:
    return ("year " if len(years) == 1 else "years ") + ", ".join(map(str, sorted(years)))


# --- movements ------------------------------------------------------------------------------------------------------


def _movement_faults(movements: Checked, known: list[str], named: list[dict]) -> list[str]:
    sound = movements.sound
    negative = sound[(sound["measure"] != "net") & (sound["persons"] < 0)]
    sound = sound.drop(index=negative.index)
    wrong = _wrong_nets(sound)
    gaps = _gaps_inside("movements", movements.frame, ["region", "measure", "scope"], known, named)
    faulty = movements.frame.loc[movements.faulty.union(negative.index), "year"]
    doubtful = {*faulty.dropna(), *wrong["year"], *(year for gap in gaps for year in gap.missing)}
    return [
        *_negative_faults(negative),
        *_told(gaps),
        *_net_faults(wrong),
        *([] if faulty.isna().any() else _balance_faults(sound[~sound["year"].isin(doubtful)])),
    ]


def _negative_faults(negative: pd.DataFrame) -> list[str]:
    lines = [
        f"movements: row {row_number(row.Index)}: {row.measure} of {row.region} in {row.year} is {row.persons}; "
        "must be at least 0"
        for row in negative.itertuples()
    ]
    return capped(lines, "movements: negative counts")


def _wrong_nets(movements: pd.DataFrame) -> pd.DataFrame:
    """Rows (region, year, scope, arrivals, departures, net, right) whose net is not arrivals − departures."""
    wide = movements.pivot(index=["region", "year", "scope"], columns="measure", values="persons")
    wide = wide.reindex(columns=list(MEASURES)).dropna().assign(right=lambda row: row["arrivals"] - row["departures"])
    return wide[wide["net"] != wide["right"]].reset_index()


def _net_faults(wrong: pd.DataFrame) -> list[str]:
    lines = [
        f"movements: {row.region}, {row.year}, {row.scope}: net is {row.net}; "
        f"must be arrivals − departures = {row.right}"
        for row in wrong.itertuples()
    ]
    return capped(lines, "movements: net ≠ arrivals − departures")


def _balance_faults(movements: pd.DataFrame) -> list[str]:
    """Inside a country one region's gain is another's loss: internal nets sum to zero in every year."""
    internal = movements[movements["scope"].isin(["between_regions", "within_country"])]
    nets = internal[internal["measure"] == "net"].groupby(["scope", "year"], as_index=False)["persons"].sum()
    return [
        f"movements: {row.scope}, {row.year}: net sums to {row.persons:+} over the regions; must be 0"
        for row in nets[nets["persons"] != 0].itertuples()
    ]


# --- indicators -----------------------------------------------------------------------------------------------------


def _bound_faults(indicators: pd.DataFrame) -> list[str]:
    faults = []
    for name, group in indicators[indicators["indicator"].isin(INDICATORS)].groupby("indicator"):
        entry = INDICATORS[str(name)]
        low, high = entry.bounds
        lines = [
            f"indicators: row {row_number(row.Index)}: {name} of {row.region} in {row.year} is {row.value:g}; "
            f"must be from {low:g} to {high:g} {entry.unit}"
            for row in group[~group["value"].between(low, high)].itertuples()
        ]
        faults += capped(lines, f"indicators: {name} out of bounds")
    return faults


def _population_faults(
    usable: Mapping[str, Checked], known: list[str], changes: pd.DataFrame, named: list[dict]
) -> list[str]:
    """Every region and year with moves has a population, in units of constant boundaries.

    Years before a unit's first population are let pass: its rates start later than its moves.
    """
    rows = usable["indicators"].frame
    population = rows[rows["indicator"] == "population"]
    gaps = _gaps_inside("indicators", population, ["region", "indicator"], known, named)
    faults = _told(gaps)
    doubtful = rows.loc[~rows["region"].isin(known) | rows[["year", "indicator"]].isna().any(axis=1), "year"]
    if doubtful.isna().any():
        return faults
    unit = unit_of_region(pd.Series(known), changes)
    told = pd.DataFrame([(gap.series[0], year) for gap in gaps for year in gap.missing], columns=["region", "year"])
    given = _in_units(pd.concat([population[["region", "year"]], told]), "region", unit)
    used = pd.concat([_in_units(rows, column, unit) for rows, column in _moves(usable)])
    used = used[~used["year"].isin(doubtful)].drop_duplicates()
    used = used.merge(given.groupby("region")["year"].min().rename("first"), on="region", how="left")
    used = used[~(used["year"] < used["first"])]
    missing = used[~pd.MultiIndex.from_frame(used[["region", "year"]]).isin(pd.MultiIndex.from_frame(given))]
    lines = [
        f"indicators: {region}: population is missing in {_years(set(group['year']))}; must be given for every region "
        "and year with flows or movements"
        for region, group in missing.groupby("region")
    ]
    return faults + capped(lines, "indicators: missing population")


def _moves(usable: Mapping[str, Checked]) -> Iterator[tuple[pd.DataFrame, str]]:
    for name, column in (("movements", "region"), ("flows", "origin"), ("flows", "destination")):
        rows = usable[name].frame if name in usable else pd.DataFrame(columns=[column, "year"])
        yield rows, column


def _in_units(rows: pd.DataFrame, column: str, unit: pd.Series) -> pd.DataFrame:
    keys = rows[[column, "year"]].dropna().drop_duplicates()
    keys = pd.DataFrame({"region": keys[column].map(unit), "year": keys["year"].astype("int64")})
    return keys.dropna().drop_duplicates()
