"""Scenarios: what changed indicators would do to moves, answered while the client waits."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from models.bundle import Bundle
from models.forecast import FLOW, QUANTILES
from models.scenario import MEASURES, ScenarioAnswer, answer
from models.scenario_model import ScenarioModel
from models.scenario_package import ScenarioError, package_of
from models.scenario_tables import KINDS, diverted, quantiles
from serving.api import Answer, DatasetTold, dataset_told, region_names
from serving.errors import refused
from serving.known import MOST, known

Kind = Literal["baseline", "scenario", "difference"]
ASSUMED = "What follows from assumptions, which the answer lists; neither a forecast nor a figure that was published."


class ChangeAsked(BaseModel):
    """One indicator of one region that is other than it is."""

    model_config = ConfigDict(extra="forbid")

    region: str = Field(description="Code of the region.", examples=["KZ-61"])
    indicator: str = Field(description="An indicator that the model has an effect for.", examples=["average_wage"])
    change: str | float = Field(
        description="`+15 %` of what it is, or `-2` in the indicator's unit where that is a rate.", examples=["+15 %"]
    )
    first: int | None = Field(default=None, alias="from", description="First year of moves; left out: the first.")
    last: int | None = Field(default=None, alias="to", description="Last year of moves; left out: the last.")


class ScenarioRequest(BaseModel):
    """Changed indicators; an empty list of changes answers the forecast as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(default="scenario", max_length=200, description="Name of the scenario; it is answered as given.")
    # Read by the same code as the file of the command, which tells every fault in its words.
    changes: SkipValidation[list[ChangeAsked]] = Field(default=[], description="Indicators that are changed.")
    allow_extrapolation: bool = Field(
        default=False, description="Whether changes outside of what was seen are answered, and flagged, or refused."
    )
    regions: list[Annotated[str, known("region", FLOW)]] | None = Field(
        default=None, min_length=1, max_length=MOST, description="Regions to answer for. Left out or null: all."
    )
    city: Annotated[str, known("region", FLOW)] | None = Field(
        default=None, description="A region of which is told who no longer comes, and where they are instead."
    )


class ChangeTold(Answer):
    """One change as it was understood, and whether its like was ever seen."""

    region: str = Field(description="Code of the region.")
    indicator: str = Field(description="Indicator.")
    change: str = Field(description="Change, as it was asked.")
    first_year: int = Field(description="First year of moves that it acts on.")
    last_year: int = Field(description="Last year of moves that it acts on.")
    applicability: Literal["inside", "edge", "outside"] = Field(
        description="Inside what was seen, at its edge, outside."
    )
    reason: str = Field(description="What was compared.")
    nearest_seen_case: str = Field(description="Region and year that came nearest to it.")


Quantiles = Annotated[
    dict[str, int],
    Field(description="Whole persons by probability level; those of `difference` are of differences of paired draws."),
]


class RegionEffect(Answer):
    """What a scenario changes in one region and year."""

    region: str = Field(description="Code of the region.")
    name: str = Field(description="Its name in English.")
    year: int = Field(description="Calendar year of the moves.")
    inflow: dict[Kind, Quantiles] = Field(description="Persons in the year from other regions, by probability level.")
    out_migration: dict[Kind, Quantiles] = Field(description="Persons in the year to other regions, so too.")
    net_migration: dict[Kind, Quantiles] = Field(
        description="Balance in persons of the year, with abroad where the forecast has it. Differences sum to 0 over "
        "regions in every draw."
    )
    stays: Quantiles = Field(
        description="Persons of the year who do not leave because of the scenario; below 0: who leave."
    )


class FlowEffect(Answer):
    """How much a scenario changes one flow in one year."""

    origin: str = Field(description="Code of the region left.")
    destination: str = Field(description="Code of the region reached.")
    year: int = Field(description="Calendar year of the moves.")
    difference: Quantiles = Field(description="Change of the flow, persons in the year, by probability level.")


class Diverted(Answer):
    """People of one origin and year who no longer come to the city."""

    origin: str = Field(description="Region from which fewer come.")
    year: int = Field(description="Calendar year of the moves.")
    instead: str = Field(description="Where they are instead: a region, or `stays`.")
    persons: float = Field(description="How many in the year, mean of the draws.", ge=0)


class ScenarioResponse(Answer):
    """What changed indicators would do to moves."""

    name: str = Field(description="Name of the scenario.")
    label: Literal["assumed"] = Field(description=ASSUMED)
    basis: Literal["official", "derived", "estimated"] = Field(description="Weakest kind of figures that it stands on.")
    unit: Literal["persons"] = Field(default="persons", description="Unit of the quantiles.")
    cutoff: int = Field(description="Last calendar year whose values were seen.")
    dataset: DatasetTold = Field(description="What it was learnt from.")
    assumptions: list[str] = Field(description="What is taken for granted, a sentence each.")
    extrapolates: bool = Field(description="Whether a change lies outside of what was seen.")
    changes: list[ChangeTold] = Field(description="What is changed, and whether that was ever seen.")
    regions: list[RegionEffect] = Field(description="Effects by region and year.")
    flows: list[FlowEffect] = Field(description="Flows that change most, the largest first.")
    diverted: list[Diverted] | None = Field(description="Who no longer comes to the city that was asked for.")


