"""Part-years: how many people moved in the months of a running year, and in the same months of the year before."""

from dataclasses import dataclass, replace

import pandas as pd

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.targets import first_year, records

_MEASURE = {"inflow": "arrivals", "out_migration": "departures"}


@dataclass(frozen=True)
class PartYear:
    """The national number of moves in January to month `months` of a running year, beside the year before; persons.

    moves: so far. moves_before: in the same months of the year before. year_before: in all of that year, as its own
    figure says.
    """

    months: int
    moves: int
    moves_before: int
    year_before: int

    @property
    def ratio(self) -> float:
        """The running year's level as a multiple of the year before, if the rest of the year keeps that year's shares.

        >>> PartYear(months=3, moves=330, moves_before=300, year_before=1500).ratio
        1.1
        """
        return self.moves / self.moves_before


def with_running_year(dataset: Dataset, cutoff: int) -> Dataset:
    """The dataset with vintages that know as many months of the year after them as are there of the year after the
    cutoff: past cutoffs are then judged by what would have been known at the same time of the year."""
    months = dataset.monthly_movements
    running = months.loc[months["year"] == cutoff + 1, "month"].max() if len(months) else None
    return dataset if running is None or pd.isna(running) else replace(dataset, running=int(running), _known={})


def monthly_level(dataset: Dataset, target: str) -> pd.Series:
    """National number of moves by (year, month), of the scope that the target's yearly record has.

    target: `inflow` (arrivals) or `out_migration` (departures). A month counts where every region is in it that has a
    figure for the year, or, in a year without figures yet, for the last one before. Empty where no month does.
    """
    if not len(dataset.monthly_movements) or not len(records(dataset, target)[1]):
        return _level([])
    scope, years = records(_constant(dataset, target), target)
    months = _constant(dataset, target).monthly_movements
    months = months[(months["scope"] == scope) & (months["measure"] == _MEASURE[target])]
    persons = months.pivot(index=["year", "month"], columns="region", values="persons")
    regions = years.groupby("year")["region"].agg(list)
    return _level(
        [
            rows.reindex(columns=regions.loc[:year].iloc[-1]).sum(axis=1, skipna=False)
            for year, rows in persons.groupby(level="year")
            if year >= regions.index[0]
        ]
    )


def _constant(dataset: Dataset, target: str) -> Dataset:
    return at_constant_boundaries(dataset, first_year(dataset, target))


def _level(parts: list[pd.Series]) -> pd.Series:
    nothing = pd.Series(index=pd.MultiIndex.from_arrays([[], []], names=["year", "month"]), dtype="float64")
    return pd.concat(parts or [nothing]).dropna().astype("int64").rename("persons")


def part_year_level(known: Dataset, target: str = "inflow") -> PartYear | None:
    """The running year of a vintage, up to the last month that follows January without a break and was recorded in the
    year before too. None where there is nothing to compare with.

    >>> from features.dataset import load_dataset
    >>> part_year_level(load_dataset().as_of(2023, month=8)) is None  # months are recorded from 2024 on
    True
    """
    if known.cutoff is None or not known.month:
        return None
    level, last = monthly_level(known, target), known.cutoff
    months = _unbroken(level, last + 1, last)
    if not months:
        return None
    years = records(_constant(known, target), target)[1]
    moves, before = (int(level[year].loc[:months].sum()) for year in (last + 1, last))
    year_before = years.loc[years["year"] == last, "persons"]
    return PartYear(months, moves, before, int(year_before.sum())) if before and len(year_before) else None


def _unbroken(level: pd.Series, *years: int) -> int:
    """Months from January on that every one of the years has."""
    months = 0
    while all((year, months + 1) in level.index for year in years):
        months += 1
    return months
