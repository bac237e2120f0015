"""Sharpness: how narrow intervals were at past cutoffs, and how good forecasts were with their intervals.

Widths and CRPS come from the same refitted forecasts that coverage comes from. A narrow interval is worth something as
long as it covers (Gneiting, Balabdaoui & Raftery 2007); the CRPS holds both.
"""

import pandas as pd

from training.gate import PERSISTENCE
from training.scorecard import KEY

WIDTHS = ["width_50", "width_80", "width_90"]


def relative_widths(scores: pd.DataFrame) -> pd.DataFrame:
    """target, horizon, model and WIDTHS: sum of the widths of intervals over the sum of |outcome|, over all cutoffs.

    The scale is that of `wape`: 0.4 is an interval as wide as four tenths of what came, for counts as for balances.
    NaN for scores that were made without widths.
    """
    sums = scores.reindex(columns=[*KEY, *WIDTHS, "abs_actual"]).groupby(KEY)[[*WIDTHS, "abs_actual"]].sum(min_count=1)
    return sums[WIDTHS].div(sums["abs_actual"].clip(lower=1e-9), axis=0).reset_index()


def crps_skill(scores: pd.DataFrame) -> pd.DataFrame:
    """target, horizon, model, crps_skill: 1 − CRPS / persistence's, pooled over the cutoffs that both have."""
    cells = ["target", "cutoff", "horizon"]
    persistence = scores.loc[scores["model"] == PERSISTENCE, [*cells, "crps", "n"]]
    both = scores.merge(persistence, on=cells, suffixes=("", "_persistence"), validate="many_to_one")
    both = both.assign(own=both["crps"] * both["n"], last=both["crps_persistence"] * both["n_persistence"])
    pooled = both.groupby(KEY)[["own", "last"]].sum()
    return (1 - pooled["own"] / pooled["last"].clip(lower=1e-9)).rename("crps_skill").reset_index()
