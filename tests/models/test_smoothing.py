"""Small counts are averaged over many years, large ones follow their last value; raked flows have their totals."""

import numpy as np
import pytest

from features.flows import sums_by
from models.size_curve import SizeCurve
from models.smoothing import local_level, rake

YEARS = 200
ORIGIN, DESTINATION = np.array([0, 0, 1, 1, 2, 2]), np.array([1, 2, 0, 2, 0, 1])


@pytest.mark.parametrize(("size", "gain"), [(20, 0.27), (200, 0.62), (2_000, 0.92)])
def test_a_level_follows_its_last_value_the_more_the_larger_it_is(size, gain):
    counts = np.full(YEARS, float(size))
    counts[-1] = 1.1 * size

    level, before = local_level(counts, drift=0.005)

    assert (level - size) / (0.1 * size) == pytest.approx(gain, abs=0.005)
    assert before == size


def test_the_level_before_knows_nothing_of_the_last_year():
    counts = np.random.default_rng(0).poisson(30, (9, 50)).astype(float)

    level, before = local_level(counts, 0.005)

    np.testing.assert_array_equal(before, local_level(counts[:-1], 0.005)[0])
    assert (np.sign(level - before) == np.sign(counts[-1] - before)).all()


def test_one_year_is_its_own_level():
    counts = np.array([[0.0, 7.0, 900.0]])

    for level in local_level(counts, 0.005):
        np.testing.assert_array_equal(level, counts[0])


def test_a_level_stays_between_what_was_seen():
    counts = np.random.default_rng(1).poisson(5, (12, 100)).astype(float)

    level, _ = local_level(counts, 0.005)

    assert (level >= counts.min(axis=0)).all()
    assert (level <= counts.max(axis=0)).all()


def test_a_level_is_nearer_to_what_comes_than_the_last_count_is():
    counts = np.random.default_rng(2).poisson(20, (11, 500)).astype(float)

    level, _ = local_level(counts[:-1], 0.005)

    assert np.abs(counts[-1] - level).sum() < 0.85 * np.abs(counts[-1] - counts[-2]).sum()


# --- raking ---------------------------------------------------------------------------------------------------------


def test_raked_flows_have_their_totals():
    flows = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    out, into = np.array([100.0, 50.0, 50.0]), np.array([60.0, 60.0, 80.0])

    raked = rake(flows, ORIGIN, DESTINATION, out, into)

    np.testing.assert_allclose(sums_by(ORIGIN, raked, 3), out, rtol=1e-5)
    np.testing.assert_allclose(sums_by(DESTINATION, raked, 3), into, rtol=1e-5)


def test_flows_that_have_their_totals_stay():
    flows = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])

    raked = rake(flows, ORIGIN, DESTINATION, sums_by(ORIGIN, flows, 3), sums_by(DESTINATION, flows, 3))

    np.testing.assert_array_equal(raked, flows)


@pytest.mark.parametrize(
    ("out", "into"),
    [
        pytest.param([100, 50, 50], [60, 60, 80], id="possible"),
        pytest.param([100, 0, 50], [0, 60, 90], id="nobody_leaves_and_nobody_arrives"),
        pytest.param([10, 10, 180], [180, 10, 10], id="hardly_possible"),
    ],
)
def test_zeros_stay_zeros_and_nothing_falls_below(out, into):
    flows = np.array([10.0, 0.0, 30.0, 40.0, 50.0, 0.0])

    raked = rake(flows, ORIGIN, DESTINATION, np.array(out, float), np.array(into, float))

    assert (raked[flows == 0] == 0).all()
    assert (raked >= 0).all()
    assert np.isfinite(raked).all()


def test_where_zeros_make_totals_impossible_arrivals_are_met():
    flows = np.array([10.0, 0.0, 30.0, 0.0, 0.0, 60.0])
    into = np.array([100.0, 50.0, 0.0])

    raked = rake(flows, ORIGIN, DESTINATION, np.array([50.0, 50.0, 50.0]), into)

    np.testing.assert_allclose(sums_by(DESTINATION, raked, 3), into)


# --- errors by size -------------------------------------------------------------------------------------------------


def test_no_error_has_no_variance_at_any_size():
    curve = SizeCurve.fit(np.geomspace(1, 1000, 200), np.zeros(200))

    assert (curve.variance(np.array([0.0, 10.0, 1e6])) == 0).all()


@pytest.mark.parametrize(
    ("floor", "noise", "proportional"),
    [
        pytest.param(0, 1, 0, id="counting"),
        pytest.param(0, 2.5, 0, id="households"),
        pytest.param(0, 1, 0.02, id="shocks_beside"),
        pytest.param(40, 1, 0, id="floor"),
    ],
)
def test_the_variance_of_errors_is_found_at_every_size(floor, noise, proportional):
    truth = SizeCurve(floor, noise, proportional)
    size = np.random.default_rng(0).lognormal(4, 1.5, 40_000)
    errors = np.random.default_rng(1).normal(0, np.sqrt(truth.variance(size)))

    found = SizeCurve.fit(size, errors)

    at = np.array([10.0, 50.0, 200.0, 1000.0])
    np.testing.assert_allclose(found.variance(at), truth.variance(at), rtol=0.12)
