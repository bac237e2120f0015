"""Boosted drivers: LightGBM on flows of past years, and its own contributions."""

import numpy as np

from features.indicators import INDICATORS
from models.attraction_index import ASSUMED, Indices
from models.attraction_panel import GEOGRAPHY, Panel

TREES = {
    "objective": "poisson",
    "learning_rate": 0.1,
    "num_leaves": 12,
    "min_data_in_leaf": 30,
    "lambda_l2": 10.0,
    "feature_fraction": 0.6,
    "poisson_max_delta_step": 0.3,
    "seed": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
ROUNDS = 120
SIGNS = {"destination_log_population": 1, "log_distance": -1}
Array = np.ndarray


def boosted_parts(panel: Panel, indices: Indices, geography: Array, origin: Array, destination: Array) -> Array:
    """Contributions to the log of flows that LightGBM itself tells (SHAP, Lundberg et al. 2018), (group, pair).

    Groups are demography, distance and those of `indices`. Monotone where an indicator's sign is assumed; the level of
    a year is taken out. geography: (pair, GEOGRAPHY); origin, destination: values of indicators, (pair, indicator).
    """
    import lightgbm

    values = panel.values(list(indices.indicators))
    rows = np.concatenate([panel.geography, values[panel.origin], values[panel.destination]], axis=1)
    total = np.bincount(panel.year - panel.years[0], panel.flows)
    count = np.bincount(panel.year - panel.years[0])
    share = panel.flows / (total / np.maximum(count, 1))[panel.year - panel.years[0]]
    trees = TREES | {"monotone_constraints": _signs(indices)}
    booster = lightgbm.train(trees, lightgbm.Dataset(rows, share, params={"verbosity": -1}), num_boost_round=ROUNDS)
    told = np.asarray(booster.predict(np.concatenate([geography, origin, destination], axis=1), pred_contrib=True))
    of_group = _groups(indices)
    names = ("demography", "distance", *indices.groups)
    return np.stack([told[:, :-1][:, [one == name for one in of_group]].sum(axis=1) for name in names])


def _signs(indices: Indices) -> list[int]:
    ends = [ASSUMED.get(name, 0) for name in indices.indicators]
    return [*(SIGNS.get(column, 0) for column in GEOGRAPHY), *(-sign for sign in ends), *ends]


def _groups(indices: Indices) -> list[str]:
    of_indicators = [INDICATORS[name].group for name in indices.indicators]
    return [*("demography" if "population" in column else "distance" for column in GEOGRAPHY), *of_indicators * 2]
