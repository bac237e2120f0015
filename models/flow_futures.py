"""Futures of every flow, made block by block from their seed, so that a large country's are never all in memory."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from features.flows import sums_by
from models.flow_calibration import LEVELS, FlowCalibration
from models.flow_record import size_class

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BLOCK = 4_000_000
"""Cells × draws that are made at once."""
THREADS = 2
MOST_EXPLAINED = 0.9
"""Largest part of the variance of a total's error that cells and the other ends are let to explain."""
CENTRING_ROUNDS = 3
CENTRING_BOUNDS = (0.8, 1.25)
COARSE = 32
"""Of the steps of a table of quantiles, every so many are taken for a mean."""
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of regions in which flows are drawn. origin, destination: positions in `regions`, (pair), sorted.

    unit_origin, unit_destination: positions in the calibration's regions, whose shocks they share.
    """

    regions: tuple[str, ...]
    origin: np.ndarray
    destination: np.ndarray
    unit_origin: np.ndarray
    unit_destination: np.ndarray


@dataclass(frozen=True, eq=False)
class FlowFutures:
    """point: persons, (horizon, pair), the median of the futures. threshold: smallest flow that the source tells.

    The same seed makes the same futures, whichever blocks are asked for.
    """

    pairs: Pairs
    point: np.ndarray
    horizons: tuple[int, ...]
    calibrations: tuple[FlowCalibration, ...]
    threshold: float
    count: int
    seed: int

    def draws(self, pairs: slice = slice(None)) -> np.ndarray:
        """Whole persons of some pairs, (draw, horizon, pair)."""
        wanted = range(*pairs.indices(self.point.shape[1]))
        blocks = [block for block in self._blocks if block.start < wanted.stop and block.stop > wanted.start]
        if not blocks or not len(wanted):
            return np.zeros((self.count, len(self.horizons), 0), dtype=np.int32)
        made = [np.concatenate([self._block(h, block) for block in blocks]) for h in range(len(self.horizons))]
        first = blocks[0].start
        return np.stack(made)[:, [pair - first for pair in wanted]].transpose(2, 0, 1)

    def summed(self, seen: Callable[[int, slice, np.ndarray], Made]) -> tuple[np.ndarray, np.ndarray, list[list[Made]]]:
        """Draws of out_migration and inflow, each (draw, horizon, region), and what `seen` makes of each block.

        seen(h, pairs, draws (pair, draw)) is called once per horizon and block; its answers come by horizon, in order.
        """
        regions = len(self.pairs.regions)
        out = np.zeros((len(self.horizons), regions, self.count), dtype=np.int32)
        into, answers = np.zeros_like(out), []

        def one(h: int, block: slice) -> tuple[slice, np.ndarray, np.ndarray, Made]:
            flows = self._block(h, block)
            ends = self.pairs.origin[block], self.pairs.destination[block]
            leaving, arriving = (_indicator(end, regions) @ flows for end in ends)
            return block, leaving, arriving, seen(h, block, flows)

        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            for h in range(len(self.horizons)):
                self._shocks[h]
                answers.append([])
                for _, leaving, arriving, answer in pool.map(lambda block, h=h: one(h, block), self._blocks):
                    out[h] += leaving
                    into[h] += arriving
                    answers[h].append(answer)
        return out.transpose(2, 0, 1), into.transpose(2, 0, 1), answers

    @property
    def _blocks(self) -> list[slice]:
        size, pairs = max(1, BLOCK // self.count), self.point.shape[1]
        return [slice(first, min(first + size, pairs)) for first in range(0, pairs, size)]

    def _block(self, h: int, block: slice) -> np.ndarray:
        """Whole persons, (pair, draw): the second half of the draws mirrors the first."""
        calibration, point = self.calibrations[h], self.point[h, block].astype(np.float32)
        out, into = self._shocks[h]
        rng = np.random.default_rng([self.seed, h, block.start])
        level = rng.integers(0, LEVELS, size=(len(point), self.count // 2), dtype=np.uint16)
        level = np.concatenate([level, LEVELS - 1 - level], axis=1)
        row = (size_class(point) * LEVELS).astype(np.int32)
        flows = calibration.shape.ravel().take(row[:, None] + level)
        flows *= calibration.spread(point)[:, None]
        flows += point[:, None] * out[self.pairs.unit_origin[block]] * into[self.pairs.unit_destination[block]]
        return np.rint(self._told(flows)).astype(np.int32)

    @cached_property
    def _shocks(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """By horizon: factors of departures, which hold the level, and of arrivals, each (region, draw), float32.

        Shocks of later years hold those of earlier ones, as a random walk does.
        """
        rng, half = np.random.default_rng([self.seed]), self.count // 2
        regions = len(self.calibrations[0].regions)
        walks = np.zeros(half), np.zeros((regions, half)), np.zeros((regions, half))
        made = []
        for h, (horizon, calibration) in enumerate(zip(self.horizons, self.calibrations, strict=True)):
            steps = horizon - (self.horizons[h - 1] if h else 0)
            walks = [walk + np.sqrt(steps) * rng.standard_normal(walk.shape) for walk in walks]
            made.append(self._factors(h, calibration, [walk / np.sqrt(horizon) for walk in walks]))
        return made

    def _factors(self, h: int, calibration: FlowCalibration, normal: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        level, own, other = normal
        together = calibration.together[:, None]
        level = np.exp(_mirrored(_of_sizes(level, calibration.level)))
        shares = own, together * own + np.sqrt(1 - together**2) * other
        factors = []
        for normals, scale, totals in zip(shares, self._own_scales(h), self._totals(h), strict=True):
            shock = _mirrored(_of_sizes(normals, calibration.share)) * scale[:, None]
            shock -= totals @ shock / max(totals.sum(), 1e-9)
            factors.append(np.maximum(1 + shock, 0.0))
        out, into = self._centring(h)
        return (factors[0] * level * out[:, None]).astype(np.float32), (factors[1] * into[:, None]).astype(np.float32)

    def _centring(self, h: int) -> tuple[np.ndarray, np.ndarray]:
        """Factors of departures and arrivals, each (region), that give the mean of the futures the totals forecast.

        Cell noise is skewed, and what a source withholds is zero: without them sums would drift from the forecast.
        """
        ends, regions = (self.pairs.unit_origin, self.pairs.unit_destination), len(self.calibrations[h].regions)
        totals, point, mean = self._totals(h), self.point[h], self._mean(h)
        factors = [np.ones(regions), np.ones(regions)]
        for _ in range(CENTRING_ROUNDS):
            for one in (0, 1):
                said = sums_by(ends[one], mean + (factors[0][ends[0]] * factors[1][ends[1]] - 1) * point, regions)
                factors[one] += (totals[one] - said) / np.maximum(totals[one], 1.0)
                factors[one] = np.clip(factors[one], *CENTRING_BOUNDS)
        return factors[0], factors[1]

    def _mean(self, h: int) -> np.ndarray:
        """Mean of each flow under cell noise alone, (pair)."""
        calibration, point = self.calibrations[h], self.point[h]
        class_of, spread = size_class(point), calibration.spread(point)
        levels = calibration.shape[:, COARSE // 2 :: COARSE].T
        return np.mean([self._told(point + spread * level[class_of]) for level in levels], axis=0)

    def _told(self, flows: np.ndarray) -> np.ndarray:
        """Flows as the source tells them: none below zero, none that it would withhold."""
        return np.where(flows < (self.threshold if self.threshold > 1 else 0.0), 0.0, flows)

    def _totals(self, h: int) -> tuple[np.ndarray, np.ndarray]:
        regions = len(self.calibrations[h].regions)
        out, into = (
            sums_by(end, self.point[h], regions) for end in (self.pairs.unit_origin, self.pairs.unit_destination)
        )
        return out, into

    def _own_scales(self, h: int) -> tuple[np.ndarray, np.ndarray]:
        """Scales of the share shocks, (region), less what cell noise and the other ends' shocks bring to a total."""
        calibration, point = self.calibrations[h], self.point[h]
        ends = self.pairs.unit_origin, self.pairs.unit_destination
        scales, regions = (calibration.out, calibration.into), len(calibration.regions)
        squared = float(np.mean(calibration.share**2))
        noise = calibration.spread(point) ** 2 * calibration.shape.var(axis=1)[size_class(point)]
        found = []
        for own, other, totals in zip((0, 1), (1, 0), self._totals(h), strict=True):
            brought = noise + point**2 * scales[other][ends[other]] ** 2 * squared
            explained = sums_by(ends[own], brought, regions) / np.maximum(totals, 1.0) ** 2
            part = explained / np.maximum(scales[own] ** 2 * squared, 1e-12)
            found.append(scales[own] * np.sqrt(1 - np.clip(part, 0, MOST_EXPLAINED)))
        return found[0], found[1]


def _indicator(end: np.ndarray, regions: int) -> "csr_array":
    """(region, pair), 1 where the pair ends in the region."""
    from scipy.sparse import csr_array

    ones = np.ones(len(end), dtype=np.int32)
    return csr_array((ones, (end, np.arange(len(end)))), shape=(regions, len(end)))


def _mirrored(half: np.ndarray) -> np.ndarray:
    return np.concatenate([half, -half], axis=-1)


def _of_sizes(normal: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Standard normal numbers to errors whose |size| has the distribution of `sizes`, which are sorted."""
    from scipy.special import ndtr

    level = 2 * ndtr(np.abs(normal)) - 1
    return np.sign(normal) * np.interp(level * (len(sizes) - 1), np.arange(len(sizes)), sizes)
