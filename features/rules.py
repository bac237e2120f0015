"""Rules that cross rows and tables: known regions, whole series, moves that add up, people behind every move.

A rule is applied where its parts have no fault of their own, so that one fault is told once.
"""

import difflib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from features.boundaries import unit_of_region
from features.contracts import MEASURES, REGION_COLUMNS, TABLES
from features.fault_words import capped, nearest, row_number
from features.indicators import INDICATORS
from features.superseded import superseded_faults
from features.table_check import Checked

Named = Mapping[str, list[dict]]
"""By table, what the descriptor names with a reason: `years`, `reason`, and the key columns it is about."""


def rule_faults(checked: Mapping[str, Checked], gaps: Named, revisions: Named) -> list[str]:
    """Faults that no table shows by itself. Rules that need a column or a table that is missing are left out."""
    usable = {name: one for name, one in checked.items() if set(TABLES[name].required) <= set(one.frame.columns)}
    if not checked.get("regions", _NOTHING).frame.get("region", pd.Series()).notna().any():
        return []
    known = sorted(checked["regions"].frame["region"].dropna().unique())
    faults = [fault for name, one in checked.items() for fault in _region_faults(name, one.frame, known)]
    faults += [fault for name, one in usable.items() for fault in _published_faults(name, one.sound)]
    if "movements" in usable:
        years, months = _periods(usable["movements"])
        usable["movements"] = years
        faults += _year_faults(years, known, gaps.get("movements", []))
        faults += _month_faults(months, years, known, gaps.get("movements", []), revisions.get("movements", []))
    if "flows" in usable:
        faults += _told(_flow_gaps(usable["flows"].frame, gaps.get("flows", [])))
    if "superseded" in usable:
        faults += superseded_faults(usable)
    changes = usable["boundary_changes"].sound if "boundary_changes" in usable else _NO_CHANGES
    faults += _change_faults(changes)
    if "indicators" in usable:
        meant = _meant(usable["indicators"].frame)
        faults += _misspelt_faults(usable["indicators"].frame, meant)
        faults += _bound_faults(usable["indicators"].sound)
        usable["indicators"] = _as_meant(usable["indicators"], meant)
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


# --- time -----------------------------------------------------------------------------------------------------------


def _published_faults(name: str, rows: pd.DataFrame) -> list[str]:
    """Nothing is known before its year."""
    if not {"year", "published"} <= set(rows.columns):
        return []
    early = rows.loc[(rows["published"] < rows["year"]).fillna(False), ["year", "published"]]
    lines = [
        f"{name}: row {row_number(label)}: published is {published}, before its year; must be {year} or later"
        for label, year, published in early.itertuples()
    ]
    return capped(lines, f"{name}: published before the year")


# --- series ---------------------------------------------------------------------------------------------------------


class Gap(NamedTuple):
    """Years, or months of a year, that are missing inside a series."""

    table: str
    series: tuple[Hashable, ...]
    time: str
    first: int
    last: int
    missing: frozenset[int]

    def __str__(self) -> str:
        return (
            f"{self.table}: {', '.join(map(str, self.series))}: {_listed(self.time, self.missing)} missing inside the "
            f"series {self.first}-{self.last}; give the value, or name the gap and its reason in the descriptor"
        )


def _gaps_inside(
    table: str, frame: pd.DataFrame, series: list[str], known: list[str], named: list[dict], time: str = "year"
) -> list[Gap]:
    """A series that starts and ends has every year (or month) between, unless a gap is named for it.

    The time of a row whose key has a fault may be the missing one: nothing is said of it.
    """
    readable = frame[[*series, time]].notna().all(axis=1)
    if "region" in series:
        readable &= frame["region"].isin(known)
    doubtful = frame.loc[~readable, time]
    if doubtful.isna().any():
        return []
    groups = frame[readable].groupby(series, observed=True)[time]
    spans = groups.agg(["min", "max", "nunique"])
    found = []
    for key in spans.index[spans["max"] - spans["min"] + 1 > spans["nunique"]]:
        key = key if isinstance(key, tuple) else (key,)
        own = groups.get_group(key)
        let_pass = {year for gap in named if _concerns(gap, series, key) for year in gap["years"]}
        missing = set(range(own.min(), own.max() + 1)) - set(own) - set(doubtful) - let_pass
        if missing:
            found.append(Gap(table, key, time, own.min(), own.max(), frozenset(missing)))
    return found


def _flow_gaps(flows: pd.DataFrame, named: list[dict]) -> list[Gap]:
    years = flows[["year"]].drop_duplicates().assign(series="all pairs")
    return _gaps_inside("flows", years, ["series"], [], named)


