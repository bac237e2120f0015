"""Disclosure control: small cells are left out so that they cannot be computed from what is told.

Moves of a pair in a year in which they are fewer than the threshold are left out of everything: of the flows, and of
every sum by region, year and month. All that is told is then a count of moves of pairs that are told, so that sums and
differences lead to nothing else. Between two releases of one year a difference can still be told.
"""

from dataclasses import dataclass

import pandas as pd

PAIR = ["origin", "destination", "year"]


@dataclass(frozen=True)
class Withheld:
    """What was left out below the threshold `least`. months: years whose months are not told."""

    least: int
    cells: int
    persons: int
    months: tuple[int, ...] = ()


def without_small_pairs(counts: pd.DataFrame, least: int) -> tuple[pd.DataFrame, Withheld]:
    """Counts of pairs with at least so many persons in the year; least 0 or 1 keeps all."""
    persons = counts.groupby(PAIR)["persons"].transform("sum")
    small = counts[persons < least]
    withheld = Withheld(least, len(small[PAIR].drop_duplicates()), int(small["persons"].sum()))
    return counts[persons >= least].reset_index(drop=True), withheld


def years_with_small_months(monthly: pd.DataFrame, least: int) -> set[int]:
    """Years in which some region has a month with fewer arrivals or departures, but some.

    Such a month alone could be computed from the year, the balance, and the nets of other regions: none is told.
    """
    counts = monthly[(monthly["measure"] != "net") & monthly["persons"].between(1, least - 1)]
    return set(counts["year"])


def without_small_groups(groups: pd.DataFrame, least: int) -> tuple[pd.DataFrame, int]:
    """Counts by age or sex of pairs and years in which every group that moved has at least so many persons.

    One group alone could be computed from the flow of the pair. Also, how many cells are left out.
    """
    smallest = groups.groupby(PAIR)["persons"].transform("min")
    return groups[smallest >= least].reset_index(drop=True), int((smallest < least).sum())
