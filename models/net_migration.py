"""The balance where flows are not recorded: a frozen pull to the long mean, and the challenger that weighs experts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from models.baselines import known_history, last_value, persons_at_last_population


@dataclass(frozen=True)
class LongMeanPull:
    """Last rate one year ahead; beyond, pulled to the mean of all years: by 0.1 at two years, 0.2 from three on.

    The constants were fixed before any panel was scored, and stay.
    """

    name: str = "long_mean_pull"

    def fit(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> "LongMeanPull":
        return self

    def predict(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> pd.DataFrame:
        history = known_history(dataset, target, cutoff)
        last, mean = last_value(history.rate), history.rate.mean()
        pull = {horizon: min(0.1 * (horizon - 1), 0.2) for horizon in horizons}
        return persons_at_last_population(history, {h: (1 - pull[h]) * last + pull[h] * mean for h in horizons})


@dataclass(frozen=True)
class ExpertAverage:
    """Exponentially weighted average of three experts: last rate, mean of three years, mean of all years.

    Per horizon, weight ∝ prior · exp(−η · Σ past loss), with the learning rate of the theory, η = √(8 ln N / T) for
    losses scaled to [0, 1] (Cesa-Bianchi & Lugosi 2006, ch. 2), so that nothing is tuned. The prior is the cost of
    leaving persistence: it holds as much as the two others together.
    """

    prior: tuple[float, float, float] = (0.5, 0.25, 0.25)
    name: str = "expert_average"

    def fit(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> "ExpertAverage":
        return self

    def predict(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> pd.DataFrame:
        history = known_history(dataset, target, cutoff)
        rate, size = history.rate, history.population.ffill().iloc[-1].to_numpy()
        paths = _expert_paths(rate)
        now = paths[:, -1, :]
        rates = {}
        for horizon in horizons:
            weights = self._weights(_losses(paths, rate.to_numpy(), size, horizon))
            rates[horizon] = pd.Series(weights @ now, index=rate.columns)
        return persons_at_last_population(history, rates)

    def _weights(self, losses: np.ndarray) -> np.ndarray:
        """Weights of the experts from their losses (expert, year)."""
        prior = np.array(self.prior)
        if losses.size == 0 or losses.max() == 0:
            return prior
        rate = np.sqrt(8 * np.log(len(prior)) / losses.shape[1])
        weights = prior * np.exp(-rate * (losses / losses.max()).sum(axis=1))
        return weights / weights.sum()


def _expert_paths(rate: pd.DataFrame) -> np.ndarray:
    """What each expert says at the end of each year: (expert, year, region)."""
    experts = [rate.ffill(), rate.rolling(3, min_periods=1).mean().ffill(), rate.expanding().mean().ffill()]
    return np.stack([expert.to_numpy() for expert in experts])


def _losses(paths: np.ndarray, rate: np.ndarray, size: np.ndarray, horizon: int) -> np.ndarray:
    """Sum of absolute errors of persons at a horizon, (expert, year); the first two years teach nothing."""
    missed = np.abs(rate[None, 2 + horizon :, :] - paths[:, 2 : rate.shape[0] - horizon, :]) * size
    told = ~np.isnan(missed).all(axis=(0, 2))
    return np.nansum(missed[:, told, :], axis=2)
