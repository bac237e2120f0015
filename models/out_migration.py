"""Who leaves each region, and how many arrive in it: last year's totals, smoothed where they are small."""

import numpy as np

from features.flows import FlowHistory, sums_by
from models.smoothing import begun, local_level

TOTALS_DRIFT = 0.0015
"""Variance that a total gains in a year, over its square and per person: large totals keep their last value."""


def last_totals(history: FlowHistory) -> tuple[np.ndarray, np.ndarray]:
    """Out- and in-totals of the last year, each (region)."""
    last = history.known[-1]
    regions = len(history.regions)
    return sums_by(history.origin, last, regions), sums_by(history.destination, last, regions)


def smoothed_totals(history: FlowHistory) -> tuple[np.ndarray, np.ndarray]:
    """Out- and in-totals, each (region), at last year's level: a local level whose gain rises with size."""
    return _smoothed(history, history.origin), _smoothed(history, history.destination)


def _smoothed(history: FlowHistory, end: np.ndarray) -> np.ndarray:
    totals = sums_by(end, history.known, len(history.regions))
    level = totals.sum(axis=1)
    smoothed, _ = local_level(totals * (level[-1] / level)[:, None], TOTALS_DRIFT, begun(totals))
    return smoothed * level[-1] / smoothed.sum()
