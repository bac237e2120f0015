"""The constants of the prior of the balanced record, as recorded flows have them."""

import numpy as np
import pandas as pd

from features.account_gravity import ELASTICITIES, Surroundings
from features.account_level import YEARLY_CHANGE
from features.account_noise import CELL_SPREAD, CELL_SYMMETRY, DRIFT, MARGIN_SPREAD
from training.account_proof import Truth, proportional
from training.metrics import common_part_of_commuters

DISTANCES = np.round(np.arange(0.3, 1.25, 0.1), 1)
BORDERS = np.round(np.arange(0.0, 1.25, 0.2), 1)
EVERY = 5
"""Years between those in which elasticities are tried."""
FEWEST = 20
"""Flows below that are mostly chance, and some sources withhold them."""
Array = np.ndarray


def measured_constants(truth: Truth) -> pd.DataFrame:
    """Columns constant, used, measured. Elasticities are those whose table comes nearest to the truth (CPC) once it
    has the true sums of rows and columns."""
    found = {(distance, border): _nearness(truth, distance, border) for distance in DISTANCES for border in BORDERS}
    distance, border = max(found, key=lambda key: found[key])
    usual = ELASTICITIES.distance[0], ELASTICITIES.border[0]
    spread, symmetry, margins = _spreads(truth, distance, border)
    shares = [truth.tables.sum(axis=axis) for axis in (1, 2)]
    drifts = [np.diff(np.log(one / one.sum(axis=1, keepdims=True)), axis=0).std() for one in shares]
    rows = [
        ("elasticity to distance", usual[0], distance),
        ("log of the factor of neighbours", usual[1], border),
        ("CPC with the true sums", _nearness(truth, *usual), found[distance, border]),
        ("cell spread", CELL_SPREAD, spread),
        ("cell symmetry", CELL_SYMMETRY, symmetry),
        ("margin spread", MARGIN_SPREAD, margins),
        ("drift", DRIFT, float(np.mean(drifts))),
        ("yearly change", YEARLY_CHANGE, float(np.diff(np.log(truth.tables.sum(axis=(1, 2)))).std())),
    ]
    return pd.DataFrame(rows, columns=["constant", "used", "measured"])


def _nearness(truth: Truth, distance: float, border: float) -> float:
    off = ~np.eye(truth.tables.shape[1], dtype=bool)
    scores = [
        common_part_of_commuters(table[off], _with_true_sums(truth.around, place, table, distance, border)[off])
        for place, table in enumerate(truth.tables)
        if place % EVERY == 0
    ]
    return float(np.mean(scores))


def _shares(around: Surroundings, place: int, distance: float, border: float) -> Array:
    side = len(around.distance_km)
    return around.gravity(np.array([distance]), np.array([border]), np.zeros((1, side, side)))[0, place]


def _with_true_sums(around: Surroundings, place: int, table: Array, distance: float, border: float) -> Array:
    return proportional(_shares(around, place, distance, border), table.sum(axis=1), table.sum(axis=0))


def _spreads(truth: Truth, distance: float, border: float) -> tuple[float, float, float]:
    """Standard deviation of logs of flows around gravity with the true sums; what both directions share of it; and of
    logs of the sums around what gravity says of them."""
    off, spreads, shared, margins = ~np.eye(truth.tables.shape[1], dtype=bool), [], [], []
    for place, table in enumerate(truth.tables):
        fitted = _with_true_sums(truth.around, place, table, distance, border)
        log = np.log(np.maximum(table, 1.0) / np.maximum(fitted, 1.0))
        both = off & (table >= FEWEST) & (table.T >= FEWEST)
        spreads.append(log[off & (table >= FEWEST)].std())
        shared.append(np.corrcoef(log[both], log.T[both])[0, 1])
        usual = _shares(truth.around, place, distance, border)
        margins += [np.log(table.sum(axis=axis) / usual.sum(axis=axis)).std() for axis in (0, 1)]
    return float(np.mean(spreads)), float(np.mean(shared)), float(np.mean(margins))
