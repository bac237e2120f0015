"""Futures of flows: a shock to the level, one to each region's share, noise in each cell; sizes from past errors.

A future is drawn as

    flow = structure · exp(level) · (1 + departures' share shock) · (1 + arrivals' share shock) + cell noise

The level is drawn once per future. Shares are drawn per region, departures and arrivals together, and leave the level
as it is. Cell noise has variance κ + φμ + ψμ² and, within a class of size, the shape of past errors. Sums of the cells
are out_migration, inflow and net_migration, so that everything adds up in every future. Futures come in mirrored pairs
and are centred, so that the totals of regions keep what was forecast of them.

Widths are then corrected by how past forecasts did against the intervals that they would have had at their cutoff
(split conformal along time, Vovk et al. 2005): shares by the balances of regions of each class of size, then the level
by their totals, then cell noise by the cells of each class. Later cutoffs count more (as in adaptive conformal
inference, Gibbs & Candès 2021), and n cutoffs widen the level by 1 + 1/n.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from statistics import NormalDist

import numpy as np

from features.dataset import Dataset
from models.calibration import NOMINAL, error_scale
from models.flow_record import SIZES, FlowErrors, FlowRecord, by_region, size_class
from models.size_curve import SizeCurve

LEVEL_PRIOR = 0.05
"""Typical change of the national level in a year, on a log scale, that stands beside the errors seen."""
PRIOR_CUTOFFS = 2
LEVELS = 1024
"""Steps of a table of quantiles."""
LEAST_VARIANCE = 1.0
"""Of a cell, in persons²: whole persons cannot be told more finely."""
FEWEST = 200
"""Errors of a class of size from which it has a shape of its own."""
NORMAL_WIDTH = NormalDist().inv_cdf((1 + NOMINAL) / 2)
"""Half width of the middle 80 % over the standard deviation: sums of shocks come near a normal law."""
FADING = 0.9
"""Weight of a past cutoff against the one after it, in correcting widths."""
CAUTION = 1.0
"""Cutoffs at which intervals were right that stand beside those that were seen."""
EXTREME = 8
"""How sharply the correction of the level spares its largest errors."""
BOUNDS = (0.4, 2.5)
"""Of a factor of widths."""


@dataclass(frozen=True, eq=False)
class FlowCalibration:
    """Of one horizon.

    class_of: class of each region by people leaving, (region). level: sorted sizes of errors of the level, on a log
    scale. out, into: scale of the share shocks, relative to the total, (region). share: sorted sizes of share errors
    over their scale. together: correlation of a region's two share shocks, (region). curve: of the cells' variance.
    shape: table of quantiles of cell errors over their standard deviation, (class, LEVELS).
    """

    regions: tuple[str, ...]
    class_of: np.ndarray
    level: np.ndarray
    out: np.ndarray
    into: np.ndarray
    share: np.ndarray
    together: np.ndarray
    curve: SizeCurve
    shape: np.ndarray

    def widened(self, factors: "Factors", longer: float, cutoffs: int) -> "FlowCalibration":
        """With corrected shocks and noise, times `longer`; the level also by 1 + 1/n for n cutoffs.

        A cutoff holds one error of the level, but many of shares and cells, which need no such care. No error of the
        level is replayed larger than it was, and the largest hardly smaller; no share shock is larger than its total.
        """
        rank = np.linspace(0, 1, len(self.level)) ** EXTREME
        kept = np.maximum(factors.level, factors.level + (1 - factors.level) * rank)
        few = longer * (1 + 1 / cutoffs)
        shares = factors.shares[self.class_of] * longer
        return replace(
            self,
            level=np.minimum(self.level * kept * few, self.level[-1]),
            out=np.minimum(self.out * shares, 1.0),
            into=np.minimum(self.into * shares, 1.0),
            shape=(self.shape * factors.cells[:, None] * longer).astype(np.float32),
        )

    def level_width(self) -> float:
        """Half width of the middle 80 % that the level brings to a sum of shocks, on a log scale."""
        return NORMAL_WIDTH * float(np.sqrt(np.mean(self.level**2)))

    def share_width(self) -> float:
        """The same of a share shock, over its scale."""
        return NORMAL_WIDTH * float(np.sqrt(np.mean(self.share**2)))

    def spread(self, size: np.ndarray) -> np.ndarray:
        """Standard deviation of cell noise at a size, in persons, before its shape."""
        return _spread(self.curve, size)

    def cell_width(self, size: np.ndarray) -> np.ndarray:
        """Half width of the middle 80 % of cell noise at a size, in persons."""
        low, high = np.quantile(self.shape, ((1 - NOMINAL) / 2, (1 + NOMINAL) / 2), axis=1)
        return self.spread(size) * ((high - low) / 2)[size_class(size)]


def calibrated(
    record: FlowRecord,
    dataset: Dataset,
    model: str,
    horizon: int,
    cutoff: int,
    regions: tuple[str, ...],
    totals: tuple[np.ndarray, np.ndarray],
) -> FlowCalibration:
    """The calibration of a model at a cutoff, from the record before it.

    totals: as forecast, out and in, each (region). A horizon of which no outcome is known yet takes the errors of the
    longest one that has any, growing as √h.
    Raises ValueError where there is none.
    """
    past = record.before(cutoff)
    for known in range(horizon, 0, -1):
        errors = past.errors(dataset, model, known, cutoff) if known in record.horizons else {}
        if errors:
            fitted = _fitted(list(errors.values()), known, regions, totals)
            tested = [_tested(record, dataset, model, known, one, errors[one]) for one in errors]
            factors = _factors([one for one in tested if one is not None], max(errors))
            return fitted.widened(factors, np.sqrt(horizon / known), len(errors))
    raise ValueError("no past forecast of flows has a known outcome yet; at least two years of flows are needed")


def _fitted(
    errors: Sequence[FlowErrors], horizon: int, regions: tuple[str, ...], totals: tuple[np.ndarray, np.ndarray]
) -> FlowCalibration:
    missed = [by_region(errors, regions, name) for name in ("out", "into")]
    scales = [error_scale(one, np.maximum(size, 1.0)) for one, size in zip(missed, totals, strict=True)]
    own = [one / scale for one, scale in zip(missed, scales, strict=True)]
    size, cell = (np.concatenate([getattr(one, name) for one in errors]) for name in ("size", "cell"))
    curve = SizeCurve.fit(size, cell)
    return FlowCalibration(
        regions=regions,
        class_of=size_class(totals[0]),
        level=_level_sizes(np.array([one.level for one in errors]), horizon),
        out=np.minimum(scales[0] / np.maximum(totals[0], 1.0), 1.0),
        into=np.minimum(scales[1] / np.maximum(totals[1], 1.0), 1.0),
        share=np.sort(np.abs(np.concatenate([one[np.isfinite(one)] for one in own]))),
        together=_correlations(own[0], own[1], size_class(totals[0])),
        curve=curve,
        shape=_shapes(size, cell / _spread(curve, size)),
    )


def _spread(curve: SizeCurve, size: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(curve.variance(size), LEAST_VARIANCE))


def _level_sizes(seen: np.ndarray, horizon: int) -> np.ndarray:
    """Sorted |errors| of the level and as many of a normal law as PRIOR_CUTOFFS would bring, ten each."""
    from scipy.special import ndtri

    shares = (np.arange(10 * PRIOR_CUTOFFS) + 0.5) / (10 * PRIOR_CUTOFFS)
    prior = ndtri(0.5 + shares / 2) * LEVEL_PRIOR * np.sqrt(horizon)
    return np.sort(np.concatenate([[0.0], np.repeat(np.abs(seen), 10), prior]))


def _correlations(out: np.ndarray, into: np.ndarray, class_of: np.ndarray) -> np.ndarray:
    """Of the two share errors of a region, (region): of its class of size, or of all where that has few errors."""
    together = np.full(class_of.shape, _correlation(out, into))
    for one in np.unique(class_of):
        own = class_of == one
        if np.isfinite(out[:, own]).sum() >= FEWEST:
            together[own] = _correlation(out[:, own], into[:, own])
    return together


def _correlation(out: np.ndarray, into: np.ndarray) -> float:
    """Of errors over their scale, bounded, so that no single one decides."""
    told = np.isfinite(out) & np.isfinite(into)
    if told.sum() < 10:
        return 0.0
    out, into = np.clip(out[told], -3, 3), np.clip(into[told], -3, 3)
    return float(np.clip((out * into).sum() / np.sqrt((out**2).sum() * (into**2).sum() + 1e-12), -0.95, 0.95))


def _shapes(size: np.ndarray, standard: np.ndarray) -> np.ndarray:
    """Quantiles of standardised cell errors by class of size, (class, LEVELS); all together where a class has few.

    They keep their sign: a cell is more often below what it has on average than above.
    """
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    class_of = size_class(size)
    # Cells forecast as zero miss by whole flows: they say nothing of others, nor others of them.
    pooled = standard[class_of > 0] if (class_of > 0).any() else standard
    shapes = []
    for one in range(len(SIZES) + 1):
        own = standard[class_of == one]
        enough = len(own) >= (FEWEST if one else 1)
        shapes.append(np.quantile(own if enough else pooled, levels))
    return np.array(shapes, dtype=np.float32)


# --- how past intervals did -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Factors:
    """Of widths: of the level, of shares and of cell noise, each (class of size)."""

    level: float
    shares: np.ndarray
    cells: np.ndarray


@dataclass(frozen=True, eq=False)
class Tested:
    """What one past forecast missed, and the half widths that its 80 % intervals would have had at its cutoff."""

    cutoff: int
    totals: "Misses"
    balances: "Misses"
    cells: "Misses"


@dataclass(frozen=True, eq=False)
class Misses:
    """missed: persons. class_of: class of size. level, shares, noise: squared half widths by what they come from."""

    missed: np.ndarray
    class_of: np.ndarray
    level: np.ndarray
    shares: np.ndarray
    noise: np.ndarray


def _tested(
    record: FlowRecord, dataset: Dataset, model: str, horizon: int, cutoff: int, errors: FlowErrors
) -> Tested | None:
    """None for the first cutoffs, which had no errors to make intervals from."""
    key = ("tested", model, horizon, cutoff)
    if key not in record.kept:
        before = list(record.before(cutoff).errors(dataset, model, horizon, cutoff).values())
        totals = errors.out_total, errors.into_total
        then = _fitted(before, horizon, errors.regions, totals) if before else None
        record.kept[key] = None if then is None else _misses(then, errors, cutoff)
    return record.kept[key]


def _misses(then: FlowCalibration, errors: FlowErrors, cutoff: int) -> Tested:
    level, share, class_of = then.level_width(), then.share_width(), size_class(errors.out_total)
    out, into = errors.out_total * then.out * share, errors.into_total * then.into * share
    totals = np.concatenate([errors.out_total, errors.into_total])
    net, none = errors.into_total - errors.out_total, np.zeros(2 * len(class_of))
    of_shares = then.out[errors.origin] ** 2 + then.into[errors.destination] ** 2
    return Tested(
        cutoff,
        Misses(
            np.abs(np.concatenate([errors.out_missed, errors.into_missed])),
            np.tile(class_of, 2),
            (level * totals) ** 2,
            np.concatenate([out, into]) ** 2,
            none,
        ),
        Misses(
            np.abs(errors.into_missed - errors.out_missed),
            class_of,
            (level * net) ** 2,
            out**2 + into**2 - 2 * then.together * out * into,
            none[: len(class_of)],
        ),
        Misses(
            np.abs(errors.missed),
            size_class(errors.size),
            (errors.size * level) ** 2,
            (errors.size * share) ** 2 * of_shares,
            then.cell_width(errors.size) ** 2,
        ),
    )


def _factors(tested: Sequence[Tested], last: int) -> Factors:
    """Factors of the widths with which past intervals would have covered what they said, drawn to 1 where few are."""
    every = len(SIZES) + 1
    if not tested:
        return Factors(1.0, np.ones(every), np.ones(every))
    trust = len(tested) / (len(tested) + CAUTION)
    weights = [FADING ** (last - one.cutoff) for one in tested]
    balances, totals, cells = (
        _joined([getattr(one, name) for one in tested], weights) for name in ("balances", "totals", "cells")
    )
    shares = _by_class(*balances, "shares", ("level",))
    corrected = replace(totals[0], shares=totals[0].shares * shares[totals[0].class_of] ** 2)
    level = _factor(corrected, totals[1], "level", ("shares",)) ** trust
    return Factors(level, shares**trust, _by_class(*cells, "noise", ("level", "shares")) ** trust)


def _joined(misses: Sequence[Misses], weights: Sequence[float]) -> tuple[Misses, np.ndarray]:
    """All together, and the weight of each: that of its forecast, over how many it has."""
    joined = Misses(*(np.concatenate([getattr(one, field.name) for one in misses]) for field in fields(Misses)))
    told = zip(misses, weights, strict=True)
    return joined, np.concatenate([np.full(len(one.missed), part / max(len(one.missed), 1)) for one, part in told])


def _by_class(misses: Misses, weight: np.ndarray, own: str, others: Sequence[str]) -> np.ndarray:
    """Factor of a part of the width, (class of size): that of all classes where one has few. What was forecast as zero
    keeps 1."""
    factors = np.full(len(SIZES) + 1, _factor(misses, weight * (misses.class_of > 0), own, others))
    for one in range(1, len(factors)):
        inside = misses.class_of == one
        if inside.sum() >= FEWEST:
            factors[one] = _factor(misses, weight * inside, own, others)
    factors[0] = 1.0
    return factors


def _factor(misses: Misses, weight: np.ndarray, own: str, others: Sequence[str]) -> float:
    """Factor of a part of the width with which the interval holds NOMINAL of what was missed, by weight; in BOUNDS."""
    from scipy.optimize import brentq

    if not weight.any():
        return 1.0
    squared, around = getattr(misses, own), np.sum([getattr(misses, other) for other in others], axis=0)

    def short(factor: float) -> float:
        return float(weight @ (misses.missed <= np.sqrt(around + factor**2 * squared)) / weight.sum()) - NOMINAL

    low, high = BOUNDS
    if short(low) >= 0:
        return low
    return high if short(high) <= 0 else float(brentq(short, low, high, xtol=0.005))
