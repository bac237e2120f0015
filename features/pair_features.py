"""Pair features: what indicators and geography tell of every ordered pair of regions at a cutoff; no past flows.

`region_table` and `geography` read a dataset, `Pairs` turns them into features. A what-if changes the region table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.flows import contiguous, distance_km
from features.indicators import INDICATORS, Indicator
from features.region_features import MAX_AGE
from features.remembered import remembered

SIZES = (
    *("population", "population_average", "population_female", "population_male"),
    *("population_0_15", "population_working_age", "population_pension_age"),
)
"""Indicators of a region's size; only the first is a feature, as `log_population`."""

MAX_BORDERS = 9
"""Regions that are this many borders apart, or more, count as equally remote."""

OWN_RADIUS_KM = 15.0
"""Added to distances in sums of population over distance, so that a town next door does not outweigh all others."""

RADII_KM = (25, 50, 100, 200)


# --- regions --------------------------------------------------------------------------------------------------------


def regions_of(dataset: Dataset, cutoff: int) -> tuple[str, ...]:
    """Sorted codes of the regions that stand at the cutoff and whose population is known, with or without flows."""
    return tuple(_last_population(_standing(dataset, cutoff), cutoff).index)


def region_table(dataset: Dataset, cutoff: int) -> pd.DataFrame:
    """What indicators tell of each region at a cutoff: index region (those of `regions_of`), columns float.

    log_population   log of persons, never NaN
    <indicator>      last value, no older than MAX_AGE years; sums are per head, `log` scales are logs; less the mean of
                     all regions in its year; NaN where not known

    So 10 % more pay at a region is `table.loc[region, "average_pay"] += np.log(1.1)`.
    """
    known = _standing(dataset, cutoff)
    population = _last_population(known, cutoff)
    names = sorted((set(known.indicators["indicator"].unique()) & set(INDICATORS)).difference(SIZES))
    columns = {name: _centred(known, INDICATORS[name], population.index, cutoff) for name in names}
    return pd.DataFrame({"log_population": np.log(population)} | columns, index=population.index).rename_axis("region")


def _standing(dataset: Dataset, cutoff: int) -> Dataset:
    return at_constant_boundaries(dataset.as_of(cutoff), cutoff)


def _last_population(known: Dataset, cutoff: int) -> pd.Series:
    """Persons by region, without regions that have ended and whose successors are counted already."""
    values = known.indicator("population").sort_index(axis=1).loc[cutoff - MAX_AGE + 1 : cutoff]
    last = values.ffill().iloc[-1].dropna() if len(values) else pd.Series(dtype="float64")
    changes = known.boundary_changes
    ended = changes.loc[(changes["year"] <= cutoff) & changes["successor"].isin(last.index), "predecessor"]
    return last.drop(ended[ended.isin(last.index)].unique())


def _centred(known: Dataset, entry: Indicator, regions: pd.Index, cutoff: int) -> pd.Series:
    values = known.indicator(entry.name).reindex(columns=regions).loc[cutoff - MAX_AGE + 1 : cutoff]
    if entry.combine == "sum":
        values = values / known.indicator("population").reindex(index=values.index, columns=regions)
    if entry.scale == "log":
        values = values.where(values > 0).transform(np.log)
    centred = values.sub(values.mean(axis=1), axis=0).ffill()
    return centred.iloc[-1] if len(centred) else pd.Series(np.nan, regions)


# --- geography ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Geography:
    """Where regions lie, of the (region) codes `regions`; all else as (region) or (region, region) arrays.

    latitude, longitude: degrees. distance_km: float32. contiguous: bool. borders: fewest borders to cross, up to
    MAX_BORDERS; all of them where no borders are told. nearest: positions of regions, the nearest first, itself before
    all. rank: place of the destination in that row of the origin.
    """

    regions: tuple[str, ...]
    latitude: np.ndarray
    longitude: np.ndarray
    distance_km: np.ndarray
    contiguous: np.ndarray
    borders: np.ndarray
    nearest: np.ndarray
    rank: np.ndarray


