"""Scores agree with their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.metrics import (
    common_part_of_commuters,
    crps,
    interval_coverage,
    mass_inside,
    mean_absolute_error,
    mean_pinball_loss,
    pinball_loss,
    r_squared,
    sign_agreement,
    skill,
    sorted_crps,
    wape,
)

ACTUAL = np.array([120.0, -40.0, 0.0, 7.0])


def test_a_perfect_forecast_scores_0():
    assert wape(ACTUAL, ACTUAL) == 0
    assert mean_absolute_error(ACTUAL, ACTUAL) == 0
    assert crps(ACTUAL, np.tile(ACTUAL, (9, 1))) == 0
    assert pinball_loss(ACTUAL, ACTUAL, 0.9) == 0


def test_a_perfect_forecast_has_every_sign_and_every_commuter():
    assert sign_agreement(ACTUAL, ACTUAL) == 1
    assert common_part_of_commuters(np.array([3, 4]), np.array([3, 4])) == 1
    assert skill(0.0, 10.0) == 1


def test_persistence_has_no_skill_against_itself():
    assert skill(10.0, 10.0) == 0


def test_skill_where_persistence_is_perfect_is_none():
    assert skill(0.0, 0.0) == 0


def crps_by_integral(actual: float, draws: np.ndarray) -> float:
    """∫ (F(x) − 1[x ≥ y])² dx of the draws' distribution function (Matheson & Winkler 1976)."""
    points = np.sort(np.append(draws, actual))
    below = np.searchsorted(np.sort(draws), points[:-1], side="right") / len(draws)
    return float((np.diff(points) * (below - (points[:-1] >= actual)) ** 2).sum())


@settings(max_examples=100, deadline=None)
@given(draws=arrays(float, 7, elements=st.floats(-1e4, 1e4)), actual=st.floats(-1e4, 1e4))
def test_crps_is_the_integral_of_the_textbook(draws, actual):
    assert crps(np.array([actual]), draws[:, None]) == pytest.approx(crps_by_integral(actual, draws), abs=1e-6)


def test_crps_of_one_draw_is_the_absolute_error():
    assert crps(ACTUAL, np.zeros((1, 4))) == mean_absolute_error(ACTUAL, np.zeros(4))


def test_crps_rewards_spread_only_where_it_is_needed():
    sharp, wide = np.random.default_rng(0).normal(0, [[1.0], [5.0]], (2, 4000))
    outcome = np.array([0.3])

    assert crps(outcome, sharp[:, None]) < crps(outcome, wide[:, None])
    assert crps(outcome + 9, sharp[:, None]) > crps(outcome + 9, wide[:, None])


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_pinball_loss_is_least_at_the_true_quantile(level):
    outcomes = np.random.default_rng(0).normal(0, 1, 20_000)
    tries = np.quantile(outcomes, [level - 0.08, level, level + 0.08])

    losses = [pinball_loss(outcomes, np.full_like(outcomes, guess), level) for guess in tries]

    assert np.argmin(losses) == 1


def test_twice_the_mean_pinball_loss_over_levels_is_the_crps():
    draws = np.random.default_rng(0).normal(0, 1, 20_000)
    levels = np.linspace(0.005, 0.995, 100)

    losses = [pinball_loss(np.array([0.7]), np.quantile(draws, [level]), level) for level in levels]

    assert 2 * np.mean(losses) == pytest.approx(crps(np.array([0.7]), draws[:, None]), rel=0.01)


@pytest.mark.parametrize(
    ("lower", "upper", "covered"),
    [
        pytest.param(-1000, 1000, 1.0, id="all"),
        pytest.param(0, 7, 0.5, id="ends_belong_to_it"),
        pytest.param(1, 2, 0.0, id="none"),
    ],
)
def test_coverage_counts_outcomes_inside(lower, upper, covered):
    assert interval_coverage(ACTUAL, np.full(4, lower), np.full(4, upper)) == covered


def test_errors_grow_with_the_size_of_what_is_forecast_and_wape_does_not():
    forecast = ACTUAL + 10

    assert wape(2 * ACTUAL, 2 * forecast) == wape(ACTUAL, forecast)
    assert mean_absolute_error(2 * ACTUAL, 2 * forecast) == 2 * mean_absolute_error(ACTUAL, forecast)


# --- many outcomes at once ------------------------------------------------------------------------------------------


def test_crps_is_the_mean_of_that_of_each_outcome():
    draws = np.random.default_rng(0).normal(0, 50, (99, 4))

    each = sorted_crps(ACTUAL, np.sort(draws, axis=0))

    assert each.mean() == pytest.approx(crps(ACTUAL, draws))
    for i, outcome in enumerate(ACTUAL):
        assert each[i] == pytest.approx(crps_by_integral(outcome, draws[:, i]))


def test_the_mean_pinball_loss_is_that_of_each_level():
    levels = (0.1, 0.5, 0.9)
    quantiles = np.array([[90.0, -60, -1, 0], [100, -50, 0, 5], [130, -20, 4, 20]])

    by_level = [pinball_loss(ACTUAL, quantile, level) for quantile, level in zip(quantiles, levels, strict=True)]

    assert mean_pinball_loss(ACTUAL, quantiles, levels).mean() == pytest.approx(np.mean(by_level))


@pytest.mark.parametrize("mean", [0.1, 1, 30], ids=["mostly_zero", "small", "large"])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_outcomes_of_the_law_that_was_forecast_have_the_mass_of_the_level(mean, level):
    """Also where most of them are zero, and an interval that holds zero covers more than it says."""
    rng = np.random.default_rng(0)
    outcomes, draws = rng.poisson(mean, 4_000), np.sort(rng.poisson(mean, (4_000, 500)), axis=1)

    mass = mass_inside(outcomes, draws, ((1 - level) / 2, (1 + level) / 2))

    assert mass.mean() == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize(
    ("outcome", "inside"),
    [
        pytest.param(5.5, 1, id="between_draws_in_the_middle"),
        pytest.param(0.5, 0, id="between_draws_in_the_tail"),
        pytest.param(-3, 0, id="below_all"),
        pytest.param(99, 0, id="above_all"),
    ],
)
def test_an_outcome_that_no_draw_equals_is_inside_or_not(outcome, inside):
    assert mass_inside(np.array([outcome]), np.arange(10.0)[None], (0.2, 0.8)).tolist() == [inside]


# --- whole matrices -------------------------------------------------------------------------------------------------

CELLS, FORECAST = np.array([10.0, 0.0, 30.0, 60.0]), np.array([20.0, 5.0, 25.0, 50.0])


def test_r_squared_of_the_mean_is_0_and_of_the_outcome_1():
    assert r_squared(CELLS, CELLS, 4) == 1
    assert r_squared(CELLS, np.full(4, 25.0), 4) == 0


def test_cells_that_are_zero_in_both_need_not_be_given():
    given, left_out = np.append(CELLS, [0, 0]), np.append(FORECAST, [0, 0])

    assert r_squared(CELLS, FORECAST, 6) == pytest.approx(r_squared(given, left_out, 6))
    assert common_part_of_commuters(CELLS, FORECAST) == common_part_of_commuters(given, left_out)


def test_common_commuters_are_of_both():
    assert common_part_of_commuters(CELLS, FORECAST) == common_part_of_commuters(FORECAST, CELLS)
    assert common_part_of_commuters(CELLS, 0 * CELLS) == 0
    assert common_part_of_commuters(7 * CELLS, 7 * FORECAST) == pytest.approx(common_part_of_commuters(CELLS, FORECAST))
