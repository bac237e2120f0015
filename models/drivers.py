"""Drivers: what the rates of regions and corridors go together with, and how far that can be relied on.

Computed once when a bundle is made; a service looks up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.indicators import INDICATORS
from features.pair_features import pairs_at
from models.attraction import Attraction, elasticities, fit_attraction
from models.attraction_index import indices_of
from models.attraction_panel import GEOGRAPHY, AttractionError, Panel, panel_of
from models.attraction_values import last_published
from models.drivers_boosted import boosted_parts
from models.drivers_game import contributions_to_sums
from models.drivers_skill import skill_added
from models.drivers_stability import KEYS, ranks, stability
from models.forecast import FlowForecast, Forecast

LABEL = "associated"
HISTORY = "history"
MEASURES = ("out_migration", "inflow")
MOST_CORRIDORS = 20_000
"""Corridors that are told of: those with the largest flows."""
NO_ONE = 0.5
"""Persons that a median of no one counts as, since its log is taken."""
Array = np.ndarray


class DriversError(ValueError):
    """Drivers that cannot be told; says why, or what is known."""


@dataclass(frozen=True, eq=False)
class Drivers:
    """Tables that hold all that is told.

    regions: model, measure, region, year, group, contribution, rate_per_1000, reference_per_1000, label, basis.
    corridors: the same with origin, destination, persons for measure, region. Contributions are logs; those of a rate
    sum to log(rate / reference), where the reference is the geometric mean of all regions, or corridors. models:
    gravity, boosted. The group `history` is what past moves say beyond the model.
    values: region, indicator, group, value, value_year, unit, at_origin, at_destination: what gravity adds to the log
    of flows out of, and into, the region, beside the mean of regions.
    elasticities: as `models.attraction.elasticities`, with those of past cutoffs. ranks: of groups, at past cutoffs.
    skill: what drivers add to the skill of forecasts.
    """

    regions: pd.DataFrame
    corridors: pd.DataFrame
    values: pd.DataFrame
    elasticities: pd.DataFrame
    ranks: pd.DataFrame
    skill: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_tables(cls, tables: Mapping[str, pd.DataFrame]) -> "Drivers":
        return cls(**{field.name: tables[field.name] for field in fields(cls)})

    def of_region(self, region: str) -> pd.DataFrame:
        """Rows of `regions`. Raises DriversError for a region that has none."""
        return _found(self.regions, {"region": region})

    def of_corridor(self, origin: str, destination: str) -> pd.DataFrame:
        """Rows of `corridors`. Raises DriversError for a corridor that has none."""
        return _found(self.corridors, {"origin": origin, "destination": destination})

    def differences(self, origin: str, destination: str) -> pd.DataFrame:
        """What differs between the ends of a corridor: indicator, group, unit, origin_value, destination_value, their
        years, difference, ratio, contribution (log, gravity; those of a group sum to its contribution)."""
        here, there = (_found(self.values, {"region": end}).set_index("indicator") for end in (origin, destination))
        table = pd.DataFrame(
            {
                "group": here["group"],
                "unit": here["unit"],
                "origin_value": here["value"],
                "origin_year": here["value_year"],
                "destination_value": there["value"],
                "destination_year": there["value_year"],
                "difference": there["value"] - here["value"],
                "ratio": there["value"] / here["value"].where(here["value"] != 0),
                "contribution": here["at_origin"] + there["at_destination"],
            }
        )
        return table.reset_index().assign(label=LABEL)


def _found(table: pd.DataFrame, key: dict[str, str]) -> pd.DataFrame:
    known = pd.Series(True, table.index)
    for column, value in key.items():
        known &= table[column] == value
    if not known.any():
        names = sorted({str(name) for column in key for name in table[column].unique()})
        told = ", ".join(f"{column} {value!r}" for column, value in key.items())
        raise DriversError(f"{told}: no drivers are told of; known: {', '.join(names[:30])} ({len(names)})")
    return table[known].reset_index(drop=True)


def drivers_of(dataset: Dataset, cutoff: int, forecast: Forecast) -> Drivers:
    """Of the first year of a forecast, from what was known at the cutoff.

    Raises DriversError where flows are neither recorded nor estimated, or are too few to learn from.
    """
    if forecast.flows is None:
        raise DriversError(f"{dataset.name}: no flows are forecast, recorded or estimated: drivers are told of flows")
    try:
        panel = panel_of(dataset, cutoff)
        indices = indices_of(panel)
    except AttractionError as error:
        raise DriversError(f"drivers cannot be told: {error}") from None
    attraction = fit_attraction(panel, indices)
    now = _now(dataset, cutoff, forecast.flows, attraction)
    parts = {"gravity": _gravity_parts(attraction, now), "boosted": _boosted_parts(panel, attraction, now)}
    parts = {model: part - part.mean(axis=1, keepdims=True) for model, part in parts.items()}
    groups = ("demography", "distance", *indices.groups)
    told = elasticities(panel, indices).merge(stability(panel, indices), on=KEYS, validate="one_to_one")
    return Drivers(
        pd.concat([_regions(now, forecast, model, groups, part) for model, part in parts.items()], ignore_index=True),
        pd.concat([_corridors(now, model, groups, part) for model, part in parts.items()], ignore_index=True),
        _values(dataset, cutoff, attraction, now),
        told,
        ranks(panel, indices),
        skill_added(dataset, cutoff, indices),
    )


# --- the state of the cutoff ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Now:
    """Pairs of regions that are forecast and whose population is known.

    population: persons, (region). values: centred indicators, (region, indicator). geography: (pair, GEOGRAPHY).
    persons: median of the first year ahead, (pair). basis: (pair).
    """

    regions: tuple[str, ...]
    population: Array
    values: Array
    origin: Array
    destination: Array
    geography: Array
    persons: Array
    basis: Array
    year: int


def _now(dataset: Dataset, cutoff: int, flows: FlowForecast, attraction: Attraction) -> _Now:
    pairs = pairs_at(dataset, cutoff)
    known = pairs.table.index
    kept = [position for position, region in enumerate(known) if region in flows.regions]
    regions = tuple(str(known[position]) for position in kept)
    origin, destination = np.nonzero(~np.eye(len(kept), dtype=bool))
    there = np.array(kept)
    told = pairs.features(there[origin], there[destination], GEOGRAPHY).astype("float64")
    values = pairs.table.iloc[kept].reindex(columns=list(attraction.indices.indicators)).to_numpy(dtype="float64")
    persons, basis = np.zeros((len(flows.regions),) * 2), np.full((len(flows.regions),) * 2, "official", dtype=object)
    persons[flows.origin, flows.destination] = flows.median[0]
    basis[flows.origin, flows.destination] = flows.basis
    place = np.array([flows.regions.index(region) for region in regions])
    at = place[origin], place[destination]
    year = cutoff + flows.horizons[0]
    population = pairs.population[kept].astype("float64")
    return _Now(regions, population, values, origin, destination, told, persons[at], basis[at], year)


def _gravity_parts(attraction: Attraction, now: _Now) -> Array:
    """Of the log of flows, (group, pair): demography, distance, indices."""
    value, (out, into) = (
        attraction.indices.of(now.values),
        (attraction.effects(end) for end in ("origin", "destination")),
    )
    added = (value * out)[now.origin] + (value * into)[now.destination]
    told = now.geography * attraction.geography
    return np.concatenate([[told[:, :2].sum(axis=1), told[:, 2:].sum(axis=1)], added.T])


def _boosted_parts(panel: Panel, attraction: Attraction, now: _Now) -> Array:
    ends = now.values[now.origin], now.values[now.destination]
    return boosted_parts(panel, attraction.indices, now.geography, *ends)


# --- contributions --------------------------------------------------------------------------------------------------


def _regions(now: _Now, forecast: Forecast, model: str, groups: tuple[str, ...], parts: Array) -> pd.DataFrame:
    tables = []
    for measure, end in zip(MEASURES, (now.origin, now.destination), strict=True):
        target = forecast.targets[measure]
        median = np.median(target.draws[:, 0], axis=0)[[target.regions.index(region) for region in now.regions]]
        told = contributions_to_sums(parts, end, len(now.regions))
        told[0] -= np.log(now.population)
        keys = pd.DataFrame({"region": now.regions, "basis": [target.basis[region] for region in now.regions]})
        made = _told(keys, groups, told, np.maximum(median, NO_ONE) / now.population)
        tables.append(made.assign(model=model, measure=measure, year=now.year))
    return pd.concat(tables, ignore_index=True)[
        ["model", "measure", "region", "year", "group", "contribution", *_RATES, "label", "basis"]
    ]


def _corridors(now: _Now, model: str, groups: tuple[str, ...], parts: Array) -> pd.DataFrame:
    told = parts.copy()
    told[0] -= np.log(now.population)[now.origin]
    names = np.array(now.regions)
    keys = pd.DataFrame(
        {
            "origin": names[now.origin],
            "destination": names[now.destination],
            "persons": now.persons.astype("int64"),
            "basis": now.basis.astype(str),
        }
    )
    made = _told(keys, groups, told, np.maximum(now.persons, NO_ONE) / now.population[now.origin])
    if len(keys) > MOST_CORRIDORS:
        largest = keys["persons"].nlargest(MOST_CORRIDORS).index
        made = made[np.isin(np.arange(len(made)) % len(keys), largest)]
    columns = ["model", "origin", "destination", "year", "persons", "group", "contribution", *_RATES, "label", "basis"]
    return made.assign(model=model, year=now.year)[columns].reset_index(drop=True)


_RATES = ("rate_per_1000", "reference_per_1000")


def _told(keys: pd.DataFrame, groups: tuple[str, ...], contributions: Array, rate: Array) -> pd.DataFrame:
    """A row per group and key, beside the mean of all keys: the reference is the geometric mean of their rates.

    contributions: (group, key). rate: (key). What they leave of the log of the rate is history.
    """
    log = np.log(rate)
    told = contributions - contributions.mean(axis=1, keepdims=True)
    every = [*told, log - log.mean() - told.sum(axis=0)]
    parts = [keys.assign(group=group, contribution=one) for group, one in zip((*groups, HISTORY), every, strict=True)]
    rates = {"rate_per_1000": np.tile(1000 * rate, len(every)), "reference_per_1000": 1000 * np.exp(log.mean())}
    return pd.concat(parts, ignore_index=True).assign(**rates, label=LABEL)


def _values(dataset: Dataset, cutoff: int, attraction: Attraction, now: _Now) -> pd.DataFrame:
    indices = attraction.indices
    raw, year = last_published(dataset, cutoff, now.regions, indices.indicators)
    shares = indices.shares(now.values)
    shares -= shares.mean(axis=0)
    ends = {end: shares * (indices.membership @ attraction.effects(end)) for end in ("origin", "destination")}
    regions, names = len(now.regions), len(indices.indicators)
    return pd.DataFrame(
        {
            "region": np.repeat(now.regions, names),
            "indicator": np.tile(indices.indicators, regions),
            "group": np.tile([INDICATORS[name].group for name in indices.indicators], regions),
            "value": raw.ravel(),
            "value_year": pd.array(year.ravel(), dtype="Float64").astype("Int64"),
            "unit": np.tile([INDICATORS[name].unit for name in indices.indicators], regions),
            "at_origin": ends["origin"].ravel(),
            "at_destination": ends["destination"].ravel(),
        }
    )
