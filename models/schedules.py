"""Schedules by age where ages are not recorded: who dies, who gives birth, who moves. Each is an assumption.

Ages are single years 0 … 99 and the open group 100+, on 1 January; sexes in the order of SEXES. A year takes everybody
from one 1 January to the next, so a rate is of those who were `age` at its beginning.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SEXES = ("female", "male")
OPEN = 100
AGES = np.arange(OPEN + 1)

SILER = (0.175, 1.40, 0.00368, 0.000075, 0.0917)
"""Gage & Dyke (1986), table 2, level 15: infant hazard, its decline, constant hazard, senescent hazard, its rise."""
EXPECTANCIES = (79.06, 70.99)
"""Life expectancy of women and men, of which the distance between the sexes is taken."""
FIRST_YEAR = 0.3
"""Part of a year that those live who die before their first birthday."""
MEAN_AGE, SPREAD = 29.7, 6.0
"""Mothers at birth: mean age and standard deviation, in years."""
FERTILE = slice(14, 50)
BOYS = 105 / 205
MOVES = (0.02, 0.1, 0.06, 0.1, 20.0, 0.4, 0.003)
"""a1, alpha1, a2, alpha2, mu2, lambda2, c of Rogers & Castro (1981): children, labour force, constant."""
RETIREMENT = (0.0, 1.0, 67.0, 0.6)
"""a3, alpha3, mu3, lambda3 of their retirement peak: of height zero, since none is known of."""
CHILDREN = 16
"""Children are below that age, as the Bureau counts them."""
MEN_RETIRE = 63
WOMEN_RETIRE = {2018: 58.5, 2019: 59, 2020: 59.5, 2021: 60, 2022: 60.5, 2023: 61, 2028: 61.5, 2029: 62, 2030: 62.5}
WOMEN_RETIRE_BEFORE, WOMEN_RETIRE_LAST = 58, 63


@dataclass(frozen=True)
class Assumption:
    """What a projection takes for granted: `value` is what was used, `source` where it is from."""

    name: str
    value: str
    source: str


ASSUMPTIONS = (
    Assumption(
        "mortality by age",
        "Siler hazard (0.175, 1.40, 0.00368, 0.000075, 0.0917) as standard, moved by Brass's logit (beta 1) until "
        "recorded deaths are reproduced",
        "Gage & Dyke (1986) table 2, level 15; Brass (1971)",
    ),
    Assumption(
        "mortality by sex",
        "the distance between life expectancies of 79.06 years (women) and 70.99 years (men), everywhere the same",
        "Bureau of National Statistics, life expectancy 2023, release of 25 April 2024",
    ),
    Assumption(
        "births by mother's age",
        "Hadwiger curve with mean 29.7 and standard deviation 6.0 years, scaled until recorded births are reproduced",
        "Hadwiger (1940), Gilje (1969); mean age of mothers 2023: Bureau of National Statistics",
    ),
    Assumption("sex of the newborn", "105 boys to 100 girls", "usual ratio; the Bureau counted 51.6 % boys in 2023"),
    Assumption(
        "migrants by age",
        "Rogers–Castro curve with its fundamental parameters, without a retirement peak, on the people who live in the "
        "region left; women and men alike. A city of students breaks this shape",
        "Rogers & Castro (1981), IIASA RR-81-30",
    ),
    Assumption("destinations", "the same for all ages of a region's migrants", "none recorded by age"),
    Assumption(
        "pension age",
        "men 63; women 61 until 2027, then half a year more each year to 63 from 2031; whole years, rounded down",
        "Social Code of Kazakhstan, article 207, as the ministry of labour explains it (lada.kz, 9 October 2025)",
    ),
)


# --- mortality ------------------------------------------------------------------------------------------------------


def standard() -> np.ndarray:
    """Survivors to exact age 0 … OPEN + 2 of the Siler standard, of one newborn."""
    child, decline, constant, old, rise = SILER
    age = np.arange(OPEN + 3)
    hazard = child / decline * (1 - np.exp(-decline * age)) + constant * age + old / rise * (np.exp(rise * age) - 1)
    return np.exp(-hazard)


@lru_cache(maxsize=1)
def _odds() -> np.ndarray:
    """Odds of having died by exact age; e to twice Brass's logit."""
    survivors = standard()
    return (1 - survivors) / survivors


