"""Forecast: draws of every target, and the quantiles that are taken from them last."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = [
    *("target", "region", "origin", "destination", "year", "horizon"),
    *("quantile", "value", "unit", "model", "basis"),
]
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class TargetForecast:
    """One target. draws: whole persons, (draw, horizon, region). models: served model by horizon.

    basis: by region, what kind of figures the forecast continues: `official`, `derived` or `estimated`.
    """

    target: str
    scope: str
    cutoff: int
    horizons: tuple[int, ...]
    regions: tuple[str, ...]
    draws: np.ndarray
    models: dict[int, str]
    basis: dict[str, str]

    def quantiles(self, levels: tuple[float, ...] = QUANTILES) -> np.ndarray:
        """(level, horizon, region), never crossing, rounded to whole persons."""
        return np.rint(np.quantile(self.draws, levels, axis=0)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Forecast:
    """All targets of a bundle, from the same futures: draw i of one target and draw i of another are one future."""

    cutoff: int
    targets: dict[str, TargetForecast]

    def table(self, levels: tuple[float, ...] = QUANTILES) -> pd.DataFrame:
        """Long table: target, region, origin, destination, year, horizon, quantile, value, unit, model, basis."""
        return pd.concat([_table(target, levels) for target in self.targets.values()], ignore_index=True)


def _table(forecast: TargetForecast, levels: tuple[float, ...]) -> pd.DataFrame:
    index = pd.MultiIndex.from_product(
        [levels, forecast.horizons, forecast.regions], names=["quantile", "horizon", "region"]
    )
    table = pd.DataFrame({"value": forecast.quantiles(levels).ravel()}, index=index).reset_index()
    table = table.assign(
        target=forecast.target,
        origin=None,
        destination=None,
        year=forecast.cutoff + table["horizon"],
        unit="persons",
        model=table["horizon"].map(forecast.models),
        basis=table["region"].map(forecast.basis),
    ).sort_values(["region", "horizon", "quantile"])
    return table[COLUMNS]
