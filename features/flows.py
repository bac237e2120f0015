"""Flows: who moved from where to where, as a sparse panel of pairs in units of constant boundaries."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from features.boundaries import BASIS_ORDER, at_constant_boundaries
from features.dataset import Dataset
from features.remembered import remembered

ABSENT = 0.05
"""Share of pairs without a flow below which nothing is taken to be withheld."""
HEAP = 0.01
"""Share of flows within half of the smallest one below which that one is no threshold."""
EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, eq=False)
class FlowHistory:
    """Recorded flows of every pair that ever had one; all other pairs are zero in every year.

    regions: sorted codes, (region). years: consecutive, (year). origin, destination: positions in `regions`, (pair),
    sorted by origin, then destination. persons: (year, pair), NaN in a year without any row.
    basis: of the last year, by pair; where a pair has no row in it, the weakest of the year. tells_zeros: whether the
    source has rows without persons.
    """

    regions: tuple[str, ...]
    years: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    persons: np.ndarray
    basis: np.ndarray
    tells_zeros: bool

    @property
    def recorded(self) -> np.ndarray:
        """Whether a year has flows, (year)."""
        return ~np.isnan(self.persons[:, 0])

    @cached_property
    def threshold(self) -> float:
        """The smallest flow that the source tells, in persons; 1 where it tells all.

        A source that withholds small cells leaves pairs without a row, and many flows just above its threshold.
        """
        told = self.persons[self.persons > 0]
        every = len(self.regions) * (len(self.regions) - 1) * int(self.recorded.sum())
        if self.tells_zeros or not len(told) or 1 - len(told) / every < ABSENT:
            return 1.0
        least = float(told.min())
        return least if (told < 1.5 * least).mean() >= HEAP else 1.0

    @cached_property
    def key(self) -> np.ndarray:
        """One number per pair, rising: position of the origin × number of regions + that of the destination."""
        return self.origin.astype(np.int64) * len(self.regions) + self.destination

    @property
    def known(self) -> np.ndarray:
        """Persons in the years that have flows, (year, pair)."""
        return self.persons[self.recorded]

    @cached_property
    def reverse(self) -> np.ndarray:
        """Position of the pair destination → origin, (pair); -1 where it never had a flow."""
        key = self.destination.astype(np.int64) * len(self.regions) + self.origin
        position = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return np.where(self.key[position] == key, position, -1)

    def year(self, year: int) -> np.ndarray:
        """Persons of a year, (pair); NaN where the year has no flows."""
        row = year - int(self.years[0])
        return self.persons[row] if 0 <= row < len(self.years) else np.full(len(self.origin), np.nan)


def sums_by(end: np.ndarray, values: np.ndarray, regions: int) -> np.ndarray:
    """Sums over the pairs of each origin or destination: (…, pair) to (…, region).

    >>> sums_by(np.array([0, 0, 1]), np.array([1.0, 2.0, 5.0]), 2)
    array([3., 5.])
    """
    rows = values.reshape(-1, values.shape[-1])
    summed = np.stack([np.bincount(end, weights=row, minlength=regions) for row in rows])
    return summed.reshape(*values.shape[:-1], regions)


def carried(values: np.ndarray, source: FlowHistory, target: FlowHistory) -> np.ndarray:
    """Values of the pairs of one history, (…, pair), on the pairs of another; zero where it has no such pair."""
    if source.regions == target.regions and np.array_equal(source.key, target.key):
        return values
    place = pd.Index(source.regions).get_indexer(pd.Index(target.regions))
    origin, destination = place[target.origin], place[target.destination]
    key = origin.astype(np.int64) * len(source.regions) + destination
    position = np.minimum(np.searchsorted(source.key, key), len(source.key) - 1)
    there = (origin >= 0) & (destination >= 0) & (source.key[position] == key)
    return np.where(there, values[..., position], 0)


def has_flows(dataset: Dataset) -> bool:
    return len(dataset.flows) > 0


@remembered(64)
def flow_history(dataset: Dataset) -> FlowHistory:
    """The flows that a dataset (or a vintage of it) records, between units of constant boundaries.

    Raises ValueError where it has none.
    """
    if not has_flows(dataset):
        raise ValueError(f"{dataset.name}: has no flows")
    regions, rows = _known_rows(dataset)
    used = np.unique(np.concatenate([rows["origin"], rows["destination"]]))
    origin, destination = (np.searchsorted(used, rows[end]) for end in ("origin", "destination"))
    pairs, pair = np.unique(origin.astype(np.int64) * len(used) + destination, return_inverse=True)
    first, last = int(rows["year"].min()), int(rows["year"].max())
    years = np.arange(first, last + 1)
    persons = np.zeros((len(years), len(pairs)))
    persons[rows["year"] - first, pair] = rows["persons"]
    # A year in which nobody moved anywhere is a year without figures.
    persons[persons.sum(axis=1) == 0] = np.nan
    return FlowHistory(
        tuple(regions[code] for code in used),
        years,
        (pairs // len(used)).astype(np.int32),
        (pairs % len(used)).astype(np.int32),
        persons,
        _basis(rows["rank"], rows["year"] == last, pair, len(pairs)),
        bool((rows["persons"] == 0).any()),
    )


@dataclass(frozen=True, eq=False)
class _Coded:
    """Flows between units as numbers: rows (origin, destination, year, persons, published, rank of the basis)."""

    regions: tuple[str, ...]
    rows: dict[str, np.ndarray]


@remembered(8)
def _coded(dataset: Dataset) -> _Coded:
    flows = at_constant_boundaries(dataset, int(dataset.flows["year"].min())).flows
    ends = [pd.Index(flows[end]) for end in ("origin", "destination")]
    regions = ends[0].unique().union(ends[1].unique()).sort_values()
    rank = flows["basis"].astype("category").cat
    ranks = np.array([BASIS_ORDER.index(str(basis)) for basis in rank.categories])[rank.codes]
    rows = {column: flows[column].to_numpy() for column in ("year", "persons", "published")}
    rows |= {end: regions.get_indexer(one) for end, one in zip(("origin", "destination"), ends, strict=True)}
    return _Coded(tuple(str(region) for region in regions), rows | {"rank": ranks})


def _in_vintages(dataset: Dataset) -> bool:
    """Whether a vintage's rows can be told from the whole's: text is read once, and not again for each vintage.

    Where boundaries changed, the units depend on the first year that a vintage knows.
    """
    return dataset.is_vintage and not len(dataset.boundary_changes)


def _known_rows(dataset: Dataset) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Regions that the codes stand for, and the rows that the dataset knows."""
    if not _in_vintages(dataset):
        coded = _coded(dataset)
        return coded.regions, coded.rows
    coded, cutoff = _coded(dataset.whole), dataset.cutoff or 0
    known = (coded.rows["year"] <= cutoff) & (coded.rows["published"] <= cutoff)
    return coded.regions, {name: values[known] for name, values in coded.rows.items()}