def survivors(level: np.ndarray) -> np.ndarray:
    """Survivors to exact age, (…, sex, OPEN + 3), by mortality level (…): Brass's alpha, higher where more die."""
    moved = np.exp(2 * (np.asarray(level)[..., None] + sex_levels())).astype(np.asarray(level).dtype)
    return 1 / (1 + moved[..., None] * _odds().astype(moved.dtype))


def lived(level: np.ndarray) -> np.ndarray:
    """Years lived between birthdays, (…, sex, OPEN + 2), by one newborn."""
    alive = survivors(level)
    years = (alive[..., 1:] + alive[..., :-1]) / 2
    years[..., 0] = FIRST_YEAR * alive[..., 0] + (1 - FIRST_YEAR) * alive[..., 1]
    return years


def dying(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability to die before the next 1 January: (…, sex, age) of those alive on one, (…, sex) of the newborn."""
    years = lived(level)
    return 1 - years[..., 1:] / years[..., :-1], 1 - years[..., 0]


def life_expectancy(level: np.ndarray) -> np.ndarray:
    """Years at birth, (…), women and men alike in number."""
    return lived(level).sum(axis=-1).mean(axis=-1)


def level_of(life_expectancy_years: np.ndarray) -> np.ndarray:
    """Mortality level, (…), whose life expectancy is as told."""
    return bisected(lambda level: life_expectancy(level) - life_expectancy_years, np.shape(life_expectancy_years))


@lru_cache(maxsize=1)
def sex_levels() -> np.ndarray:
    """What is added to the level for women and for men."""
    odds = _odds()

    def missing(level: np.ndarray) -> np.ndarray:
        alive = 1 / (1 + np.exp(2 * level)[:, None] * odds)
        return (alive[:, 1:] + alive[:, :-1]).sum(axis=1) / 2 - np.array(EXPECTANCIES)

    women, men = bisected(missing, (2,))
    return np.array([women - men, men - women]) / 2


def bisected(excess, shape: tuple[int, ...], low: float = -4.0, high: float = 3.0) -> np.ndarray:
    """Where a function that falls from `low` to `high` is zero, to 1e-9; its ends where it is not."""
    lower, upper = np.full(shape, low), np.full(shape, high)
    for _ in range(33):
        middle = (lower + upper) / 2
        above = excess(middle) > 0
        lower, upper = np.where(above, middle, lower), np.where(above, upper, middle)
    return (lower + upper) / 2


# --- births, moves, ages of the law ---------------------------------------------------------------------------------


def fertility() -> np.ndarray:
    """Births in a year by age of women at its beginning, (age), for one child in a life: Hadwiger."""
    steep = MEAN_AGE / (np.sqrt(2) * SPREAD)
    age = AGES + 1.0  # half of the year at the age, half at the next one
    curve = (MEAN_AGE / age) ** 1.5 * np.exp(-(steep**2) * (MEAN_AGE / age + age / MEAN_AGE - 2))
    fertile = np.zeros(len(AGES))
    fertile[FERTILE] = curve[FERTILE]
    return fertile / fertile.sum()


def moving() -> np.ndarray:
    """Propensity to move by age at the beginning of the year, (age); only ratios count. Rogers & Castro."""
    (a1, alpha1, a2, alpha2, mu2, lambda2, constant), (a3, alpha3, mu3, lambda3) = MOVES, RETIREMENT
    age = AGES + 0.5
    labour = a2 * np.exp(-alpha2 * (age - mu2) - np.exp(-lambda2 * (age - mu2)))
    with np.errstate(over="ignore"):
        retired = a3 * np.exp(-alpha3 * (age - mu3) - np.exp(-lambda3 * (age - mu3)))
    return a1 * np.exp(-alpha1 * age) + labour + retired + constant


def pension_age(year: int) -> tuple[int, int]:
    """Of women and of men on 1 January, whole years.

    >>> [pension_age(year)[0] for year in (2010, 2024, 2028, 2029, 2031)]
    [58, 61, 61, 62, 63]
    """
    steps = [step for step in WOMEN_RETIRE if step <= year]
    women = WOMEN_RETIRE[max(steps)] if steps else WOMEN_RETIRE_BEFORE
    return int(WOMEN_RETIRE_LAST if year > max(WOMEN_RETIRE) else women), MEN_RETIRE


def broad_groups(year: int) -> np.ndarray:
    """Which ages are children, of working age, of pension age: (3, sex, age), true in one of the three."""
    old = np.array(pension_age(year))[:, None] <= AGES
    young = np.broadcast_to(AGES < CHILDREN, old.shape)
    return np.stack([young, ~young & ~old, old])
