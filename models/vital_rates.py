"""Vital rates: futures of fertility and of mortality, continuing what reproduces recorded births and deaths.

Both are random walks of the whole country and of each region beside it, with a drift that fades: the log of children of
a woman, and Brass's level of mortality.
"""

from dataclasses import dataclass

import numpy as np

from models.age_structure import AgeStructure
from models.schedules import Assumption

WINDOW = 10
"""Years of which the drift is the mean."""
FADING = 0.9
"""Part of the drift that is left after a year: at most nine years of it come."""
MEAN_OF = 3
"""Years of which mortality starts at the mean."""
USUAL = {"country": 0.03, "region": 0.02}
"""Standard deviations of yearly changes where fewer than LEAST are known."""
LEAST = 5
TO_DEVIATION = 1.4826
"""Median absolute deviation to standard deviation of a normal distribution: one shock does not widen all futures."""


@dataclass(frozen=True, eq=False)
class VitalRates:
    """fertility: children of a woman; mortality: level; both (draw, year, region)."""

    fertility: np.ndarray
    mortality: np.ndarray
    assumptions: tuple[Assumption, ...]


def vital_rates(structure: AgeStructure, years: int, draws: int, rng: np.random.Generator) -> VitalRates:
    """Of that many years from the structure's on."""
    children, level = np.log(structure.fertility), structure.mortality
    fertility, drift_children = _futures(children, children[-1], years, draws, rng)
    mortality, drift_level = _futures(level, level[-MEAN_OF:].mean(axis=0), years, draws, rng)
    source = f"recorded births and deaths {structure.history.years[0]}-{structure.history.years[-1]}"
    told = f"a year, the mean of {WINDOW} years, fading by a tenth each year; drawn as a random walk"
    assumptions = (
        Assumption("fertility", f"last year's, {100 * np.expm1(drift_children):+.1f} % {told}", source),
        Assumption(
            "mortality", f"mean of {MEAN_OF} years, level {drift_level:+.3f} {told}; higher where more die", source
        ),
    )
    return VitalRates(np.exp(fertility).astype("float32"), mortality.astype("float32"), assumptions)


def _futures(
    past: np.ndarray, start: np.ndarray, years: int, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """(draw, year, region) from a past of (year, region); and the drift."""
    country = np.diff(past.mean(axis=1))
    beside = np.diff(past - past.mean(axis=1, keepdims=True), axis=0)
    drift = float(country[-WINDOW:].mean()) if len(country) >= LEAST else 0.0
    path = drift * np.cumsum(FADING ** np.arange(1, years + 1))
    shocks = _deviation(country, "country") * rng.standard_normal((draws, years, 1))
    shocks = shocks + _deviation(beside, "region") * rng.standard_normal((draws, years, len(start)))
    return start + path[:, None] + np.cumsum(shocks, axis=1), drift


def _deviation(changes: np.ndarray, of: str) -> float:
    if len(changes) < LEAST:
        return USUAL[of]
    return float(TO_DEVIATION * np.median(np.abs(changes - np.median(changes))))
