"""Drift: how new figures differ from those that a model was trained on, by indicator and by region.

Yearly changes are compared, not levels: wages and populations grow, so that every new level is out of the seen range.
A year's changes share what happened to the country, so that a test over regions alone finds something in most years.
Therefore a series drifts only where both hold: the two-sample Kolmogorov-Smirnov test rejects after correction for many
series (Benjamini & Hochberg 1995), and the year lies as far from the others as no more than one in ten years does.

By scipy, a dependency already. evidently would bring some sixty packages, a web server and telemetry among them, and
like the other frameworks for drift takes rows as independent, which regions of one year are not.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import chi2, false_discovery_control, ks_2samp, wasserstein_distance

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.indicators import INDICATORS
from features.targets import TARGETS, recorded_targets, target_history

LEVEL = 0.05
RARE = 0.1
BINS = 5
FEWEST = 5
"""Changes, of the new year and of the past, below which nothing is tested."""
FEWEST_YEARS = 4
COLUMNS = [
    *("series", "year", "n", "n_seen", "years_seen", "median_change", "median_seen", "distance"),
    *("psi", "psi_limit", "ks", "p", "p_adjusted", "rare", "outside", "drifts"),
]
"""A row per series with a new year. n: regions with a change; n_seen: changes of the past. distance: Wasserstein, in
standard deviations of past changes. psi: population stability index over fifths of the past; psi_limit: what chance
exceeds in 5 of 100 (Yurdakul & Naranjo 2020). ks: the statistic; p, p_adjusted: its p-value, and corrected for many
series. rare: share of years, this one among them, as far from the others. outside: changes beyond all that was seen."""


def drift(new: Dataset, trained: Dataset, cutoff: int) -> pd.DataFrame:
    """COLUMNS: the first new year of every series, against its past in what the model was trained on."""
    rows = [row for series, values, seen in _series(new, trained, cutoff) if (row := _compared(series, values, seen))]
    table = pd.DataFrame(rows, columns=COLUMNS)
    tested = table["p"].notna()
    if tested.any():
        table.loc[tested, "p_adjusted"] = false_discovery_control(table.loc[tested, "p"].astype("float64"))
    table["drifts"] = table["p_adjusted"].lt(LEVEL) & table["rare"].le(RARE)
    return table.sort_values(["drifts", "distance"], ascending=False, ignore_index=True)


def _series(new: Dataset, trained: Dataset, cutoff: int) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Name, and values year × region of both, in units that are the same in all years: targets, then indicators."""
    known = trained.as_of(cutoff)
    since = int(known.indicators["year"].min())
    both = [at_constant_boundaries(one, since) for one in (new, known)]
    for target in TARGETS:
        if target in recorded_targets(new) and target in recorded_targets(known):
            yield target, target_history(new, target).rate, target_history(known, target).rate
    names = [set(one.indicators["indicator"].unique()) for one in both]
    for name in sorted(set.intersection(*names) & set(INDICATORS)):
        yield name, both[0].indicator(name), both[1].indicator(name)


def changes_of(values: pd.DataFrame, positive: bool) -> pd.DataFrame:
    """Change from the year before, year × region: of the logarithm of positive values, else of the values."""
    values = values.reindex(range(int(values.index.min()), int(values.index.max()) + 1))
    return (values.apply(np.log) if positive else values).diff()


