"""A LightGBM challenger for a region's target: the change of its rate from history and indicators.

The only file for regional targets that knows LightGBM.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.indicators import INDICATORS
from features.region_features import region_features
from models.baselines import known_history, last_value, persons_at_last_population
from models.trees import Trees

if TYPE_CHECKING:
    from lightgbm import Booster

FIXED = {
    "objective": "huber",
    "alpha": 5.0,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
MIN_CUTOFFS = 4
"""Fewer past cutoffs teach nothing; the model then says what persistence says."""


@dataclass(frozen=True)
class BoostedSettings:
    """What tuning may turn, in LightGBM's words; the defaults are small trees, strongly regularised."""

    rounds: int = 60
    learning_rate: float = 0.05
    num_leaves: int = 6
    min_data_in_leaf: int = 20
    lambda_l2: float = 10.0
    feature_fraction: float = 0.5


@dataclass(frozen=True)
class BoostedRateChange:
    """Gradient-boosted trees on rate(cutoff + h) − rate(cutoff), one model per horizon over all regions.

    Trained on `region_features` at every earlier cutoff; strongly regularised; monotone in indicators whose sign is
    assumed (features/indicators.py). Rows weigh by the root of population. For out_migration the signs are turned.
    """

    settings: BoostedSettings = BoostedSettings()
    boosters: "Mapping[int, Booster | Trees]" = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    name: str = "boosted"

    def fit(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> "BoostedRateChange":
        history = known_history(dataset, target, cutoff)
        rate = history.rate.reindex(range(int(history.persons.index.min()), cutoff + 1))
        population = history.population.reindex(rate.index)
        first = int(rate.index.min()) + 2
        rows = {past: region_features(dataset, target, past) for past in range(first, cutoff)}
        columns = tuple(region_features(dataset, target, cutoff).columns)
        boosters = {}
        for horizon in horizons:
            known = {past: frame for past, frame in rows.items() if _teaches(frame, rate, past + horizon)}
            if len(known) >= MIN_CUTOFFS:
                boosters[horizon] = self._booster(known, rate, population, horizon, columns, target)
        return BoostedRateChange(self.settings, boosters, columns)

    def _booster(
        self,
        known: dict[int, pd.DataFrame],
        rate: pd.DataFrame,
        population: pd.DataFrame,
        horizon: int,
        columns: tuple[str, ...],
        target: str,
    ) -> "Booster":
        import lightgbm

        features = pd.concat([frame.reindex(columns=list(columns)) for frame in known.values()])
        before = pd.concat([frame["rate"] for frame in known.values()])
        after = pd.concat([rate.loc[past + horizon].reindex(frame.index) for past, frame in known.items()])
        size = pd.concat([population.loc[past].reindex(frame.index) for past, frame in known.items()])
        change = (after - before).to_numpy()
        told = np.isfinite(change)
        data = lightgbm.Dataset(
            features.to_numpy()[told],
            change[told],
            weight=np.sqrt(size.to_numpy()[told]),
            feature_name=list(columns),
            params={"verbosity": -1},
        )
        constraints = [_sign(column, target) for column in columns]
        turned = asdict(self.settings)
        rounds = turned.pop("rounds")
        return lightgbm.train(FIXED | turned | {"monotone_constraints": constraints}, data, num_boost_round=rounds)

    def predict(self, dataset: Dataset, target: str, cutoff: int, horizons: Sequence[int]) -> pd.DataFrame:
        history = known_history(dataset, target, cutoff)
        last = last_value(history.rate)
        features = region_features(dataset, target, cutoff).reindex(index=last.index, columns=list(self.columns))
        matrix = features.to_numpy(dtype="float64")
        rates = {}
        for horizon in horizons:
            booster = self.boosters.get(horizon)
            change = 0.0 if booster is None else np.asarray(booster.predict(matrix, num_threads=1))
            rates[horizon] = last + change
        return persons_at_last_population(history, rates)

    def to_texts(self) -> dict[str, str]:
        """LightGBM's text form, by horizon."""
        return {f"h{horizon}": booster.model_to_string() for horizon, booster in self.boosters.items()}

    @staticmethod
    def from_texts(texts: dict[str, str], columns: Sequence[str]) -> "BoostedRateChange":
        boosters = {int(name[1:]): Trees(text) for name, text in texts.items()}
        return BoostedRateChange(boosters=boosters, columns=tuple(columns))


def _teaches(then: pd.DataFrame, rate: pd.DataFrame, year: int) -> bool:
    """Whether the features of a past cutoff hold a rate of any region that has one in a later year too."""
    return year in rate.index and bool((then["rate"].notna() & rate.loc[year].notna()).any())


def _sign(column: str, target: str) -> int:
    name = column.removesuffix("_change")
    sign = INDICATORS[name].sign if name in INDICATORS else 0
    return -sign if target == "out_migration" else sign
