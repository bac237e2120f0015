"""Where those who leave go: the structure of flows, smoothed by the size of each cell and raked to the totals."""

from dataclasses import dataclass

import numpy as np

from features.dataset import Dataset
from features.flows import FlowHistory, flow_history, sums_by
from features.remembered import remembered
from models.out_migration import last_totals, smoothed_totals
from models.smoothing import begun, local_level, rake

CELL_DRIFT = 0.005
"""Variance that a cell gains in a year, over its square and per person."""


@dataclass(frozen=True, eq=False)
class Structure:
    """Expected flows at last year's level, (pair). raked: with last year's totals; smoothed: with smoothed totals.

    before: what was expected before the last year was seen, at its totals; what is above it is surprise.
    """

    raked: np.ndarray
    smoothed: np.ndarray
    before: np.ndarray


@remembered(64)
def structure(known: Dataset) -> Structure:
    """The structure of the flows that a vintage knows."""
    history = flow_history(known)
    level, before = local_level(_at_last_totals(history), CELL_DRIFT, _begun(history))
    level = _told(history, level)
    raked = _raked(history, level, last_totals(history))
    return Structure(raked, _raked(history, raked, smoothed_totals(history)), before)


def _at_last_totals(history: FlowHistory) -> np.ndarray:
    """Flows of each year as they would be with the last year's totals, (year, pair): what is left is structure."""
    flows, regions = history.known, len(history.regions)
    totals = [sums_by(end, flows, regions) for end in (history.origin, history.destination)]
    out, into = (np.divide(one[-1], one, out=np.ones_like(one), where=one > 0) for one in totals)
    level = flows.sum(axis=1)
    return flows * out[:, history.origin] * into[:, history.destination] * (level / level[-1])[:, None]


def _told(history: FlowHistory, level: np.ndarray) -> np.ndarray:
    """Without cells that the source would withhold, which are zero more often than not; a region keeps some of its
    cells, so that its total is not lost."""
    if history.threshold <= 1:
        return level
    regions, told = len(history.regions), np.where(level < history.threshold, 0.0, level)
    lost = [sums_by(end, told, regions)[end] == 0 for end in (history.origin, history.destination)]
    return np.where(lost[0] | lost[1], level, told)


def _begun(history: FlowHistory) -> np.ndarray:
    """Whether both ends of a pair have had moves yet, (year, pair): before, no flow says nothing of the pair."""
    regions = len(history.regions)
    out, into = (begun(sums_by(end, history.known, regions)) for end in (history.origin, history.destination))
    return out[:, history.origin] & into[:, history.destination]


def _raked(history: FlowHistory, flows: np.ndarray, totals: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    raked = rake(flows, history.origin, history.destination, *totals)
    return raked * (history.known[-1].sum() / max(raked.sum(), 1e-9))
