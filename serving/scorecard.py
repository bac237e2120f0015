"""Scorecard: the backtest of a bundle, pooled over its cutoffs."""

import pandas as pd

CELL = ["target", "cutoff", "horizon"]
KEY = ["target", "model", "horizon"]
COVERAGES = ["coverage_50", "coverage_80", "coverage_90"]


def scorecard(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per target, model and horizon: errors and outcomes are summed over cutoffs before they are divided.

    Persistence is pooled over the cutoffs that the model has; a ratio is NaN where its divisor is 0.
    scores: one row per target, model, cutoff and horizon.

    >>> scores = pd.DataFrame({
    ...     "target": "inflow", "model": ["persistence", "trend"], "cutoff": 2020, "horizon": 1, "n": 4,
    ...     "abs_error": [20.0, 15.0], "abs_actual": 100.0, "coverage_50": 0.5, "coverage_80": 0.75, "coverage_90": 1.0,
    ... })
    >>> scorecard(scores).set_index("model").loc["trend", ["skill", "wape"]].to_dict()
    {'skill': 0.25, 'wape': 0.15}
    """
    persistence = scores[scores["model"] == "persistence"][[*CELL, "abs_error"]]
    rows = scores.merge(persistence, on=CELL, suffixes=("", "_persistence"), validate="many_to_one").assign(cutoffs=1)
    rows[COVERAGES] = rows[COVERAGES].mul(rows["n"], axis=0)
    summed = [*COVERAGES, "n", "cutoffs", "abs_error", "abs_error_persistence", "abs_actual"]
    pooled = rows.groupby(KEY, as_index=False)[summed].sum()
    pooled[COVERAGES] = pooled[COVERAGES].div(pooled["n"], axis=0)
    pooled["skill"] = 1 - _ratio(pooled["abs_error"], pooled["abs_error_persistence"])
    pooled["wape"] = _ratio(pooled["abs_error"], pooled["abs_actual"])
    return pooled[[*KEY, "skill", "wape", *COVERAGES, "n", "cutoffs"]]


def _ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part / whole.where(whole > 0)
