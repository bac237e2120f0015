"""Figures of moves: counted moves as a release of flows by year, and of movements by year and month."""

import calendar
import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.releases.disclosure import Withheld, without_small_groups, without_small_pairs, years_with_small_months
from features.releases.move_files import MovesError
from features.releases.moves import Moves
from features.releases.release import Release

SCOPE = "between_regions"


@dataclass(frozen=True, eq=False)
class MoveFigures:
    """A release, and what of the moves is not in it.

    left_out: year, months, moves, reason; years of which no flow is told. groups: counts by age or sex, or None.
    withheld_groups: cells of it that are left out.
    """

    release: Release
    left_out: pd.DataFrame
    withheld: Withheld
    groups: pd.DataFrame | None
    withheld_groups: int


def moves_release(
    moves: Moves, regions: pd.DataFrame, name: str, published: int | None = None, suppress_below: int = 0
) -> MoveFigures:
    """Flows and movements of years whose twelve months are recorded; of the running year after them, its months.

    published: round in which the figures became known; by default each year's in that year, and what they revise in
    the last whole year. suppress_below: pairs with fewer moves in a year are left out, as disclosure.py says.

    Raises MovesError where there is no whole year nor a running one.
    """
    recorded = _recorded(moves)
    whole = recorded.index[recorded["whole"]]
    running = _running(recorded, moves.until)
    if not len(whole) and not running:
        raise MovesError(f"moves: no whole year in {_span(recorded)}; there must be moves in all twelve months of one")
    told, withheld = without_small_pairs(moves.counts[moves.counts["year"].isin(whole)], suppress_below)
    months, hidden = _months(told, regions, whole, suppress_below)
    # Beside flows of the year that come later, its months would tell what is left out of them.
    now = moves.counts.iloc[:0] if suppress_below > 1 else _of_months(moves.counts, running)
    later, _ = _months(now, regions, now["year"].unique(), 0)
    tables = {"flows": _flows(told), "movements": pd.concat([_margins(told, regions, whole, ["year"]), months, later])}
    published_now = int(published or (max(whole) if len(whole) else running[-1][0]))
    tables = {key: _with_provenance(rows, name, published) for key, rows in tables.items() if len(rows)}
    release = Release(
        name,
        published_now,
        tables,
        complete={key: part for key, part in _COMPLETE.items() if key in tables},
        suppressed_below={key: suppress_below for key in tables if suppress_below > 1},
    )
    groups, cells = (None, 0) if moves.groups is None else _groups(moves.groups, told, suppress_below)
    withheld = Withheld(withheld.least, withheld.cells, withheld.persons, tuple(sorted(hidden)))
    used = {*whole, *now["year"]}
    return MoveFigures(release, _left_out(recorded, used, suppress_below), withheld, groups, cells)


_COMPLETE = {"flows": ("year",), "movements": ("year", "month", "scope")}


# --- which years and months -----------------------------------------------------------------------------------------


def _recorded(moves: Moves) -> pd.DataFrame:
    """By year: moves, the months that have some, and whether they are all twelve and over."""
    by_year = moves.counts.groupby("year")
    recorded = by_year.agg(moves=("persons", "sum"), months=("month", lambda months: sorted(months.unique())))
    over = recorded.index < moves.until.year + (moves.until == dt.date(moves.until.year, 12, 31))
    return recorded.assign(whole=(recorded["months"].str.len() == 12) & over)


def _running(recorded: pd.DataFrame, until: dt.date) -> list[tuple[int, int]]:
    """Months (year, month) of the last year, if it is not whole: those without a hole that are over."""
    if not len(recorded) or recorded["whole"].iloc[-1]:
        return []
    year, months = int(recorded.index[-1]), recorded["months"].iloc[-1]
    over = [month for month in months if _last_day(year, month) <= until]
    return [(year, month) for i, month in enumerate(over) if month == over[0] + i]


def _last_day(year: int, month: int) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def _of_months(counts: pd.DataFrame, months: list[tuple[int, int]]) -> pd.DataFrame:
    wanted = pd.MultiIndex.from_tuples(months, names=["year", "month"]) if months else []
    return counts[pd.MultiIndex.from_frame(counts[["year", "month"]]).isin(wanted)]


def _left_out(recorded: pd.DataFrame, used: set[int], suppress_below: int) -> pd.DataFrame:
    rest = recorded[~recorded.index.isin(list(used))].reset_index()
    last = recorded.index.max() if suppress_below > 1 else None
    reason = np.where(rest["year"] == last, "the running year, where small cells are withheld", "not all twelve months")
    rest["months"] = [", ".join(map(str, months)) for months in rest["months"]]
    return rest.assign(reason=reason).reindex(columns=["year", "months", "moves", "reason"])


def _span(recorded: pd.DataFrame) -> str:
    return f"{recorded.index.min()}-{recorded.index.max()}" if len(recorded) else "no accepted move"


# --- figures --------------------------------------------------------------------------------------------------------


def _flows(told: pd.DataFrame) -> pd.DataFrame:
    return told.groupby(["origin", "destination", "year"])["persons"].sum().reset_index()


def _months(
    told: pd.DataFrame, regions: pd.DataFrame, years: pd.Index | np.ndarray, least: int
) -> tuple[pd.DataFrame, set[int]]:
    """Monthly movements of the years, and the years whose months are withheld."""
    monthly = _margins(told, regions, years, ["year", "month"])
    hidden = years_with_small_months(monthly, least)
    return monthly[~monthly["year"].isin(hidden)], hidden


def _margins(told: pd.DataFrame, regions: pd.DataFrame, years: pd.Index | np.ndarray, time: list[str]) -> pd.DataFrame:
    """Arrivals, departures, net of every region that there was in the year, also where nobody moved."""
    every = _every(told, regions, years, time)
    sums = {
        measure: told.groupby([end, *time])["persons"].sum().reindex(every, fill_value=0)
        for measure, end in (("arrivals", "destination"), ("departures", "origin"))
    }
    wide = pd.DataFrame(sums, index=every).assign(net=lambda row: row["arrivals"] - row["departures"])
    rows = wide.melt(var_name="measure", value_name="persons", ignore_index=False).reset_index()
    month = rows["month"].astype("Int64") if "month" in rows else pd.Series(pd.NA, rows.index, "Int64")
    return rows.assign(month=month, scope=SCOPE)[["region", "year", "month", "measure", "scope", "persons"]]


def _every(told: pd.DataFrame, regions: pd.DataFrame, years: pd.Index | np.ndarray, time: list[str]) -> pd.MultiIndex:
    times = told[time].drop_duplicates() if "month" in time else pd.DataFrame({"year": years})
    valid = regions.reindex(columns=["region", "valid_from", "valid_to"])
    every = valid.merge(times[times["year"].isin(years)], how="cross").sort_values(["region", *time])
    there = every["year"].between(every["valid_from"].fillna(0), every["valid_to"].fillna(9999))
    return pd.MultiIndex.from_frame(every.loc[there, ["region", *time]].astype(dict.fromkeys(time, "int64")))


def _with_provenance(rows: pd.DataFrame, name: str, published: int | None) -> pd.DataFrame:
    return rows.assign(published=published or rows["year"], basis="official", source=name).reset_index(drop=True)


def _groups(groups: pd.DataFrame, told: pd.DataFrame, least: int) -> tuple[pd.DataFrame, int]:
    """Of pairs and years whose flows are told."""
    flows = _flows(told).drop(columns="persons")
    return without_small_groups(groups.merge(flows, on=["origin", "destination", "year"]), least)
