"""Gravity: what distance, borders and population say of moves between regions, before any figure of moves does."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.evidence import Evidence, EvidenceError
from features.flows import contiguous, distance_km

OWN_DISTANCE_KM = 15.0
"""Added to every distance: towns are not points."""


@dataclass(frozen=True)
class Elasticities:
    """Each with its standard error. Between provinces of Korea 0.6 and 0.6 come nearest to the recorded flows, between
    states of the USA 0.9 and 0.8 (`qonys accounts-proof` measures them)."""

    distance: tuple[float, float] = (0.7, 0.2)
    """Elasticity of moves to distance, where borders are accounted for."""
    border: tuple[float, float] = (0.6, 0.2)
    """Log of how many times as many move to a neighbour as to an equally distant region."""


ELASTICITIES = Elasticities()


@dataclass(frozen=True, eq=False)
class Surroundings:
    """population: (year, part), 1 January. distance_km, contiguous: (part, part)."""

    years: tuple[int, ...]
    population: np.ndarray
    distance_km: np.ndarray
    contiguous: np.ndarray

    def gravity(self, distance: np.ndarray, border: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Shares of all moves between parts, (draw, year, part, part), each table summing to 1.

        Population × population / distance^elasticity, more to neighbours (Tinbergen 1962; Wilson 1971). Relative income
        has no place in it: (income_j / income_i)^k is a factor of the origin times one of the destination, which the
        balances of regions take out again. distance, border: (draw). spread: (draw, part, part), logs.
        """
        far = np.log(self.distance_km + OWN_DISTANCE_KM)
        pair = spread - distance[:, None, None] * far + border[:, None, None] * self.contiguous
        size = np.log(self.population)
        shares = np.exp(pair[:, None] + size[None, :, :, None] + size[None, :, None, :])
        shares *= ~np.eye(len(far), dtype=bool)
        return shares / shares.sum(axis=(2, 3), keepdims=True)


def surroundings(dataset: Dataset, told: Evidence) -> Surroundings:
    return Surroundings(
        tuple(told.years),
        _population(dataset, told),
        distance_km(dataset, told.parts),
        contiguous(dataset, told.parts),
    )


def _population(dataset: Dataset, told: Evidence) -> np.ndarray:
    """(year, part), persons. A region that was whole is divided as its parts were when they were first counted."""
    counted = dataset.indicator("population")
    known = counted.reindex(columns=list(told.parts)).astype("float64")
    for region, parts in told.members.items():
        if region in counted and set(parts) != {region} and set(parts) <= set(known):
            shares = known[list(parts)].dropna()
            if len(shares):
                split = pd.DataFrame(
                    np.outer(counted[region], shares.iloc[0] / shares.iloc[0].sum()), counted.index, list(parts)
                )
                known = known.fillna(split)
    known = known.bfill().ffill().reindex(told.years)
    never = [str(part) for part in known if known[part].isna().any()]
    if never:
        raise EvidenceError(f"{dataset.name}: {', '.join(never)}: population is not known; must be in some year")
    return known.to_numpy()
