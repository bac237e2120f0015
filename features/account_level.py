"""How many moved between regions in each year: a smooth path through what is stated of it, with its uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

RATE = (0.02, 0.7)
"""Moves between regions for each inhabitant where nothing at all is stated of them, and the spread of its log."""
BETWEEN_SHARE = (0.45, 0.25)
"""Part of all internal moves that goes to another region, and the spread of its log. The number of moves rises with the
log of the number of zones that they are counted between (Courgeau 1973): here about 20 zones of 200 to 1,000."""
YEARLY_CHANGE = 0.1
"""Standard deviation of the yearly change of the log of the level, before any change was seen."""
CHANGES_BELIEVED = 3
"""Changes that must be seen for them to count as much as that."""
SHARE_CHANGE = 0.03
"""Standard deviation of the log of the part that goes to another region around its mean over the years."""


@dataclass(frozen=True)
class Sighting:
    """What is stated of the log of a level. of_share: of level ÷ share, all moves within the country."""

    year: int
    log: float
    error: float
    of_share: bool = False


@dataclass(frozen=True, eq=False)
class Level:
    """Posterior of the log of moves between regions by year, and of the log of the share that goes to another region.

    mean: (year + 1), the share last. covariance: (year + 1, year + 1). yearly_change: standard deviation of the change
    of the log from year to year.
    """

    years: tuple[int, ...]
    mean: np.ndarray
    covariance: np.ndarray
    yearly_change: float

    @property
    def log(self) -> np.ndarray:
        return self.mean[:-1]

    @property
    def error(self) -> np.ndarray:
        """Standard errors of the logs, (year)."""
        return np.sqrt(np.diag(self.covariance)[:-1])

    @property
    def share(self) -> tuple[float, float]:
        """Part of internal moves that goes to another region, and the standard error of its log."""
        return float(np.exp(self.mean[-1])), float(np.sqrt(self.covariance[-1, -1]))

    def draws(self, normal: np.ndarray) -> np.ndarray:
        """Logs of levels and, last, of the share, (draw, year + 1), from standard normals of that shape."""
        # Of a triangular root; one of eigenvectors would turn by the last digit of the figures.
        return self.mean + normal @ np.linalg.cholesky(self.covariance).T


def level(
    years: Sequence[int], population: np.ndarray, sightings: Sequence[Sighting], share: tuple[float, float]
) -> Level:
    """Gaussian smoothing of a random walk.

    population: persons by year, for the prior where nothing is stated. share: log of the part that goes to another
    region, and its standard error, before what the sightings say.
    """
    count, change = len(years), _yearly_change(sightings)
    precision, pull = np.zeros((count + 1, count + 1)), np.zeros(count + 1)

    def add(direction: np.ndarray, value: float, error: float) -> None:
        precision[:] += np.outer(direction, direction) / error**2
        pull[:] += direction * value / error**2

    axis = np.eye(count + 1)
    add(axis[-1], *share)
    for place in range(count):
        # A prior for each year would count one belief many times.
        add(axis[place], float(np.log(RATE[0] * population[place])), RATE[1] * np.sqrt(count))
        if place:
            add(axis[place] - axis[place - 1], 0.0, change * np.sqrt(years[place] - years[place - 1]))
    for one in sightings:
        place = axis[list(years).index(one.year)]
        add(
            place - axis[-1] if one.of_share else place,
            one.log,
            float(np.hypot(one.error, SHARE_CHANGE * one.of_share)),
        )
    covariance = np.linalg.inv(precision)
    return Level(tuple(years), covariance @ pull, covariance, change)


def _yearly_change(sightings: Sequence[Sighting]) -> float:
    """Standard deviation of the yearly change of a level, by what was seen of it: figures of one kind, in order."""
    squares = [YEARLY_CHANGE**2] * CHANGES_BELIEVED
    for of_share in (False, True):
        seen = sorted((one.year, one.log) for one in sightings if one.of_share == of_share)
        steps = pairwise(seen)
        squares += [(log - before) ** 2 / (year - last) for (last, before), (year, log) in steps if year > last]
    return float(np.sqrt(np.mean(squares)))