def _basis(rank: np.ndarray, last: np.ndarray, pair: np.ndarray, count: int) -> np.ndarray:
    ranks = np.full(count, rank[last].max())
    ranks[pair[last]] = rank[last]
    return np.array(BASIS_ORDER)[ranks]


# --- pairs ----------------------------------------------------------------------------------------------------------


def distance_km(dataset: Dataset, regions: tuple[str, ...]) -> np.ndarray:
    """Distances between regions, (region, region): as in `pairs`, else over the great circle between main towns."""
    north, east = _towns(dataset, regions)
    distances = great_circle_km(north[:, None], east[:, None], north, east)
    origin, destination, rows = _told_pairs(dataset, regions, "distance_km")
    distances[origin, destination] = rows["distance_km"].to_numpy()
    return distances


def contiguous(dataset: Dataset, regions: tuple[str, ...]) -> np.ndarray:
    """Whether two regions share a border, (region, region); what `pairs` does not tell does not."""
    border = np.zeros((len(regions), len(regions)), dtype=bool)
    origin, destination, rows = _told_pairs(dataset, regions, "contiguous")
    border[origin, destination] = rows["contiguous"].astype("bool").to_numpy()
    return border


def pair_distance_km(dataset: Dataset, history: FlowHistory) -> np.ndarray:
    """`distance_km` of the pairs of a history alone, (pair)."""
    north, east = _towns(dataset, history.regions)
    ends = history.origin, history.destination
    distances = great_circle_km(north[ends[0]], east[ends[0]], north[ends[1]], east[ends[1]])
    there, position, rows = _told_positions(dataset, history, "distance_km")
    distances[position] = rows["distance_km"].to_numpy()[there]
    return distances


def pair_contiguous(dataset: Dataset, history: FlowHistory) -> np.ndarray:
    """`contiguous` of the pairs of a history alone, (pair)."""
    border = np.zeros(len(history.origin), dtype=bool)
    there, position, rows = _told_positions(dataset, history, "contiguous")
    border[position] = rows["contiguous"].astype("bool").to_numpy()[there]
    return border


def great_circle_km(
    latitude: np.ndarray, longitude: np.ndarray, other_latitude: np.ndarray, other_longitude: np.ndarray
) -> np.ndarray:
    """Haversine distances in km between points in degrees; arrays that broadcast.

    >>> round(float(great_circle_km(*map(np.array, (51.17, 71.43, 43.24, 76.91)))))
    973
    """
    north, east, other_north, other_east = map(np.radians, (latitude, longitude, other_latitude, other_longitude))
    half = np.sin((north - other_north) / 2) ** 2
    half = half + np.cos(north) * np.cos(other_north) * np.sin((east - other_east) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def _towns(dataset: Dataset, regions: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    place = dataset.regions.set_index("region").loc[list(regions)]
    return place["latitude"].to_numpy(), place["longitude"].to_numpy()


def _told_pairs(dataset: Dataset, regions: tuple[str, ...], column: str) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Positions of origin and destination, and the rows of `pairs`, where a column is told of two known regions."""
    rows = dataset.pairs if column in dataset.pairs else dataset.pairs.assign(**{column: None})
    rows = rows[rows[column].notna() & rows["origin"].isin(regions) & rows["destination"].isin(regions)]
    place = pd.Index(regions)
    return place.get_indexer(pd.Index(rows["origin"])), place.get_indexer(pd.Index(rows["destination"])), rows


def _told_positions(dataset: Dataset, history: FlowHistory, column: str) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Which rows of `pairs` are pairs of the history, their positions in it, and the rows."""
    origin, destination, rows = _told_pairs(dataset, history.regions, column)
    key = origin.astype(np.int64) * len(history.regions) + destination
    position = np.minimum(np.searchsorted(history.key, key), len(history.key) - 1)
    there = history.key[position] == key
    return there, position[there], rows
