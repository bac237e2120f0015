"""Whole people: sums and room are kept to the person, whatever the weights."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.whole_people import luck, placed, shared_out, whole_cells


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from([1, 5, 3_000]))
def test_a_total_is_shared_out_to_the_person_within_the_room(seed, cells, most):
    rng = np.random.default_rng(seed)
    room = rng.integers(0, most + 1, (3, 2, cells)).astype(np.int32)
    total = (rng.random((3, 2)) * (room.sum(axis=-1) + 1)).astype(int)
    weights = (rng.random(room.shape) ** 8 * (rng.random(room.shape) > 0.5)).astype("float32")

    made = shared_out(total, weights, room, luck(rng, total.shape))

    assert (made.sum(axis=-1) == total).all()
    assert ((made >= 0) & (made <= room)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 30))
def test_everybody_of_a_pool_is_placed_and_every_region_gets_its_total(seed, regions, cells):
    rng = np.random.default_rng(seed)
    pool = rng.integers(0, 9, (2, cells)).astype(np.int32)
    totals = np.stack([rng.multinomial(one, np.ones(regions) / regions) for one in pool.sum(axis=1)])
    wanted = rng.random((2, regions, cells)).astype("float32")

    made = placed(pool, wanted, totals, luck(rng, totals.shape))

    assert (made >= 0).all()
    assert (made.sum(axis=1) == pool).all()
    assert (made.sum(axis=2) == totals).all()


def test_rounding_is_fair():
    expected = np.tile([0.2, 0.5, 0.05, 1.7], (20_000, 1))

    made = whole_cells(expected, luck(np.random.default_rng(0), (20_000,)))

    assert np.abs(made - expected).max() < 1
    np.testing.assert_allclose(made.mean(axis=0), expected[0], atol=0.015)
