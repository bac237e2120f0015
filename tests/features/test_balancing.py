"""Balancing finds the table nearest to a prior that agrees with what is stated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.balancing import BalanceError, Statements, balance

EXACT = 1e-4


def sums_of(side: int) -> np.ndarray:
    """Rows of a table, then its columns, as sums of its cells."""
    rows, columns = np.zeros((side, side, side)), np.zeros((side, side, side))
    for place in range(side):
        rows[place, place], columns[place, :, place] = 1, 1
    return np.concatenate([rows, columns]).reshape(2 * side, -1)


def fitted_in_turn(prior: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    table = prior.copy()
    for _ in range(2_000):
        table *= (rows / table.sum(axis=1))[:, None]
        table *= columns / table.sum(axis=0)
    return table


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_with_exact_sums_it_is_iterative_proportional_fitting(seed):
    rng = np.random.default_rng(seed)
    prior, truth = rng.lognormal(4, 1, (2, 4, 4))
    np.fill_diagonal(prior, 0)
    np.fill_diagonal(truth, 0)
    rows, columns = truth.sum(axis=1), truth.sum(axis=0)
    stated = 1e4 * np.concatenate([rows, columns])

    found = balance(1e4 * prior.reshape(1, -1), np.ones(16), Statements(sums_of(4), np.full(8, EXACT)), stated[None])

    expected = 1e4 * fitted_in_turn(prior, rows, columns)
    np.testing.assert_allclose(found.cells.reshape(4, 4), expected, rtol=1e-6, atol=1e-2)


@given(st.floats(1, 50), st.floats(1, 50), st.integers(500, 2_000), st.integers(500, 2_000))
@settings(max_examples=20, deadline=None)
def test_what_contradicts_is_split_as_by_least_squares(error, other_error, stated, other):
    """Of a cell that gives way at will."""
    statements = Statements(np.ones((2, 1)), np.array([error, other_error]))

    found = balance(np.array([[1_000.0]]), np.array([1e5]), statements, np.array([[stated, other]], dtype="float64"))

    weights = np.array([error, other_error]) ** -2.0
    assert found.cells[0, 0] == pytest.approx(weights @ [stated, other] / weights.sum(), rel=1e-3)


def test_gaps_are_squared_error_times_multiplier():
    statements = Statements(np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([30.0, 50.0]))

    found = balance(np.array([[400.0, 600.0]]), np.ones(2) * 100, statements, np.array([[1_500.0, 300.0]]))

    gap = np.array([1_500.0, 300.0]) - found.cells[0] @ statements.matrix.T
    np.testing.assert_allclose(gap, statements.error**2 * found.multipliers[0], atol=0.5)


def test_a_cell_of_zero_stays_zero():
    found = balance(
        np.array([[0.0, 5.0]]), np.ones(2), Statements(np.ones((1, 2)), np.array([0.1])), np.array([[80.0]])
    )

    assert found.cells[0, 0] == 0
    assert found.cells[0, 1] == pytest.approx(80, abs=0.1)


def test_a_cell_without_dispersion_stays_as_it_is():
    statements = Statements(np.ones((1, 2)), np.array([0.1]))

    found = balance(np.array([[30.0, 5.0]]), np.array([0.0, 1.0]), statements, np.array([[80.0]]))

    np.testing.assert_allclose(found.cells, [[30, 50]], atol=0.1)


def test_a_prior_that_agrees_is_kept_and_no_information_added():
    statements = Statements(sums_of(2), np.full(4, 1.0))
    prior = np.array([[10.0, 20.0, 30.0, 40.0]])

    found = balance(prior, np.ones(4), statements, prior @ statements.matrix.T)

    np.testing.assert_array_equal(found.cells, prior)
    assert found.information[0] == 0


def test_draws_are_balanced_each_by_itself():
    rng = np.random.default_rng(1)
    prior, stated = rng.lognormal(5, 1, (3, 4)), rng.lognormal(6, 0.3, (3, 1))
    statements = Statements(np.array([[1.0, 1.0, 1.0, 0.0]]), np.array([1.0]))

    together = balance(prior, np.ones(4), statements, stated).cells
    alone = [
        balance(one[None], np.ones(4), statements, told[None]).cells[0] for one, told in zip(prior, stated, strict=True)
    ]

    np.testing.assert_allclose(together, alone, rtol=1e-9)


@given(st.floats(2, 50))
@settings(max_examples=10, deadline=None)
def test_all_numbers_times_a_factor_give_the_table_times_it(factor):
    statements, prior, stated = sums_of(2)[:3], np.array([[900.0, 700.0, 300.0, 500.0]]), [1_200.0, 1_000.0, 1_500.0]

    one, other = (
        balance(
            by * prior, np.full(4, 10.0 * by), Statements(statements, np.full(3, 20.0 * by)), by * np.array([stated])
        )
        for by in (1.0, factor)
    )

    np.testing.assert_allclose(other.cells, factor * one.cells, rtol=1e-3)


def test_a_cell_may_fall_to_nothing_in_few_rounds():
    """What is left for it is less than nothing, within errors."""
    statements = Statements(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([1.0, 400.0]))

    found = balance(
        np.array([[300_000.0, 5_000.0]]), np.array([3_000.0, 3_000.0]), statements, np.array([[3e5, 2.9e5]])
    )

    assert found.cells[0, 1] == pytest.approx(0, abs=1e-3)


def test_what_leaves_no_room_is_one_clear_error():
    statements = Statements(np.ones((1, 2)), np.array([0.0]))

    with pytest.raises(BalanceError, match=r"statement 0: 50 persons cannot be balanced .* not negative") as error:
        balance(np.array([[10.0, 20.0]]), np.ones(2), statements, np.array([[-50.0]]))

    assert error.value.statement == 0
