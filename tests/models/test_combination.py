"""Weights of the combination lie on the simplex and go to the members that were right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.combination import MEMBERS, NAME, combination_weights
from models.track_record import past_cutoffs, track_record
from tests.tables import kazakhstan


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), cutoffs=st.integers(0, 8), scale=st.sampled_from([1e-2, 1.0, 1e6]))
def test_weights_lie_on_the_simplex(seed, cutoffs, scale):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, scale, (4, cutoffs, 5))

    weights = combination_weights(points, rng.normal(0, scale, (cutoffs, 5)), np.full(5, scale))

    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()


def test_a_member_that_was_always_right_gets_all_but_the_shrinkage():
    rng = np.random.default_rng(0)
    actual = rng.normal(0, 100, (20, 6))
    points = np.stack([actual, *rng.normal(0, 100, (3, 20, 6))])

    weights = combination_weights(points, actual, np.full(6, 100.0))

    shrink = 4 / (4 + 20)
    assert weights[0] == pytest.approx((1 - shrink) + shrink / 4, abs=0.01)


def test_cells_that_are_not_known_do_not_count():
    rng = np.random.default_rng(0)
    actual, points = rng.normal(0, 100, (6, 3)), rng.normal(0, 100, (2, 6, 3))
    unknown = np.vstack([actual, np.full((2, 3), np.nan)])
    longer = np.concatenate([points, rng.normal(0, 100, (2, 2, 3))], axis=1)

    np.testing.assert_allclose(
        combination_weights(longer, unknown, np.ones(3)), combination_weights(points, actual, np.ones(3))
    )


def test_weights_see_only_outcomes_that_are_known():
    dataset = kazakhstan()
    record = track_record(dataset.as_of(2014), "net_migration", past_cutoffs(dataset, "net_migration", 2012), (1, 2))

    early = record.weights(dataset, 2009)
    vintage = record.before(2009).weights(dataset.as_of(2009), 2009)

    for horizon in (1, 2):
        np.testing.assert_array_equal(early[horizon], vintage[horizon])
    assert record.points[NAME].shape == record.points[MEMBERS[0]].shape