@dataclass(frozen=True, eq=False)
class ScenarioAnswers:
    """What stays the same from one scenario to the next."""

    bundle: Bundle
    model: ScenarioModel

    @cached_property
    def draws(self) -> np.ndarray | None:
        """Of all flows, (draw, horizon, pair), where they are few enough to be held."""
        flows = self.bundle.forecast.flows
        return flows.draws() if flows is not None and len(flows.origin) <= MOST else None

    @cached_property
    def names(self) -> dict[str, str]:
        return region_names(self.bundle)

    @classmethod
    def of(cls, bundle: Bundle) -> "ScenarioAnswers":
        """Raises AdviceError where the bundle bears none."""
        return cls(bundle, bundle.advice.need_scenario_model())

    def prepare(self) -> None:
        """Make futures of flows that the bundle does not keep."""
        flows = self.bundle.forecast.flows
        if flows is not None:
            flows.draws(slice(1))

    def answer(self, request: ScenarioRequest) -> bytes:
        """A ScenarioResponse. Raises RequestError that lists every fault."""
        cutoff, horizons = self.bundle.manifest.cutoff, self.bundle.manifest.horizons
        try:
            words = {"name": request.name, "change": request.changes}
            package = package_of(words, self.model, [cutoff + horizon for horizon in horizons])
            made = answer(self.model, self.bundle.forecast, package, self.draws, request.allow_extrapolation)
        except ScenarioError as error:
            raise refused(error, "scenario_refused", {"changes": request.changes, "city": request.city}) from None
        return self._response(made, request).model_dump_json().encode()

    def _response(self, made: ScenarioAnswer, request: ScenarioRequest) -> ScenarioResponse:
        chosen = request.regions or list(made.regions)
        return ScenarioResponse(
            name=made.package.name,
            label="assumed",
            basis=made.basis,  # pyright: ignore[reportArgumentType] -- checked by pydantic
            cutoff=self.bundle.manifest.cutoff,
            dataset=dataset_told(self.bundle),
            assumptions=list(made.assumptions),
            extrapolates=made.extrapolates,
            changes=list(_changes(made)),
            regions=self._regions(made, list(dict.fromkeys(chosen))),
            flows=list(_flows(made)),
            diverted=None if request.city is None else _diverted(made, request.city),
        )

    def _regions(self, made: ScenarioAnswer, chosen: list[str]) -> list[RegionEffect]:
        effects = {measure: _kinds(made, measure) for measure in MEASURES}
        stays = quantiles(made.stays)
        return [
            RegionEffect.model_validate(
                {"region": region, "name": self.names[region], "year": year, "stays": by_level(stays[:, h, r])}
                | {m: {kind: by_level(of[:, h, r]) for kind, of in kinds.items()} for m, kinds in effects.items()}
            )
            for region in chosen
            for r in [made.regions.index(region)]
            for h, year in enumerate(made.years)
        ]


def _changes(made: ScenarioAnswer) -> Iterator[ChangeTold]:
    for one in made.applicability:
        yield ChangeTold(
            region=one.change.region,
            indicator=one.change.indicator,
            change=one.change.words,
            first_year=one.change.first,
            last_year=one.change.last,
            applicability=one.status,  # pyright: ignore[reportArgumentType] -- checked by pydantic
            reason=one.reason,
            nearest_seen_case=one.nearest,
        )


def _kinds(made: ScenarioAnswer, measure: str) -> dict[str, np.ndarray]:
    """Quantiles by kind, (level, horizon, region)."""
    baseline, change = made.baseline[measure], made.changes[measure]
    return {kind: quantiles(of) for kind, of in zip(KINDS, (baseline, baseline + change, change), strict=True)}


def by_level(values: np.ndarray) -> dict[str, int]:
    """Whole numbers by level of QUANTILES."""
    return {f"{level}": int(value) for level, value in zip(QUANTILES, values, strict=True)}


def _flows(made: ScenarioAnswer) -> Iterator[FlowEffect]:
    """Those that change at all."""
    value = quantiles(made.largest_changes)
    for place, pair in enumerate(made.largest):
        for h, year in enumerate(made.years):
            if made.mean_changes[h, pair]:
                yield FlowEffect(
                    origin=made.regions[made.origin[pair]],
                    destination=made.regions[made.destination[pair]],
                    year=year,
                    difference=by_level(value[:, h, place]),
                )


def _diverted(made: ScenarioAnswer, city: str) -> list[Diverted]:
    columns = ["origin", "year", "instead", "persons"]
    rows: list[dict[Any, Any]] = diverted(made, city)[columns].round({"persons": 1}).to_dict("records")
    return [Diverted.model_validate(row) for row in rows]
