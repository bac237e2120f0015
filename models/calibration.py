"""Intervals that cover what they say: past errors of the served model, in units of each region's scale, replayed.

An error at a cutoff is divided by the scale that was known at that cutoff, never by one that has seen it: split
conformal prediction along time (Vovk et al. 2005). No guarantee without assumptions exists for panels (arXiv
2205.12940), so the coverage that was measured is published beside every interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

OWN_YEARS = 4.0
"""Weight, in cutoffs, of the scale expected from a region's size against the region's own errors."""
COMMON = 0.5
"""Share of futures in which all regions repeat the errors of one past cutoff; in the others each repeats any."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Past errors of one target: `errors` (cutoff, horizon, region) over their scale, NaN where none is known;
    `scale` (horizon, region) of the present cutoff in persons."""

    errors: np.ndarray
    scale: np.ndarray

    @staticmethod
    def fit(
        points: np.ndarray,
        actual: np.ndarray,
        cutoffs: Sequence[int],
        horizons: Sequence[int],
        size: np.ndarray,
        now: np.ndarray,
    ) -> "Calibration":
        """points, actual: (cutoff, horizon, region). size: (cutoff, region); now: (region), at the present cutoff.

        A horizon of which no outcome is known yet takes the errors of the one before, growing as √h.
        Raises ValueError where no outcome is known at all.
        """
        missed, made = actual - points, np.array(cutoffs)
        if np.isnan(missed).all():
            raise ValueError("no past forecast has a known outcome yet; at least two years of values are needed")
        errors, scale = np.full_like(missed, np.nan), np.empty(missed.shape[1:])
        for h, horizon in enumerate(horizons):
            if np.isnan(missed[:, h]).all():
                errors[:, h] = errors[:, h - 1]
                scale[h] = scale[h - 1] * np.sqrt(horizon / horizons[h - 1])
                continue
            for row, cutoff in enumerate(made):
                past = missed[made + horizon <= cutoff, h]
                # The very first errors have no earlier ones to be scaled by: their own size curve stands in.
                own = past if np.isfinite(past).any() else missed[row : row + 1, h]
                errors[row, h] = missed[row, h] / error_scale(own, size[row])
            scale[h] = error_scale(missed[:, h], now)
        return Calibration(errors, scale)

    def draws(self, count: int, rng: np.random.Generator, common: np.ndarray) -> np.ndarray:
        """Errors in persons, (count, horizon, region), symmetric about zero so that the median is the point forecast.

        common: `count / 2` uniform numbers that choose the repeated cutoff; targets that share them share their shocks.
        """
        half = count // 2
        replayed = rng.random(half) < COMMON
        drawn = np.empty((half, *self.scale.shape))
        for h in range(len(self.scale)):
            known = self.errors[~np.isnan(self.errors[:, h]).all(axis=1), h]
            cells = known[~np.isnan(known)]
            anywhere = rng.choice(cells, size=drawn[:, h].shape)
            repeated = known[(common * len(known)).astype(int)]
            use = replayed[:, None] & ~np.isnan(repeated)
            drawn[:, h] = np.where(use, repeated, anywhere) * self.scale[h] * (1 + 1 / len(known))
        drawn *= rng.choice([-1.0, 1.0], size=(half, 1, 1))
        return np.concatenate([drawn, -drawn])


def error_scale(missed: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Typical |error| of each region, (region): its own mean, drawn toward what its size lets expect.

    missed (cutoff, region). By size: √(φμ + ψμ²), counting noise and noise in proportion, non-negative least squares on
    relative squared errors over regions.
    """
    count = (~np.isnan(missed)).sum(axis=0)
    total = np.nansum(np.abs(missed), axis=0)
    expected = _by_size(total / np.maximum(count, 1), count, size)
    return np.maximum((OWN_YEARS * expected + total) / (OWN_YEARS + count), 0.5)


def _by_size(mean_error: np.ndarray, count: np.ndarray, size: np.ndarray) -> np.ndarray:
    told = count > 0
    if not told.any():
        return np.sqrt(size)
    relative = (mean_error[told] / size[told]) ** 2
    shape = np.column_stack([1 / size[told], np.ones(told.sum())])
    weight = np.sqrt(count[told] / (relative.mean() + relative))
    (noise, proportional), _ = nnls(shape * weight[:, None], relative * weight)
    return np.sqrt(noise * size + proportional * size**2)
