"""Regions that were split, merged or renamed: carry any table to constant units, and answers back to present regions.

A **unit** is a set of regions connected by boundary changes, named after the region that stood before them all; where
regions were merged, after the one that stands after. Its people can be counted in every year.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.indicators import INDICATORS
from features.remembered import remembered

if TYPE_CHECKING:
    from features.dataset import Dataset

BASIS_ORDER = ("official", "derived", "estimated")


def unit_of_region(regions: pd.Series, changes: pd.DataFrame, since: int | None = None) -> pd.Series:
    """Unit of every region: index region, value unit. Changes up to and in the year `since` need no merging.

    >>> changes = pd.DataFrame({"year": [2018, 2018], "predecessor": ["S", "S"], "successor": ["T", "C"]})
    >>> unit_of_region(pd.Series(["C", "N", "S", "T"]), changes).to_dict()
    {'C': 'S', 'N': 'N', 'S': 'S', 'T': 'S'}
    >>> unit_of_region(pd.Series(["C", "N", "T"]), changes, since=2018).to_dict()
    {'C': 'C', 'N': 'N', 'T': 'T'}
    """
    later = changes if since is None else changes[changes["year"] > since]
    component = {region: {region} for region in regions}
    for predecessor, successor in zip(later["predecessor"], later["successor"], strict=True):
        joined = component.get(predecessor, {predecessor}) | component.get(successor, {successor})
        for region in joined:
            component[region] = joined
    begun, ended = set(later["successor"]), set(later["predecessor"])
    names = {region: _unit_name(members, begun, ended) for region, members in component.items()}
    return pd.Series({region: names[region] for region in regions}, name="unit", dtype="str")


def _unit_name(members: set[str], begun: set[str], ended: set[str]) -> str:
    before, after = sorted(members - begun), sorted(members - ended)
    if len(before) == 1:
        return before[0]
    return after[0] if len(after) == 1 else sorted(members)[0]


@remembered(32)
def at_constant_boundaries(dataset: "Dataset", since: int) -> "Dataset":
    """The dataset in units whose boundaries are the same from the year `since` on.

    Values of a year combine only values of that year, so the result knows no more of the past than its source. A unit
    of which a part is not given in a year has no value in it. What is combined from several parts is `derived` at best.
    """
    from dataclasses import replace

    unit = unit_of_region(dataset.regions["region"], dataset.boundary_changes, since)
    if (unit.index == unit).all():
        return dataset
    parts = _parts_that_cover(dataset.boundary_changes, unit)
    regions = dataset.regions[dataset.regions["region"].isin(unit)].reset_index(drop=True)
    return replace(
        dataset,
        regions=regions,
        indicators=_indicators_in_units(dataset.indicators, unit, parts),
        flows=_flows_in_units(dataset.flows, unit),
        movements=_movements_in_units(dataset.movements, unit, parts, ["year"]),
        monthly_movements=_movements_in_units(dataset.monthly_movements, unit, parts, ["year", "month"]),
        pairs=dataset.pairs[dataset.pairs["origin"].isin(unit) & dataset.pairs["destination"].isin(unit)],
        superseded=dataset.superseded.iloc[:0],
        _known={},
        _whole=None,
    )


def _parts_that_cover(changes: pd.DataFrame, unit: pd.Series) -> dict[str, "_Cover"]:
    members = unit.groupby(unit).groups
    return {str(name): _Cover(set(regions), changes) for name, regions in members.items() if len(regions) > 1}


class _Cover:
    """Tells which values of a unit's regions make up the whole of it, each person counted once."""

    def __init__(self, members: set[str], changes: pd.DataFrame) -> None:
        pairs = zip(changes["predecessor"], changes["successor"], strict=True)
        inside = [(before, after) for before, after in pairs if before in members and after in members]
        self._regions = members
        self._before = {after: {one for one, other in inside if other == after} for _, after in inside}
        self._last = members - {before for before, _ in inside}

    def counted(self, given: Mapping[str, np.ndarray], keys: int) -> dict[str, np.ndarray]:
        """given: by region, whether there is a value, (key). The values to sum: none where a part of the unit is
        missing, none of a region whose people are already in the value of a region before it."""
        given = {region: given.get(region, np.zeros(keys, dtype=bool)) for region in self._regions}
        whole = np.logical_and.reduce([self._covered(region, given) for region in self._last])
        return {region: there & whole & ~self._repeated(region, given) for region, there in given.items()}

    def _covered(self, region: str, given: Mapping[str, np.ndarray]) -> np.ndarray:
        before = [self._covered(part, given) for part in self._before.get(region, ())]
        return given[region] | (np.logical_and.reduce(before) if before else False)

    def _repeated(self, region: str, given: Mapping[str, np.ndarray]) -> np.ndarray:
        repeated = np.zeros_like(given[region])
        for part in self._before.get(region, ()):
            repeated |= given[part] | self._repeated(part, given)
        return repeated


