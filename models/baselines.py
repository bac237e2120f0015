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
        rate, weight = history.rate.ffill(), history.population.ffill().iloc[-1]
        smoothed = [rate.ewm(alpha=constant, adjust=False).mean() for constant in self.constants]
        errors = [self._error(levels, history.rate, weight) for levels in smoothed]
        level = smoothed[int(np.argmin(errors))].iloc[-1]
        return persons_at_last_population(history, dict.fromkeys(horizons, level))

    @staticmethod
    def _error(levels: pd.DataFrame, rate: pd.DataFrame, weight: pd.Series) -> float:
        missed = (rate - levels.shift(1)).abs().mul(weight, axis=1)
        return float(np.nansum(missed.to_numpy()))


BASELINES = (Persistence(), MeanOfYears(), ExponentialSmoothing())
