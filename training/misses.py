"""Misses: the forecasts that were furthest off, and what the data themselves say of why."""

import numpy as np
import pandas as pd

from features.boundaries import unit_of_region
from features.dataset import Dataset

UNEXPLAINED = "not explained"
COLUMNS = ["target", "region", "name", "cutoff", "year", "horizon", "forecast", "observed", "missed", "reason"]
UNUSUAL = 0.8
"""A region's miss is unusual where it is above this quantile of its own misses."""
EVERYWHERE = 0.6
"""Share of regions with an unusual miss from which a year is told of as unusual everywhere; by chance it is 0.2."""
MEASURES = {"net_migration": "net", "inflow": "arrivals", "out_migration": "departures"}


def largest_misses(table: pd.DataFrame, dataset: Dataset, count: int) -> pd.DataFrame:
    """The largest of each target, persons (COLUMNS), each region and year once, with the reason that the data give.

    table: as `training.outcomes.outcomes` makes it. A reason is a break that the dataset itself notes (boundaries,
    gaps, revisions, values that a later release replaced), else UNEXPLAINED.
    """
    told = table.assign(missed=table["observed"] - table["forecast"], everywhere=_shared(table))
    told = told.iloc[(-told["missed"].abs()).argsort(kind="stable")]
    told = told.drop_duplicates(["target", "region", "year"]).groupby("target", sort=False).head(count)
    names = dataset.regions.set_index("region")["name"]
    reasons = [reason(dataset, row) for row in told.to_dict("records")]
    told = told.assign(name=told["region"].map(names).fillna(told["region"]), reason=reasons)
    return told.sort_values("target", kind="stable")[COLUMNS].reset_index(drop=True)


def _shared(table: pd.DataFrame) -> pd.Series:
    """By row: the part of regions that missed unusually in the same forecast."""
    missed = (table["observed"] - table["forecast"]).abs()
    usual = missed.groupby([table["target"], table["horizon"], table["region"]]).transform("quantile", UNUSUAL)
    return (missed > usual).groupby([table["target"], table["cutoff"], table["horizon"]]).transform("mean")


def reason(dataset: Dataset, row: dict) -> str:
    """Breaks between the cutoff and the year, in the words of the data; row: target, region, cutoff, year, everywhere.

    What happened everywhere at once is told as such, and stays not explained.
    """
    found = [*_boundaries(dataset, row), *_noted(dataset, row), *_replaced(dataset, row)]
    if found:
        return "; ".join(found)
    shared = row["everywhere"]
    if shared < EVERYWHERE:
        return UNEXPLAINED
    return f"{UNEXPLAINED}; {shared:.0%} of regions missed by more than they do in four of five years"


def _boundaries(dataset: Dataset, row: dict) -> list[str]:
    changes = dataset.boundary_changes
    unit = unit_of_region(dataset.regions["region"], changes)
    parts = list(unit.index[unit == unit.get(row["region"], row["region"])])
    own = changes["predecessor"].isin(parts)
    own &= changes["year"].between(row["cutoff"] + 1, row["year"])
    return [f"boundaries changed in {year}" for year in sorted(changes.loc[own, "year"].unique())]


def _noted(dataset: Dataset, row: dict) -> list[str]:
    """Gaps and revisions of the target's table that touch the cutoff, the year, or one between."""
    years, measure = set(range(row["cutoff"], row["year"] + 1)), MEASURES[row["target"]]
    table = "flows" if len(dataset.flows) else "movements"
    notes = [("gap", note) for note in dataset.gaps] + [("revision", note) for note in dataset.revisions]
    return [
        f"{kind} of {', '.join(map(str, sorted(years & set(note['years']))))}: {note['reason']}"
        for kind, note in notes
        if note["table"] == table and note.get("measure", measure) == measure and years & set(note["years"])
    ]


def _replaced(dataset: Dataset, row: dict) -> list[str]:
    old = dataset.superseded
    own = (old["region"] == row["region"]) & old["year"].isin([row["cutoff"], row["year"]])
    own &= (old["table"] == "movements") & (old["measure"] == MEASURES[row["target"]])
    years = sorted(old.loc[own, "year"].unique())
    return [f"the figure of {year} was replaced by a later release" for year in years]


def worst(errors: pd.DataFrame, score: str, fewest: int = 3) -> dict | None:
    """The row with the least of a score among those with enough outcomes; None where there is none."""
    rows = errors[(errors["n"] >= fewest) & np.isfinite(errors[score])]
    return next(iter(rows.nsmallest(1, score).to_dict("records")), None)
