"""Combination of forecasts: non-negative weights chosen on earlier cutoffs, shrunk to equal ones."""

import numpy as np

MEMBERS = ("persistence", "mean_of_years", "exponential_smoothing", "boosted")
NAME = "combination"


def combination_weights(points: np.ndarray, actual: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Weights that sum to one, from forecasts of earlier cutoffs.

    points (member, cutoff, region), actual (cutoff, region), size (region): persons by which errors are scaled, so that
    one large region does not decide alone. Least squares on the simplex, then shrunk to equal weights by M / (M + n)
    for M members and n cutoffs: with few cutoffs equal weights are hard to beat (Timmermann 2006, sec. 4).

    >>> combination_weights(np.empty((2, 0, 3)), np.empty((0, 3)), np.ones(3))
    array([0.5, 0.5])
    """
    from scipy.optimize import nnls

    members = len(points)
    equal = np.full(members, 1 / members)
    told = ~np.isnan(actual) & ~np.isnan(points).any(axis=0)
    cutoffs = int(told.any(axis=1).sum())
    if cutoffs == 0:
        return equal
    scale = np.sqrt(np.maximum(size, 1.0))
    wide = np.stack([(member / scale)[told] for member in points], axis=1)
    wanted = (actual / scale)[told]
    # A heavy row asks the weights to sum to one, which turns non-negative least squares into one on the simplex.
    heavy = 1e3 * max(float(np.abs(wide).sum()), 1.0)
    found, _ = nnls(np.vstack([wide, np.full(members, heavy)]), np.append(wanted, heavy))
    found = found / found.sum()
    shrink = members / (members + cutoffs)
    return (1 - shrink) * found + shrink * equal
