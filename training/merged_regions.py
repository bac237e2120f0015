"""Regions whose codes begin alike, such as the counties of a state, counted as one."""

from dataclasses import replace

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.flows import great_circle_km


def merged(dataset: Dataset, letters: int) -> Dataset:
    """The dataset between regions named by the first letters of their codes: population, flows, pairs; nothing else.

    What has no population in a year is left out of it. Places are means of the members' by population; distance is
    over the great circle between them; two are contiguous where two of their members are.
    """
    population = _population(dataset, letters)
    regions = _regions(dataset, letters)
    regions = regions[regions["region"].isin(population["region"])].reset_index(drop=True)
    return replace(
        dataset,
        regions=regions,
        indicators=population,
        flows=_flows(dataset, letters, set(regions["region"])),
        pairs=_pairs(dataset, letters, regions),
        **{
            name: getattr(dataset, name).iloc[:0]
            for name in ("movements", "monthly_movements", "statements", "boundary_changes", "population_by_age")
        },
        superseded=dataset.superseded.iloc[:0],
        _known={},
        _whole=None,
    )


def _population(dataset: Dataset, letters: int) -> pd.DataFrame:
    rows = dataset.indicators[dataset.indicators["indicator"] == "population"]
    rows = rows.assign(region=rows["region"].str[:letters]).drop(columns="source", errors="ignore")
    summed = rows.groupby(["region", "year", "indicator"], as_index=False).agg(
        value=("value", "sum"), published=("published", "max")
    )
    return summed.assign(basis="derived", source="")


def _regions(dataset: Dataset, letters: int) -> pd.DataFrame:
    last = dataset.indicator("population").ffill().iloc[-1]
    members = dataset.regions.assign(
        weight=dataset.regions["region"].map(last).fillna(0.0), region=dataset.regions["region"].str[:letters]
    )
    members = members[members["weight"] > 0]
    sums = members.assign(
        latitude=members["latitude"] * members["weight"], longitude=members["longitude"] * members["weight"]
    )
    sums = sums.groupby("region")[["latitude", "longitude", "weight"]].sum()
    places = sums[["latitude", "longitude"]].div(sums["weight"], axis=0).reset_index()
    return places.assign(name=places["region"], kind="region")


def _flows(dataset: Dataset, letters: int, known: set[str]) -> pd.DataFrame:
    flows = dataset.flows
    flows = flows.assign(origin=flows["origin"].str[:letters], destination=flows["destination"].str[:letters])
    flows = flows[flows["origin"].isin(known) & flows["destination"].isin(known)]
    flows = flows[flows["origin"] != flows["destination"]]
    key = ["origin", "destination", "year"]
    summed = flows.groupby(key, as_index=False).agg(persons=("persons", "sum"), published=("published", "max"))
    return summed.assign(basis=pd.Series("official", summed.index, dtype="category"), source="")


def _pairs(dataset: Dataset, letters: int, regions: pd.DataFrame) -> pd.DataFrame:
    codes = regions["region"].to_numpy("str")
    north, east = regions["latitude"].to_numpy(), regions["longitude"].to_numpy()
    far = great_circle_km(north[:, None], east[:, None], north, east)
    origin, destination = np.nonzero(~np.eye(len(codes), dtype=bool))
    touching = _touching(dataset, letters)
    ends = list(zip(codes[origin], codes[destination], strict=True))
    return pd.DataFrame(
        {
            "origin": codes[origin],
            "destination": codes[destination],
            "distance_km": far[origin, destination],
            "contiguous": [(a, b) in touching or (b, a) in touching for a, b in ends],
        }
    )


def _touching(dataset: Dataset, letters: int) -> set[tuple[str, str]]:
    if "contiguous" not in dataset.pairs:
        return set()
    rows = dataset.pairs[dataset.pairs["contiguous"].eq(True).fillna(False)]
    return set(zip(rows["origin"].str[:letters], rows["destination"].str[:letters], strict=True))
