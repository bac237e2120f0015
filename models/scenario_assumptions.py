"""Assumptions of a scenario, in words."""

import numpy as np

from features.indicators import INDICATORS
from models.scenario_model import ScenarioModel, effect_draws
from models.scenario_package import Package

ALWAYS = (
    "Indicators act as they went together with flows in the past; that is an association, and acting is assumed.",
    "Only the named indicators change: all other drivers, and what one indicator does to another, stay as they are.",
    "Wages and housing do not answer to those who come or stay; no one moves in or out of the country because of it.",
    "Who leaves a region that is not changed leaves anyway: only where they go changes (origin-constrained).",
    "A change acts on all moves of the years that are named, at once and in full.",
)


def assumptions(model: ScenarioModel, package: Package, basis: np.ndarray) -> tuple[str, ...]:
    """basis: of the flows."""
    groups = sorted({INDICATORS[change.indicator].group for change in package.changes})
    told = [*ALWAYS, *(effect_words(model, group) for group in groups)]
    if model.basis == "estimated" or (basis == "estimated").any():
        told.append(
            f"Flows are estimated: no register of them is published. Effects were learnt from flows of "
            f"{model.years[0]}-{model.years[1]} whose sums by region are balanced to published figures."
        )
    return tuple(told)


def effect_words(model: ScenarioModel, group: str) -> str:
    """What is assumed of a group, beside what was measured."""
    place = model.indices.groups.index(group)
    draws = effect_draws(model, 1000)[:, place]
    low, high = np.quantile(draws, (0.1, 0.9))
    measured = model.effects[place], np.sqrt(model.covariance[place, place])
    out, error = model.at_origin[:, place]
    against = " At the origin the past shows the opposite: more left where it was higher." if out > 2 * error else ""
    ends = [f"{one[0, place]:+.2f} ± {one[1, place]:.2f}" for one in (model.at_origin, model.at_destination)]
    return (
        f"{group}: a standard deviation more of its index ({', '.join(model.indices.members(group))}) is assumed to "
        f"attract {100 * np.expm1(draws.mean()):.0f} % more ({100 * np.expm1(low):.0f} to {100 * np.expm1(high):.0f} %)"
        f" and to hold as many at home, never the other way round. Measured without that: {measured[0]:+.2f} ± "
        f"{measured[1]:.2f} for both ends as one; {ends[0]} at the origin, {ends[1]} at the destination by themselves "
        f"(log of flows, standard error).{against}"
    )
