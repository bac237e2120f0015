"""Projection: population many years ahead, computed at training; a request is a look-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.bundle import Bundle
from models.outlook import KEPT_QUANTILES, Outlook
from models.projection_tables import DEPENDENCY, GROUPS, MEASURES
from models.schedules import SEXES
from serving.api import Answer, DatasetTold, dataset_told, region_names
from serving.known import MOST, PROJECTED, YEARS, known

Level = Literal["low", "medium", "high"]


class ProjectionRequest(BaseModel):
    """What to answer of the projection; an empty object asks for all regions and years at the medium level."""

    model_config = ConfigDict(extra="forbid", strict=True)

    regions: list[Annotated[str, known("region", PROJECTED)]] | None = Field(
        default=None, min_length=1, max_length=MOST, description="Codes of regions. Left out or null: all.",
        examples=[["KZ-71"]],
    )  # fmt: skip
    level: Level = Field(default="medium", description="Level of moves after the years that are forecast.")
    years: list[Annotated[int, known("year", YEARS)]] | None = Field(
        default=None, min_length=1, max_length=MOST, description="1 January of these years. Left out or null: all.",
        examples=[[2030, 2045]],
    )  # fmt: skip
    ages: bool = Field(default=False, description="Whether population by sex and age group is answered too.")


Quantiles = Annotated[dict[str, int], Field(description="Whole persons by probability level.")]


class PopulationYear(Answer):
    """Population of one region on 1 January of one year."""

    region: str = Field(description="Code of the region.")
    name: str = Field(description="Its name in English.")
    year: int = Field(description="1 January of the year.")
    kind: Literal["state", "forecast", "projection"] = Field(
        description="`state`: where it starts, with births, deaths and moves that are known; `forecast`: moves up to "
        "it are forecast with measured skill; `projection`: moves before it follow an assumed level."
    )
    population: Quantiles
    children: Quantiles = Field(description="0-15 years old.")
    working_age: Quantiles = Field(description="From 16 up to the pension age of the year.")
    pension_age: Quantiles = Field(description="From the pension age of the year on.")
    dependency: dict[str, float] = Field(description="Children and people of pension age to 100 of working age.")
    by_age: dict[Literal["female", "male"], dict[str, Quantiles]] | None = Field(
        description="By sex and five-year age group, where it was asked for."
    )
    basis: Literal["official", "derived", "estimated"] = Field(
        description="Kind of figures that the ages of the start are; what is projected is never an official figure."
    )


class AssumptionTold(Answer):
    """One assumption of a projection."""

    name: str = Field(description="What is assumed.")
    value: str = Field(description="What it is taken to be.")
    source: str = Field(description="Where that comes from.")


class ProjectionResponse(Answer):
    """Population by region many years ahead."""

    label: Literal["projected"] = Field(default="projected", description="A projection: what follows from assumptions.")
    unit: Literal["persons"] = Field(default="persons", description="Unit of the quantiles.")
    level: Level = Field(description="Level of moves after the years that are forecast.")
    cutoff: int = Field(description="Last calendar year whose values it has seen.")
    dataset: DatasetTold = Field(description="What it was learnt from.")
    forecast_until: int = Field(description="Last year whose moves are forecast; later ones are assumed.")
    assumptions: list[AssumptionTold] = Field(description="What is taken for granted.")
    population: list[PopulationYear] = Field(description="By region and year.")


@dataclass(frozen=True, eq=False)
class ProjectionAnswers:
    bundle: Bundle
    outlook: Outlook

    @classmethod
    def of(cls, bundle: Bundle) -> "ProjectionAnswers":
        """Raises AdviceError where the bundle bears none."""
        return cls(bundle, bundle.advice.need_outlook())

    def answer(self, request: ProjectionRequest) -> bytes:
        """A ProjectionResponse. The request was validated with what is known."""
        outlook, level = self.outlook, request.level
        regions = list(dict.fromkeys(request.regions or outlook.regions))
        years = list(dict.fromkeys(request.years or outlook.years))
        rows = [self._year(level, region, year, request.ages) for region in regions for year in years]
        told = ProjectionResponse(
            level=level,
            cutoff=self.bundle.manifest.cutoff,
            dataset=dataset_told(self.bundle),
            forecast_until=outlook.forecast_until,
            assumptions=[
                AssumptionTold(name=one.name, value=one.value, source=one.source) for one in outlook.assumptions[level]
            ],
            population=rows,
        )
        return told.model_dump_json().encode()

    def _year(self, level: Level, region: str, year: int, ages: bool) -> PopulationYear:
        y, r = self.outlook.years.index(year), self.outlook.regions.index(region)
        broad = self._broad[level][:, y, r]
        return PopulationYear.model_validate(
            {"region": region, "name": self._names[region], "year": year, "kind": self._kind(year)}
            | {measure: _whole(broad[:, place]) for place, measure in enumerate(MEASURES)}
            | {DEPENDENCY: _levels(broad[:, -1].round(2).tolist()), "basis": self.outlook.basis[region]}
            | {"by_age": _by_age(self.outlook.by_age[level][:, y, r]) if ages else None}
        )

    def _kind(self, year: int) -> str:
        if year == self.outlook.years[0]:
            return "state"
        return "forecast" if year <= self.outlook.forecast_until + 1 else "projection"

    @cached_property
    def _broad(self) -> dict[str, np.ndarray]:
        """By level, quantiles of MEASURES and dependency, (quantile, year, region, measure)."""
        return {level: self.outlook.quantiles(level) for level in self.outlook.broad}

    @cached_property
    def _names(self) -> dict[str, str]:
        return region_names(self.bundle)


def _levels(values: Sequence) -> dict[str, float]:
    return {f"{level}": value for level, value in zip(KEPT_QUANTILES, values, strict=True)}


def _whole(values: np.ndarray) -> dict[str, float]:
    return _levels(np.rint(values).astype(int).tolist())


def _by_age(values: np.ndarray) -> dict[str, dict[str, dict[str, float]]]:
    """values: (quantile, sex, age group)."""
    return {
        sex: {group: _levels(values[:, s, g].tolist()) for g, group in enumerate(GROUPS)} for s, sex in enumerate(SEXES)
    }
