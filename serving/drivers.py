"""Drivers: what the rates of regions and corridors go together with, computed at training; a request is a look-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from models.bundle import Bundle
from models.drivers import Drivers, DriversError
from models.forecast import FLOW
from serving.api import Answer, DatasetTold, dataset_told, region_names
from serving.errors import Detail, RequestError, refused
from serving.known import known
from serving.records import records_of

Basis = Literal["official", "derived", "estimated"]
Label = Annotated[
    Literal["associated"], Field(description="What goes together; nothing here says what would happen if it changed.")
]
Region = Annotated[str, known("region", FLOW)]
ContributionsByGroup = Annotated[
    dict[str, float],
    Field(
        description="By group of indicators, logs beside the mean; their sum is log(rate / reference rate). `history` "
        "is what past moves say beyond the model."
    ),
]


class DriversRequest(BaseModel):
    """A region, or a corridor from an origin to a destination; an empty object asks for all regions."""

    model_config = ConfigDict(extra="forbid", strict=True)

    region: Region | None = Field(default=None, description="Code of a region or city.", examples=["KZ-71"])
    origin: Region | None = Field(default=None, description="Code of the region left, with a destination.")
    destination: Region | None = Field(default=None, description="Code of the region reached, with an origin.")


class Contributions(Answer):
    model: Literal["gravity", "boosted"] = Field(
        description="`gravity`: elasticities by Poisson regression; `boosted`: LightGBM's own contributions."
    )
    year: int = Field(description="Year of the forecast whose rate is explained.")
    rate_per_1000: float = Field(description="Forecast moves per 1,000 inhabitants, median.")
    reference_per_1000: float = Field(description="Geometric mean of all regions, or of all corridors.")
    contributions: ContributionsByGroup
    basis: Basis = Field(description="Kind of figures that the flows are.")


class RegionDrivers(Contributions):
    """What the rate of moves from, or to, one region goes together with, by one model."""

    region: str = Field(description="Code of the region.")
    name: str = Field(description="Its name in English.")
    measure: Literal["out_migration", "inflow"] = Field(description="Which rate is explained.")


class CorridorDrivers(Contributions):
    """What the rate of moves from one region to another goes together with, by one model."""

    origin: str = Field(description="Code of the region left.")
    destination: str = Field(description="Code of the region reached.")
    persons: int = Field(description="Forecast moves, median.")


class Difference(Answer):
    """One indicator at both ends of a corridor."""

    indicator: str = Field(description="Indicator.")
    group: str = Field(description="Its group.")
    unit: str = Field(description="Its unit.")
    origin_value: float | None = Field(description="Last published value at the origin; null: none.")
    origin_year: int | None = Field(description="Year of that value.")
    destination_value: float | None = Field(description="Last published value at the destination; null: none.")
    destination_year: int | None = Field(description="Year of that value.")
    difference: float | None = Field(description="Destination less origin.")
    ratio: float | None = Field(description="Destination over origin.")
    contribution: float | None = Field(description="Log, by gravity; those of a group sum to its contribution.")


class Elasticity(Answer):
    """One coefficient of the gravity model."""

    term: str = Field(description="Indicator, index of a group, or geography.")
    end: Literal["origin", "destination", "pair", "both"] = Field(
        description="Of which end of a flow; `both`: one effect of what the destination has more than the origin."
    )
    group: str = Field(description="Its group.")
    form: Literal["joint", "difference", "alone"] = Field(
        description="`joint`: beside all groups; `difference`: both ends as one; `alone`: of one indicator by itself."
    )
    coefficient: float = Field(
        description="Change of the log of a flow, per what `unit` says; an elasticity: per log of the term."
    )
    standard_error: float = Field(description="Of the coefficient, clustered by origin and by destination.")
    unit: str = Field(description="`elasticity`, or what the log of a flow changes by.")
    n: int = Field(description="Flows that it was learnt from.")
    first_year: int = Field(description="First year of them.")
    last_year: int = Field(description="Last year of them.")
    clear: bool = Field(description="Whether it is further from 0 than twice its standard error.")
    label: Literal["associated", "assumed"] = Field(
        description="`assumed` where estimated flows were made with it, so that it is no finding."
    )
    basis: Basis = Field(description="Kind of figures that the flows are.")
    cutoffs: int = Field(description="Past cutoffs at which it was learnt too.")
    share_positive: float | None = Field(description="Share of these at which it was above 0.")
    smallest: float | None = Field(description="Smallest of these.")
    largest: float | None = Field(description="Largest of these.")
    stable: bool | None = Field(description="Whether its sign and size hold over these; null: too few.")


class GroupRank(Answer):
    """How much one group of indicators mattered at one past cutoff."""

    cutoff: int = Field(description="Past cutoff.")
    group: str = Field(description="Group of indicators.")
    importance: float = Field(description="Standard deviation over pairs of what it adds to the log of flows, gravity.")
    rank: int = Field(description="1: the most important at the cutoff.")
    spearman: float | None = Field(description="Rank correlation of groups with the cutoff before; null: the first.")


class SkillAdded(Answer):
    """What one driver adds to forecasts of one target out of sample."""

    driver: str = Field(description="Group, or indicator.")
    kind: Literal["group", "indicator"] = Field(description="Which of them.")
    target: str = Field(description="Published target whose next year is forecast with and without it.")
    cutoffs: int = Field(description="Past cutoffs on which it was measured.")
    relative_change: float | None = Field(description="Error with it over error without it, less 1; below 0 it helps.")
    lower: float | None = Field(description="Lower end of its 80 % interval, over resampled cutoffs.")
    upper: float | None = Field(description="Upper end of it.")
    says: str = Field(description="The same in words.")


class DriversResponse(Answer):
    """What the rates of regions, or of a corridor, go together with."""

    label: Label
    cutoff: int = Field(description="Last calendar year whose values were seen.")
    dataset: DatasetTold = Field(description="What it was learnt from.")
    regions: list[RegionDrivers] = Field(description="Of the region that was asked for, or of all.")
    corridor: list[CorridorDrivers] = Field(description="Of the corridor that was asked for, by model.")
    differences: list[Difference] = Field(description="What differs between the ends of the corridor.")
    elasticities: list[Elasticity] = Field(description="Of the gravity model, for all regions together.")
    ranks: list[GroupRank] = Field(description="Importance of groups at past cutoffs: whether their order holds.")
    skill_added: list[SkillAdded] = Field(description="What each adds to forecasts out of sample; often nothing.")


@dataclass(frozen=True, eq=False)
class DriversAnswers:
    bundle: Bundle
    drivers: Drivers

    @classmethod
    def of(cls, bundle: Bundle) -> "DriversAnswers":
        """Raises AdviceError where the bundle bears none."""
        return cls(bundle, bundle.advice.need_drivers())

    def answer(self, request: DriversRequest) -> bytes:
        """A DriversResponse. Raises RequestError."""
        _check(request)
        origin, destination = request.origin, request.destination
        told = self.drivers
        try:
            chosen = told.regions if request.region is None else told.of_region(request.region)
            corridor = told.corridors.iloc[:0]
            differences = told.differences(chosen["region"].iloc[0], chosen["region"].iloc[0]).iloc[:0]
            if origin is not None and destination is not None:
                chosen, corridor = chosen.iloc[:0], told.of_corridor(origin, destination)
                differences = told.differences(origin, destination)
        except DriversError as error:
            raise refused(error, "no_drivers", request.model_dump(exclude_none=True)) from None
        names = region_names(self.bundle)
        response = DriversResponse(
            label="associated",
            cutoff=self.bundle.manifest.cutoff,
            dataset=dataset_told(self.bundle),
            regions=[
                RegionDrivers.model_validate(row | {"name": names[row["region"]]})
                for row in _by_group(chosen, ["model", "measure", "region"])
            ],
            corridor=[
                CorridorDrivers.model_validate(row)
                for row in _by_group(corridor, ["model", "origin", "destination", "persons"])
            ],
            differences=[Difference.model_validate(row) for row in _rows(differences, Difference)],
            elasticities=[Elasticity.model_validate(row) for row in _rows(told.elasticities, Elasticity)],
            ranks=[GroupRank.model_validate(row) for row in _rows(told.ranks, GroupRank)],
            skill_added=[SkillAdded.model_validate(row) for row in _rows(told.skill, SkillAdded)],
        )
        return response.model_dump_json().encode()


def _check(request: DriversRequest) -> None:
    given = [field for field in ("region", "origin", "destination") if getattr(request, field) is not None]
    if given in ([], ["region"], ["origin", "destination"]) and (
        request.origin is None or request.origin != request.destination
    ):
        return
    detail = Detail(
        field=given[0], value=None, expected="either a region, or an origin with another region as destination"
    )
    raise RequestError(422, "invalid_request", f"{' and '.join(given)}: cannot be asked together so", [detail])


def _by_group(table: pd.DataFrame, key: list[str]) -> list[dict[str, Any]]:
    """A row per key, with the contributions of its groups."""
    told = []
    for _, rows in table.groupby(key, sort=False):
        first = rows.iloc[0]
        same = {name: first[name] for name in [*key, "year", "rate_per_1000", "reference_per_1000", "basis"]}
        parts = dict(zip(rows["group"], rows["contribution"].round(6), strict=True))
        told.append(same | {"contributions": parts})
    return told


def _rows(table: pd.DataFrame, model: type[BaseModel]) -> Sequence[dict[str, Any]]:
    """Columns that the answer has; None where a value is missing."""
    return records_of(table.reindex(columns=list(model.model_fields)))
