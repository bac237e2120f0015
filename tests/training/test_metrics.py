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
    mean_absolute_error,
    pinball_loss,
    sign_agreement,
    skill,
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
