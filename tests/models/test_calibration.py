"""Intervals cover what they say, from past errors alone."""

import numpy as np
import pytest

from models.calibration import Calibration, error_scale

CUTOFFS = np.arange(1990, 2020)
SIZE = np.geomspace(100, 100_000, 40)


def calibrated(points, actual, horizons=(1,), size=SIZE, counts=False, cutoffs=CUTOFFS) -> Calibration:
    sizes = np.tile(size, (len(cutoffs), 1))
    return Calibration.fit(points, actual, cutoffs, horizons, sizes, size, counts)


def drawn(calibration: Calibration, point: np.ndarray, count: int = 2000) -> np.ndarray:
    common = np.random.default_rng(1).random(count // 2)
    return calibration.draws(point, count, np.random.default_rng(2), common)


def past_errors(seed: int, spread: np.ndarray, horizons: int = 1) -> np.ndarray:
    """Errors that are alike over years, (cutoff, horizon, region), those of the next year after the last cutoff too."""
    return np.random.default_rng(seed).normal(0, 1, (len(CUTOFFS) + 1, horizons, len(spread))) * spread


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_an_interval_covers_its_level_of_errors_that_are_alike_over_years(level):
    inside = []
    for seed in range(8):
        errors = past_errors(seed, np.sqrt(4 * SIZE))
        calibration = calibrated(np.zeros_like(errors[:-1]), errors[:-1])
        low, high = np.quantile(drawn(calibration, np.zeros((1, 40))), [(1 - level) / 2, (1 + level) / 2], axis=0)
        inside.append((errors[-1] >= low) & (errors[-1] <= high))

    assert np.mean(inside) == pytest.approx(level, abs=0.06)


def test_intervals_grow_with_the_errors_of_their_size_class():
    errors = past_errors(0, np.where(np.arange(40) < 20, 10.0, 1000.0))

    scale = calibrated(np.zeros_like(errors[:-1]), errors[:-1]).scale[0]

    assert scale[20:].min() > 10 * scale[:20].max()


@pytest.mark.parametrize("counts", [False, True], ids=["balance", "counts"])
def test_the_point_forecast_is_the_median(counts):
    point = np.tile(SIZE, (2, 1))
    actual = np.abs(SIZE + past_errors(0, SIZE / 10, 2)[:-1])

    draws = drawn(calibrated(np.tile(SIZE, (30, 2, 1)), actual, (1, 2), counts=counts), point)

    np.testing.assert_allclose(np.median(draws, axis=0), point, rtol=0.02)


def test_draws_of_a_balance_are_symmetric():
    errors = past_errors(0, SIZE)

    draws = drawn(calibrated(np.zeros_like(errors[:-1]), errors[:-1]), np.zeros((1, 40)))

    np.testing.assert_array_equal(np.sort(draws, axis=0), np.sort(-draws, axis=0))


def test_draws_of_counts_are_never_negative():
    actual = np.random.default_rng(0).poisson(3, (30, 1, 40)).astype(float)

    draws = drawn(calibrated(np.full_like(actual, 3.0), actual, size=np.full(40, 3.0), counts=True), np.zeros((1, 40)))

    assert draws.min() >= 0


def test_a_region_whose_last_count_is_zero_has_futures_within_what_was_seen():
    """Errors of its better years are no ratios to nothing."""
    actual = np.random.default_rng(0).poisson(SIZE, (30, 1, 40)).astype(float)
    points = np.roll(actual, 1, axis=0)
    actual[-1, 0, 20] = 0.0

    draws = drawn(calibrated(points, actual, counts=True), np.where(np.arange(40) == 20, 0.0, SIZE)[None])

    assert draws[:, 0, 20].max() < 3 * SIZE[20]


def test_intervals_widen_where_cutoffs_are_few():
    errors = past_errors(0, SIZE)[:-1]

    wide = calibrated(np.zeros((2, 1, 40)), errors[:2], cutoffs=CUTOFFS[:2]).scale
    narrow = calibrated(np.zeros_like(errors), errors).scale

    assert np.median(wide / narrow) > 1.2


def test_a_horizon_without_an_outcome_grows_from_the_one_before():
    errors = past_errors(0, SIZE, 2)[:-1]
    errors[:, 1] = np.nan

    scale = calibrated(np.zeros_like(errors), errors, (1, 2)).scale

    np.testing.assert_allclose(scale[1], scale[0] * np.sqrt(2))


def test_an_error_is_scaled_by_what_was_known_at_its_cutoff():
    """A later shock leaves the scaled errors of the years before it unchanged, to the bit."""
    errors = past_errors(0, SIZE)[:-1]
    shocked = errors.copy()
    shocked[20:] *= 50

    before, after = (calibrated(np.zeros_like(one), one).errors for one in (errors, shocked))

    np.testing.assert_array_equal(before[:20], after[:20])


def test_regions_that_missed_together_are_drawn_together():
    together = np.random.default_rng(0).normal(0, 1, (30, 1, 1)) * SIZE

    draws = drawn(calibrated(np.zeros((30, 1, 40)), together), np.zeros((1, 40)))[:, 0]

    assert np.corrcoef(draws[:, 0], draws[:, 39])[0, 1] > 0.9


def test_no_outcome_at_all_is_refused():
    nothing = np.full((3, 1, 40), np.nan)

    with pytest.raises(ValueError, match="at least two years of values are needed"):
        calibrated(nothing, nothing, cutoffs=CUTOFFS[:3])


def test_a_region_without_errors_gets_what_its_size_lets_expect():
    missed = np.tile(np.sqrt(SIZE), (10, 1))
    missed[:, 7] = np.nan

    assert error_scale(missed, SIZE)[7] == pytest.approx(np.sqrt(SIZE[7]), rel=0.01)


def test_regions_have_no_order():
    errors, order = past_errors(0, SIZE)[:-1], np.random.default_rng(5).permutation(40)

    scale = calibrated(np.zeros_like(errors), errors).scale
    other = calibrated(np.zeros_like(errors), errors[..., order], size=SIZE[order]).scale

    np.testing.assert_allclose(other, scale[:, order])


@pytest.mark.parametrize("counts", [False, True], ids=["balance", "counts"])
def test_twice_the_people_is_twice_the_error(counts):
    """Noise in proportion to size: doubling every person doubles the scale."""
    actual = SIZE * np.random.default_rng(0).lognormal(0, 0.2, (30, 1, 40))
    points = np.tile(SIZE, (30, 1, 1))

    once, twice = (calibrated(k * points, k * actual, size=k * SIZE, counts=counts).scale for k in (1, 2))

    np.testing.assert_allclose(twice, 2 * once, rtol=0.02)
