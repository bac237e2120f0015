"""Scorecard: a backtest's scores pooled over its cutoffs, one row per target, horizon and model."""

import numpy as np
import pandas as pd

from training.gate import PERSISTENCE, RESAMPLES, pooled_coverage
from training.metrics import skill

KEY = ["target", "horizon", "model"]
COVERAGES = ["coverage_50", "coverage_80", "coverage_90"]
SCORES = ["wape", "skill", "skill_low", "skill_high", "won", "sign_agreement", *COVERAGES, "crps"]
COLUMNS = [*KEY, *SCORES, "n", "cutoffs"]
SKILL_INTERVAL = (0.1, 0.9)


def scorecard(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per target, horizon and model (COLUMNS), pooled over all cutoffs of the backtest's scores.

    skill: against persistence at the same cutoffs; skill_low, skill_high: its 80 % interval when whole cutoffs are
    resampled, NaN for a single one. won: share of cutoffs with less error than persistence. crps: persons per region.
    n: outcomes.
    """
    cells = ["target", "cutoff", "horizon"]
    persistence = scores.loc[scores["model"] == PERSISTENCE, [*cells, "abs_error"]]
    beside = scores.merge(persistence, on=cells, how="inner", suffixes=("", "_persistence"), validate="many_to_one")
    rows = [dict(zip(KEY, key, strict=True)) | _pooled(own) for key, own in beside.groupby(KEY)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _pooled(own: pd.DataFrame) -> dict:
    error, persistence = own["abs_error"].to_numpy(), own["abs_error_persistence"].to_numpy()
    low, high = _skill_interval(error, persistence)
    return {
        "wape": float(error.sum() / max(own["abs_actual"].sum(), 1e-9)),
        "skill": skill(error.sum(), persistence.sum()),
        "skill_low": low,
        "skill_high": high,
        "won": float((error < persistence).mean()),
        "sign_agreement": _mean_over_outcomes(own, "sign_agreement"),
        **{f"coverage_{level}": pooled_coverage(own, level) for level in (50, 80, 90)},
        "crps": _mean_over_outcomes(own, "crps"),
        "n": int(own["n"].sum()),
        "cutoffs": len(own),
    }


def _mean_over_outcomes(own: pd.DataFrame, score: str) -> float:
    return float((own[score] * own["n"]).sum() / own["n"].sum())


def _skill_interval(error: np.ndarray, persistence: np.ndarray) -> tuple[float, float]:
    if len(error) < 2:
        return np.nan, np.nan
    picks = np.random.default_rng(0).integers(len(error), size=(RESAMPLES, len(error)))
    resampled = 1 - error[picks].sum(axis=1) / np.maximum(persistence[picks].sum(axis=1), 1e-9)
    low, high = np.quantile(resampled, SKILL_INTERVAL)
    return float(low), float(high)
