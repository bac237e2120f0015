"""Age structure: people by region, sex and single year of age on the 1 January after a cutoff.

Cohorts are carried from the first year that is known to the cutoff with recorded births, deaths and balances, and made
to agree with every figure on the way: population, the sexes, broad age groups, `population_by_age`. Older than the
history is only the first year's pattern: a stable population whose growth is such that recorded deaths come out of the
recorded life expectancy (Preston, Heuveline & Guillot 2001, ch. 7).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.remembered import remembered
from models import schedules
from models.schedules import AGES, BOYS, OPEN, SEXES, Assumption
from models.vital_history import VitalHistory, vital_history
from models.whole_people import shared_out

BIRTHS = np.array([1 - BOYS, BOYS])
EXPECTED_YEARS = 70.0
"""Life expectancy of the first year where none is recorded."""
GROWTH = (-0.04, 0.06)
"""Range of the growth of a stable population."""
LED = 10
"""Ages over which the first year's pattern is led to the first recorded births."""
RAKED = 20
FRESH = 5
"""Years in which a recorded age structure stays known by its cohorts."""

RECONSTRUCTED = Assumption(
    "age structure",
    "reconstructed: cohorts of recorded births, deaths and balances, raked to population, sexes and broad age groups; "
    "above them a stable population; estimated",
    "Preston, Heuveline & Guillot (2001), ch. 7",
)
RECORDED = Assumption("age structure", "table population_by_age, single years by the reconstructed cohorts", "dataset")


@dataclass(frozen=True, eq=False)
class AgeStructure:
    """persons: whole, (region, sex, age), on 1 January of `year`; basis by region: `derived` or `estimated`.

    fertility: children of a woman over her life, (year, region), by the schedule; mortality: level of the schedule,
    (year, region): what reproduces recorded births and deaths in the years of `history`.
    """

    year: int
    regions: tuple[str, ...]
    persons: np.ndarray
    basis: dict[str, str]
    fertility: np.ndarray
    mortality: np.ndarray
    history: VitalHistory

    @property
    def assumption(self) -> Assumption:
        return RECORDED if "derived" in self.basis.values() else RECONSTRUCTED


@remembered(32)
def age_structure(known: Dataset, cutoff: int, regions: tuple[str, ...]) -> AgeStructure:
    """Of regions that stand at the cutoff, or units, from a vintage.

    Raises HistoryError where population, births, deaths or balances of the cutoff year are not known.
    """
    history = vital_history(known, cutoff, regions)
    table = _Recorded(history)
    people, fertility, mortality = table.fitted(_first(history), 0), [], []
    for row in range(len(history.years)):
        moved = _movers(people, history.net[row])
        children, level, people = _next_year(people, moved, history.births[row], history.deaths[row])
        fertility.append(children)
        mortality.append(level)
        if row + 1 < len(history.years):
            people = table.fitted(people, row + 1)
    total = (history.population[-1] + history.births[-1] - history.deaths[-1] + history.net[-1]).round().astype(int)
    cells = people.reshape(len(regions), -1)
    whole = shared_out(
        total, cells, np.broadcast_to(total[:, None], cells.shape).astype(np.int32), np.full(len(total), 0.5)
    )
    basis = {region: table.basis(region, cutoff) for region in regions}
    persons = whole.reshape(people.shape).astype(np.int32)
    return AgeStructure(cutoff + 1, regions, persons, basis, np.stack(fertility), np.stack(mortality), history)


def _first(history: VitalHistory) -> np.ndarray:
    """Stable populations of the first year, (region, sex, age), summing to its population."""
    years = history.life_expectancy[0]
    level = schedules.level_of(np.where(np.isnan(years), EXPECTED_YEARS, years))
    alive, risk = BIRTHS[:, None] * schedules.lived(level)[..., : OPEN + 1], schedules.dying(level)[0]
    led = np.clip(1 - (AGES + 0.5) / LED, 0, None)

    def pattern(growth: np.ndarray) -> np.ndarray:
        people = alive * np.exp(-growth[:, None, None] * (AGES + 0.5))
        births = history.population[0] / people.sum(axis=(1, 2))
        people = people * ((history.births[0] / births)[:, None, None] ** led)
        return people * (history.population[0] / people.sum(axis=(1, 2)))[:, None, None]

    def excess(growth: np.ndarray) -> np.ndarray:
        return (pattern(growth) * risk).sum(axis=(1, 2)) - history.deaths[0]

    return pattern(schedules.bisected(excess, years.shape, *GROWTH))


