"""Served population: who is served in a city, and what they need by year, answered while the client waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from models.bundle import Bundle
from models.forecast import QUANTILES
from models.outlook import Outlook
from models.served_population import ServedPopulation, residents_of, served_population
from models.served_population_case import Case, ServedError, case_of, example
from models.served_population_load import Load
from serving.api import Answer, DatasetTold, Share, dataset_told
from serving.errors import refused
from serving.projection import Level
from serving.records import or_none, records_of
from serving.scenario import ASSUMED


class ServedRequest(BaseModel):
    """A city's case; an empty object asks for the worked example: Astana in December 2025."""

    model_config = ConfigDict(extra="forbid", strict=True)

    # Read by the same code as the file of the command, which tells every fault in its words.
    case: SkipValidation[Case] | None = Field(
        default=None,
        description="Who is present, norms and capacities, as in the TOML file of `qonys served`. Left out or null: "
        "the worked example, whose norms and capacities only show the form.",
    )
    level: Level = Field(default="medium", description="Level of moves in the projection.")
    to: int | None = Field(default=None, description="Last year. Left out or null: the last that is projected.")


class LedgerRow(Answer):
    """One kind of presence, or the total: as it was stated, and once all agrees."""

    kind: str = Field(description="Kind of presence, or `total`.")
    stated: float | None = Field(description="Persons, as stated; null: not stated.")
    error: float | None = Field(description="Standard error of what was stated, persons.")
    reconciled: float = Field(description="Persons once all that is stated agrees (least squares, none below 0).")
    reconciled_error: float = Field(description="Standard error of that, persons.")
    residual: float | None = Field(description="Reconciled less stated, in standard errors of what was stated.")
    coverage: float | None = Field(description="Share of the component that the source counts, 0-1.")
    date: str | None = Field(description="Day of the statement, as 2025-12-22.")
    basis: str | None = Field(description="Kind of figure: `official`, `derived` or `estimated`.")
    source: str | None = Field(description="Whose figure it is.")


class LoadYear(Answer):
    """One load in one year, against its limit."""

    year: int = Field(description="1 January of the year.")
    expected: float = Field(description="Mean of the draws.")
    quantiles: dict[str, float] = Field(description="By probability level.")
    limit: float | None = Field(description="Capacity or budget of the year; null: not stated.")
    probability_over: Share | None = Field(description="Share of draws above the limit, 0-1; null: no limit.")


class LoadTold(Answer):
    """Presence, demand, recipients or cost of one name by year."""

    part: Literal["presence", "demand", "recipients", "cost"] = Field(
        description="`presence`: persons by kind; `demand` on a service; `recipients` of a benefit, and its `cost`."
    )
    name: str = Field(description="Kind of presence, service or benefit.")
    unit: str = Field(description="Unit of all its numbers.")
    first_year_over: int | None = Field(description="First year more likely above the limit than not; null: none.")
    years: list[LoadYear] = Field(description="By year.")


class ServedResponse(Answer):
    """Who is served in a city, and what they need by year."""

    label: Literal["assumed"] = Field(default="assumed", description=ASSUMED)
    illustrative: bool = Field(description="Whether norms and capacities only show the form.")
    region: str = Field(description="Code of the region that the city is.")
    city: str = Field(description="Name of the city.")
    date: str = Field(description="Day that the ledger is of.")
    level: Level = Field(description="Level of moves in the projection.")
    cutoff: int = Field(description="Last calendar year whose values the projection has seen.")
    dataset: DatasetTold = Field(description="What the projection was learnt from.")
    assumptions: list[str] = Field(description="What is taken for granted, a sentence each.")
    contradictions: list[str] = Field(description="What is stated and cannot be reconciled.")
    ledger: list[LedgerRow] = Field(description="Who is present, stated and reconciled.")
    loads: list[LoadTold] = Field(description="Presence, demand, recipients and cost by year.")


@dataclass(frozen=True, eq=False)
class ServedAnswers:
    bundle: Bundle
    outlook: Outlook

    @classmethod
    def of(cls, bundle: Bundle) -> "ServedAnswers":
        """Raises AdviceError where the bundle bears none."""
        return cls(bundle, bundle.advice.need_outlook())

    def answer(self, request: ServedRequest) -> bytes:
        """A ServedResponse. Raises RequestError that lists every fault."""
        try:
            case = example() if request.case is None else case_of(request.case)  # pyright: ignore[reportArgumentType]
            residents = residents_of(self.outlook, self.bundle.dataset, case.city.region, request.level)
            made = served_population(case, residents, residents.years[-1] if request.to is None else request.to)
        except ServedError as error:
            raise refused(error, "case_refused", _given(request)) from None
        return self._response(made, request.level).model_dump_json().encode()

    def _response(self, made: ServedPopulation, level: Level) -> ServedResponse:
        city, table = made.case.city, made.ledger_table()
        return ServedResponse(
            illustrative=made.case.illustrative,
            region=city.region,
            city=city.name,
            date=city.date.isoformat(),
            level=level,
            cutoff=self.bundle.manifest.cutoff,
            dataset=dataset_told(self.bundle),
            assumptions=list(made.assumptions),
            contradictions=list(made.reconciled.contradictions),
            ledger=[LedgerRow.model_validate(row) for row in records_of(table)],
            loads=[_load(load) for load in made.loads],
        )


def _given(request: ServedRequest) -> Mapping[str, object]:
    """By path of the field; a case that is left out has no fault, so that its last year has."""
    case: Any = request.case
    if case is None:
        return {"to": request.to}
    sections = case if isinstance(case, Mapping) else {}
    paths = {f"case.{name}": sections.get(name) for name in [*Case.model_fields, *sections]}
    return {"case": case, "to": request.to} | paths


def _load(load: Load) -> LoadTold:
    return LoadTold(
        part=load.part,  # pyright: ignore[reportArgumentType] -- checked by pydantic
        name=load.name,
        unit=load.unit,
        first_year_over=load.first_year_over,
        years=[
            LoadYear(
                year=year,
                expected=load.expected[y],
                quantiles=dict(zip(map(str, QUANTILES), load.quantiles[:, y].tolist(), strict=True)),
                limit=or_none(load.limit[y]),
                probability_over=or_none(load.probability_over[y]),
            )
            for y, year in enumerate(load.years)
        ],
    )
