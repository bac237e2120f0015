"""Skill that drivers add: next year's rates with and without a group, at past cutoffs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.flows import has_flows
from features.region_features import region_features
from features.targets import target_history
from models.attraction_index import Indices

OWN = ("rate_change", "deviation")
"""What the model sees without any driver, beside the last rate."""
PENALTY = 10.0
CUTOFFS = 15
TAUGHT = 4
"""Years of changes before the first cutoff."""
DRAWS = 2000
INTERVAL = (0.1, 0.9)
COLUMNS = [
    *("driver", "kind", "target", "cutoffs", "wape_persistence", "wape_without", "wape_with"),
    *("relative_change", "lower", "upper", "says"),
]
Array = np.ndarray


def skill_added(dataset: Dataset, cutoff: int, indices: Indices) -> pd.DataFrame:
    """By group and indicator: error of next year's rates with it, over that without it, less 1; below 0 it helps.

    Columns COLUMNS. The target is published: net_migration, or out_migration where flows are recorded. Rates are those
    of last year plus a ridge regression of their change on own history and the driver's values and three-year changes,
    learnt at each cutoff from what was known then. lower, upper: 80 % interval over resampled cutoffs.
    """
    target = "out_migration" if has_flows(dataset.as_of(cutoff)) else "net_migration"
    past = _past(dataset, target, cutoff)
    rows = [row for row in range(len(past.years)) if past.followed[row]][TAUGHT:][-CUTOFFS:]
    drivers = [(group, "group", indices.members(group)) for group in indices.groups]
    drivers += [(name, "indicator", (name,)) for name in indices.indicators]
    if len(rows) < 2:
        return pd.DataFrame(columns=COLUMNS)
    size = np.array([np.nansum(np.abs(past.after[row] * past.people[row])) for row in rows])
    missed = {
        names: np.array([_missed(past, names, row) for row in rows])
        for names in [None, (), *(names for _, _, names in drivers)]
    }
    wape = {names: one.sum() / size.sum() for names, one in missed.items()}
    known = (target, len(rows), wape[None], wape[()])
    table = [
        (driver, kind, *known, wape[names], *_compared(missed[names], missed[()])) for driver, kind, names in drivers
    ]
    return pd.DataFrame(table, columns=COLUMNS)


@dataclass(frozen=True, eq=False)
class _Past:
    """Cutoffs, and the year after each. features: as known at the cutoff, (year, region, column). last: rate of the
    cutoff year, after: of the year after, (year, region), NaN where not known; people: thousands of that year.
    followed: whether any rate is known of the year after, (year)."""

    years: tuple[int, ...]
    columns: pd.Index
    features: Array
    last: Array
    after: Array
    people: Array
    followed: Array

    def of(self, names: Sequence[str]) -> Array:
        """Features that a model with some drivers sees, (year, region, column); NaN for one that is not told."""
        columns = [*OWN, *(column for name in names for column in (name, f"{name}_change"))]
        place = self.columns.get_indexer(pd.Index(columns))
        return np.where(place < 0, np.nan, self.features[..., place])


def _past(dataset: Dataset, target: str, cutoff: int) -> _Past:
    history = target_history(dataset.as_of(cutoff), target)
    rate = history.rate.loc[:cutoff].dropna(how="all")
    years = tuple(int(year) for year in rate.index if year >= rate.index.min() + 2)
    tables = [region_features(dataset, target, year).reindex(rate.columns) for year in years]
    columns = pd.Index(dict.fromkeys(column for table in tables for column in table.columns))
    after = [year + 1 for year in years]
    return _Past(
        years,
        columns,
        np.array([table.reindex(columns=columns).to_numpy(dtype="float64") for table in tables]),
        np.array([table["rate"].to_numpy() for table in tables]),
        rate.reindex(after).to_numpy(),
        (history.population.reindex(rate.index) / 1000).reindex(after).to_numpy(),
        np.isin(after, rate.index),
    )


def _missed(past: _Past, names: Sequence[str] | None, row: int) -> float:
    """Persons by which the rates of the year after are missed, over all regions. names: drivers; None: persistence."""
    change = np.zeros(past.last.shape[1]) if names is None else _ridge(past, names, row)
    return float(np.nansum(np.abs(past.after[row] - past.last[row] - change) * past.people[row]))


def _ridge(past: _Past, names: Sequence[str], row: int) -> Array:
    """Change of rates that is expected after a year, (region), learnt from the years before it."""
    features, taught = past.of(names), np.flatnonzero(past.followed[:row])
    rows = np.concatenate(features[taught])
    change = np.concatenate(past.after[taught] - past.last[taught])
    told = np.isfinite(change)
    centre, spread = _scale(rows[told])
    known = np.nan_to_num((rows[told] - centre) / spread)
    learnt = np.linalg.solve(known.T @ known + PENALTY * np.eye(rows.shape[1]), known.T @ change[told])
    return np.nan_to_num((features[row] - centre) / spread) @ learnt


def _scale(rows: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of what is known in each column; 0 and 1 where nothing is."""
    known = np.isfinite(rows)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, rows, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, rows - centre, 0.0) ** 2).sum(axis=0) / count)
    return centre, np.where(spread > 0, spread, 1.0)


def _compared(missed: Array, without: Array) -> tuple[float, float, float, str]:
    """Relative change of the error, its interval, and what it says."""
    drawn = np.random.default_rng(20).integers(0, len(missed), (DRAWS, len(missed)))
    ratio = missed[drawn].sum(axis=1) / without[drawn].sum(axis=1) - 1
    lower, upper = np.quantile(ratio, INTERVAL)
    says = "adds nothing" if lower <= 0 <= upper else "lowers the error" if upper < 0 else "raises the error"
    return float(missed.sum() / without.sum() - 1), float(lower), float(upper), says
