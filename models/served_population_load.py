"""Load: what is asked of one thing by year, in draws, against what there is of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from models.forecast import QUANTILES
from models.served_population_case import REGISTERED, Budget, Capacity, Case, Kind, Norm

EVERYBODY = "population"


@dataclass(frozen=True, eq=False)
class Load:
    """draws: in `unit`, (draw, year). limit: what there is, (year), NaN where it is not stated.

    part: `presence` (persons by kind, and `served`, all of them), `demand` of a service against its capacity,
    `recipients` of a benefit, or its `cost` in a year against its budget.
    """

    part: str
    name: str
    unit: str
    years: tuple[int, ...]
    draws: np.ndarray
    limit: np.ndarray

    @cached_property
    def expected(self) -> np.ndarray:
        """(year)."""
        return self.draws.mean(axis=0)

    @cached_property
    def quantiles(self) -> np.ndarray:
        """(level of QUANTILES, year), straight between draws."""
        # np.quantile, which partitions anew for every level, takes four times as long.
        ordered = np.sort(self.draws.T, axis=1)
        place = np.array(QUANTILES) * (ordered.shape[1] - 1)
        low, high = np.floor(place).astype(int), np.ceil(place).astype(int)
        return (ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low])).T

    @cached_property
    def probability_over(self) -> np.ndarray:
        """Share of draws above the limit, 0-1, (year); NaN where there is none."""
        return np.where(np.isnan(self.limit), np.nan, (self.draws > self.limit).mean(axis=0))

    @property
    def first_year_over(self) -> int | None:
        """First year in which it is more likely above the limit than not."""
        over = np.flatnonzero(self.probability_over > 0.5)
        return self.years[over[0]] if len(over) else None


def load_table(loads: Sequence[Load]) -> pd.DataFrame:
    """A row per load and year, with the quantiles of QUANTILES; NaN where there is no limit."""
    years = [len(load.years) for load in loads]
    names = {key: np.repeat([getattr(load, key) for load in loads], years) for key in ("part", "name", "unit")}
    expected, limit, over, year = (
        np.concatenate([getattr(load, key) for load in loads])
        for key in ("expected", "limit", "probability_over", "years")
    )
    levels = np.concatenate([load.quantiles for load in loads], axis=1)
    quantiles = {f"quantile_{level}": row for level, row in zip(QUANTILES, levels, strict=True)}
    middle = {"year": year, "expected": expected}
    return pd.DataFrame(names | middle | quantiles | {"limit": limit, "probability_over": over})


@dataclass(frozen=True, eq=False)
class Presence:
    """Who is there on 1 January. persons: (draw, year, kind). residents: of all ages (`population`) and by age group as
    projected, (draw, year)."""

    kinds: tuple[Kind, ...]
    years: tuple[int, ...]
    persons: np.ndarray
    residents: Mapping[str, np.ndarray]

    def share(self, age_group: str | None) -> np.ndarray | float:
        """Share of residents in an age group, 0-1, (draw, year)."""
        return 1.0 if age_group is None else self.residents[age_group] / self.residents[EVERYBODY]


def loads_of(case: Case, presence: Presence) -> tuple[Load, ...]:
    """Presence, demand, recipients and cost, in this order."""
    years, none = presence.years, np.full(len(presence.years), np.nan)
    persons: dict[str, np.ndarray] = {kind: presence.persons[:, :, place] for place, kind in enumerate(presence.kinds)}
    persons["served"] = presence.persons.sum(axis=2)
    there = [Load("presence", name, "persons", years, draws, none) for name, draws in persons.items()]
    return (*there, *_demand(case, presence), *_burden(case, presence, none))


def _demand(case: Case, presence: Presence) -> Iterable[Load]:
    for service in dict.fromkeys(norm.service for norm in case.norm):
        norms = [norm for norm in case.norm if norm.service == service]
        draws = sum((_needed(norm, presence) for norm in norms), np.zeros(presence.persons.shape[:2]))
        limit = path_of([row for row in case.capacity if row.service == service], presence.years)
        yield Load("demand", service, norms[0].unit, presence.years, draws, limit)


def _needed(norm: Norm, presence: Presence) -> np.ndarray:
    weights = np.array([norm.counts.get(kind, 0.0) for kind in presence.kinds])
    return (presence.persons @ weights) * presence.share(norm.age_group) * (norm.value / norm.per)


def _burden(case: Case, presence: Presence, none: np.ndarray) -> Iterable[Load]:
    """Recipients among the residents as projected, and their cost where it is stated."""
    years = presence.years
    for benefit in dict.fromkeys(row.benefit for row in case.recipients):
        rows = [row for row in case.recipients if row.benefit == benefit]
        groups = [presence.residents[row.age_group or EVERYBODY] * (row.per_1000 / 1000) for row in rows]
        yield Load("recipients", benefit, "persons", years, np.sum(groups, axis=0), none)
        costs = [row.cost_per_recipient for row in rows]
        if rows[0].unit is not None:
            cost = np.sum([g * cost for g, cost in zip(groups, costs, strict=True) if cost is not None], axis=0)
            limit = path_of([row for row in case.budget if row.benefit == benefit], years)
            yield Load("cost", benefit, rows[0].unit, years, cost, limit)


def path_of(rows: Sequence[Capacity | Budget], years: Sequence[int]) -> np.ndarray:
    """(year): the value of the last row up to the year; NaN before the first."""
    values = dict(sorted((row.year, row.value) for row in rows))
    path = [next((values[known] for known in reversed(values) if known <= year), np.nan) for year in years]
    return np.array(path, dtype="float64")


def assumptions_of(case: Case, years: Sequence[int]) -> list[str]:
    """What the loads take for granted, a sentence each."""
    told = []
    if case.norm:
        told.append("norms stay as they are stated")
    ages = {norm.age_group for norm in case.norm if norm.age_group and set(norm.counts) - {REGISTERED}}
    if ages:
        told.append(f"{', '.join(sorted(ages))}: in other kinds of presence the same share as among residents")
    if case.recipients:
        told.append("recipients per 1,000 and cost per recipient stay as they are stated; residents as projected count")
    last = _last_years((f"capacity of {row.service}", row.year) for row in case.capacity)
    last |= _last_years((f"budget of {row.benefit}", row.year) for row in case.budget)
    return told + [f"{what} stays from {year} on" for what, year in last.items() if year < years[-1]]


def _last_years(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    last: dict[str, int] = {}
    for what, year in rows:
        last[what] = max(year, last.get(what, year))
    return last