def _concerns(gap: dict, series: Sequence[str], key: tuple[Hashable, ...]) -> bool:
    return all(gap.get(column, value) == value for column, value in zip(series, key, strict=True))


def _told(gaps: list[Gap]) -> list[str]:
    return capped([str(gap) for gap in gaps], f"{gaps[0].table}: missing {gaps[0].time}s") if gaps else []


def _listed(time: str, missing: frozenset[int] | set[int]) -> str:
    return (time if len(missing) == 1 else f"{time}s") + " " + ", ".join(map(str, sorted(missing)))


# --- movements ------------------------------------------------------------------------------------------------------


YEARLY_KEY = ["region", "year", "measure", "scope"]


def _periods(movements: Checked) -> tuple[Checked, Checked]:
    """Yearly and monthly rows. One whose month cannot be read may be either: it is in both, as of no known region."""
    undated = movements.frame.index.isin(movements.undated)
    frame = movements.frame.assign(region=movements.frame["region"].mask(undated))
    if "month" not in frame:
        frame = frame.assign(month=pd.Series(pd.NA, frame.index, dtype="Int64"))
    monthly = frame["month"].notna()
    parts = frame[~monthly].drop(columns="month"), frame[monthly | undated]
    years, months = (replace(movements, frame=part, faulty=movements.faulty.intersection(part.index)) for part in parts)
    return years, months


def _year_faults(years: Checked, known: list[str], named: list[dict]) -> list[str]:
    sound, negative, wrong = _sorted_out(years.sound, ["year"])
    gaps = _gaps_inside("movements", years.frame, ["region", "measure", "scope"], known, named)
    faulty = years.frame.loc[years.faulty.union(negative.index), "year"]
    doubtful = {*faulty.dropna(), *wrong["year"], *(year for gap in gaps for year in gap.missing)}
    return [
        *_negative_faults(negative),
        *_told(gaps),
        *_net_faults(wrong),
        *([] if faulty.isna().any() else _balance_faults(sound[~sound["year"].isin(doubtful)], ["year"])),
    ]


def _month_faults(
    months: Checked, years: Checked, known: list[str], gaps: list[dict], revisions: list[dict]
) -> list[str]:
    """As for years; no month is missing inside a year, and twelve add up to the year's own figure."""
    if months.frame.empty:
        return []
    sound, negative, wrong = _sorted_out(months.sound, ["year", "month"])
    own, *_ = _sorted_out(years.sound, ["year"])
    sums = _wrong_sums(sound, own, revisions)
    searched = months.frame[~_named(months.frame, gaps)]
    return [
        *_negative_faults(negative),
        *_told(_gaps_inside("movements", searched, YEARLY_KEY, known, [], "month")),
        *_net_faults(wrong),
        *_sum_faults(sums),
        *_balance_faults(_whole_months(_without(sound, sums), years.frame), ["year", "month"]),
    ]


