"""Levers: indicators that a scenario can change, what they are now, and how far they were ever seen to go."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from features.indicators import INDICATORS
from models.attraction_values import last_published
from models.bundle import Bundle
from models.scenario_applicability import largest_inside
from models.scenario_model import ScenarioModel
from serving.api import Answer, EmptyRequest


class LeverNow(Answer):
    """What an indicator is in one region, and how far a scenario can change it there."""

    region: str = Field(description="Code of the region.")
    value: float = Field(description="Last published value, in the indicator's unit.")
    year: int = Field(description="Its year.")
    least: float = Field(description="Largest fall that is inside what was seen, 0 or below; a part or in the unit.")
    most: float = Field(description="Largest rise that is inside what was seen, 0 or above; a part or in the unit.")


class Lever(Answer):
    """One indicator that a scenario can change."""

    indicator: str = Field(description="Name, as /scenario takes it.")
    meaning: str = Field(description="What it is.")
    unit: str = Field(description="Its unit.")
    source: str = Field(description="Whose figure it is.")
    relative: bool = Field(description="Whether it changes by a part (`+15 %`), else in its unit (`-2`).")
    regions: list[LeverNow] = Field(description="Regions in which it is known, and so can be changed.")


class LeversResponse(Answer):
    """Indicators that a scenario can change."""

    cutoff: int = Field(description="Last calendar year whose values were seen.")
    years: list[int] = Field(description="Years of moves that a scenario can act on.")
    levers: list[Lever] = Field(description="Indicators that the scenario model has an effect for.")


def levers_response(bundle: Bundle) -> LeversResponse:
    """Raises AdviceError where the bundle has no scenario model."""
    model, manifest = bundle.advice.need_scenario_model(), bundle.manifest
    values, years = last_published(bundle.dataset, manifest.cutoff, model.regions, model.indicators)
    return LeversResponse(
        cutoff=manifest.cutoff,
        years=[manifest.cutoff + horizon for horizon in manifest.horizons],
        levers=[_lever(model, name, values[:, i], years[:, i]) for i, name in enumerate(model.indicators)],
    )


def _lever(model: ScenarioModel, name: str, values: np.ndarray, years: np.ndarray) -> Lever:
    """values, years: by region. The largest changes are parts, or in the indicator's unit."""
    entry = INDICATORS[name]
    relative = entry.scale == "log"
    centred = model.values[:, model.indices.indicators.index(name)]
    least, most = (sign * largest_inside(model, name, sign) for sign in (-1, 1))
    if relative:
        least, most = np.expm1(least), np.expm1(most)
    return Lever(
        indicator=name,
        meaning=entry.meaning,
        unit=entry.unit,
        source=entry.source,
        relative=relative,
        regions=[
            LeverNow(region=region, value=values[r], year=int(years[r]), least=least[r], most=most[r])
            for r, region in enumerate(model.regions)
            if np.isfinite(centred[r]) and np.isfinite(values[r])
        ],
    )


@dataclass(frozen=True, eq=False)
class LeversAnswers:
    """told: a LeversResponse in JSON."""

    told: bytes

    @classmethod
    def of(cls, bundle: Bundle) -> "LeversAnswers":
        """Raises AdviceError where the bundle has no scenario model."""
        return cls(levers_response(bundle).model_dump_json().encode())

    def answer(self, _: EmptyRequest) -> bytes:
        return self.told
