"""The correction of the structure: what the last years' surprises and growth say of each flow, at one level.

A linear and a boosted model of the logarithm of outcome / structure, averaged and drawn to zero where little was seen.
Arrivals of each region keep the structure's totals: corrections of departures lasted on every panel that was measured,
corrections of arrivals did not. One of the files that know LightGBM.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.dataset import Dataset
from features.flows import FlowHistory, carried, flow_history, has_flows, pair_contiguous, pair_distance_km, sums_by
from features.remembered import remembered
from models.destination_choice import Structure, structure
from models.size_curve import SizeCurve
from models.trees import Trees

if TYPE_CHECKING:
    from lightgbm import Booster

MIN_CUTOFFS = 2
"""Past cutoffs with an outcome without which nothing is corrected."""
CAUTION = 4.0
"""Cutoffs of no correction that stand beside those that were seen."""
MOST_CELLS = 500_000
"""Cells of the latest cutoffs that are learnt from; at least FEWEST_TAUGHT cutoffs."""
FEWEST_TAUGHT = 4
MOST_ROWS = 200_000
"""Of these cells every so many are taken, that trees see as many rows: more gained nothing."""
LARGEST = 0.7
"""Largest correction of a cell, on a log scale: a factor of 2."""
RIDGE = 10.0
SMOOTH = 5.0
"""Persons added to both flows of a ratio, so that small ones do not shout."""
ROUNDS = 60
TREES = {
    "objective": "l1",
    "num_leaves": 12,
    "learning_rate": 0.07,
    "lambda_l2": 10,
    "min_data_in_leaf": 50,
    "max_bin": 63,
    "seed": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True, eq=False)
class Correction:
    """Of one horizon. mean, scale, slope: of the linear model, (feature). cutoffs: past ones it was learnt from."""

    mean: np.ndarray
    scale: np.ndarray
    slope: np.ndarray
    booster: "Booster | Trees"
    cutoffs: int

    def applied(self, known: Dataset) -> np.ndarray:
        """The structure of a vintage corrected, (pair); its level and its in-totals are as they were."""
        history, flows = flow_history(known), structure(known).smoothed
        there = flows > 0
        features = momentum(known)[there]
        linear = ((np.nan_to_num(features.astype("float64")) - self.mean) / self.scale) @ self.slope
        boosted = np.asarray(self.booster.predict(features, num_threads=1))
        change = (np.clip(linear, -LARGEST, LARGEST) + np.clip(boosted, -LARGEST, LARGEST)) / 2
        corrected = flows.copy()
        corrected[there] *= np.exp(change * self.cutoffs / (self.cutoffs + CAUTION))
        arriving, kept = (sums_by(history.destination, one, len(history.regions)) for one in (corrected, flows))
        return corrected * (kept / np.maximum(arriving, 1e-9))[history.destination]


@remembered(256)
def fitted_correction(known: Dataset, horizon: int) -> Correction | None:
    """Learnt on every earlier cutoff of a vintage whose outcome it knows; None where these are too few."""
    cutoffs = _taught_cutoffs(known, horizon)
    if len(cutoffs) < MIN_CUTOFFS:
        return None
    features, ratio, size = _rows(known, cutoffs, horizon)
    mean, scale, slope = _linear(features, ratio, size, _used(known, cutoffs))
    return Correction(mean, scale, slope, _boosted(features, ratio, size), len(cutoffs))


def _taught_cutoffs(known: Dataset, horizon: int) -> list[int]:
    """Cutoffs whose vintage knew at least two years, and a known outcome, latest first."""
    history = flow_history(known)
    years = history.years[history.recorded]
    with_outcome = [int(year) for year in years[::-1] if year + horizon in years]
    return [year for year in with_outcome if _years_known(known.as_of(year)) >= 2]


def _years_known(known: Dataset) -> int:
    return int(flow_history(known).recorded.sum()) if has_flows(known) else 0


def _used(known: Dataset, cutoffs: Sequence[int]) -> int:
    """How many of the latest cutoffs fit into MOST_CELLS."""
    rows = np.cumsum([(structure(known.as_of(cutoff)).smoothed > 0).sum() for cutoff in cutoffs[: FEWEST_TAUGHT + 40]])
    return max(int((rows <= MOST_CELLS).sum()), min(FEWEST_TAUGHT, len(cutoffs)))


def _rows(known: Dataset, cutoffs: Sequence[int], horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, outcome / structure at one level, and structure, of the cells of the cutoffs that are used."""
    now = flow_history(known)
    features, ratios, sizes = [], [], []
    for cutoff in cutoffs[: _used(known, cutoffs)]:
        past, outcome = known.as_of(cutoff), now.year(cutoff + horizon)
        same_level = flow_history(past).known[-1].sum() / outcome.sum()
        flows = structure(past).smoothed
        there = flows > 0
        features.append(momentum(past)[there])
        ratios.append(carried(outcome, now, flow_history(past))[there] * same_level / flows[there])
        sizes.append(flows[there])
    return np.concatenate(features), np.concatenate(ratios), np.concatenate(sizes)