def _movers(people: np.ndarray, net: np.ndarray) -> np.ndarray:
    """Balances by cell: who comes is as old as movers of the whole country, who leaves as movers of the region."""
    movers = schedules.moving() * people
    everywhere = np.broadcast_to(movers.sum(axis=0), movers.shape)
    weights = np.where(net[:, None, None] > 0, everywhere, movers)
    moved = np.nan_to_num(net)[:, None, None] * weights / weights.sum(axis=(1, 2), keepdims=True)
    return np.maximum(moved, -people)


def _next_year(
    people: np.ndarray, moved: np.ndarray, births: np.ndarray, deaths: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Children of a woman, mortality level, and the people of the next 1 January."""
    exposed = people + moved / 2
    newborn = births[:, None] * BIRTHS

    def excess(level: np.ndarray) -> np.ndarray:
        alive, young = schedules.dying(level)
        return deaths - (alive * exposed).sum(axis=(1, 2)) - (young * newborn).sum(axis=1)

    level = schedules.bisected(excess, births.shape)
    risk, young = schedules.dying(level)
    children = births / (exposed[:, SEXES.index("female")] * schedules.fertility()).sum(axis=1)
    return children, level, aged(np.maximum(people + moved - risk * exposed, 0.0), newborn * (1 - young))


def aged(people: np.ndarray, newborn: np.ndarray) -> np.ndarray:
    """A year older, (…, sex, age): the newborn, (…, sex), are of age 0; the open group keeps its people."""
    older = np.empty_like(people)
    older[..., 0] = newborn
    older[..., 1:] = people[..., :-1]
    older[..., -1] += people[..., -1]
    return older


class _Recorded:
    """What is known of the people of a year, and people made to agree with it."""

    def __init__(self, history: VitalHistory) -> None:
        self._history = history
        rows = history.by_age
        self._by_age = dict(iter(rows.groupby(["region", "year"])))

    def fitted(self, people: np.ndarray, row: int) -> np.ndarray:
        """People of the year of a row of the history."""
        history, year = self._history, self._history.years[row]
        groups = schedules.broad_groups(year)
        people = people.copy()
        for place, region in enumerate(history.regions):
            own, told = people[place], self._by_age.get((region, year))
            if told is not None:
                own = _as_recorded(own, told)
            total = history.population[row, place]
            own = _raked(own, total, history.women[row, place], history.groups[row, place], groups)
            people[place] = own * (total / own.sum())
        return people

    def basis(self, region: str, cutoff: int) -> str:
        rows = self._history.by_age
        recorded = rows.loc[rows["region"] == region, "year"]
        return "derived" if (recorded > cutoff - FRESH).any() else "estimated"


def _as_recorded(people: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    people = people.copy()
    for sex, group, persons in zip(rows["sex"], rows["age_group"], rows["persons"], strict=True):
        cells = people[SEXES.index(sex), ages_of(group)]
        # Nobody where there was nobody yet: then all ages of the group alike.
        weights = cells if cells.sum() > 0 else np.ones_like(cells)
        people[SEXES.index(sex), ages_of(group)] = persons * weights / weights.sum()
    return people


def ages_of(group: str) -> slice:
    """Of a group like `5-9` or `85+`.

    >>> ages_of("85+"), ages_of("5-9")
    (slice(85, 101, None), slice(5, 10, None))
    """
    if group.endswith("+"):
        return slice(int(group[:-1]), OPEN + 1)
    lower, upper = group.split("-")
    return slice(int(lower), int(upper) + 1)


def _raked(people: np.ndarray, total: float, women: float, told: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """With the share of women, and of broad age groups, where they are told."""
    shares = np.array([women, 1 - women])
    for _ in range(RAKED):
        if not np.isnan(women):
            people = people * (total * shares / people.sum(axis=1))[:, None]
        if not np.isnan(told).any():
            wanted = total * told / told.sum()
            people = (groups * (wanted / (groups * people).sum(axis=(1, 2)))[:, None, None] * people).sum(axis=0)
    return people
