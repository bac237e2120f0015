"""Sharpness: how narrow intervals are, and how good forecasts are with their intervals.

Scores of a backtest hold no widths, so widths are those of the forecast that a bundle serves; what past cutoffs say of
sharpness is in the CRPS, which falls with narrower intervals as long as they cover (Gneiting & Raftery 2007).
"""

import numpy as np
import pandas as pd

from models.forecast import FLOW, QUANTILES, Forecast
from training.gate import PERSISTENCE
from training.scorecard import KEY

LOW, MIDDLE, HIGH = (QUANTILES.index(level) for level in (0.1, 0.5, 0.9))


def interval_widths(forecast: Forecast) -> pd.DataFrame:
    """target, horizon, width_80: sum of the widths of 80 % intervals over the sum of |median|; regions or pairs."""
    quantiles = {target: one.quantiles() for target, one in forecast.targets.items()}
    horizons = {target: one.horizons for target, one in forecast.targets.items()}
    if forecast.flows is not None:
        quantiles[FLOW], horizons[FLOW] = forecast.flows.quantiles, forecast.flows.horizons
    rows = [
        {"target": target, "horizon": horizon, "width_80": _width(quantiles[target][:, h])}
        for target in quantiles
        for h, horizon in enumerate(horizons[target])
    ]
    return pd.DataFrame(rows, columns=["target", "horizon", "width_80"])


def _width(quantiles: np.ndarray) -> float:
    """quantiles: (level of QUANTILES, region or pair)."""
    return float((quantiles[HIGH] - quantiles[LOW]).sum() / max(np.abs(quantiles[MIDDLE]).sum(), 1))


def crps_skill(scores: pd.DataFrame) -> pd.DataFrame:
    """target, horizon, model, crps_skill: 1 − CRPS / persistence's, pooled over the cutoffs that both have."""
    cells = ["target", "cutoff", "horizon"]
    persistence = scores.loc[scores["model"] == PERSISTENCE, [*cells, "crps", "n"]]
    both = scores.merge(persistence, on=cells, suffixes=("", "_persistence"), validate="many_to_one")
    both = both.assign(own=both["crps"] * both["n"], last=both["crps_persistence"] * both["n_persistence"])
    pooled = both.groupby(KEY)[["own", "last"]].sum()
    return (1 - pooled["own"] / pooled["last"].clip(lower=1e-9)).rename("crps_skill").reset_index()
