"""The level of moves between regions: a path through what is stated of it."""

import numpy as np
import pytest

from features.account_level import BETWEEN_SHARE, RATE, SHARE_CHANGE, Sighting, level

YEARS = range(2010, 2020)
PEOPLE = np.full(len(YEARS), 1e6)
SHARE = (float(np.log(BETWEEN_SHARE[0])), BETWEEN_SHARE[1])


def seen(persons: float, year: int, error: float = 0.01, of_share: bool = False) -> Sighting:
    return Sighting(year, float(np.log(persons)), error, of_share)


def test_where_nothing_is_stated_a_usual_part_of_the_inhabitants_moves():
    path = level(YEARS, PEOPLE, [], SHARE)

    np.testing.assert_allclose(np.exp(path.log), RATE[0] * PEOPLE)
    assert path.error.min() > 0.5 * RATE[1]


def test_a_stated_year_is_met_and_known_the_less_the_farther_from_it():
    path = level(YEARS, PEOPLE, [seen(40_000, 2015)], SHARE)

    assert np.exp(path.log[5]) == pytest.approx(40_000, rel=0.01)
    assert (np.diff(path.error[5:]) > 0).all()
    assert (np.diff(path.error[:6]) < 0).all()


def test_of_two_figures_of_a_year_the_surer_counts_more():
    path = level(YEARS, PEOPLE, [seen(40_000, 2015, 0.01), seen(50_000, 2015, 0.1)], SHARE)

    assert np.exp(path.log[5]) == pytest.approx(40_000, rel=0.02)


def test_moves_that_include_those_inside_regions_tell_the_level_times_the_share():
    path = level(YEARS, PEOPLE, [seen(100_000, 2015, of_share=True)], SHARE)

    assert np.exp(path.log[5]) == pytest.approx(100_000 * path.share[0], rel=0.01)
    assert path.share[0] == pytest.approx(BETWEEN_SHARE[0], rel=0.1)


def test_both_kinds_of_figures_of_a_year_tell_the_share():
    sightings = [seen(30_000, 2015), seen(100_000, 2015, of_share=True)]

    path = level(YEARS, PEOPLE, sightings, SHARE)

    assert path.share[0] == pytest.approx(0.3, rel=0.03)
    assert path.share[1] < 2 * SHARE_CHANGE


def test_years_between_two_figures_lie_between_them():
    path = level(YEARS, PEOPLE, [seen(20_000, 2011), seen(40_000, 2017)], SHARE)

    assert (np.diff(path.log[1:8]) > 0).all()


def test_large_changes_that_were_seen_leave_other_years_less_sure():
    calm = level(YEARS, PEOPLE, [seen(40_000 + 400 * (year % 2), year) for year in range(2010, 2016)], SHARE)
    wild = level(YEARS, PEOPLE, [seen(40_000 + 40_000 * (year % 2), year) for year in range(2010, 2016)], SHARE)

    assert wild.yearly_change > 2 * calm.yearly_change
    assert wild.error[-1] > calm.error[-1]


def test_draws_spread_and_move_together_as_they_say():
    path = level(YEARS, PEOPLE, [seen(40_000, 2015)], SHARE)

    draws = path.draws(np.random.default_rng(1).standard_normal((4_000, len(YEARS) + 1)))

    np.testing.assert_allclose(draws.mean(axis=0), path.mean, atol=0.05)
    np.testing.assert_allclose(np.cov(draws.T), path.covariance, atol=0.03)


def test_draws_of_nearly_the_same_figures_are_nearly_the_same():
    normal = np.random.default_rng(1).standard_normal((5, len(YEARS) + 1))
    paths = [level(YEARS, PEOPLE, [seen(persons, 2015)], SHARE) for persons in (40_000, 40_000 * (1 + 1e-9))]

    np.testing.assert_allclose(paths[0].draws(normal), paths[1].draws(normal), atol=1e-7)
