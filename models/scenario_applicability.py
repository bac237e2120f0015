"""Applicability: whether a change lies inside what was seen of its indicator, at its edge, or outside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.indicators import INDICATORS
from models.scenario_model import ScenarioModel
from models.scenario_package import Change, Package, ScenarioError

INSIDE, EDGE, OUTSIDE = "inside", "edge", "outside"
USUAL = (0.05, 0.95)
"""Part of the region-years beyond which a value lies at the edge."""
Array = np.ndarray


@dataclass(frozen=True)
class Applicability:
    """status: inside, edge, outside. reason: what was compared. nearest: the nearest seen case, in words."""

    change: Change
    status: str
    reason: str
    nearest: str


def applicability(model: ScenarioModel, package: Package) -> list[Applicability]:
    """One for each change."""
    return [_judged(model, change) for change in package.changes]


def check(judged: Sequence[Applicability]) -> None:
    """Raises ScenarioError that names every change outside of what was seen."""
    outside = [one for one in judged if one.status == OUTSIDE]
    if outside:
        told = [f"{one.change}: {one.reason}; nearest seen case: {one.nearest}" for one in outside]
        raise ScenarioError("\n".join([*told, "what was never seen is answered only with allow_extrapolation"]))


def _judged(model: ScenarioModel, change: Change) -> Applicability:
    """The value that a region would have, and the size of the step, against all that was seen."""
    value, step = _of_value(model, change), _of_step(model, change)
    worst = max((value, step), key=lambda one: (INSIDE, EDGE, OUTSIDE).index(one.status))
    return value if worst.status == value.status else step


def _of_value(model: ScenarioModel, change: Change) -> Applicability:
    place = model.place(change.region, change.indicator)
    then, up = model.values[place] + change.size, change.size > 0
    seen = model.seen[:, :, place[1]]
    most = np.nanmax(seen) if up else np.nanmin(seen)
    usual = np.nanquantile(seen, USUAL[1] if up else USUAL[0])
    beyond, unusual = (then > most, then > usual) if up else (then < most, then < usual)
    status = OUTSIDE if beyond else EDGE if unusual and change.size else INSIDE
    told = f"would be {_level(change, then)}; seen: {_level(change, np.nanmin(seen))} to "
    told += _level(change, np.nanmax(seen))
    return Applicability(change, status, told, _case(model, change, seen, then))


def _case(model: ScenarioModel, change: Change, seen: Array, then: float) -> str:
    region, year = np.unravel_index(np.nanargmin(np.abs(seen - then)), seen.shape)
    return f"{model.seen_regions[region]} in {model.seen_years[year]}, {_level(change, seen[region, year])}"


def _of_step(model: ScenarioModel, change: Change) -> Applicability:
    """Against changes of a region, beside all others, over as many years, and over any number of years."""
    seen = model.seen[:, :, model.indices.indicators.index(change.indicator)]
    sign, years = (1 if change.size >= 0 else -1), change.last - model.cutoff
    steps = [(_largest(seen, sign, lag), lag) for lag in range(1, seen.shape[1])]
    (size, region, year), lag = max(steps, key=lambda one: one[0][0])
    soon = max(one[0][0] for one in steps if one[1] <= max(years, 1))
    status = OUTSIDE if abs(change.size) > size else EDGE if abs(change.size) > soon else INSIDE
    case = f"{model.seen_regions[region]} from {model.seen_years[year]} to {model.seen_years[year + lag]}"
    told = f"a change of {_step(change, change.size)}; the largest seen {_step(change, sign * size)}"
    return Applicability(change, status, told, f"{case}, {_step(change, sign * size)}")


def _largest(seen: Array, sign: int, lag: int) -> tuple[float, int, int]:
    """The largest change in a direction over some years, its region and first year."""
    steps = np.nan_to_num(sign * (seen[:, lag:] - seen[:, :-lag]), nan=-np.inf)
    region, year = np.unravel_index(steps.argmax(), steps.shape)
    return float(steps[region, year]), int(region), int(year)


def _level(change: Change, centred: float) -> str:
    """A centred value in words."""
    if INDICATORS[change.indicator].scale == "log":
        return f"{np.exp(centred):.2f} times the mean of regions"
    return f"{centred:+.1f} {_unit(change)} from the mean of regions"


def _step(change: Change, size: float) -> str:
    if INDICATORS[change.indicator].scale == "log":
        return f"{100 * np.expm1(size):+.0f} % beside the mean of regions"
    return f"{size:+.1f} {_unit(change)} beside the mean of regions"


def _unit(change: Change) -> str:
    unit = INDICATORS[change.indicator].unit
    return "points" if unit == "%" else unit


def largest_inside(model: ScenarioModel, indicator: str, sign: int) -> Array:
    """By region, the largest change of the centred value in a direction that is not outside of what was seen; 0 for
    none. sign: +1 up, −1 down.
    """
    place = model.indices.indicators.index(indicator)
    seen, values = model.seen[:, :, place], model.values[:, place]
    room = sign * ((np.nanmax(seen) if sign > 0 else np.nanmin(seen)) - values)
    step = max(_largest(seen, sign, lag)[0] for lag in range(1, seen.shape[1]))
    return np.where(np.isfinite(values), np.maximum(np.minimum(room, step), 0.0), 0.0)
