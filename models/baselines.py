"""Baselines: what every model must beat. All forecast a rate, times the last known population."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.targets import History, target_history

RatePath = Callable[[pd.DataFrame, int], pd.Series]


def known_history(dataset: Dataset, target: str, cutoff: int) -> History:
    return target_history(dataset.as_of(cutoff), target)


def persons_at_last_population(history: History, rates: dict[int, pd.Series]) -> pd.DataFrame:
    """Rates by horizon to persons, region × horizon."""
    population = history.population.ffill().iloc[-1]
    return pd.DataFrame({horizon: rate * population / 1000 for horizon, rate in rates.items()}).rename_axis("region")


def last_value(rate: pd.DataFrame) -> pd.Series:
    """Last known rate of every region."""
    return rate.ffill().iloc[-1]


@dataclass(frozen=True)
class Persistence:
    """The last known rate stays: what Bernard, Poot et al. (2026) find no model to beat throughout."""

    name: str = "persistence"

    def fit(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> "Persistence":
        return self

    def predict(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> pd.DataFrame:
        history = known_history(dataset, target, cutoff)
        last = last_value(history.rate)
        return persons_at_last_population(history, dict.fromkeys(horizons, last))


@dataclass(frozen=True)
class MeanOfYears:
    """Mean rate of the last years."""

    years: int = 3
    name: str = "mean_of_years"

    def fit(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> "MeanOfYears":
        return self

    def predict(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> pd.DataFrame:
        history = known_history(dataset, target, cutoff)
        mean = history.rate.iloc[-self.years :].mean().fillna(last_value(history.rate))
        return persons_at_last_population(history, dict.fromkeys(horizons, mean))


@dataclass(frozen=True)
class ExponentialSmoothing:
    """Simple exponential smoothing of the rate; one smoothing constant for all regions.

    The constant has the least absolute error one year ahead over the known past (Hyndman et al. 2008, ch. 2).
    """

    constants: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    name: str = "exponential_smoothing"

    def fit(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> "ExponentialSmoothing":
        return self

    def predict(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> pd.DataFrame:
        history = known_history(dataset, target, cutoff)
        rate, weight = history.rate, history.population.ffill().iloc[-1].to_numpy()
        paths = [_smoothed(rate.ffill().to_numpy(), constant) for constant in self.constants]
        errors = [np.nansum(np.abs(rate.to_numpy()[1:] - levels[:-1]) * weight) for levels in paths]
        level = pd.Series(paths[int(np.argmin(errors))][-1], rate.columns)
        return persons_at_last_population(history, dict.fromkeys(horizons, level))


def _smoothed(rate: np.ndarray, constant: float) -> np.ndarray:
    """Level at the end of each year, (year, region); a region's first value is its first level."""
    levels = rate.copy()
    for year in range(1, len(rate)):
        before = levels[year - 1]
        levels[year] = np.where(np.isnan(before), rate[year], before + constant * (rate[year] - before))
    return levels


BASELINES = (Persistence(), MeanOfYears(), ExponentialSmoothing())