def _sorted_out(sound: pd.DataFrame, time: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows that may be summed; negative counts; nets that are not arrivals − departures."""
    negative = sound[(sound["measure"] != "net") & (sound["persons"] < 0)]
    sound = sound.drop(index=negative.index)
    wrong = _wrong_nets(sound, time)
    return _without(sound, wrong), negative, wrong


def _without(movements: pd.DataFrame, wrong: pd.DataFrame) -> pd.DataFrame:
    """Rows of regions, years and scopes of which nothing is wrong."""
    key = ["region", "year", "scope"]
    return movements[~pd.MultiIndex.from_frame(movements[key]).isin(pd.MultiIndex.from_frame(wrong[key]))]


def _when(row: Any) -> str:
    return f"{row.year}-{row.month:02}" if hasattr(row, "month") else f"{row.year}"


def _negative_faults(negative: pd.DataFrame) -> list[str]:
    lines = [
        f"movements: row {row_number(row.Index)}: {row.measure} of {row.region} in {_when(row)} is {row.persons}; "
        "must be at least 0"
        for row in negative.itertuples()
    ]
    return capped(lines, "movements: negative counts")


def _wrong_nets(movements: pd.DataFrame, time: list[str]) -> pd.DataFrame:
    """Rows (region, time, scope, arrivals, departures, net, right) whose net is not arrivals − departures."""
    wide = movements.pivot(index=["region", *time, "scope"], columns="measure", values="persons")
    wide = wide.reindex(columns=list(MEASURES)).dropna().assign(right=lambda row: row["arrivals"] - row["departures"])
    return wide[wide["net"] != wide["right"]].reset_index()


def _net_faults(wrong: pd.DataFrame) -> list[str]:
    lines = [
        f"movements: {row.region}, {_when(row)}, {row.scope}: net is {row.net}; "
        f"must be arrivals − departures = {row.right}"
        for row in wrong.itertuples()
    ]
    return capped(lines, "movements: net ≠ arrivals − departures")


def _wrong_sums(months: pd.DataFrame, years: pd.DataFrame, revisions: list[dict]) -> pd.DataFrame:
    """Rows (region, year, measure, scope, total, months, persons) whose twelve months are not the year's figure.

    Where the descriptor names a revision, the year was corrected after its months, or the months after their year.
    """
    totals = months.groupby(YEARLY_KEY, as_index=False).agg(total=("persons", "sum"), months=("persons", "size"))
    whole = totals[totals["months"] == 12].merge(years[[*YEARLY_KEY, "persons"]], on=YEARLY_KEY, validate="one_to_one")
    wrong = whole[whole["total"] != whole["persons"]]
    return wrong[~_named(wrong, revisions)]


def _sum_faults(wrong: pd.DataFrame) -> list[str]:
    lines = [
        f"movements: {row.region}, {row.year}, {row.measure}, {row.scope}: the 12 months sum to {row.total}; must be "
        f"the year's {row.persons}, or name the revision and its reason in the descriptor"
        for row in wrong.itertuples()
    ]
    return capped(lines, "movements: months ≠ year")


def _named(rows: pd.DataFrame, entries: list[dict]) -> pd.Series:
    """Whether the descriptor names the year of a row, for its region, measure and scope."""
    named = pd.Series(False, index=rows.index)
    for entry in entries:
        about = rows["year"].isin(entry["years"])
        for column in set(YEARLY_KEY) & set(entry):
            about &= rows[column] == entry[column]
        named |= about
    return named


def _whole_months(months: pd.DataFrame, years: pd.DataFrame) -> pd.DataFrame:
    """Nets of months in which every region is there that has a row in the year, or else in the last year before."""
    kept = [months.iloc[:0]]
    for (scope, year, _), rows in months[months["measure"] == "net"].groupby(["scope", "year", "month"]):
        before = years[(years["scope"] == scope) & (years["year"] <= year)]
        wanted = set(before.loc[before["year"] == before["year"].max(), "region"].dropna())
        kept += [rows] if wanted and wanted <= set(rows["region"]) else []
    return pd.concat(kept)


def _balance_faults(movements: pd.DataFrame, time: list[str]) -> list[str]:
    """Inside a country one region's gain is another's loss: internal nets sum to zero at every time."""
    internal = movements[movements["scope"].isin(["between_regions", "within_country"])]
    nets = internal[internal["measure"] == "net"].groupby(["scope", *time], as_index=False)["persons"].sum()
    return [
        f"movements: {row.scope}, {_when(row)}: net sums to {row.persons:+} over the regions; must be 0"
        for row in nets[nets["persons"] != 0].itertuples()
    ]


# --- indicators -----------------------------------------------------------------------------------------------------


MISSPELT = 0.85
"""From this likeness on (difflib's ratio) a name that is not in the dictionary is taken for one that is."""

LOOKALIKES = {"average_age", "employment_rate", "unemployment"}
"""Names that are like one in the dictionary and mean something else."""


def _meant(indicators: pd.DataFrame) -> dict[str, str]:
    """Names that are not in the dictionary and hardly differ from one that is, with that one."""
    unknown = set(indicators["indicator"].dropna().unique()) - set(INDICATORS) - LOOKALIKES
    near = {name: difflib.get_close_matches(name, list(INDICATORS), 1, MISSPELT) for name in sorted(unknown)}
    return {name: found[0] for name, found in near.items() if found}


def _misspelt_faults(indicators: pd.DataFrame, meant: dict[str, str]) -> list[str]:
    first = {name: indicators.index[indicators["indicator"] == name][0] for name in meant}
    lines = [
        f"indicators: row {row_number(first[name])}: '{name}' is not in the indicator dictionary; must be '{known}', "
        "or a name that is less like it"
        for name, known in meant.items()
    ]
    return capped(lines, "indicators: misspelt")


def _as_meant(indicators: Checked, meant: dict[str, str]) -> Checked:
    """So that what follows from a misspelt name is not told again."""
    return replace(indicators, frame=indicators.frame.replace({"indicator": meant})) if meant else indicators


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
        f"indicators: {region}: population is missing in {_listed('year', set(group['year']))}; must be given for "
        "every region and year with flows or movements"
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
