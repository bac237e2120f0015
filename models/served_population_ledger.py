"""Ledger: stated numbers of who is present in a city, and the numbers nearest to them that agree with a total."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.served_population_case import Case, Kind

CONTRADICTION = 3.0
"""Standard errors from what is stated, beyond which a figure and the others contradict each other."""


@dataclass(frozen=True, eq=False)
class Ledger:
    """stated, error: persons and standard errors above 0, (kind). total: persons and standard error, where stated."""

    kinds: tuple[Kind, ...]
    stated: np.ndarray
    error: np.ndarray
    total: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Reconciled:
    """value: persons, (kind), none negative, nearest to what is stated. covariance: of their errors, (kind, kind).

    A kind that would be negative is held at 0 and has no variance.
    """

    ledger: Ledger
    value: np.ndarray
    covariance: np.ndarray

    @property
    def total(self) -> float:
        return float(self.value.sum())

    @property
    def total_error(self) -> float:
        """Standard error of the sum, persons."""
        return float(np.sqrt(self.covariance.sum()))

    @property
    def error(self) -> np.ndarray:
        """Standard errors, (kind)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def residual(self) -> np.ndarray:
        """Reconciled less stated in stated standard errors, (kind)."""
        return (self.value - self.ledger.stated) / self.ledger.error

    @property
    def total_residual(self) -> float | None:
        """The same of the total; None where none is stated."""
        if self.ledger.total is None:
            return None
        stated, error = self.ledger.total
        return (self.total - stated) / error

    @property
    def contradictions(self) -> tuple[str, ...]:
        """Figures that stay more than CONTRADICTION standard errors from what is stated of them."""
        named: list[tuple[str, float, float, float]] = [
            *zip(self.ledger.kinds, self.ledger.stated, self.value, self.residual, strict=True)
        ]
        if self.ledger.total is not None and self.total_residual is not None:
            named.append(("total", self.ledger.total[0], self.total, self.total_residual))
        return tuple(
            f"{name}: {stated:,.0f} persons stated, {value:,.0f} reconciled, {abs(residual):.1f} standard errors off: "
            "components and total contradict each other"
            for name, stated, value, residual in named
            if abs(residual) > CONTRADICTION
        )

    def draws(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(draw, kind): stated figures moved at random within their errors and reconciled again, none negative.

        Their covariance is `covariance` where no kind is near 0.
        """
        stated = self.ledger.stated + self.ledger.error * rng.standard_normal((count, len(self.ledger.kinds)))
        if self.ledger.total is None:
            return np.maximum(stated, 0.0)
        total, error = self.ledger.total
        return nearest_components(stated, self.ledger.error, total + error * rng.standard_normal(count), error)


def reconcile(ledger: Ledger) -> Reconciled:
    """Minimise Σ (x − stated)² / error² + (Σ x − total)² / total error² over x ≥ 0.

    Generalised least squares with errors of components and total (Stone, Champernowne & Meade 1942; Byron 1978).

    >>> ledger = Ledger(("registered", "commuters"), np.array([10.0, 4.0]), np.array([1.0, 1.0]), (11.0, 1.0))
    >>> reconcile(ledger).value
    array([9., 3.])
    """
    variance = np.diag(ledger.error**2)
    if ledger.total is None:
        return Reconciled(ledger, ledger.stated, variance)
    total, error = ledger.total
    value = nearest_components(ledger.stated[None], ledger.error, np.array([total]), error)[0]
    free = np.where(value > 0, ledger.error**2, 0.0)
    covariance = np.diag(free) - np.outer(free, free) / (free.sum() + error**2)
    return Reconciled(ledger, value, covariance)


def nearest_components(stated: np.ndarray, error: np.ndarray, total: np.ndarray, total_error: float) -> np.ndarray:
    """The minimum of `reconcile`, draw by draw: (draw, kind) of stated (draw, kind) and total (draw).

    What would be negative is held at 0. That raises the sum, so that the others fall, and never comes back: as many
    rounds as there are kinds are enough.
    """
    free = np.ones(stated.shape, dtype=bool)
    value = stated
    for _ in range(stated.shape[1] + 1):
        excess = np.where(free, stated, 0.0).sum(axis=1) - total
        pull = excess / ((free * error**2).sum(axis=1) + total_error**2)
        value = np.where(free, stated - error**2 * pull[:, None], 0.0)
        if (value >= 0).all():
            break
        free &= value >= 0
    return value


def ledger_of(case: Case) -> Ledger:
    """Components over their coverage, in the order of the case."""
    rows = case.component
    covered = np.array([row.coverage for row in rows])
    stated, error = (np.array(one) / covered for one in ([r.value for r in rows], [r.standard_error for r in rows]))
    total = None if case.total is None else (case.total.value, case.total.standard_error)
    return Ledger(tuple(row.kind for row in rows), stated, error, total)


def dates_of(case: Case) -> Sequence[str]:
    """First and last day of the figures, as one text or two."""
    stated = [*case.component, *([] if case.total is None else [case.total])]
    days = sorted({row.date for row in stated})
    return [day.isoformat() for day in (days if len(days) == 1 else [days[0], days[-1]])]