@remembered(2)
def geography(dataset: Dataset, regions: tuple[str, ...]) -> Geography:
    place = dataset.regions.set_index("region").loc[list(regions)]
    distance = distance_km(dataset, regions).astype("float32")
    border = contiguous(dataset, regions)
    nearest = _nearest(distance)
    rank = np.empty_like(nearest)
    np.put_along_axis(rank, nearest, np.arange(len(regions), dtype=rank.dtype)[None], axis=1)
    latitude, longitude = place["latitude"].to_numpy("float32"), place["longitude"].to_numpy("float32")
    return Geography(regions, latitude, longitude, distance, border, _borders(border), nearest, rank)


def _nearest(distance: np.ndarray) -> np.ndarray:
    itself_first = distance.copy()
    np.fill_diagonal(itself_first, -1)
    return np.argsort(itself_first, axis=1, kind="stable").astype("int32")


def _borders(border: np.ndarray) -> np.ndarray:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    steps = dijkstra(csr_matrix(border.astype("int8")), directed=False, unweighted=True, limit=MAX_BORDERS)
    return np.minimum(steps, MAX_BORDERS).astype("int8")


# --- pairs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Pairs:
    """All ordered pairs of a region table's regions; features are computed for those that are asked for.

    Of both ends:
    origin_<column>, destination_<column>    columns of the region table; latitude, longitude
    difference_<indicator>                   destination less origin
    *_population_within_<r>km                log of the population of other regions nearer than r

    Of the pair, some of them seen from both ends:
    log_distance, contiguous, borders        distance in km, at least 1; whether, and how many, borders lie between
    northward, eastward                      degrees
    rank_from_*                              how many regions are nearer
    opportunities_from_*                     log of their population: intervening opportunities (Stouffer 1940)
    radiation_from_*                         log of m n / (m + s)(m + n + s) (Simini et al. 2012)
    huff_from_*                              log of the other end's part in all population over distance (Huff 1963)
    competing_destinations, competing_origins   log of all other population over distance (Fotheringham 1983)
    """

    table: pd.DataFrame
    geography: Geography

    @property
    def indicators(self) -> tuple[str, ...]:
        return tuple(self.table.columns.drop("log_population"))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all features."""
        ends = [f"{end}_{name}" for end in ("origin", "destination") for name in self._of_region]
        return (*ends, *(f"difference_{name}" for name in self.indicators), *OF_PAIR)

    def features(self, origin: np.ndarray, destination: np.ndarray, columns: tuple[str, ...]) -> np.ndarray:
        """Features of pairs given by positions of their ends: (pair, column) float32; unknown indicators are NaN."""
        matrix = np.empty((len(origin), len(columns)), dtype="float32")
        for place, column in enumerate(columns):
            matrix[:, place] = self._feature(column, origin, destination)
        return matrix

    def _feature(self, column: str, origin: np.ndarray, destination: np.ndarray) -> np.ndarray:
        if column in OF_PAIR:
            return OF_PAIR[column](self, origin, destination)
        kind, name = column.split("_", 1)
        values = self._of_region.get(name)
        if values is None:  # an indicator that another cutoff had
            return np.full(len(origin), np.nan)
        if kind == "difference":
            return values[destination] - values[origin]
        return values[origin if kind == "origin" else destination]

    @cached_property
    def _of_region(self) -> dict[str, np.ndarray]:
        table = {name: self.table[name].to_numpy("float32") for name in self.table.columns}
        place = {"latitude": self.geography.latitude, "longitude": self.geography.longitude}
        around = {f"population_within_{radius}km": self._population_within(radius) for radius in RADII_KM}
        return table | place | around

    def _population_within(self, radius: float) -> np.ndarray:
        inside = (self.geography.distance_km < radius).astype("float32") @ self.population
        return np.log1p(np.maximum(inside - self.population, 0))

    @cached_property
    def population(self) -> np.ndarray:
        """Persons, (region) float32."""
        return np.exp(self.table["log_population"].to_numpy()).astype("float32")

    @cached_property
    def intervening(self) -> np.ndarray:
        """Population nearer to the row's region than the column's, without both, (region, region) float32."""
        nearest = self.geography.nearest
        nearer = np.cumsum(self.population.astype("float64")[nearest], axis=1).astype("float32")
        within = np.empty_like(nearer)
        np.put_along_axis(within, nearest, nearer, axis=1)
        within -= self.population
        within -= self.population[:, None]
        return np.maximum(within, 0, out=within)

    @cached_property
    def accessibility(self) -> np.ndarray:
        """Population of all other regions over distance, (region) float32."""
        nearness = 1 / (self.geography.distance_km + np.float32(OWN_RADIUS_KM))
        np.fill_diagonal(nearness, 0)
        return nearness @ self.population

    def pull(self, end: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Population of the other end over distance."""
        return self.population[other] / (self.geography.distance_km[end, other] + np.float32(OWN_RADIUS_KM))

    def radiation(self, end: np.ndarray, other: np.ndarray) -> np.ndarray:
        m, n, s = self.population[end], self.population[other], self.intervening[end, other]
        return np.log(m) + np.log(n) - np.log(m + s) - np.log(m + n + s)

    def huff(self, end: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.log(self.pull(end, other)) - np.log(self.accessibility[end])

    def competing(self, end: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(self.accessibility[end] - self.pull(end, other), 1))


OF_PAIR: dict[str, Callable[[Pairs, np.ndarray, np.ndarray], np.ndarray]] = {
    "log_distance": lambda pairs, origin, destination: np.log(
        np.maximum(pairs.geography.distance_km[origin, destination], 1)
    ),
    "contiguous": lambda pairs, origin, destination: pairs.geography.contiguous[origin, destination],
    "borders": lambda pairs, origin, destination: pairs.geography.borders[origin, destination],
    "northward": lambda pairs, origin, destination: (
        pairs.geography.latitude[destination] - pairs.geography.latitude[origin]
    ),
    "eastward": lambda pairs, origin, destination: (
        pairs.geography.longitude[destination] - pairs.geography.longitude[origin]
    ),
    "rank_from_origin": lambda pairs, origin, destination: pairs.geography.rank[origin, destination],
    "rank_from_destination": lambda pairs, origin, destination: pairs.geography.rank[destination, origin],
    "opportunities_from_origin": lambda pairs, origin, destination: np.log1p(pairs.intervening[origin, destination]),
    "opportunities_from_destination": lambda pairs, origin, destination: np.log1p(
        pairs.intervening[destination, origin]
    ),
    "radiation_from_origin": lambda pairs, origin, destination: pairs.radiation(origin, destination),
    "radiation_from_destination": lambda pairs, origin, destination: pairs.radiation(destination, origin),
    "huff_from_origin": lambda pairs, origin, destination: pairs.huff(origin, destination),
    "huff_from_destination": lambda pairs, origin, destination: pairs.huff(destination, origin),
    "competing_destinations": lambda pairs, origin, destination: pairs.competing(destination, origin),
    "competing_origins": lambda pairs, origin, destination: pairs.competing(origin, destination),
}


def pairs_at(dataset: Dataset, cutoff: int) -> Pairs:
    """All pairs of the regions of a cutoff, with what was known then."""
    table = region_table(dataset, cutoff)
    return Pairs(table, geography(_standing(dataset, cutoff), tuple(table.index)))


def blocks_of_pairs(regions: int, pairs: int = 500_000) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of origin and destination of all pairs, row by row, a number of whole rows at a time."""
    rows = max(pairs // regions, 1)
    for first in range(0, regions, rows):
        origin = np.arange(first, min(first + rows, regions))
        yield np.repeat(origin, regions), np.tile(np.arange(regions), len(origin))
