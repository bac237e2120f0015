"""The panel that attraction is learnt from: flows of every year, and what was known of both ends a year before."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.accounts import balanced_record
from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.flows import has_flows
from features.indicators import INDICATORS
from features.pair_features import Pairs, geography, region_table, regions_of
from features.remembered import remembered
from models.estimated_flows import estimates_flows

GEOGRAPHY = (
    "origin_log_population",
    "destination_log_population",
    "log_distance",
    "contiguous",
    "competing_destinations",
)
MIN_REGIONS = 5
MIN_YEARS = 3
MOST_REGIONS = 500
"""Of more regions every pair of every year is not held at once."""
Array = np.ndarray


class AttractionError(ValueError):
    """A dataset from whose flows attraction cannot be learnt; says what it would need."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Every pair of every year.

    places: region-years, columns region, year (of the flows) and the indicators, which are those of `region_table` at
    year − 1. origin, destination: positions in `places`, (row). geography: (row, GEOGRAPHY). flows: persons, (row).
    basis: `official` where flows are recorded, `estimated` where they are those of the balanced record.
    """

    places: pd.DataFrame
    origin: Array
    destination: Array
    geography: Array
    flows: Array
    basis: str

    @property
    def year(self) -> Array:
        """(row)."""
        return self.places["year"].to_numpy()[self.origin]

    @property
    def years(self) -> list[int]:
        return sorted(int(year) for year in self.places["year"].unique())

    @property
    def indicators(self) -> list[str]:
        return [name for name in INDICATORS if name in self.places.columns]

    def values(self, names: list[str]) -> Array:
        """Centred values of indicators, (region-year, indicator); NaN where not known."""
        return self.places[names].to_numpy(dtype="float64")

    def clusters(self, end: str) -> Array:
        """Which region is the origin, or destination, (row)."""
        return pd.factorize(self.places["region"])[0][self.origin if end == "origin" else self.destination]

    def until(self, cutoff: int) -> "Panel":
        """The rows of years up to a cutoff. Recorded and estimated flows are those of this panel's vintage."""
        rows = self.year <= cutoff
        kept = (self.places["year"] <= cutoff).to_numpy()
        position = np.cumsum(kept) - 1
        return replace(
            self,
            places=self.places[kept].reset_index(drop=True),
            origin=position[self.origin[rows]],
            destination=position[self.destination[rows]],
            geography=self.geography[rows],
            flows=self.flows[rows],
        )


def panel_of(dataset: Dataset, cutoff: int) -> Panel:
    """From what was known at the cutoff; every year in the boundaries of the year before.

    Raises AttractionError where flows are neither recorded nor can be estimated, or are of too few regions or years.
    """
    return _panel(dataset.as_of(cutoff), cutoff)


@remembered(4)
def _panel(known: Dataset, cutoff: int) -> Panel:
    flows, basis = _flows(known, cutoff)
    nothing = {name: getattr(known, name).iloc[:0] for name in ("indicators", "movements", "monthly_movements")}
    only_flows = replace(known, flows=flows, **nothing)
    parts = [_year(known, only_flows, int(year)) for year in sorted(flows["year"].unique())]
    parts = [part for part in parts if part is not None]
    regions = len(parts[-1][0]) if parts else 0
    if len(parts) < MIN_YEARS or not MIN_REGIONS <= regions <= MOST_REGIONS:
        raise AttractionError(
            f"{known.name}: {len(parts)} years of flows between {regions} regions up to {cutoff}; attraction is "
            f"learnt from at least {MIN_YEARS} years and from {MIN_REGIONS} to {MOST_REGIONS} regions"
        )
    first = np.cumsum([0, *(len(part[0]) for part in parts[:-1])])
    return Panel(
        places=pd.concat([part[0] for part in parts], ignore_index=True),
        origin=np.concatenate([part[1] + at for part, at in zip(parts, first, strict=True)]),
        destination=np.concatenate([part[2] + at for part, at in zip(parts, first, strict=True)]),
        geography=np.concatenate([part[3] for part in parts]),
        flows=np.concatenate([part[4] for part in parts]),
        basis=basis,
    )


def _flows(known: Dataset, cutoff: int) -> tuple[pd.DataFrame, str]:
    """Flows as rows of the table `flows`, and their basis."""
    if has_flows(known):
        return known.flows, "official"
    if not estimates_flows(known, cutoff):
        raise AttractionError(f"{known.name}: no flows are recorded, and none can be estimated; attraction needs flows")
    told = balanced_record(known).flows()[["origin", "destination", "year", "persons"]]
    return told.assign(published=told["year"], basis="estimated"), "estimated"


def _year(known: Dataset, only_flows: Dataset, year: int) -> tuple[pd.DataFrame, Array, Array, Array, Array] | None:
    """Places, positions of origin and destination, geography and flows of a year; None without two known regions."""
    if len(regions_of(known, year - 1)) < 2:
        return None
    of_year = replace(only_flows, flows=only_flows.flows[only_flows.flows["year"] == year])
    constant = at_constant_boundaries(of_year, year - 1)
    flows = constant.flows
    table = region_table(known, year - 1)
    table = table[table.index.isin({*flows["origin"].unique(), *flows["destination"].unique()})]
    persons = flows.pivot(index="origin", columns="destination", values="persons")
    persons = persons.reindex(index=table.index, columns=table.index).fillna(0).to_numpy(dtype="float64")
    origin, destination = np.nonzero(~np.eye(len(table), dtype=bool))
    pairs = Pairs(table, geography(constant, tuple(table.index)))
    places = table.drop(columns="log_population").assign(year=year).reset_index()
    told = pairs.features(origin, destination, GEOGRAPHY).astype("float64")
    return places, origin, destination, told, persons[origin, destination]
