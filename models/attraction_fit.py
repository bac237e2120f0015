"""Poisson pseudo-maximum likelihood with two-way clustered standard errors."""

from dataclasses import dataclass

import numpy as np

MAX_STEPS = 100
TOLERANCE = 1e-10
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class PoissonFit:
    """log E(count) = year effect + Σ coefficient · column.

    coefficients: (column). covariance: (column, column), clustered; zero where a column tells nothing of its own.
    """

    coefficients: Array
    covariance: Array

    @property
    def standard_errors(self) -> Array:
        return np.sqrt(np.diag(self.covariance))


def fit_poisson(matrix: Array, counts: Array, year: Array, clusters: tuple[Array, ...]) -> PoissonFit:
    """Coefficients by Poisson pseudo-maximum likelihood (Santos Silva & Tenreyro 2006).

    matrix: (row, column). year: (row), every one has an effect of its own. clusters: labels, (row), one or two ways;
    the covariance is the sandwich of Cameron, Gelbach & Miller (2011), with G / (G − 1) for G clusters, and negative
    eigenvalues set to zero, as they do.
    """
    dummies = (year[:, None] == np.unique(year)).astype("float64")
    centre = matrix.mean(axis=0)
    scale = np.where(matrix.std(axis=0) > 0, matrix.std(axis=0), 1.0)
    design = np.concatenate([dummies, (matrix - centre) / scale], axis=1)
    mean = counts.mean()
    found, expected = _newton(design, counts / mean)
    covariance = _sandwich(design, counts / mean - expected, expected, clusters)
    years = dummies.shape[1]
    coefficients = found[years:] / scale
    return PoissonFit(coefficients, covariance[years:, years:] / np.outer(scale, scale))


def _newton(design: Array, counts: Array) -> tuple[Array, Array]:
    """Coefficients and expected counts, by iteratively reweighted least squares; least norm where not unique."""
    expected = (counts + counts.mean()) / 2
    linear, found = np.log(expected), np.zeros(design.shape[1])
    for _ in range(MAX_STEPS):
        working = linear + (counts - expected) / expected
        step = _inverse(design.T @ (design * expected[:, None])) @ (design.T @ (expected * working))
        settled = np.abs(step - found).max() < TOLERANCE
        found, linear = step, np.clip(design @ step, -30, 30)
        expected = np.exp(linear)
        if settled:
            break
    return found, expected


def _inverse(matrix: Array) -> Array:
    return np.linalg.pinv(matrix, rcond=1e-10, hermitian=True)


def _sandwich(design: Array, residual: Array, expected: Array, clusters: tuple[Array, ...]) -> Array:
    bread = _inverse(design.T @ (design * expected[:, None]))
    scores = design * residual[:, None]
    middle = sum((_clustered(scores, labels) for labels in clusters), start=np.zeros_like(bread))
    if len(clusters) == 2:
        both = np.unique(np.stack(clusters), axis=1, return_inverse=True)[1]
        middle = middle - _clustered(scores, both)
    values, vectors = np.linalg.eigh(bread @ middle @ bread)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def _clustered(scores: Array, labels: Array) -> Array:
    from scipy.sparse import csr_array

    number = np.unique(labels, return_inverse=True)[1]
    groups, rows = number.max() + 1, len(number)
    sums = csr_array((np.ones(rows), (number, np.arange(rows))), shape=(groups, rows)) @ scores
    return sums.T @ sums * groups / max(groups - 1, 1)