def _both_changes(values: pd.DataFrame, seen: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of the new dataset and of what was seen, on one scale."""
    positive = min(float(np.nanmin(one.to_numpy())) for one in (values, seen)) > 0
    return changes_of(values, positive), changes_of(seen, positive)


def _new_year(changes: pd.DataFrame, seen: pd.DataFrame) -> int | None:
    """The first year with a change that was not seen."""
    last = seen.dropna(how="all").index.max()
    return next((int(year) for year in changes.dropna(how="all").index if year > last), None)


def _compared(series: str, values: pd.DataFrame, seen: pd.DataFrame) -> dict | None:
    """None where there is no new year with a year before it."""
    changes, past = _both_changes(values, seen)
    year = _new_year(changes, seen)
    if year is None:
        return None
    now, pooled = changes.loc[year].dropna().to_numpy(), past.to_numpy()[past.notna().to_numpy()]
    told = {"series": series, "year": year, "n": len(now), "n_seen": len(pooled)}
    if min(len(now), len(pooled)) < FEWEST:
        return told
    ks = ks_2samp(now, pooled)
    psi, limit = stability_index(pooled, now)
    beyond = int(((now < pooled.min()) | (now > pooled.max())).sum())
    return told | {
        "years_seen": int(past.notna().any(axis=1).sum()),
        "median_change": float(np.median(now)),
        "median_seen": float(np.median(pooled)),
        "distance": _distance(now, pooled),
        "psi": psi,
        "psi_limit": limit,
        "ks": float(ks.statistic),
        "p": float(ks.pvalue),
        "rare": rarity(past, now),
        "outside": beyond,
    }


def _distance(now: np.ndarray, pooled: np.ndarray) -> float:
    spread = float(pooled.std())
    return float(wasserstein_distance(now, pooled) / spread) if spread > 0 else np.nan


def rarity(past: pd.DataFrame, now: np.ndarray) -> float:
    """Share of years, the new one among them, that are as far from all others as it is; NaN with few years.

    Were the new year like the others, it would be at most r with probability r (a rank test over years).
    """
    years = [year.dropna().to_numpy() for _, year in past.iterrows() if year.notna().sum() >= FEWEST]
    if len(years) < FEWEST_YEARS:
        return np.nan
    every = [*years, now]
    apart = [_distance(year, np.concatenate([*every[:i], *every[i + 1 :]])) for i, year in enumerate(every)]
    return float(np.mean(np.array(apart) >= apart[-1]))


def stability_index(seen: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """PSI over fifths of what was seen, and what it exceeds by chance in 5 of 100 (Yurdakul & Naranjo 2020).

    An empty bin counts as half a value.

    >>> stability_index(np.arange(100.0), np.arange(100.0))[0]
    0.0
    """
    edges = np.unique(np.quantile(seen, np.linspace(0, 1, BINS + 1))[1:-1])
    counts = [np.bincount(np.searchsorted(edges, one, side="right"), minlength=len(edges) + 1) for one in (seen, now)]
    shares = [np.maximum(count, 0.5) / len(one) for count, one in zip(counts, (seen, now), strict=True)]
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    limit = float(chi2.ppf(1 - LEVEL, max(len(edges), 1)) * (1 / len(seen) + 1 / len(now)))
    return index, limit


# --- regions --------------------------------------------------------------------------------------------------------


REGION_COLUMNS = ["series", "region", "year", "change", "seen_low", "seen_high", "usual", "score"]
"""change: of the new year; seen_low, seen_high: the least and the most of the region's own past; usual: its median.
score: (change − usual) over the region's median absolute deviation × 1.4826, a standard deviation where changes are
normal."""


def regional_drift(new: Dataset, trained: Dataset, cutoff: int) -> pd.DataFrame:
    """REGION_COLUMNS: changes of the first new year that are beyond all of a region's own past; the furthest first."""
    tables = [_unusual(series, values, seen) for series, values, seen in _series(new, trained, cutoff)]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=REGION_COLUMNS)
    return table.iloc[(-table["score"].abs()).argsort(kind="stable")].reset_index(drop=True)


def _unusual(series: str, values: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    changes, past = _both_changes(values, seen)
    year = _new_year(changes, seen)
    if year is None:
        return pd.DataFrame(columns=REGION_COLUMNS)
    now, past = changes.loc[year], past.loc[:, past.notna().sum() >= FEWEST]
    usual = past.median()
    spread = 1.4826 * (past - usual).abs().median()
    told = pd.DataFrame({"change": now, "seen_low": past.min(), "seen_high": past.max(), "usual": usual})
    told = told.assign(score=(told["change"] - usual) / spread.where(spread > 0)).dropna()
    told = told[(told["change"] < told["seen_low"]) | (told["change"] > told["seen_high"])]
    return told.rename_axis("region").reset_index().assign(series=series, year=year)[REGION_COLUMNS]
