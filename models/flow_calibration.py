"""Futures of flows: a shock to the level, one to each region's share, noise in each cell; sizes from past errors.

A future is drawn as

    flow = structure · exp(level) · (1 + departures' share shock) · (1 + arrivals' share shock) + cell noise

The level is drawn once per future. Shares are drawn per region, departures and arrivals together, and leave the level
as it is. Cell noise has variance κ + φμ + ψμ² and, within a class of size, the shape of past errors. Sums of the cells
are out_migration, inflow and net_migration, so that everything adds up in every future. Futures come in mirrored pairs
and are centred, so that the totals of regions keep what was forecast of them.

Widths are then corrected by how past forecasts did against the intervals that they would have had at their cutoff
(split conformal along time, Vovk et al. 2005): one factor for level and shares, one for the cells of each class of
size. Later cutoffs count more (as in adaptive conformal inference, Gibbs & Candès 2021); n cutoffs widen by 1 + 1/n.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from features.dataset import Dataset
from models.calibration import NOMINAL, error_scale
from models.flow_record import SIZES, FlowErrors, FlowRecord, by_region, size_class
from models.size_curve import SizeCurve

LEVEL_PRIOR = 0.05
"""Typical change of the national level in a year, on a log scale, that stands beside the errors seen."""
PRIOR_CUTOFFS = 2
LEVELS = 1024
"""Steps of a table of quantiles."""
FEWEST = 200
"""Errors of a class of size from which it has a shape of its own."""
NORMAL_WIDTH = float(norm.ppf((1 + NOMINAL) / 2))
"""Half width of the middle 80 % over the standard deviation: sums of shocks come near a normal law."""
FADING = 0.9
"""Weight of a past cutoff against the one after it, in correcting widths."""
CAUTION = 1.0
"""Cutoffs at which intervals were right that stand beside those that were seen."""
BOUNDS = (0.4, 2.5)
"""Of a factor of widths."""


@dataclass(frozen=True, eq=False)
class FlowCalibration:
    """Of one horizon. level: sorted sizes of errors of the level, on a log scale. out, into: scale of the share shocks,
    relative to the total, (region). share: sorted sizes of share errors over their scale. together: correlation of a
    region's two share shocks. curve: of the cells' variance. shape: table of quantiles of cell errors over their
    standard deviation, (class, LEVELS)."""

    regions: tuple[str, ...]
    level: np.ndarray
    out: np.ndarray
    into: np.ndarray
    share: np.ndarray
    together: float
    curve: SizeCurve
    shape: np.ndarray

    def widened(self, regional: float, cells: np.ndarray) -> "FlowCalibration":
        """With shocks of level and shares times a factor, and cell noise times one by class of size."""
        return replace(
            self,
            level=self.level * regional,
            out=self.out * regional,
            into=self.into * regional,
            shape=(self.shape * cells[:, None]).astype(np.float32),
        )

    def level_width(self) -> float:
        """Half width of the middle 80 % that the level brings to a sum of shocks, on a log scale."""
        return NORMAL_WIDTH * float(np.sqrt(np.mean(self.level**2)))

    def share_width(self) -> float:
        """The same of a share shock, over its scale."""
        return NORMAL_WIDTH * float(np.sqrt(np.mean(self.share**2)))

    def cell_width(self, size: np.ndarray) -> np.ndarray:
        """Half width of the middle 80 % of cell noise at a size, in persons."""
        low, high = np.quantile(self.shape, ((1 - NOMINAL) / 2, (1 + NOMINAL) / 2), axis=1)
        return np.sqrt(self.curve.variance(size)) * ((high - low) / 2)[size_class(size)]


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
            regional, cells = _factors([one for one in tested if one is not None], sorted(errors)[-1])
            longer = np.sqrt(horizon / known) * (1 + 1 / len(errors))
            return fitted.widened(regional * longer, cells * longer)
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
        level=_level_sizes(np.array([one.level for one in errors]), horizon),
        out=scales[0] / np.maximum(totals[0], 1.0),
        into=scales[1] / np.maximum(totals[1], 1.0),
        share=np.sort(np.abs(np.concatenate([one[np.isfinite(one)] for one in own]))),
        together=_correlation(own[0], own[1]),
        curve=curve,
        shape=_shapes(size, cell / np.sqrt(np.maximum(curve.variance(size), 1e-9))),
    )


def _level_sizes(seen: np.ndarray, horizon: int) -> np.ndarray:
    """Sorted |errors| of the level and as many of a normal law as PRIOR_CUTOFFS would bring, ten each."""
    shares = (np.arange(10 * PRIOR_CUTOFFS) + 0.5) / (10 * PRIOR_CUTOFFS)
    prior = norm.ppf(0.5 + shares / 2) * LEVEL_PRIOR * np.sqrt(horizon)
    return np.sort(np.concatenate([[0.0], np.repeat(np.abs(seen), 10), prior]))


def _correlation(out: np.ndarray, into: np.ndarray) -> float:
    """Of the two share errors of a region, each over its scale and bounded, so that no single one decides."""
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
    shapes = []
    for one in range(len(SIZES) + 1):
        own = standard[class_of == one]
        shapes.append(np.quantile(own if len(own) >= FEWEST else standard, levels))
    return np.array(shapes, dtype=np.float32)


# --- how past intervals did -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tested:
    """What one past forecast missed, over the half widths that its 80 % intervals would have had at its cutoff.

    regional: of the regions' totals and balances, over their half width. Of some cells: missed, size_class, and the
    half width's square that comes from level and shares, and from cell noise.
    """

    cutoff: int
    regional: np.ndarray
    missed: np.ndarray
    size_class: np.ndarray
    from_regions: np.ndarray
    from_cells: np.ndarray


def _tested(
    record: FlowRecord, dataset: Dataset, model: str, horizon: int, cutoff: int, errors: FlowErrors
) -> Tested | None:
    """None for the first cutoffs, which had no errors to make intervals from."""
    key = ("tested", model, horizon, cutoff)
    if key not in record.kept:
        before = list(record.before(cutoff).errors(dataset, model, horizon, cutoff).values())
        totals = errors.out_total, errors.into_total
        then = _fitted(before, horizon, errors.regions, totals) if before else None
        record.kept[key] = None if then is None else _missed_over_width(then, errors, cutoff)
    return record.kept[key]


def _missed_over_width(then: FlowCalibration, errors: FlowErrors, cutoff: int) -> Tested:
    level, share = then.level_width(), then.share_width()
    out, into = errors.out_total * then.out * share, errors.into_total * then.into * share
    net_total = errors.into_total - errors.out_total
    widths = [
        np.hypot(level * errors.out_total, out),
        np.hypot(level * errors.into_total, into),
        np.sqrt((level * net_total) ** 2 + out**2 + into**2 - 2 * then.together * out * into),
    ]
    missed = [errors.out_missed, errors.into_missed, errors.into_missed - errors.out_missed]
    squared = level**2 + share**2 * (then.out[errors.origin] ** 2 + then.into[errors.destination] ** 2)
    return Tested(
        cutoff,
        np.concatenate([np.abs(one) / np.maximum(width, 0.5) for one, width in zip(missed, widths, strict=True)]),
        np.abs(errors.missed),
        size_class(errors.size),
        errors.size**2 * squared,
        then.cell_width(errors.size) ** 2,
    )


def _factors(tested: Sequence[Tested], last: int) -> tuple[float, np.ndarray]:
    """Factors of the widths with which past intervals would have covered what they said, drawn to 1 where few are.

    One for level and shares, then one for the cell noise of each class of size.
    """
    cells = np.ones(len(SIZES) + 1)
    if not tested:
        return 1.0, cells
    trust = len(tested) / (len(tested) + CAUTION)
    weights = [FADING ** (last - one.cutoff) for one in tested]
    every = np.concatenate([np.full(len(one.regional), weight) for one, weight in zip(tested, weights, strict=True)])
    regional = _drawn(_weighted_quantile(np.concatenate([one.regional for one in tested]), every), trust)
    missed, class_of, around, noise = (
        np.concatenate([getattr(one, name) for one in tested])
        for name in ("missed", "size_class", "from_regions", "from_cells")
    )
    weight = np.concatenate(
        [np.full(len(one.missed), w / len(one.missed)) for one, w in zip(tested, weights, strict=True)]
    )
    around = around * regional**2
    pooled = _cell_factor(*(one[class_of > 0] for one in (missed, around, noise, weight)))
    for one in range(1, len(cells)):
        own = class_of == one
        wanted = _cell_factor(missed[own], around[own], noise[own], weight[own]) if own.sum() >= FEWEST else pooled
        cells[one] = _drawn(wanted, trust)
    return regional, cells


def _cell_factor(missed: np.ndarray, around: np.ndarray, noise: np.ndarray, weight: np.ndarray) -> float:
    """Factor of cell noise with which the interval holds NOMINAL of the cells, by weight."""
    low, high = BOUNDS

    def short(factor: float) -> float:
        return float(weight @ (missed <= np.sqrt(around + factor**2 * noise)) / weight.sum()) - NOMINAL

    if not len(missed) or short(low) >= 0:
        return low if len(missed) else 1.0
    return high if short(high) <= 0 else float(brentq(short, low, high, xtol=0.005))


def _drawn(factor: float, trust: float) -> float:
    return float(np.clip(factor, *BOUNDS) ** trust)


def _weighted_quantile(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, NOMINAL)])
