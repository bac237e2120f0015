"""Labour: supply by region and year, against jobs that the client expects."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from models.bundle import Bundle
from models.forecast import QUANTILES
from models.labour import Labour, LabourError, labour_of
from models.labour_demand import demand_of
from models.outlook import Outlook
from serving.api import Answer, DatasetTold, Share, dataset_told
from serving.errors import refused
from serving.known import MOST, PROJECTED, YEARS, known
from serving.projection import Level
from serving.records import or_none
from serving.scenario import ASSUMED, by_level


class Jobs(BaseModel):
    """Jobs that are expected in a region and year."""

    model_config = ConfigDict(extra="forbid")

    region: str = Field(description="Code of the region.", examples=["KZ-71"])
    year: int = Field(description="Calendar year.", examples=[2030])
    jobs: float = Field(description="Persons at work.", ge=0, examples=[700_000])
    source: str = Field(description="Whose figure it is.", examples=["a plan of the city"])


class LabourRequest(BaseModel):
    """Jobs that are expected, if any; an empty object asks for the supply of all regions."""

    model_config = ConfigDict(extra="forbid", strict=True)

    # Read by the same code as the file of the command, which tells every fault in its words.
    jobs: SkipValidation[list[Jobs]] = Field(default=[], description="None are invented: without any, supply alone.")
    regions: list[Annotated[str, known("region", PROJECTED)]] | None = Field(
        default=None, min_length=1, max_length=MOST, description="Codes of regions. Left out or null: all."
    )
    level: Level = Field(default="medium", description="Level of moves in the projection.")
    to: Annotated[int, known("year", YEARS)] | None = Field(
        default=None, description="Last year. Left out or null: the last that is projected."
    )


Quantiles = Annotated[dict[str, int], Field(description="Persons by probability level.")]


class LabourYear(Answer):
    """Labour supply of one region on 1 January of one year, against jobs."""

    region: str = Field(description="Code of the region.")
    year: int = Field(description="Calendar year.")
    participation: float = Field(description="Labour force per person of working age; stays at its last known value.")
    supply: Quantiles = Field(description="Persons who work or look for work.")
    jobs: float | None = Field(description="Jobs as given; null: not given.")
    gap: Quantiles | None = Field(description="Jobs less supply: above 0 workers are missing, below 0 jobs.")
    closing_migration: Quantiles | None = Field(
        description="Net migration of working age that would close the gap, beyond what is projected."
    )
    probability_shortage: Share | None = Field(description="Share of draws in which workers are missing, 0-1.")
    net_migration: float | None = Field(
        description="Projected balance of all ages up to 1 January of the year; null: not forecast so far ahead."
    )


class LabourResponse(Answer):
    """Labour supply by region and year, against jobs where they were given."""

    label: Literal["assumed"] = Field(default="assumed", description=ASSUMED)
    unit: Literal["persons"] = Field(default="persons", description="Unit of the quantiles.")
    level: Level = Field(description="Level of moves in the projection.")
    cutoff: int = Field(description="Last calendar year whose values the projection has seen.")
    dataset: DatasetTold = Field(description="What the projection was learnt from.")
    assumptions: list[str] = Field(description="What is taken for granted, a sentence each.")
    labour: list[LabourYear] = Field(description="By region and year.")


@dataclass(frozen=True, eq=False)
class LabourAnswers:
    bundle: Bundle
    outlook: Outlook

    @classmethod
    def of(cls, bundle: Bundle) -> "LabourAnswers":
        """Raises AdviceError where the bundle bears none."""
        return cls(bundle, bundle.advice.need_outlook())

    def answer(self, request: LabourRequest) -> bytes:
        """A LabourResponse. Raises RequestError that lists every fault."""
        outlook, bundle = self.outlook, self.bundle
        try:
            jobs = demand_of(request.jobs, outlook.regions, outlook.years) if request.jobs != [] else None
            to = request.to or outlook.years[-1]
            found = labour_of(outlook, bundle.dataset, bundle.forecast, request.level, to, request.regions, jobs)
        except LabourError as error:
            given = {"jobs": request.jobs, "regions": request.regions, "to": request.to}
            raise refused(error, "jobs_refused", given) from None
        told = LabourResponse(
            level=request.level,
            cutoff=bundle.manifest.cutoff,
            dataset=dataset_told(bundle),
            assumptions=list(found.assumptions),
            labour=_years(found),
        )
        return told.model_dump_json().encode()


def _years(found: Labour) -> list[LabourYear]:
    """Quantiles of the whole at once."""
    measures = {name: _quantiles(getattr(found, name)) for name in ("supply", "gap", "closing_migration")}
    rows = []
    for r, region in enumerate(found.regions):
        for y, year in enumerate(found.years):
            given = not np.isnan(found.jobs[y, r])
            told = {
                name: by_level(values[:, y, r]) if given or name == "supply" else None
                for name, values in measures.items()
            }
            rows.append(
                LabourYear.model_validate(
                    {"region": region, "year": year, "participation": round(float(found.participation[r]), 4)}
                    | told
                    | {"jobs": or_none(found.jobs[y, r]), "net_migration": or_none(found.net_migration[y, r])}
                    | {"probability_shortage": or_none(found.probability_shortage[y, r])}
                )
            )
    return rows


def _quantiles(draws: np.ndarray) -> np.ndarray:
    """(level of QUANTILES, year, region), whole."""
    return np.rint(np.quantile(draws, QUANTILES, axis=0))
