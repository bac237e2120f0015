"""Scores of forecasts. `*_error`, `*_loss`: less is better; `*_score`, `skill`, `coverage`: see each."""

import numpy as np

Array = np.ndarray


def wape(actual: Array, forecast: Array) -> float:
    """Weighted absolute percentage error: Σ|actual − forecast| / Σ|actual|. A perfect forecast scores 0.

    >>> wape(np.array([100.0, -50.0]), np.array([90.0, -45.0]))
    0.1
    """
    return float(np.abs(actual - forecast).sum() / np.abs(actual).sum())


def mean_absolute_error(actual: Array, forecast: Array) -> float:
    """Mean |actual − forecast|, in persons."""
    return float(np.abs(actual - forecast).mean())


def skill(error: float, persistence_error: float) -> float:
    """1 − error / error of persistence on the same cells: above 0 beats persistence, 1 is perfect.

    >>> skill(8.0, 10.0)
    0.2
    """
    return round(1 - error / persistence_error, 12) if persistence_error else 0.0


def sign_agreement(actual: Array, forecast: Array) -> float:
    """Share of cells in which the forecast has the sign of the outcome, in [0, 1].

    >>> sign_agreement(np.array([5, -3, 0]), np.array([1, 2, 0]))
    0.6666666666666666
    """
    return float((np.sign(actual) == np.sign(forecast)).mean())


def interval_coverage(actual: Array, lower: Array, upper: Array) -> float:
    """Share of outcomes inside the interval, in [0, 1]. The best value is the interval's nominal level.

    >>> interval_coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
    0.5
    """
    return float(((actual >= lower) & (actual <= upper)).mean())


def pinball_loss(actual: Array, quantile: Array, level: float) -> float:
    """Mean pinball loss of a quantile forecast at a level in (0, 1) (Koenker & Bassett 1978), in persons.

    >>> pinball_loss(np.array([10.0]), np.array([8.0]), 0.9)
    1.8
    """
    below = actual - quantile
    return float(np.maximum(level * below, (level - 1) * below).mean())


def mean_pinball_loss(actual: Array, quantiles: Array, levels: tuple[float, ...]) -> Array:
    """Pinball loss of each outcome (n), mean over the levels. quantiles: (level, n)."""
    below, level = actual - quantiles, np.array(levels)[:, None]
    return np.maximum(level * below, (level - 1) * below).mean(axis=0)


def crps(actual: Array, draws: Array) -> float:
    """Mean continuous ranked probability score from draws (draw, …), in persons (Gneiting & Raftery 2007, eq. 21).

    E|X − y| − E|X − X'| / 2, the second from sorted draws. With one draw it is the absolute error.

    >>> crps(np.array([3.0]), np.array([[1.0]]))
    2.0
    """
    return float(sorted_crps(actual, np.sort(draws, axis=0)).mean())


def sorted_crps(actual: Array, ordered: Array) -> Array:
    """The same for each outcome, from draws that are sorted along their first axis."""
    count = len(ordered)
    rank = (2 * np.arange(1, count + 1) - count - 1).reshape(-1, *[1] * actual.ndim)
    spread = (rank * ordered).sum(axis=0) / count**2
    return np.abs(ordered - actual).mean(axis=0) - spread


def mass_inside(actual: Array, ordered: Array, levels: tuple[float, float]) -> Array:
    """Part of each outcome's probability that lies between two levels, in [0, 1]; its mean is the nominal level.

    Where many draws equal an outcome, as at zero, an interval holds more than it says; this does not (the probability
    integral transform of counts, Czado, Gneiting & Held 2009). ordered: sorted draws, (n, draw).

    >>> mass_inside(np.array([0]), np.array([[0, 0, 0, 0, 5]]), (0.1, 0.9))
    array([0.875])
    """
    count = ordered.shape[1]
    below = (ordered < actual[:, None]).sum(axis=1) / count
    upto = (ordered <= actual[:, None]).sum(axis=1) / count
    low, high = levels
    overlap = np.minimum(upto, high) - np.maximum(below, low)
    within = (low <= below) & (below <= high)
    return np.where(upto > below, np.clip(overlap, 0, None) / np.maximum(upto - below, 1 / count), within)


def r_squared(actual: Array, forecast: Array, cells: int) -> float:
    """1 − Σ(actual − forecast)² / Σ(actual − mean)² over a number of cells; those that are not given are zero in both.

    >>> r_squared(np.array([1.0, 3.0]), np.array([1.0, 3.0]), 4)
    1.0
    """
    actual, forecast = actual.astype("float64"), forecast.astype("float64")
    total = (actual**2).sum() - actual.sum() ** 2 / cells
    return float(1 - ((actual - forecast) ** 2).sum() / total)


def common_part_of_commuters(actual: Array, forecast: Array) -> float:
    """CPC (Lenormand et al. 2012): 2 Σ min(actual, forecast) / (Σ actual + Σ forecast), in [0, 1]; 1 is perfect.

    It measures geography rather than change: give it as a difference from persistence's.

    >>> common_part_of_commuters(np.array([10, 30]), np.array([30, 10]))
    0.5
    """
    return float(2 * np.minimum(actual, forecast).sum() / (actual.sum() + forecast.sum()))
