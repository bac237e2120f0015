"""Schedules have the shapes and levels that their sources give them."""

import numpy as np
import pytest

from models import schedules
from models.schedules import AGES, SEXES


def test_more_die_at_a_higher_level_and_men_live_as_much_shorter_as_told():
    level = np.linspace(-1.5, 0.5, 9)

    assert (np.diff(schedules.life_expectancy(level)) < 0).all()
    women, men = schedules.lived(schedules.level_of(np.array(75.0))).sum(axis=-1)
    assert women - men == pytest.approx(79.06 - 70.99, abs=0.2)


@pytest.mark.parametrize("years", [55.0, 65.0, 75.0, 85.0])
def test_a_life_expectancy_has_its_level(years):
    assert schedules.life_expectancy(schedules.level_of(np.array(years))) == pytest.approx(years, abs=1e-6)


def test_probabilities_of_dying_are_probabilities_and_rise_after_childhood():
    alive, newborn = schedules.dying(np.array([-1.0, 0.0], dtype="float32"))

    assert alive.shape == (2, len(SEXES), len(AGES))
    assert alive.dtype == np.float32
    assert ((alive > 0) & (alive < 1)).all()
    assert ((newborn > 0) & (newborn < 1)).all()
    assert (np.diff(alive[..., 15:95], axis=-1) > 0).all()


def test_the_standard_is_that_of_gage_and_dyke():
    age = np.linspace(0, 60, 60_001)
    hazard = 0.175 * np.exp(-1.40 * age) + 0.00368 + 0.000075 * np.exp(0.0917 * age)
    total = ((hazard[1:] + hazard[:-1]) / 2).sum() * (age[1] - age[0])

    assert schedules.standard()[60] == pytest.approx(np.exp(-total), rel=1e-6)


def test_one_child_in_a_life_at_the_mean_age_told():
    curve = schedules.fertility()

    assert curve.sum() == pytest.approx(1)
    assert (curve * (AGES + 1)).sum() == pytest.approx(29.7, abs=0.3)
    assert curve[AGES < 14].sum() == curve[AGES > 50].sum() == 0


def test_movers_are_young_adults_and_their_children():
    curve = schedules.moving()

    assert 20 <= curve.argmax() <= 25
    assert curve[0] > curve[14] < curve[22] > curve[60]


@pytest.mark.parametrize(
    ("year", "women"), [(2017, 58), (2019, 59), (2020, 59), (2023, 61), (2027, 61), (2028, 61), (2029, 62), (2031, 63)]
)
def test_women_retire_as_the_law_says(year, women):
    assert schedules.pension_age(year) == (women, 63)


def test_everybody_is_in_one_broad_group():
    groups = schedules.broad_groups(2024)

    assert (groups.sum(axis=0) == 1).all()
    assert groups[2, SEXES.index("female")].argmax() == 61
