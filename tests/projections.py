"""A country whose births, deaths and moves are recorded, and forecasts of it that one can count."""

import numpy as np
import pandas as pd

from features.dataset import Dataset
from models.forecast import FlowForecast, Forecast, TargetForecast
from tests.tables import dataset_of, flows_country, net_country

CODES = ("Capital", "North", "South")
YEARS = range(2008, 2021)
CUTOFF = 2020


def vital_country(flows: bool = True, by_age: pd.DataFrame | None = None) -> Dataset:
    """Births 20 and deaths 8 of 1,000; flows of all pairs, or else balances with abroad."""
    made = flows_country(list(CODES), YEARS) if flows else net_country(list(CODES), YEARS)
    people = made["indicators"][made["indicators"]["indicator"] == "population"]
    vital = [
        people.assign(indicator=name, value=(people["value"] * rate).round())
        for name, rate in (("births", 0.020), ("deaths", 0.008))
    ]
    made["indicators"] = pd.concat([made["indicators"], *vital], ignore_index=True)
    tables = made if by_age is None else made | {"population_by_age": by_age}
    return dataset_of(None, **tables)


def made_forecast(
    flows: bool = True, draws: int = 4, scope: str = "all", size: float = 900.0, seed: int = 0
) -> Forecast:
    """Of CODES, three years: Poisson flows and balances abroad, or balances alone."""
    rng, n = np.random.default_rng(seed), len(CODES)
    shape, horizons = (draws, 3, n), (1, 2, 3)
    abroad = rng.integers(-300, 300, shape) if scope == "all" else np.zeros(shape, dtype=int)
    origin, destination = np.nonzero(~np.eye(n, dtype=bool))
    moved = rng.poisson(size * rng.random(len(origin)), (draws, 3, len(origin)))
    matrix = np.zeros((*shape, n), dtype=int)
    matrix[:, :, origin, destination] = moved
    out, into = matrix.sum(axis=3), matrix.sum(axis=2)

    def target(name: str, persons: np.ndarray, counted: str) -> TargetForecast:
        return TargetForecast(name, counted, CUTOFF, horizons, CODES, persons, {}, dict.fromkeys(CODES, "official"))

    net = target("net_migration", into - out + abroad, scope)
    if not flows:
        return Forecast(CUTOFF, {"net_migration": net})
    sums = {"inflow": target("inflow", into, "between_regions")}
    sums |= {"out_migration": target("out_migration", out, "between_regions")}
    quantiles = np.zeros((7, 3, len(origin)), dtype=int)
    pairs = FlowForecast(
        CUTOFF,
        horizons,
        CODES,
        origin,
        destination,
        quantiles,
        {},
        np.full(len(origin), "official"),
        lambda wanted: moved[:, :, wanted],
    )
    return Forecast(CUTOFF, {"net_migration": net} | sums, pairs)
