"""Contributions to sums of flows: what each group of drivers adds to the log of a rate, exactly."""

from math import factorial

import numpy as np

Array = np.ndarray


def contributions_to_sums(parts: Array, end: Array, regions: int) -> Array:
    """Shapley values of groups for log Σ exp(Σ parts) over the pairs of each region, (group, region).

    parts: of the log of flows, less their mean over pairs, (group, pair). end: region of each pair, (pair). A group
    that does not play is at its mean in all pairs. The values of a region sum to the log of its sum less that of a
    region whose pairs are all average (Shapley 1953; Shorrocks 2013).

    >>> parts, end = np.array([[0.3, -0.3], [0.1, -0.1]]), np.array([0, 1])
    >>> contributions_to_sums(parts, end, 2).round(3).tolist()
    [[0.3, -0.3], [0.1, -0.1]]
    """
    groups = len(parts)
    playing = (np.arange(2**groups)[:, None] >> np.arange(groups)) & 1
    worth = np.stack([np.log(np.bincount(end, np.exp(one @ parts), regions)) for one in playing])
    values = np.zeros((groups, regions))
    for group in range(groups):
        without = np.flatnonzero(playing[:, group] == 0)
        size = playing[without].sum(axis=1)
        weight = np.array([factorial(one) * factorial(groups - one - 1) / factorial(groups) for one in size])
        values[group] = weight @ (worth[without + 2**group] - worth[without])
    return values
