"""Noise: what is not known of moves before any figure is, as random numbers that differ between draws."""

from dataclasses import dataclass

import numpy as np

from features.account_gravity import Elasticities

# `qonys accounts-proof` measures these; in brackets as between provinces of Korea and between states of the USA.
CELL_SPREAD = 0.55
"""Standard deviation of the log of a flow around what margins, distance and borders say of it (0.56, 0.84)."""
CELL_SYMMETRY = 0.8
"""Part of that variance that a flow shares with the flow the other way (0.97, 0.85)."""
MARGIN_SPREAD = 0.35
"""Standard deviation of the log of a region's departures, or arrivals, around what its population says (0.25, 0.58)."""
INSIDE_SPREAD = 0.3
"""The same of moves inside a region, for each inhabitant."""
ABROAD_SPREAD = 0.8
"""The same of moves from and to abroad."""
DRIFT = 0.05
"""Standard deviation of the yearly change of the log of a region's part of departures, or arrivals (0.05, 0.09)."""
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Noise:
    """By draw, none in the first. In logs, but for `distance` and `border`, which are elasticities, and `level`,
    `stated`: standard normals. stated: a generator's seed for each year."""

    distance: Array
    border: Array
    pair: Array
    ends: Array
    inside: Array
    abroad: Array
    drift: Array
    level: Array
    quiet: Array
    seed: int

    @classmethod
    def of(cls, rng: np.random.Generator, draws: int, years: int, parts: int, of: Elasticities) -> "Noise":
        quiet = (np.arange(draws + 1) > 0).astype("float64")

        def normal(*shape: int) -> Array:
            return rng.standard_normal((draws + 1, *shape)) * quiet.reshape(-1, *[1] * len(shape))

        return cls(
            of.distance[0] + of.distance[1] * normal(),
            of.border[0] + of.border[1] * normal(),
            _pair_noise(rng, draws + 1, parts) * quiet[:, None, None],
            MARGIN_SPREAD * normal(2, parts),
            INSIDE_SPREAD * normal(parts),
            ABROAD_SPREAD * normal(2, parts),
            DRIFT * normal(years, 2, parts),
            normal(years + 1),
            quiet,
            int(rng.integers(2**31)),
        )


def _pair_noise(rng: np.random.Generator, draws: int, parts: int) -> np.ndarray:
    """Logs of factors of pairs, (draw, part, part): partly shared by both directions."""
    own, other = rng.standard_normal((2, draws, parts, parts))
    both = np.triu(other, 1) + np.triu(other, 1).transpose(0, 2, 1)
    return CELL_SPREAD * (np.sqrt(CELL_SYMMETRY) * both + np.sqrt(1 - CELL_SYMMETRY) * own)
