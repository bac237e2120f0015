"""How large errors are at a size: variance κ + φμ + ψμ²."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import nnls

BINS = 20


def size_variance(size: np.ndarray, error: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Variance of errors (n) at sizes (n) as a function of size: κ + φ·size + ψ·size², in persons².

    φ is noise of counting (above 1 where moves come in households), ψ noise in proportion, κ what is left at zero.
    Non-negative least squares on relative squared errors, over bins of equally many cells.

    >>> rng = np.random.default_rng(0)
    >>> size = rng.uniform(10, 1000, 50_000)
    >>> variance = size_variance(size, rng.normal(0, np.sqrt(2 * size)))
    >>> bool(0.9 < variance(np.array([500.0]))[0] / 1000 < 1.1)
    True
    """
    edges = np.quantile(size, np.linspace(0, 1, BINS + 1)[1:-1])
    bin_of = np.searchsorted(edges, size)
    count = np.maximum(np.bincount(bin_of, minlength=BINS), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(bin_of, weights=values, minlength=BINS) / count

    seen = mean(error**2)
    told = seen > 0
    if not told.any():
        return np.zeros_like
    shape = np.column_stack([np.ones(BINS), mean(size), mean(size**2)])[told]
    (floor, noise, proportional), _ = nnls(shape / seen[told, None], np.ones(told.sum()))
    return lambda at: floor + noise * at + proportional * at**2
