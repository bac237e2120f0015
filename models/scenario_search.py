"""Search space of packages that draw people away from a city: what each change diverts, quickly and in the mean."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.indicators import INDICATORS
from models.attraction_index import ASSUMED
from models.forecast import Forecast
from models.scenario import blocks_of_origins, count_of, flows_of
from models.scenario_applicability import largest_inside
from models.scenario_model import ScenarioModel, effect_draws
from models.scenario_package import ScenarioError

Lever = tuple[str, str]
"""Region and indicator."""
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Diversion:
    """Mean flows of the years ahead and mean effects: how many persons a year fewer reach a city.

    flows: (origin, destination), persons a year. effect: of groups, (group).
    """

    model: ScenarioModel
    city: str
    regions: tuple[str, ...]
    flows: Array
    effect: Array

    @classmethod
    def of(cls, model: ScenarioModel, forecast: Forecast, city: str) -> "Diversion":
        """Raises ScenarioError for a city that the flows do not have."""
        flows = flows_of(forecast)
        if city not in flows.regions:
            raise ScenarioError(f"city {city!r}: unknown; must be one of {', '.join(flows.regions)}")
        mean, count = np.zeros((len(flows.regions),) * 2), count_of(forecast)
        for pairs in blocks_of_origins(flows, count):
            mean[flows.origin[pairs], flows.destination[pairs]] = flows.draws(pairs).mean(axis=(0, 1))
        return cls(model, city, flows.regions, mean, effect_draws(model, 1000).mean(axis=0))

    @property
    def levers(self) -> list[Lever]:
        """Everything but the city's own, where it is known and can be made more attractive inside of what was seen."""
        every = [
            (region, indicator)
            for region in self.regions
            for indicator in self.model.indicators
            if region != self.city and region in self.model.regions
        ]
        return [lever for lever in every if self.largest(lever) > 0]

    def largest(self, lever: Lever) -> float:
        """The largest relative change, in the direction that attracts, that is not outside of what was seen."""
        region, indicator = self.model.place(*lever)[0], lever[1]
        size = float(largest_inside(self.model, indicator, ASSUMED[indicator])[region])
        if INDICATORS[indicator].scale == "log":
            return float(np.expm1(size))
        raw = self.model.raw[self.model.place(*lever)]
        share = size / raw if np.isfinite(raw) and raw > 0 else 0.0
        return float(min(share, 1.0) if ASSUMED[indicator] < 0 else share)

    def persons(self, changes: Mapping[Lever, float]) -> float:
        """Persons a year that the city receives less. changes: relative, above zero, in the direction that attracts."""
        size = np.zeros((1, *self.model.values.shape))
        for lever, share in changes.items():
            size[0, *self.model.place(*lever)] = self._size(lever, share)
        index = self.model.index_change(size)[0]
        pull = np.zeros(len(self.regions))
        for place, region in enumerate(self.regions):
            if region in self.model.regions:
                pull[place] = index[self.model.regions.index(region)] @ self.effect
        return self._fewer(pull)

    def _size(self, lever: Lever, share: float) -> float:
        if INDICATORS[lever[1]].scale == "log":
            return float(np.log1p(share))
        return float(ASSUMED[lever[1]] * share * self.model.raw[self.model.place(*lever)])

    def _fewer(self, pull: Array) -> float:
        """As models/scenario_flows.py, in the mean."""
        here = self.regions.index(self.city)
        total, drawn = self.flows.sum(axis=1), self.flows @ np.exp(pull)
        part = np.divide(total * np.exp(pull[here] - pull), drawn, out=np.ones_like(drawn), where=drawn > 0)
        return float((self.flows[:, here] * (1 - part)).sum())

    def needed(self, lever: Lever, persons: float) -> float | None:
        """The relative change that diverts so many persons a year; None where none inside of what was seen does."""
        low, high = 0.0, self.largest(lever)
        if self.persons({lever: high}) < persons:
            return None
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self.persons({lever: middle}) < persons else (low, middle)
        return high


def rounded(share: float) -> float:
    """Down to a tenth of a per cent, as `words_of` writes it, so that it stays inside of what was seen."""
    return float(np.floor(1000 * share + 1e-9) / 1000)


def words_of(changes: Mapping[Lever, float]) -> list[dict[str, str]]:
    """Entries of a package."""
    entries = []
    for (region, indicator), share in changes.items():
        sign = "+" if ASSUMED[indicator] > 0 else "-"
        words = f"{sign}{100 * rounded(share):.1f} %"
        entries.append({"region": region, "indicator": indicator, "change": words})
    return entries
