"""Balancing: the table nearest to a prior that agrees with what is stated of it, each statement within its error."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ROUNDS = 100
TOLERANCE = 0.01
"""Largest gap that is left, in standard errors or persons, whichever is larger."""
LARGEST_STEP = 2.0
"""Largest change of the log of a cell in one round."""
NOBODY = 1e-3
"""Persons below which a cell is as good as empty."""
LARGEST_LOG = 500.0
HALVINGS = 12


class BalanceError(ValueError):
    """Statements that no table of non-negative numbers comes near. `statement`: position of the one farthest off."""

    def __init__(self, name: str, gap: float, statement: int) -> None:
        self.gap, self.statement = gap, statement
        super().__init__(
            f"{name}: {abs(gap):,.0f} persons cannot be balanced in {ROUNDS} rounds; "
            "must leave room for numbers of persons that are not negative"
        )


@dataclass(frozen=True, eq=False)
class Statements:
    """What is stated of sums of cells. matrix: (statement, cell), -1, 0 or 1. error: standard errors, (statement)."""

    matrix: np.ndarray
    error: np.ndarray


@dataclass(frozen=True, eq=False)
class Balanced:
    """cells: (draw, cell). multipliers: (draw, statement); gap, what is left of each, is error² × multiplier.

    information: (draw), Kullback–Leibler distance from the prior over the dispersion, plus half the squared gaps in
    standard errors: what was minimised.
    """

    cells: np.ndarray
    multipliers: np.ndarray
    information: np.ndarray


def balance(
    prior: np.ndarray,
    dispersion: np.ndarray,
    statements: Statements,
    stated: np.ndarray,
) -> Balanced:
    """Minimise Σ [x log(x / prior) − x + prior] / dispersion + Σ (stated − matrix·x)² / 2 error² over x ≥ 0.

    Minimum information (Wilson 1970; Plane 1982; Snickers & Weibull 1977): odds ratios of the prior are kept where
    nothing is stated of them. With exact margins and one dispersion it is iterative proportional fitting; where
    statements contradict each other, their gaps are those of least squares. A prior of zero stays zero.

    prior: (draw, cell). dispersion: (cell), variance of a cell over its prior: the larger, the more it gives way; zero
    where it stays as it is.
    stated: (draw, statement).

    Newton's method on the dual, whose variables are one multiplier per statement:
    x = prior · exp(dispersion · matrixᵀ multipliers). Raises BalanceError where it does not settle.

    >>> statements = Statements(np.array([[1.0, 1.0, 0.0]]), np.array([1e-3]))
    >>> balance(np.array([[1.0, 2.0, 5.0]]), np.ones(3), statements, np.array([[6.0]])).cells.round(2)
    array([[2., 4., 5.]])
    """
    free = (dispersion > 0) & (prior > 0).any(axis=0)
    matrix = statements.matrix
    left = stated - prior[:, ~free] @ matrix[:, ~free].T
    dual = _Dual(prior[:, free], dispersion[free], matrix[:, free], statements.error, left)
    multipliers = dual.solved()
    cells = prior.copy()
    cells[:, free] = dual.cells(multipliers, slice(None))
    return Balanced(cells, multipliers, dual.information(multipliers))


class _Dual:
    """The dual of the cells that give way; tables are (draw, …), `which` says which draws."""

    def __init__(
        self, prior: np.ndarray, dispersion: np.ndarray, matrix: np.ndarray, error: np.ndarray, stated: np.ndarray
    ) -> None:
        from scipy.sparse import csr_array

        self.prior, self.dispersion, self.stated = prior, dispersion, stated
        self.variance, self.unit = error**2, np.maximum(error, 1.0)
        self.sums, self.scaled = csr_array(matrix.T), csr_array(matrix * dispersion)
        self.products = _products(matrix, dispersion)

    def cells(self, at: np.ndarray, which: np.ndarray | slice) -> np.ndarray:
        return self.prior[which] * np.exp(np.minimum(at @ self.scaled, LARGEST_LOG))

    def value(self, at: np.ndarray, which: np.ndarray) -> np.ndarray:
        mass = self.cells(at, which) @ (1 / self.dispersion)
        return mass + ((0.5 * self.variance * at - self.stated[which]) * at).sum(axis=1)

    def solved(self) -> np.ndarray:
        """Multipliers, by Newton's method; draws that have settled rest."""
        at = np.zeros(self.stated.shape)
        which, gap = np.arange(len(at)), self.stated
        for _ in range(ROUNDS):
            cells = self.cells(at[which], which)
            gap = self.stated[which] - cells @ self.sums - self.variance * at[which]
            open_ = ~(np.abs(gap / self.unit).max(axis=1, initial=0.0) < TOLERANCE)  # so is what is not a number
            if not open_.any():
                return at
            which, cells, gap = which[open_], cells[open_], gap[open_]
            at[which] = self._descended(at[which], self._step(cells, gap), gap, which)
        worst = np.unravel_index(np.abs(gap / self.unit).argmax(), gap.shape)
        raise BalanceError(f"statement {worst[1]}", float(gap[worst]), int(worst[1]))

    def _step(self, cells: np.ndarray, gap: np.ndarray) -> np.ndarray:
        count = gap.shape[1]
        curvature = (cells @ self.products).reshape(len(cells), count, count)
        step = np.linalg.solve(curvature + np.diag(self.variance + 1e-9 * self.unit), gap[..., None])[..., 0]
        change = step @ self.scaled
        # A cell that is as good as empty may fall as far as it wants; one that falls too far would not come back.
        largest = np.maximum(change, np.where(cells > NOBODY, -change, 0.0)).max(axis=1, initial=1e-12)
        return step * np.minimum(1, LARGEST_STEP / largest)[:, None]

    def _descended(self, at: np.ndarray, step: np.ndarray, gap: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Multipliers after a step that is halved, draw by draw, until the dual falls by enough (Armijo)."""
        now, slope, length = self.value(at, which), (gap * step).sum(axis=1), np.ones(len(step))
        for _ in range(HALVINGS):
            after = self.value(at + length[:, None] * step, which)
            short = after > now - 1e-4 * length * slope + 1e-9 * np.abs(now)
            if not short.any():
                break
            length = np.where(short, length / 2, length)
        return at + length[:, None] * step

    def information(self, at: np.ndarray) -> np.ndarray:
        logs = np.minimum(at @ self.scaled, LARGEST_LOG)
        distance = self.prior * (np.exp(logs) * (logs - 1) + 1)
        return distance @ (1 / self.dispersion) + 0.5 * (self.variance * at**2).sum(axis=1)


def _products(matrix: np.ndarray, dispersion: np.ndarray) -> "csr_array":
    """What each cell adds to the curvature between each two statements that count it, (cell, statement × statement)."""
    from scipy.sparse import csr_array

    count = len(matrix)
    entries, columns, starts = [], [], [0]
    for cell, scale in enumerate(dispersion):
        rows = np.flatnonzero(matrix[:, cell])
        values = matrix[rows, cell]
        entries.append(scale * np.outer(values, values).ravel())
        columns.append((rows[:, None] * count + rows).ravel())
        starts.append(starts[-1] + len(rows) ** 2)
    joined = [np.concatenate(parts) if parts else np.zeros(0) for parts in (entries, columns)]
    return csr_array((joined[0], joined[1].astype("int64"), starts), shape=(len(dispersion), count * count))
