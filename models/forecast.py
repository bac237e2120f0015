"""Forecast: draws of every target, and the quantiles that are taken from them last."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

COLUMNS = [
    *("target", "region", "origin", "destination", "year", "horizon"),
    *("quantile", "value", "unit", "model", "basis"),
]
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
FLOW = "flow"


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
class FlowForecast:
    """Flows of every pair that can have one; all other pairs are zero in every future.

    regions: sorted codes, (region). origin, destination: positions in `regions`, (pair), sorted by origin, then
    destination. quantiles: whole persons, (level of QUANTILES, horizon, pair). models: served model by horizon.
    basis: by pair. futures: draws of the pairs of some origins, made again from their seed; see `draws`.
    abroad: balance of moves abroad, (draw, horizon, region), where flows are estimated and the net counts them.
    """

    cutoff: int
    horizons: tuple[int, ...]
    regions: tuple[str, ...]
    origin: np.ndarray
    destination: np.ndarray
    quantiles: np.ndarray
    models: dict[int, str]
    basis: np.ndarray
    futures: Callable[[slice], np.ndarray] = field(repr=False)
    abroad: np.ndarray | None = None

    @property
    def median(self) -> np.ndarray:
        """(horizon, pair)."""
        return self.quantiles[QUANTILES.index(0.5)]

    def draws(self, pairs: slice = slice(None)) -> np.ndarray:
        """Whole persons, (draw, horizon, pair), of some pairs; the same futures as those of the region targets.

        All at once they take draws × horizons × pairs × 4 bytes: ask for a slice of pairs where there are many.
        """
        return self.futures(pairs)


@dataclass(frozen=True, eq=False)
class Forecast:
    """All targets of a bundle, from the same futures: draw i of one target and draw i of another are one future.

    flows: where the dataset records flows; region targets are then their sums. A balance with moves abroad, recorded
    beside flows, is drawn by itself.
    """

    cutoff: int
    targets: dict[str, TargetForecast]
    flows: FlowForecast | None = None

    def table(self, levels: tuple[float, ...] = QUANTILES) -> pd.DataFrame:
        """Long table: target, region, origin, destination, year, horizon, quantile, value, unit, model, basis."""
        return pd.concat([_table(target, levels) for target in self.targets.values()], ignore_index=True)

    def flow_table(self) -> pd.DataFrame:
        """The same columns for every pair, at QUANTILES. Empty where no flows are forecast."""
        return pd.DataFrame(columns=COLUMNS) if self.flows is None else _flow_table(self.flows)


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


def _flow_table(forecast: FlowForecast) -> pd.DataFrame:
    """Sorted by origin, destination, horizon, quantile; names are categories, since there can be millions of rows."""
    levels, horizons, pairs = forecast.quantiles.shape
    each, regions = levels * horizons, pd.CategoricalDtype(list(forecast.regions))

    def names(position: np.ndarray) -> pd.Categorical:
        return pd.Categorical.from_codes(np.repeat(position, each), dtype=regions)

    horizon = np.tile(np.repeat(forecast.horizons, levels), pairs)
    table = pd.DataFrame(
        {
            "target": FLOW,
            "region": None,
            "origin": names(forecast.origin),
            "destination": names(forecast.destination),
            "year": forecast.cutoff + horizon,
            "horizon": horizon,
            "quantile": np.tile(QUANTILES, horizons * pairs),
            "value": forecast.quantiles.transpose(2, 1, 0).ravel(),
            "unit": "persons",
            "model": pd.Series(horizon).map(forecast.models),
            "basis": np.repeat(forecast.basis, each),
        }
    )
    return table[COLUMNS]
