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
    region: str = Field(description="Code of the region.")
    value: float = Field(description="Last published value, in the indicator's unit.")
    year: int = Field(description="Its year.")
    least: float = Field(description="Largest fall that is inside what was seen, 0 or below; a part or in the unit.")
    most: float = Field(description="Largest rise that is inside what was seen, 0 or above; a part or in the unit.")


class Lever(Answer):
    indicator: str = Field(description="Name, as /scenario takes it.")
    meaning: str = Field(description="What it is.")
    unit: str = Field(description="Its unit.")
    source: str = Field(description="Whose figure it is.")
    relative: bool = Field(description="Whether it changes by a part (`+15 %`), else in its unit (`-2`).")
    regions: list[LeverNow] = Field(description="Regions in which it is known, and so can be changed.")


class LeversResponse(Answer):
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
    entry = INDICATORS[name]
    relative = entry.scale == "log"
    changeable = [np.isfinite(model.values[model.place(region, name)]) for region in model.regions] & np.isfinite(
        values
    )
    return Lever(
        indicator=name,
        meaning=entry.meaning,
        unit=entry.unit,
        source=entry.source,
        relative=relative,
        regions=[
            LeverNow(region=region, value=value, year=int(year), **_reach(model, region, name, relative))
            for region, value, year, known in zip(model.regions, values.tolist(), years, changeable, strict=True)
            if known
        ],
    )


def _reach(model: ScenarioModel, region: str, name: str, relative: bool) -> dict[str, float]:
    """The largest changes inside what was seen: parts, or in the indicator's unit."""
    sizes = {end: sign * largest_inside(model, region, name, sign) for end, sign in (("least", -1), ("most", 1))}
    return {end: float(np.expm1(size)) if relative else size for end, size in sizes.items()}


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
