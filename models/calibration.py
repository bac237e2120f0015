"""Intervals that cover what they say: past errors of the served model, in units of each region's scale.

An error at a cutoff is divided by the scale that was known at that cutoff, never by one that has seen it: split
conformal prediction along time (Vovk et al. 2005), over all regions together. How regions move together comes from the
ranks of past errors (Schaake shuffle, Clark et al. 2004). No guarantee without assumptions exists for panels (arXiv
2205.12940), so the coverage that was measured is published beside every interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

OWN_YEARS = 4.0
"""Weight, in cutoffs, of the scale expected from a region's size against the region's own errors."""
ADAPTATION = 0.5
"""Gain of the interval width on coverage missed in past cutoffs (ACI, Gibbs & Candès 2021), on a log scale. Widths only
grow by it: with few cutoffs, narrowing is not to be trusted."""
WIDEST = 2.0
"""Largest factor by which missed coverage widens an interval; the errors that missed are replayed besides."""
NOMINAL = 0.8
PRIOR_CUTOFFS = 2
"""Weight, in cutoffs, of a normal law of errors beside those that were seen."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Past errors of one target: `errors` (cutoff, horizon, region) over the scale known then, NaN where none is known;
    `scale` (horizon, region) of the present cutoff in persons, widened for few cutoffs and for coverage missed.

    size: persons per year at the present cutoff, (region).
    counts: whether the target cannot be below zero. Its errors are then differences of roots.
    """

    errors: np.ndarray
    scale: np.ndarray
    size: np.ndarray
    counts: bool

    @staticmethod
    def fit(
        points: np.ndarray,
        actual: np.ndarray,
        cutoffs: Sequence[int],
        horizons: Sequence[int],
        size: np.ndarray,
        now: np.ndarray,
        counts: bool,
    ) -> "Calibration":
        """points, actual: (cutoff, horizon, region). size: (cutoff, region); now: (region), at the present cutoff.

        A horizon of which no outcome is known yet takes the errors of the one before, growing as √h.
        Raises ValueError where no outcome is known at all.
        """
        missed, made = _error(actual, points, size[:, None], counts), np.array(cutoffs)
        if np.isnan(missed).all():
            raise ValueError("no past forecast has a known outcome yet; at least two years of values are needed")
        errors, scale = np.full_like(missed, np.nan), np.empty(missed.shape[1:])
        for h, horizon in enumerate(horizons):
            if np.isnan(missed[:, h]).all():
                errors[:, h] = errors[:, h - 1]
                scale[h] = scale[h - 1] * np.sqrt(horizon / horizons[h - 1])
                continue
            errors[:, h] = _scaled(missed[:, h], made, horizon, size)
            widened = _few_cutoffs(errors[:, h], horizon) * _adapted(errors[:, h], made, horizon)
            scale[h] = error_scale(missed[:, h], now) * widened
        return Calibration(errors, scale, now, counts)

    def draws(self, point: np.ndarray, count: int, rng: np.random.Generator, common: np.ndarray) -> np.ndarray:
        """Futures (count, horizon, region) around a point forecast (horizon, region), which is their median.

        common: `count / 2` uniform numbers that choose the past cutoff whose ranks are repeated; targets that share
        them share their shocks.
        """
        half = count // 2
        drawn = np.empty((half, *self.scale.shape))
        # Counts share a level, so where ranks leave room all regions move together; balances cannot.
        jitter = rng.random((half, 1 if self.counts else self.scale.shape[1]))
        for h, errors in enumerate(self.errors.transpose(1, 0, 2)):
            known = errors[~np.isnan(errors).all(axis=1)]
            # From zero on, so that futures close to the point forecast exist and the median is among them.
            sizes = np.append(0.0, _sizes(known))
            ranks = pd.DataFrame(known).rank().to_numpy() - 1
            chosen = ranks[(common * len(known)).astype(int)]
            level = np.where(
                np.isnan(chosen), jitter, (chosen + jitter) / np.maximum(np.sum(~np.isnan(known), axis=0), 1)
            )
            # A symmetric quantile function: the upper half of levels is positive, the lower its mirror.
            quantile = np.interp(np.abs(2 * level - 1) * (len(sizes) - 1), np.arange(len(sizes)), sizes)
            drawn[:, h] = np.sign(level - 0.5) * quantile * self.scale[h]
        return _outcome(point, np.concatenate([drawn, -drawn]), self.size, self.counts)


def _sizes(known: np.ndarray) -> np.ndarray:
    """Sorted |errors| of all cutoffs (cutoff, region), and as many of a normal law as PRIOR_CUTOFFS would bring.

    One or two cutoffs tell how large errors are, not how they spread.
    """
    from scipy.special import ndtri

    own = np.abs(known[~np.isnan(known)])
    count = max(1, round(len(own) * PRIOR_CUTOFFS / len(known)))
    normal = ndtri(0.5 + (np.arange(count) + 0.5) / (2 * count)) * np.sqrt(np.pi / 2) * own.mean()
    return np.sort(np.append(own, normal))


def _error(actual: np.ndarray, point: np.ndarray, size: np.ndarray, counts: bool) -> np.ndarray:
    """Error in persons; of counts the difference of roots, times 2√size, which is nearly the same for small errors.

    Roots make the noise of counts even (Bartlett 1936) and stay defined at zero. Ratios are not: a county whose last
    count is near zero would turn the errors of its better years into futures without bound.
    """
    return 2 * np.sqrt(size) * (np.sqrt(actual) - np.sqrt(np.maximum(point, 0.0))) if counts else actual - point


def _outcome(point: np.ndarray, error: np.ndarray, size: np.ndarray, counts: bool) -> np.ndarray:
    """The outcome that has the error: the inverse of `_error`, at least zero for counts."""
    if not counts:
        return point + error
    return np.maximum(np.sqrt(np.maximum(point, 0.0)) + error / (2 * np.sqrt(size)), 0.0) ** 2


def _scaled(missed: np.ndarray, cutoffs: np.ndarray, horizon: int, size: np.ndarray) -> np.ndarray:
    """Errors (cutoff, region) over the scale that earlier outcomes gave.

    A break after quiet years is many such scales. It is bounded by what the same break weighs in the scale once it is
    part of it, so that it is replayed at its own size.
    """
    scaled = np.full_like(missed, np.nan)
    for row, cutoff in enumerate(cutoffs):
        past = missed[cutoffs + horizon <= cutoff]
        # The very first errors have no earlier ones to be scaled by: their own size curve stands in.
        known = past if np.isfinite(past).any() else missed[row : row + 1]
        bound = OWN_YEARS + np.isfinite(known).sum(axis=0) + 1
        scaled[row] = np.clip(missed[row] / error_scale(known, size[row]), -bound, bound)
    return scaled


def _few_cutoffs(errors: np.ndarray, horizon: int) -> float:
    """1 + h / n: errors over h years overlap, so n cutoffs hold n / h independent ones."""
    return 1 + horizon / np.isfinite(errors).any(axis=1).sum()


def _adapted(errors: np.ndarray, cutoffs: np.ndarray, horizon: int) -> float:
    """Factor of the width after the coverage that each cutoff's interval, as it would have been then, had."""
    step = np.zeros(len(cutoffs))

    def width(known: np.ndarray) -> float:
        return float(np.clip(np.exp(step[known].sum()), 1.0, WIDEST))

    for row, cutoff in enumerate(cutoffs):
        known = cutoffs + horizon <= cutoff
        past, own = errors[known], errors[row][np.isfinite(errors[row])]
        if np.isfinite(past).any() and len(own):
            bound = np.nanquantile(np.abs(past), NOMINAL) * _few_cutoffs(past, horizon) * width(known)
            step[row] = ADAPTATION * (NOMINAL - (np.abs(own) <= bound).mean())
    return width(np.ones(len(cutoffs), dtype=bool))


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
    from scipy.optimize import nnls

    told = count > 0
    if not told.any():
        return np.sqrt(size)
    relative = (mean_error[told] / size[told]) ** 2
    if not relative.any():
        return np.zeros(len(size))
    shape = np.column_stack([1 / size[told], np.ones(told.sum())])
    weight = np.sqrt(count[told] / (relative.mean() + relative))
    (noise, proportional), _ = nnls(shape * weight[:, None], relative * weight)
    return np.sqrt(noise * size + proportional * size**2)
