"""The prior of the balanced record: tables of accounts before any figure of their year but its level."""

from dataclasses import dataclass

import numpy as np

from features.account_gravity import Surroundings
from features.account_noise import ABROAD_SPREAD, INSIDE_SPREAD, MARGIN_SPREAD, Noise
from features.evidence import Evidence

ABROAD_RATE = 0.001
"""Moves from, and to, abroad for each inhabitant where the country's total is not stated."""
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Pattern:
    """What fitted tables have beyond the prior: factors of pairs, of moves inside and of moves from and to abroad.

    pair: (draw, part, part). inside: (draw, part). abroad: (draw, 2, part), from and to.
    """

    pair: Array
    inside: Array
    abroad: Array


@dataclass(frozen=True, eq=False)
class Prior:
    """Tables of accounts before any figure of the year but its level. gravity: (draw, year, part, part), shares."""

    told: Evidence
    around: Surroundings
    noise: Noise
    gravity: Array

    @property
    def first_pattern(self) -> Pattern:
        """Where nothing has been fitted yet: what regions may have beyond their population, by draw."""
        ends = np.exp(self.noise.ends)
        return Pattern(ends[:, 0, :, None] * ends[:, 1, None, :], np.exp(self.noise.inside), np.exp(self.noise.abroad))

    def tables(self, year: int, level: Array, share: Array, pattern: Pattern, drift: Array) -> Array:
        """(draw, account, account). level: moves between parts, share: of all moves in the country, each (draw).
        drift: (draw, 2, part), logs."""
        place = self.told.years.index(year)
        people = self.around.population[place]
        parts, draws = len(people), len(level)
        tables = np.zeros((draws, parts + 1, parts + 1))
        ends = np.exp(drift)
        between = self.gravity[:draws, place] * pattern.pair * ends[:, 0, :, None] * ends[:, 1, None, :]
        tables[:, :-1, :-1] = level[:, None, None] * between / between.sum(axis=(1, 2), keepdims=True)
        if self._counts_inside:
            inside = (level / share - level)[:, None] * parts_of_one(people * pattern.inside)
            tables[:, np.arange(parts), np.arange(parts)] = inside
        if self._counts_abroad:
            coming, leaving = self._abroad(year)
            tables[:, -1, :-1] = coming * parts_of_one(people * pattern.abroad[:, 0])
            tables[:, :-1, -1] = leaving * parts_of_one(people * pattern.abroad[:, 1])
        known = self.told.recorded_cells(year)
        tables[:, known] = np.nan_to_num(self.told.recorded[year])[known[:-1, :-1]] if known.any() else 0.0
        return tables

    @property
    def _counts_inside(self) -> bool:
        return bool((self.told.rows["scope"] == "within_country").any())

    @property
    def _counts_abroad(self) -> bool:
        return bool(self.told.rows["scope"].isin(["abroad", "all"]).any())

    def _abroad(self, year: int) -> tuple[float, float]:
        """Persons that came from and went abroad, as stated of the country or as many as usually do."""
        rows = self.told.of(year)
        rows = rows[(rows["region"] == "") & (rows["scope"] == "abroad")]
        usual = ABROAD_RATE * self.around.population[self.told.years.index(year)].sum()
        stated = [rows.loc[rows["measure"] == measure, "persons"] for measure in ("arrivals", "departures")]
        coming, leaving = (float(one.iloc[0]) if len(one) else usual for one in stated)
        return max(coming, 1.0), max(leaving, 1.0)

    def dispersion(self, year: int, table: Array) -> Array:
        """Variance over prior, (cell): as large as makes the sums of a region spread as its figures do; none of what is
        recorded."""
        parts = len(table) - 1
        inside = np.eye(parts + 1, dtype=bool)
        sums = np.full(table.shape, max(table[:-1, :-1][~inside[:-1, :-1]].sum() / parts, 1.0))
        sums[inside] = max(np.diag(table).sum() / parts, 1.0)
        sums[-1], sums[:, -1] = max(table[-1].sum() / parts, 1.0), max(table[:, -1].sum() / parts, 1.0)
        spread = np.full(table.shape, MARGIN_SPREAD)
        spread[inside] = INSIDE_SPREAD
        spread[-1] = spread[:, -1] = ABROAD_SPREAD
        return np.where(self.told.recorded_cells(year), 0.0, spread**2 * sums).ravel()

    def pattern(self, found: dict[int, Array]) -> Pattern:
        """Mean over years of what fitted tables have beyond what distance and population say."""
        places = [self.told.years.index(year) for year in found]
        tables = np.stack(list(found.values()), axis=1)
        off = ~np.eye(len(self.told.parts), dtype=bool)
        between = tables[:, :, :-1, :-1] * off
        between = (between / between.sum(axis=(2, 3), keepdims=True)).mean(axis=1)
        gravity = self.gravity[:, places].mean(axis=1)
        people = parts_of_one(self.around.population[places]).mean(axis=0)
        inside = parts_of_one(np.diagonal(tables, axis1=2, axis2=3)[..., :-1]).mean(axis=1)
        abroad = np.stack([parts_of_one(tables[:, :, -1, :-1]), parts_of_one(tables[:, :, :-1, -1])], axis=2)
        return Pattern(
            np.where(off, between / np.where(off, gravity, 1.0), 0.0), inside / people, abroad.mean(axis=1) / people
        )


def parts_of_one(values: Array) -> Array:
    return values / np.maximum(values.sum(axis=-1, keepdims=True), 1e-9)
