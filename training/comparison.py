"""Comparison: whether one training's served forecasts are better than another's, on what both were scored on."""

import numpy as np
import pandas as pd

from training.backtest import SERVED
from training.gate import PROBABILITY, PROVEN_FROM, RESAMPLES

CELL = ["target", "horizon", "cutoff", "n"]
OVERALL = "overall"
INTERVAL = (0.1, 0.9)
ALIKE = 0.001
"""Skill below which two trainings are alike, however sure it is: a thousandth of the error decides nothing."""
WIDTHS, ACTUAL = ["width_80_first", "width_80_second"], ["abs_actual_first", "abs_actual_second"]
COLUMNS = [
    *("target", "horizon", "cutoffs", "outcomes_revised", "error_first", "error_second"),
    *("skill", "skill_low", "skill_high", "probability", "coverage_first", "coverage_second"),
    *("width_first", "width_second", "verdict"),
]
"""A row per target and horizon, and one over all. cutoffs: that both were scored at, with as many regions or pairs.
outcomes_revised: at how many of them outcomes differ. error_*: mean |outcome − median| of a region or pair, persons.
skill: 1 − error of the second / error of the first; skill_low, skill_high: 80 % interval; probability: that it is above
0. coverage_*: of the 80 % interval; width_*: its width, summed, over the sum of |outcome|."""


def comparison(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS. first, second: scores as of `training.backtest.COLUMNS`."""
    own, other = (scores[scores["model"] == SERVED] for scores in (first, second))
    both = own.merge(other, on=CELL, suffixes=("_first", "_second"), validate="one_to_one").sort_values("cutoff")
    rows = [
        {"target": target, "horizon": int(cells["horizon"].iloc[0])} | _pooled(cells, int(cells["horizon"].iloc[0]))
        for (target, _), cells in both.groupby(["target", "horizon"], sort=False)
    ]
    if len(rows) > 1:
        rows.append({"target": OVERALL, "horizon": None} | _overall(both))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"horizon": "Int64"})


def _pooled(cells: pd.DataFrame, block: int) -> dict:
    errors = cells["abs_error_first"].to_numpy(), cells["abs_error_second"].to_numpy()
    count = float(cells["n"].sum())
    covered = {
        f"coverage_{side}": float((cells[f"coverage_80_{side}"] * cells["n"]).sum() / count)
        for side in ("first", "second")
    }
    revised = ~np.isclose(cells["abs_actual_first"], cells["abs_actual_second"])
    means = {
        f"error_{side}": float(error.sum() / count) for side, error in zip(("first", "second"), errors, strict=True)
    }
    counts = {"cutoffs": len(cells), "outcomes_revised": int(revised.sum())}
    return counts | means | covered | _widths(cells) | _judged(*errors, block)


def _widths(cells: pd.DataFrame) -> dict[str, float]:
    """NaN where scores were made without widths."""
    sums = cells.reindex(columns=[*WIDTHS, *ACTUAL]).sum(min_count=1)
    pairs = zip(("first", "second"), WIDTHS, ACTUAL, strict=True)
    return {f"width_{side}": float(sums[width] / max(sums[actual], 1e-9)) for side, width, actual in pairs}


def _overall(both: pd.DataFrame) -> dict:
    """Targets and horizons weigh the same: each error over the first's, summed by cutoff."""
    scale = both.groupby(["target", "horizon"])["abs_error_first"].transform("sum").clip(lower=1e-9)
    errors = both[["abs_error_first", "abs_error_second"]].div(scale, axis=0).groupby(both["cutoff"]).sum()
    judged = _judged(errors["abs_error_first"].to_numpy(), errors["abs_error_second"].to_numpy(), both["horizon"].max())
    return {"cutoffs": len(errors), "outcomes_revised": None} | judged


def _judged(first: np.ndarray, second: np.ndarray, block: int) -> dict:
    """Paired bootstrap over cutoffs. Errors h years ahead overlap at h cutoffs, so that many that follow each other are
    drawn together, on a circle (Politis & Romano 1992); one year ahead it is the ordinary bootstrap."""
    skill = 1 - second.sum() / max(first.sum(), 1e-9)
    if np.allclose(first, second):
        return {"skill": 0.0, "skill_low": 0.0, "skill_high": 0.0, "probability": np.nan, "verdict": "identical"}
    places = resampled(len(first), min(block, len(first)), np.random.default_rng(0))
    drawn = 1 - second[places].sum(axis=1) / np.maximum(first[places].sum(axis=1), 1e-9)
    low, high = np.quantile(drawn, INTERVAL)
    probability = float((drawn > 0).mean())
    told = {"skill": float(skill), "skill_low": float(low), "skill_high": float(high), "probability": probability}
    return told | {"verdict": "alike" if abs(skill) < ALIKE else verdict(len(first), probability)}


def resampled(count: int, block: int, rng: np.random.Generator) -> np.ndarray:
    """Positions (RESAMPLES, count) in blocks of neighbours; the last is beside the first.

    >>> resampled(4, 4, np.random.default_rng(0)).shape
    (2000, 4)
    """
    starts = rng.integers(count, size=(RESAMPLES, -(-count // block)))
    places = (starts[..., None] + np.arange(block)) % count
    return places.reshape(RESAMPLES, -1)[:, :count]


def verdict(cutoffs: int, probability: float) -> str:
    """
    >>> verdict(20, 0.95), verdict(20, 0.5), verdict(3, 0.99)
    ('second is better', 'not told apart from chance', 'too few cutoffs')
    """
    if cutoffs < PROVEN_FROM:
        return "too few cutoffs"
    if probability >= PROBABILITY:
        return "second is better"
    return "first is better" if probability <= 1 - PROBABILITY else "not told apart from chance"