def _linear(
    features: np.ndarray, ratio: np.ndarray, size: np.ndarray, cutoffs: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ridge regression of 2(√ratio − 1), weighed by the inverse of its variance at each size; mean, scale, slope."""
    change = np.clip(2 * (np.sqrt(ratio) - 1), -1, 1)
    weight = 1 / np.maximum(SizeCurve.fit(size, change * size).variance(size) / size**2, 1e-9)
    weight /= weight.mean()
    told = np.nan_to_num(features.astype("float64"))
    mean = np.average(told, axis=0, weights=weight)
    scale = np.sqrt(np.average((told - mean) ** 2, axis=0, weights=weight)) + 1e-9
    told = (told - mean) / scale
    weighed = told * weight[:, None]
    penalty = RIDGE * len(told) / cutoffs * np.eye(told.shape[1])
    slope = np.linalg.solve(weighed.T @ told + penalty, weighed.T @ (change - np.average(change, weights=weight)))
    return mean, scale, slope


def _boosted(features: np.ndarray, ratio: np.ndarray, size: np.ndarray) -> "Booster":
    """Median of the logarithm of the ratio: the median is what an absolute error asks for."""
    import lightgbm

    told = {"verbosity": -1, "max_bin": TREES["max_bin"]}
    taken = slice(None, None, -(-len(size) // MOST_ROWS))
    target, weight = np.log(np.maximum(ratio[taken], 0.05)), np.sqrt(size[taken])
    data = lightgbm.Dataset(features[taken], target, weight=weight / weight.mean(), params=told)
    return lightgbm.train(TREES, data, num_boost_round=ROUNDS)


# --- features -------------------------------------------------------------------------------------------------------


@remembered(64)
def momentum(known: Dataset) -> np.ndarray:
    """What the own history of each flow says at a vintage, (pair, feature), float32; only what is known at it.

    size; surprise of the last year, of the flow and of its reverse; growth over one and two years of the flow, of the
    origin's out-share and the destination's in-share; net ratio of both ends; distance and contiguity; the shares'
    and the flow's distance from their long means; the last flow and the mean of five years against the structure;
    share of the last five years with a flow. Ratios are logarithms, at equal levels.
    """
    history, shape = flow_history(known), structure(known)
    flows = history.known / history.known.sum(axis=1, keepdims=True) * history.known[-1].sum()
    columns = [
        *_of_flow(history, shape, flows),
        *_of_ends(history, flows),
        *_between(known, history),
    ]
    return np.column_stack(columns).astype(np.float32)


def _of_flow(history: FlowHistory, shape: Structure, flows: np.ndarray) -> list[np.ndarray]:
    last, recent = flows[-1], flows[-5:]
    surprise = _log_ratio(last, shape.before)
    return [
        np.log(shape.smoothed + 1),
        surprise,
        np.where(history.reverse >= 0, surprise[history.reverse], np.nan),
        _log_ratio(last, flows[-2:][0]),
        _log_ratio(last, flows[-3:][0]),
        _log_ratio(last, flows.mean(axis=0)),
        _log_ratio(last, shape.smoothed),
        _log_ratio(recent.mean(axis=0), shape.smoothed),
        (recent > 0).mean(axis=0),
    ]


def _of_ends(history: FlowHistory, flows: np.ndarray) -> list[np.ndarray]:
    regions = len(history.regions)
    out, into = (sums_by(end, flows, regions) for end in (history.origin, history.destination))
    net = (into[-1] - out[-1]) / np.maximum(into[-1] + out[-1], 1.0)
    from_mean = [_log_ratio(totals[-1], totals.mean(axis=0)) for totals in (out, into)]
    ends = ((out, history.origin), (into, history.destination))
    return [
        *(_log_ratio(totals[-1], totals[-back:][0])[end] for totals, end in ends for back in (2, 3)),
        net[history.origin],
        net[history.destination],
        *(one[end] for one in from_mean for end in (history.origin, history.destination)),
    ]


def _between(known: Dataset, history: FlowHistory) -> list[np.ndarray]:
    return [np.log(pair_distance_km(known, history) + 1), pair_contiguous(known, history)]


def _log_ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.log((one + SMOOTH) / (other + SMOOTH))
