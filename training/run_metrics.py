"""Metrics of a run: the scorecard as names and numbers that MLflow's lists and charts sort and group well.

overall/skill               means over targets and horizons, to sort runs by
net_migration/skill_h1      pooled over cutoffs; what matters first
net_migration/wape_by_cutoff_h1   of a model's child run, with the cutoff as step
"""

from time import time_ns

import numpy as np
import pandas as pd

from training.scorecard import KEY
from training.sharpness import WIDTHS, crps_skill, relative_widths
from training.store import Metric

OVERALL = ["skill", "coverage_80", "width_80", "crps_skill"]
FIRST = ["skill", "skill_low", "skill_high", "coverage_50", "coverage_80", "coverage_90", *WIDTHS, "crps_skill", "wape"]
"""MLflow's page of a run keeps the order in which metrics were logged; scores that are not here come after."""
DIGITS = 4
"""Behind the point: the page shows every digit, and differences below are noise of draws. Files have all digits."""


def card_with_sharpness(scorecard: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The scorecard with `crps_skill` and relative widths beside it."""
    card = scorecard
    for beside in (crps_skill(scores), relative_widths(scores)):
        card = card.merge(beside, on=KEY, how="left", validate="one_to_one")
    return card


def pooled_metrics(card: pd.DataFrame) -> list[Metric]:
    """As `overall/skill`, then `net_migration/skill_h1`. card: rows of one model, as of `card_with_sharpness`."""
    means = {f"overall/{score}": card[score].mean() for score in OVERALL}
    columns = [*FIRST, *card.columns.difference([*KEY, *FIRST], sort=False)]
    rows = card.sort_values(["target", "horizon"]).to_dict("records")
    told = {
        f"{target}/{score}_h{row['horizon']}": row[score]
        for target in dict.fromkeys(row["target"] for row in rows)
        for score in columns
        for row in rows
        if row["target"] == target
    }
    return [_metric(name, value) for name, value in (means | told).items() if np.isfinite(value)]


def metrics_by_cutoff(scores: pd.DataFrame) -> list[Metric]:
    """As `net_migration/wape_by_cutoff_h1`. scores: rows of one model."""
    wape = scores["abs_error"] / scores["abs_actual"]
    names = scores["target"] + "/wape_by_cutoff_h" + scores["horizon"].astype("str")
    return [
        _metric(name, value, int(cutoff))
        for name, value, cutoff in zip(names, wape, scores["cutoff"], strict=True)
        if np.isfinite(value)
    ]


def _metric(name: str, value: float, step: int = 0) -> Metric:
    return Metric(name, round(float(value), DIGITS), time_ns() // 1_000_000, step)
