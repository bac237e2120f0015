"""Flows: who moved from where to where, as a sparse panel of pairs in units of constant boundaries."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from features.boundaries import BASIS_ORDER, at_constant_boundaries
from features.dataset import Dataset

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, eq=False)
class FlowHistory:
    """Recorded flows of every pair that ever had one; all other pairs are zero in every year.

    regions: sorted codes, (region). years: consecutive, (year). origin, destination: positions in `regions`, (pair),
    sorted by origin, then destination. persons: (year, pair), NaN in a year without any row.
    basis: of the last year, by pair; where a pair has no row in it, the weakest of the year.
    """

    regions: tuple[str, ...]
    years: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    persons: np.ndarray
    basis: np.ndarray

    @property
    def recorded(self) -> np.ndarray:
        """Whether a year has flows, (year)."""
        return ~np.isnan(self.persons[:, 0])

    @cached_property
    def threshold(self) -> float:
        """The smallest flow that the source tells, in persons; 1 where it tells all.

        A source that withholds small cells leaves pairs without a flow, and its smallest flow is taken as its threshold. Where
        every pair has a flow in every year, nothing is withheld.
        """
        told = self.persons[self.persons > 0]
        every = len(self.regions) * (len(self.regions) - 1) * int(self.recorded.sum())
        return float(told.min()) if 0 < len(told) < every else 1.0

    @property
    def key(self) -> np.ndarray:
        """One number per pair, rising: position of the origin × number of regions + that of the destination."""
        return self.origin.astype(np.int64) * len(self.regions) + self.destination

    def year(self, year: int) -> np.ndarray:
        """Persons of a year, (pair); NaN where the year has no flows."""
        row = year - int(self.years[0])
        return self.persons[row] if 0 <= row < len(self.years) else np.full(len(self.origin), np.nan)


def out_sums(values: np.ndarray, origin: np.ndarray, regions: int) -> np.ndarray:
    """Sums over the destinations of each origin: (…, pair) to (…, region)."""
    return _sums(values, origin, regions)


def in_sums(values: np.ndarray, destination: np.ndarray, regions: int) -> np.ndarray:
    """Sums over the origins of each destination: (…, pair) to (…, region)."""
    return _sums(values, destination, regions)


def _sums(values: np.ndarray, end: np.ndarray, regions: int) -> np.ndarray:
    rows = values.reshape(-1, values.shape[-1])
    summed = np.stack([np.bincount(end, weights=row, minlength=regions) for row in rows])
    return summed.reshape(*values.shape[:-1], regions)


def has_flows(dataset: Dataset) -> bool:
    return len(dataset.flows) > 0


@lru_cache(maxsize=64)
def flow_history(dataset: Dataset) -> FlowHistory:
    """The flows that a dataset (or a vintage of it) records, between units of constant boundaries.

    Raises ValueError where it has none.
    """
    if not has_flows(dataset):
        raise ValueError(f"{dataset.name}: has no flows")
    flows = at_constant_boundaries(dataset, int(dataset.flows["year"].min())).flows
    origin, destination = pd.Index(flows["origin"]), pd.Index(flows["destination"])
    regions = origin.unique().union(destination.unique()).sort_values()
    key = regions.get_indexer(origin).astype(np.int64) * len(regions) + regions.get_indexer(destination)
    pairs, pair = np.unique(key, return_inverse=True)
    first = int(flows["year"].min())
    years = np.arange(first, int(flows["year"].max()) + 1)
    row = flows["year"].to_numpy() - first
    persons = np.zeros((len(years), len(pairs)))
    persons[row, pair] = flows["persons"].to_numpy()
    persons[~np.isin(years, flows["year"].unique())] = np.nan
    return FlowHistory(
        tuple(str(region) for region in regions),
        years,
        (pairs // len(regions)).astype(np.int32),
        (pairs % len(regions)).astype(np.int32),
        persons,
        _basis(flows, row == len(years) - 1, pair, len(pairs)),
    )


def _basis(flows: pd.DataFrame, last: np.ndarray, pair: np.ndarray, count: int) -> np.ndarray:
    rank = flows.loc[last, "basis"].astype("str").map(BASIS_ORDER.index).to_numpy()
    ranks = np.full(count, rank.max())
    ranks[pair[last]] = rank
    return np.array(BASIS_ORDER)[ranks]


# --- pairs ----------------------------------------------------------------------------------------------------------


def distance_km(dataset: Dataset, regions: tuple[str, ...]) -> np.ndarray:
    """Distances between regions, (region, region): as in `pairs`, else over the great circle between main towns."""
    place = dataset.regions.set_index("region").loc[list(regions)]
    distances = great_circle_km(place["latitude"].to_numpy(), place["longitude"].to_numpy())
    origin, destination, rows = _told_pairs(dataset, regions, "distance_km")
    distances[origin, destination] = rows["distance_km"].to_numpy()
    return distances


def great_circle_km(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Haversine distances in km between points in degrees, (point) to (point, point).

    >>> round(float(great_circle_km(np.array([51.17, 43.24]), np.array([71.43, 76.91]))[0, 1]))
    973
    """
    north, east = np.radians(latitude), np.radians(longitude)
    half = np.sin((north[:, None] - north) / 2) ** 2
    half += np.cos(north[:, None]) * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def contiguous(dataset: Dataset, regions: tuple[str, ...]) -> np.ndarray:
    """Whether two regions share a border, (region, region); what `pairs` does not tell does not."""
    border = np.zeros((len(regions), len(regions)), dtype=bool)
    origin, destination, rows = _told_pairs(dataset, regions, "contiguous")
    border[origin, destination] = rows["contiguous"].astype("bool").to_numpy()
    return border


def _told_pairs(dataset: Dataset, regions: tuple[str, ...], column: str) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Positions of origin and destination, and the rows of `pairs`, where a column is told of two known regions."""
    rows = dataset.pairs if column in dataset.pairs else dataset.pairs.assign(**{column: None})
    rows = rows[rows[column].notna() & rows["origin"].isin(regions) & rows["destination"].isin(regions)]
    place = pd.Index(regions)
    return place.get_indexer(pd.Index(rows["origin"])), place.get_indexer(pd.Index(rows["destination"])), rows
