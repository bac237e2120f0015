"""A made country whose people follow wages, its scenario model and a forecast of its flows."""

from functools import cache

import numpy as np
import pandas as pd

from features.dataset import Dataset
from models.forecast import QUANTILES, FlowForecast, Forecast, TargetForecast
from models.scenario_model import ScenarioModel
from tests.tables import dataset_of, flows_country

CODES = ["A", "B", "C", "D", "E", "F", "G"]
YEARS = range(2010, 2018)


def country(pull: float = 0.0, hold: float = 0.0, years: range = YEARS) -> dict[str, pd.DataFrame]:
    """Flows that follow wages: a log point more draws `pull` more in, and lets `hold` fewer out."""
    rng = np.random.default_rng(1)
    tables = flows_country(CODES, years)
    wage = pd.Series(rng.normal(0, 0.3, len(CODES)), CODES)
    indicators = tables["indicators"]
    own = indicators["indicator"] == "average_wage"
    drift = rng.normal(0, 0.05, own.sum())
    indicators.loc[own, "value"] = 1000 * np.exp(indicators.loc[own, "region"].map(wage) + drift)
    flows = tables["flows"]
    gain = pull * flows["destination"].map(wage) - hold * flows["origin"].map(wage)
    size = indicators[indicators["indicator"] == "population"].groupby("region")["value"].mean() / 100_000
    level = 300 * flows["origin"].map(size) * flows["destination"].map(size)
    flows["persons"] = rng.poisson(level * np.exp(gain))
    return tables


CUTOFF, AHEAD = 2017, range(2018, 2020)


@cache
def small() -> Dataset:
    return dataset_of(**country(pull=1.5, hold=0.5))


@cache
def small_model() -> ScenarioModel:
    return ScenarioModel.fit(small(), CUTOFF)


@cache
def small_forecast(draws: int = 40) -> Forecast:
    return forecast_of(tuple(CODES), CUTOFF, np.random.default_rng(2).poisson(150, (draws, 2, 42)))


def forecast_of(regions: tuple[str, ...], cutoff: int, draws: np.ndarray) -> Forecast:
    """A forecast of flows between all regions, with these draws."""
    origin, destination = np.nonzero(~np.eye(len(regions), dtype=bool))
    horizons = tuple(range(1, draws.shape[1] + 1))
    quantiles = np.quantile(draws, QUANTILES, axis=0)
    flows = FlowForecast(
        cutoff,
        horizons,
        regions,
        origin,
        destination,
        quantiles,
        {},
        np.full(len(origin), "official"),
        lambda pairs: draws[:, :, pairs],
    )
    sums = {"inflow": draws @ (destination[:, None] == range(len(regions)))}
    sums["out_migration"] = draws @ (origin[:, None] == range(len(regions)))
    sums["net_migration"] = sums["inflow"] - sums["out_migration"]
    targets = {
        name: TargetForecast(
            name, "between_regions", cutoff, horizons, regions, persons, {}, dict.fromkeys(regions, "official")
        )
        for name, persons in sums.items()
    }
    return Forecast(cutoff, targets, flows)
