"""What a scenario is answered with: effects of indicators that keep their sign, and what was seen of indicators."""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.indicators import INDICATORS
from features.pair_features import region_table
from models.attraction import Attraction, fit_attraction, fit_difference
from models.attraction_index import Indices, indices_of
from models.attraction_panel import AttractionError, panel_of
from models.attraction_values import last_published

SEED = 21
DRAWS = 1000
"""Fewest draws of effects."""
SOME = 0.05
"""Part of the draws in which an effect must be above zero to count as one."""
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class ScenarioModel:
    """Effects of what one region has more of each index than another, the same at both ends, and what was seen.

    effects, covariance: free of any sign, two-way clustered, of groups of `indices`. drawn: effects that could as well
    be, (draw, group), of the assumed sign. at_origin, at_destination: (2, group), effect and standard error where both
    ends have effects of their own.
    values: centred, of the cutoff, (region, indicator). raw: the last published figures, the same.
    seen: centred values, (region, year, indicator), NaN where there was none; seen_regions, seen_years its labels.
    """

    cutoff: int
    basis: str
    years: tuple[int, int]
    indices: Indices
    effects: Array
    covariance: Array
    drawn: Array
    at_origin: Array
    at_destination: Array
    regions: tuple[str, ...]
    values: Array
    raw: Array
    seen: Array
    seen_regions: tuple[str, ...]
    seen_years: tuple[int, ...]

    @classmethod
    def fit(cls, dataset: Dataset, cutoff: int, draws: int = DRAWS) -> "ScenarioModel":
        """From what was known at the cutoff. draws: of the forecasts that it answers about, at most.

        Raises AttractionError where flows cannot teach it."""
        panel = panel_of(dataset, cutoff)
        indices = indices_of(panel)
        names = list(indices.indicators)
        if not indices.assumed.any():
            raise AttractionError(f"{dataset.name}: none of {', '.join(names)} is assumed to attract people")
        effects, covariance = fit_difference(panel, indices)
        free, table = fit_attraction(panel, indices), region_table(dataset, cutoff)
        raw, _ = last_published(dataset, cutoff, tuple(table.index), names)
        now = table.reindex(columns=names).assign(year=cutoff + 1).reset_index()
        seen, regions, years = _seen(pd.concat([panel.places, now], ignore_index=True), names)
        return cls(
            cutoff=cutoff,
            basis=panel.basis,
            years=(panel.years[0], panel.years[-1]),
            indices=indices,
            effects=effects,
            covariance=covariance,
            drawn=_drawn(indices, effects, covariance, max(draws, DRAWS)),
            at_origin=_own(free, "origin"),
            at_destination=_own(free, "destination"),
            regions=tuple(str(region) for region in table.index),
            values=table.reindex(columns=names).to_numpy(dtype="float64"),
            raw=raw,
            seen=seen,
            seen_regions=regions,
            seen_years=years,
        )

    @property
    def indicators(self) -> tuple[str, ...]:
        """Those that the model has an effect for."""
        some = dict(zip(self.indices.groups, self.strength, strict=True))
        return tuple(name for name in self.indices.indicators if some[INDICATORS[name].group] >= SOME)

    @cached_property
    def strength(self) -> Array:
        """Part of the draws in which the effect of a group is above zero, (group)."""
        return (effect_draws(self, DRAWS) > 0).mean(axis=0)

    @cached_property
    def per_unit(self) -> Array:
        """By how much a unit more of an indicator changes its group's index, (region, indicator)."""
        return self.indices.per_unit(self.values)

    def place(self, region: str, indicator: str) -> tuple[int, int]:
        """Of a value, in `values`."""
        return self.regions.index(region), self.indices.indicators.index(indicator)

    def index_change(self, change: Array) -> Array:
        """From changes of indicators, (horizon, region, indicator), to those of indices, (horizon, region, group)."""
        return np.where(change != 0, change * self.per_unit, 0.0) @ self.indices.membership

    def to_texts(self) -> dict[str, str]:
        """JSON, by name."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        told["indices"] = {"indicators": self.indices.indicators, "spread": self.indices.spread}
        return {"scenario_model": json.dumps(told, default=_listed, allow_nan=False)}

    @classmethod
    def from_texts(cls, texts: dict[str, str]) -> "ScenarioModel":
        told = json.loads(texts["scenario_model"])
        indices = Indices(tuple(told["indices"]["indicators"]), tuple(told["indices"]["spread"]))
        arrays = ("effects", "covariance", "drawn", "at_origin", "at_destination", "values", "raw", "seen")
        lists = ("years", "regions", "seen_regions", "seen_years")
        made = {name: np.array(told[name], dtype="float64") for name in arrays} | {n: tuple(told[n]) for n in lists}
        return cls(**(told | made | {"indices": indices}))


def _listed(array: Array) -> list:
    """NaN, which JSON does not have, is null."""
    told = array.astype("object")
    told[np.isnan(array)] = None
    return told.tolist()


def _own(free: Attraction, end: str) -> Array:
    """Effects of an end and their standard errors, (2, group)."""
    places = [free.columns.index(f"{end}_{group}") for group in free.indices.groups]
    return np.stack([free.fit.coefficients[places], free.fit.standard_errors[places]])


def _seen(places: pd.DataFrame, names: list[str]) -> tuple[Array, tuple[str, ...], tuple[int, ...]]:
    """What was known of regions at the end of years, (region, year, indicator), and both labels."""
    regions = tuple(sorted(str(region) for region in places["region"].unique()))
    years = tuple(range(int(places["year"].min()) - 1, int(places["year"].max())))
    seen = np.full((len(regions), len(years), len(names)), np.nan)
    row = pd.Index(regions).get_indexer(pd.Index(places["region"]))
    seen[row, places["year"].to_numpy() - 1 - years[0]] = places[names].to_numpy(dtype="float64")
    return seen, regions, years


def effect_draws(model: ScenarioModel, count: int) -> Array:
    """The first of the effects that could as well be, (draw, group); no more than the model was fitted with."""
    return model.drawn[:count]


def _drawn(indices: Indices, effects: Array, covariance: Array, count: int) -> Array:
    """Effects that could as well be, (draw, group): none below zero, and none of a group whose sign is not assumed.

    Normal with the clustered covariance, each draw moved to the nearest point without a negative effect, in the metric
    of the covariance (Sen, Patra & Dunson 2018): where two indices go together, what one may not take the other gets.
    """
    from scipy.optimize import nnls

    signed = indices.assumed
    values, vectors = np.linalg.eigh(covariance[np.ix_(signed, signed)])
    spread = np.sqrt(np.maximum(values, 1e-6 * values.max(initial=1e-12)))
    normals = np.random.default_rng(SEED).standard_normal((count, len(values)))
    free = effects[signed] + (normals * spread) @ vectors.T
    metric = (vectors / spread).T
    draws = np.zeros((count, len(signed)))
    draws[:, signed] = np.array([nnls(metric, metric @ one)[0] for one in free]).reshape(free.shape)
    return draws
