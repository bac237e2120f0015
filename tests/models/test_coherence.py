"""In every draw what leaves arrives, net = inflow − out_migration, and people are whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.coherence import balance_net, reconcile, whole, whole_margins, whole_net

SPREAD = {
    name: np.full((2, 4), spread)
    for name, spread in (("inflow", 30.0), ("out_migration", 20.0), ("net_migration", 10.0))
}


def margins(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(10, 500, (50, 2, 4)), rng.uniform(10, 500, (50, 2, 4))


@settings(max_examples=100, deadline=None)
@given(
    draws=arrays(float, (3, 5), elements=st.floats(-1e6, 1e6)),
    extra=arrays(int, 3, elements=st.integers(-50, 50)),
)
def test_whole_numbers_keep_the_total_and_stay_near(draws, extra):
    totals = np.rint(draws.sum(axis=-1)) + extra

    rounded = whole(draws, totals)

    np.testing.assert_array_equal(rounded.sum(axis=-1), totals)
    assert (np.abs(rounded - draws) <= 1 + np.abs(extra[:, None])).all()


def test_whole_numbers_are_left_as_they_are():
    draws = np.random.default_rng(0).integers(-50, 50, (20, 6))

    np.testing.assert_array_equal(whole(draws.astype(float), draws.sum(axis=-1)), draws)


def test_counts_stay_counts():
    inflow, out_migration = whole_margins(np.zeros((3, 1, 4)), np.full((3, 1, 4), 0.4))

    assert inflow.min() >= 0
    assert out_migration.min() >= 0


@pytest.mark.parametrize("seed", range(20))
def test_whole_margins_have_one_sum(seed):
    rng = np.random.default_rng(seed)
    small = rng.exponential(0.7, (200, 1, 7)), rng.exponential(0.6, (200, 1, 7))

    inflow, out_migration = whole_margins(*small)

    np.testing.assert_array_equal(inflow.sum(axis=-1), out_migration.sum(axis=-1))
    assert min(inflow.min(), out_migration.min()) >= 0


def test_a_closed_country_has_no_balance():
    net = np.random.default_rng(0).normal(0, 1000, (50, 2, 4))

    assert (whole_net(balance_net(net, SPREAD["net_migration"]), balanced=True).sum(axis=-1) == 0).all()


def test_the_surest_region_gives_the_least():
    spread = np.array([[1.0, 10.0, 100.0]])

    change = balance_net(np.array([[[300.0, 0.0, 0.0]]]), spread) - [300.0, 0.0, 0.0]

    assert change.sum() == pytest.approx(-300)
    assert np.abs(change[0, 0]).tolist() == sorted(np.abs(change[0, 0]))


@pytest.mark.parametrize("with_net", [True, False])
def test_reconciled_margins_have_one_sum(with_net):
    inflow, out_migration = margins()
    net = inflow - out_migration + 5.0 if with_net else None

    inflow, out_migration = reconcile(inflow, out_migration, net, SPREAD)

    np.testing.assert_allclose(inflow.sum(axis=-1), out_migration.sum(axis=-1))
    assert min(inflow.min(), out_migration.min()) >= 0


@pytest.mark.parametrize("with_net", [True, False])
def test_what_is_coherent_is_left_as_it_is(with_net):
    inflow, out_migration = margins()
    out_migration = out_migration * inflow.sum(axis=-1, keepdims=True) / out_migration.sum(axis=-1, keepdims=True)
    net = inflow - out_migration if with_net else None

    reconciled = reconcile(inflow, out_migration, net, SPREAD)

    np.testing.assert_allclose(reconciled[0], inflow)
    np.testing.assert_allclose(reconciled[1], out_migration)


def test_a_sure_balance_moves_the_counts_and_not_itself():
    inflow, out_migration = margins()
    net = np.random.default_rng(1).normal(0, 50, (50, 2, 4))
    net -= net.mean(axis=-1, keepdims=True)

    moved = reconcile(inflow, out_migration, net, SPREAD | {"net_migration": np.full((2, 4), 1e-6)})

    np.testing.assert_allclose(moved[0] - moved[1], net, atol=1e-3)


def test_nobody_leaves_where_nobody_could():
    """Counts that would fall below zero are lifted together, so that the balance stays."""
    inflow, out_migration = np.full((1, 2, 4), 5.0), np.full((1, 2, 4), 5.0)
    net = np.tile([100.0, -100.0, 0.0, 0.0], (1, 2, 1))

    moved = reconcile(inflow, out_migration, net, SPREAD | {"net_migration": np.full((2, 4), 1e-6)})

    assert min(moved[0].min(), moved[1].min()) >= 0
    np.testing.assert_allclose(moved[0] - moved[1], net, atol=1e-3)