def _combine(
    table: pd.DataFrame,
    unit: pd.Series,
    covers: dict[str, _Cover],
    key: list[str],
    value: str,
    population: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Sum of `value` by unit and key; with rows of population the mean, by the people of its parts."""
    columns = ["region", *key, value, "published", "basis", "source"]
    moved = table["region"].map(unit)
    touched = moved.isin(list(covers)).to_numpy()
    if not touched.any():
        return table[columns]
    parts = _counted_once(table[touched].assign(unit=moved[touched]), covers, key)
    group, first = _groups(parts, ["unit", *key])
    if population is not None:
        parts = parts.assign(**{value: parts[value] * _weights(_people(parts, population), group)})
    combined = _summed(parts, ["unit", *key], value, group, first).rename(columns={"unit": "region"})
    return pd.concat([table.loc[~touched, columns], combined[columns]], ignore_index=True)


def _counted_once(parts: pd.DataFrame, covers: dict[str, _Cover], key: list[str]) -> pd.DataFrame:
    """Without units of which a part is not given, and without successors beside their predecessor."""
    cell, first = _groups(parts, key)
    place, regions = pd.factorize(parts["region"])
    given = np.zeros((len(regions), len(first)), dtype=bool)
    given[place, cell] = True
    columns, counted = dict(zip(regions, given, strict=True)), {}
    for cover in covers.values():
        counted |= cover.counted(columns, given.shape[1])
    return parts[np.stack([counted[region] for region in regions])[place, cell]]


def _people(parts: pd.DataFrame, population: pd.DataFrame) -> np.ndarray:
    """Population of each row's region and year; NaN where it is not told."""
    regions, years = pd.Index(population["region"].unique()), pd.Index(population["year"].unique())

    def cells(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return regions.get_indexer(pd.Index(rows["region"])), years.get_indexer(pd.Index(rows["year"]))

    # What is not found is at the end, where nothing is told.
    told = np.full((len(regions) + 1, len(years) + 1), np.nan)
    told[cells(population)] = population["value"]
    return told[cells(parts)]


def _weights(people: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Each part's weight in its unit, by people; equal ones where those of a part are not given."""
    size, given = np.bincount(group)[group], np.bincount(group, weights=~np.isnan(people))[group]
    together = pd.Series(people).groupby(group).transform("sum").to_numpy()
    return np.where(given == size, people / together, 1 / size)


def _summed(parts: pd.DataFrame, key: list[str], value: str, group: np.ndarray, first: np.ndarray) -> pd.DataFrame:
    """One row per key: the sum, known when its last part was, on the weakest basis; `derived` at best where parts were
    added; the first source that is given. group, first: as of `_groups`."""
    rank, added = _most(_ranks(parts["basis"]), group), np.bincount(group, minlength=len(first)) > 1
    source, given = np.full(len(first), -1), np.flatnonzero(parts["source"].notna())[::-1]
    source[group[given]] = given
    return pd.DataFrame(
        {
            **{column: parts[column].array.take(first) for column in key},
            value: parts[value].groupby(group).sum().to_numpy(),
            "published": _most(parts["published"].to_numpy(), group),
            "source": parts["source"].array.take(source, allow_fill=True),
            "basis": np.array(BASIS_ORDER)[np.maximum(rank, added * BASIS_ORDER.index("derived"))],
        }
    )


def _most(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The largest of each group."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.maximum.reduceat(values[order], starts) if len(starts) else values


def _groups(table: pd.DataFrame, key: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the number of its key, in the order of keys; of each key its first row."""
    cell = np.zeros(len(table), dtype=np.int64)
    for column in key:
        code, known = pd.factorize(table[column], sort=True)
        cell = cell * len(known) + code
    _, first, group = np.unique(cell, return_index=True, return_inverse=True)
    return group, first


def _ranks(basis: pd.Series) -> np.ndarray:
    kinds = basis.astype("category").cat
    return np.array([BASIS_ORDER.index(str(kind)) for kind in kinds.categories], dtype=np.int64)[kinds.codes]


def _with_source(table: pd.DataFrame) -> pd.DataFrame:
    return table if "source" in table else table.assign(source="")


def _indicators_in_units(indicators: pd.DataFrame, unit: pd.Series, covers: dict[str, _Cover]) -> pd.DataFrame:
    indicators, key = _with_source(indicators), ["year", "indicator"]
    summed = indicators["indicator"].isin([name for name, entry in INDICATORS.items() if entry.combine == "sum"])
    population = indicators[indicators["indicator"] == "population"]
    return pd.concat(
        [
            _combine(indicators[summed], unit, covers, key, "value"),
            _combine(indicators[~summed], unit, covers, key, "value", population),
        ],
        ignore_index=True,
    )


def _movements_in_units(
    movements: pd.DataFrame, unit: pd.Series, covers: dict[str, _Cover], time: list[str]
) -> pd.DataFrame:
    return _combine(_with_source(movements), unit, covers, [*time, "measure", "scope"], "persons")


def _flows_in_units(flows: pd.DataFrame, unit: pd.Series) -> pd.DataFrame:
    moved = _with_source(flows).assign(origin=flows["origin"].map(unit), destination=flows["destination"].map(unit))
    moved, key = moved[moved["origin"] != moved["destination"]], ["origin", "destination", "year"]
    return _summed(moved, key, "persons", *_groups(moved, key))


# --- parts ----------------------------------------------------------------------------------------------------------


class PartsError(ValueError):
    """A boundary change after which nobody can tell which part of a region belongs where."""


def parts_of_regions(regions: pd.Series, changes: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """By region of any time, the smallest regions that it is made of: today's where it was split, itself where it was
    joined to others.

    Raises PartsError where regions of several predecessors came from one that has several successors too.

    >>> changes = pd.DataFrame({"year": [2018, 2018], "predecessor": ["S", "S"], "successor": ["T", "C"]})
    >>> parts_of_regions(pd.Series(["N", "S", "C", "T"]), changes)
    {'N': ('N',), 'S': ('C', 'T'), 'C': ('C',), 'T': ('T',)}
    >>> changes = pd.DataFrame({"year": [2020, 2020], "predecessor": ["A", "B"], "successor": ["AB", "AB"]})
    >>> parts_of_regions(pd.Series(["A", "B", "AB"]), changes)["AB"]
    ('A', 'B')
    """
    after = changes.groupby("predecessor")["successor"].agg(lambda ends: sorted(set(ends))).to_dict()
    before = changes.groupby("successor")["predecessor"].agg(lambda ends: sorted(set(ends))).to_dict()
    mixed = [one for one, parts in before.items() if len(parts) > 1 and any(len(after[part]) > 1 for part in parts)]
    if mixed:
        raise PartsError(
            f"boundary_changes: {', '.join(map(str, mixed))}: made of parts of regions; "
            "must be made of whole regions, or be part of one"
        )

    def parts(region: str) -> set[str]:
        joined = before.get(region, [])
        if len(joined) > 1:
            return set().union(*map(parts, joined))
        following = after.get(region, [])
        if not following or any(len(before[successor]) > 1 for successor in following):
            return {region}
        return set().union(*map(parts, following))

    return {str(region): tuple(sorted(parts(region))) for region in regions}


def standing_in(year: int, regions: pd.Series, changes: pd.DataFrame) -> list[str]:
    """Codes of the regions that there were in a year: a change is in force from its year on."""
    ended = changes.loc[changes["year"] <= year, "predecessor"]
    later = changes.loc[changes["year"] > year, "successor"]
    begun = changes.loc[changes["year"] <= year, "successor"]
    return [str(one) for one in regions if one not in set(ended) and (one not in set(later) or one in set(begun))]


# --- back to the regions of the day ---------------------------------------------------------------------------------


def present_parts(dataset: "Dataset", unit: pd.Series) -> pd.DataFrame:
    """The regions in which people were last counted, with their unit and its population in parts.

    Columns region, unit, share (of the unit's population; 1 where a unit is one region). Sorted by region.
    """
    population = dataset.indicator("population")
    last = population.loc[population.index.max()].dropna()
    parts = pd.DataFrame({"region": last.index, "unit": last.index.map(unit), "population": last.to_numpy()})
    parts["share"] = parts["population"] / parts.groupby("unit")["population"].transform("sum")
    return parts.sort_values("region", ignore_index=True)


def split(
    draws: np.ndarray, units: list[str], parts: pd.DataFrame, differential: pd.Series, rng: np.random.Generator
) -> np.ndarray:
    """Draws of units, (draw, horizon, unit), to draws of their parts, (draw, horizon, part).

    A part gets its share of the unit's people plus its known `differential` (persons above that share, summing to zero
    in a unit). As if the parts' errors were independent and in proportion to their shares, a part's variance is its
    share of the unit's: the shared error counts s², the rest, s(1 − s), moves people between parts and sums to zero.
    """
    position = pd.Index(units).get_indexer(pd.Index(parts["unit"]))
    share = parts["share"].to_numpy()
    own = draws[:, :, position]
    noise = rng.standard_normal(own.shape) * np.sqrt(share)
    shared = np.zeros_like(draws)
    np.add.at(shared.T, position, noise.T)
    spread = np.abs(draws - np.median(draws, axis=0))[:, :, position]
    within = np.where(share < 1, spread * (noise - share * shared[:, :, position]), 0.0)
    offset = differential.reindex(parts["region"]).fillna(0.0).to_numpy()
    return own * share + offset + within
