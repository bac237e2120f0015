"""How large errors are at a size: variance κ + φμ + ψμ²."""

from dataclasses import dataclass

import numpy as np

BINS = 20


@dataclass(frozen=True)
class SizeCurve:
    """Variance in persons² at a size μ in persons: floor + noise · μ + proportional · μ².

    noise is that of counting (above 1 where moves come in households), floor what is left at zero.
    """

    floor: float
    noise: float
    proportional: float

    def variance(self, size: np.ndarray) -> np.ndarray:
        return self.floor + self.noise * size + self.proportional * size**2

    @staticmethod
    def fit(size: np.ndarray, error: np.ndarray) -> "SizeCurve":
        """From errors (n) at sizes (n), both in persons; all zero where no error is.

        Non-negative least squares on relative squared errors, over bins of equally many cells.

        >>> rng = np.random.default_rng(0)
        >>> size = rng.uniform(10, 1000, 50_000)
        >>> bool(1.8 < SizeCurve.fit(size, rng.normal(0, np.sqrt(2 * size))).variance(500.0) / 500 < 2.2)
        True
        """
        from scipy.optimize import nnls

        bin_of = np.searchsorted(np.quantile(size, np.linspace(0, 1, BINS + 1)[1:-1]), size)
        count = np.maximum(np.bincount(bin_of, minlength=BINS), 1)

        def mean(values: np.ndarray) -> np.ndarray:
            return np.bincount(bin_of, weights=values, minlength=BINS) / count

        seen = mean(error**2)
        told = seen > 0
        if not told.any():
            return SizeCurve(0.0, 0.0, 0.0)
        shape = np.column_stack([np.ones(BINS), mean(size), mean(size**2)])[told]
        terms, _ = nnls(shape / seen[told, None], np.ones(told.sum()))
        return SizeCurve(*map(float, terms))
