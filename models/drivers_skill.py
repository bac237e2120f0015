"""Skill that drivers add: next year's rates with and without a group, at past cutoffs."""

from collections.abc import Sequence

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
    features, rate, population = _history(dataset, target, cutoff)
    years = [year for year in sorted(features) if year + 1 in rate.index][TAUGHT:][-CUTOFFS:]
    drivers = [(group, "group", indices.members(group)) for group in indices.groups]
    drivers += [(name, "indicator", (name,)) for name in indices.indicators]
    if len(years) < 2:
        return pd.DataFrame(columns=COLUMNS)
    size = np.array([np.nansum(np.abs(rate.loc[y + 1] * population.loc[y + 1])) for y in years])
    missed = {
        names: np.array([_missed(features, rate, population, names, year) for year in years])
        for names in [None, (), *(names for _, _, names in drivers)]
    }
    wape = {names: one.sum() / size.sum() for names, one in missed.items()}
    known = (target, len(years), wape[None], wape[()])
    rows = [
        (driver, kind, *known, wape[names], *_compared(missed[names], missed[()])) for driver, kind, names in drivers
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _history(dataset: Dataset, target: str, cutoff: int) -> tuple[dict[int, pd.DataFrame], pd.DataFrame, pd.DataFrame]:
    """Features by the cutoff at which they were known, rates and population, both year × region."""
    history = target_history(dataset.as_of(cutoff), target)
    rate = history.rate.loc[:cutoff].dropna(how="all")
    first = int(rate.index.min()) + 2
    features = {
        year: region_features(dataset, target, year).reindex(rate.columns)
        for year in range(first, cutoff + 1)
        if year in rate.index
    }
    return features, rate, history.population.reindex(rate.index) / 1000


def _missed(
    features: dict[int, pd.DataFrame],
    rate: pd.DataFrame,
    population: pd.DataFrame,
    names: Sequence[str] | None,
    year: int,
) -> float:
    """Persons by which the rates of year + 1 are missed, over all regions. names: drivers; None for persistence."""
    actual, last = rate.loc[year + 1].to_numpy(), features[year]["rate"].to_numpy()
    change = np.zeros(len(last)) if names is None else _ridge(features, rate, names, year)
    return float(np.nansum(np.abs(actual - last - change) * population.loc[year + 1].to_numpy()))


def _ridge(features: dict[int, pd.DataFrame], rate: pd.DataFrame, names: Sequence[str], year: int) -> Array:
    """Change of rates that is expected after a year, (region), learnt from the years before it."""
    columns = [*OWN, *(column for name in names for column in (name, f"{name}_change"))]
    past = [one for one in features if one < year and one + 1 in rate.index]
    rows = np.concatenate([features[one].reindex(columns=columns).to_numpy(dtype="float64") for one in past])
    change = np.concatenate([(rate.loc[one + 1] - features[one]["rate"]).to_numpy() for one in past])
    told = np.isfinite(change)
    centre, spread = _scale(rows[told])
    known = np.nan_to_num((rows[told] - centre) / spread)
    learnt = np.linalg.solve(known.T @ known + PENALTY * np.eye(len(columns)), known.T @ change[told])
    now = features[year].reindex(columns=columns).to_numpy(dtype="float64")
    return np.nan_to_num((now - centre) / spread) @ learnt


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
