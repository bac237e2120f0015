"""Requests and answers, and the step from a bundle's forecast to an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from features.boundaries import unit_of_region
from features.targets import first_year
from models.bundle import Bundle
from models.decision import PROVISIONAL, Decision
from models.forecast import FLOW, QUANTILES, TargetForecast

BASIS = (
    "Kind of figures that the forecast continues: `official` as published, `derived` computed from published ones, "
    "`estimated` where the region has no series of its own. The forecast itself is never an official figure."
)
SKILL = "1 − error / error of persistence over the same past cutoffs: above 0 beats persistence, 1 is perfect"
SCOPE_NOTES = {
    "between_regions": "Moves between regions. Moves inside a region and moves abroad do not count.",
    "within_country": "Moves inside the country; includes moves inside a region. Moves abroad do not count.",
    "all": "All moves, between regions and abroad.",
}
PROJECTED, YEARS = "projection", "years"
"""What Known calls the regions, and the years, of the projection."""
ELSEWHERE = {("target", FLOW): "POST /flows, which answers flows from region to region"}
"""What is asked for at the wrong place, by kind and value, and where it is answered."""
MOST = 10_000
"""Entries of a list in a request; each takes time, and more would make others wait."""
Share = Annotated[float, Field(ge=0, le=1)]


# --- requests -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What a bundle can be asked for. regions: by target, for `flow` where flows are forecast, and for the projection,
    the region's names by its code. years: of the projection."""

    regions: Mapping[str, Mapping[str, tuple[str, ...]]]
    horizons: tuple[int, ...]
    years: tuple[int, ...] = ()

    def names(self, kind: str, target: str) -> Mapping[Any, tuple[str, ...]]:
        """Known values of a kind, and other names they go by. Regions: of the target, or of all where it is unknown."""
        if kind == "target":
            return dict.fromkeys((target for target in self.regions if target not in (FLOW, PROJECTED)), ())
        if kind == "horizon":
            return dict.fromkeys(self.horizons, ())
        if kind == "year":
            return dict.fromkeys(self.years, ())
        return self.regions.get(target, self._all_regions)

    @cached_property
    def _all_regions(self) -> Mapping[str, tuple[str, ...]]:
        return {code: names for regions in self.regions.values() for code, names in regions.items()}


def known(kind: str, of: str | None = None) -> AfterValidator:
    """The value must be one that the bundle knows; `Known` is the validation's context. of: target, else the asked."""

    def check(value: Any, info: ValidationInfo) -> Any:
        assert isinstance(info.context, Known)
        names = info.context.names(kind, of or info.data.get("target", ""))
        if value not in names:
            told = {"kind": kind, "known": names, "elsewhere": ELSEWHERE.get((kind, value))}
            raise PydanticCustomError("unknown", "unknown", told)
        return value

    return AfterValidator(check)


class ForecastRequest(BaseModel):
    """What to forecast; an empty object asks for every region and horizon of net_migration."""

    model_config = ConfigDict(extra="forbid", strict=True)

    target: Annotated[str, known("target")] = Field(
        default="net_migration",
        validate_default=True,
        description="What is forecast: `net_migration` (inflow − out_migration), `inflow` or `out_migration`.",
    )
    regions: list[Annotated[str, known("region")]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST,
        description="Codes of regions, as in /regions; each is answered once. Left out or null: all.",
        examples=[["KZ-71", "KZ-75"]],
    )
    horizons: list[Annotated[int, known("horizon")]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST,
        description="Years after the cutoff; each is answered once. Left out or null: all.",
        examples=[[1, 2]],
    )


class EmptyRequest(BaseModel):
    """An object without fields."""

    model_config = ConfigDict(extra="forbid")


# --- answers --------------------------------------------------------------------------------------------------------


class Answer(BaseModel):
    """What is answered; a number that is not finite is a fault of ours and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, serialize_by_alias=True)


class DatasetTold(Answer):
    name: str = Field(description="Short name of the dataset that the bundle was trained on.")
    title: str = Field(description="Its title.")
    sha256: str = Field(description="sha256 of its tables, in hexadecimal.")
    sources: list[str] = Field(description="Whose figures they are; name them when you publish a forecast.")


class Skill(Answer):
    value: float | None = Field(description=f"{SKILL}; of the served model. null: not measured.")
    against: Literal["persistence"] = Field(
        default="persistence", description="What it is measured against: the last year."
    )
    cutoffs: int = Field(description="Past cutoffs on which it was measured.", ge=0)


class Coverage(Answer):
    within_50: Share | None = Field(alias="50", description="Of the 50 % interval, 0.25 to 0.75; share, 0-1.")
    within_80: Share | None = Field(alias="80", description="Of the 80 % interval, 0.1 to 0.9; share, 0-1.")
    within_90: Share | None = Field(alias="90", description="Of the 90 % interval, 0.05 to 0.95; share, 0-1.")
    cutoffs: int = Field(description="Past cutoffs on which it was measured.", ge=0)


class RegionForecast(Answer):
    region: str = Field(description="Code of the region.")
    name: str = Field(description="Its name in English.")
    year: int = Field(description="Calendar year of the moves: cutoff + horizon.")
    horizon: int = Field(description="Years after the cutoff.")
    quantiles: dict[str, int] = Field(
        description="Whole persons in the year, by probability level: `0.5` is the median, `0.1` to `0.9` the 80 % "
        "interval. Never crossing. Quantiles of regions must not be added up.",
        json_schema_extra={"required": [f"{level}" for level in QUANTILES]},
        examples=[{"0.05": -900, "0.1": -700, "0.25": -400, "0.5": -100, "0.75": 200, "0.9": 500, "0.95": 700}],
    )
    model: str = Field(description="Model that is served for this target and horizon.")
    why: str = Field(description="Why it is served.")
    provisional: bool = Field(description=f"Whether the evidence is of {PROVISIONAL} past cutoffs or fewer.")
    skill: Skill = Field(description="How much better than persistence the served model was in the backtest.")
    coverage_measured: Coverage = Field(description="Share of past outcomes inside the intervals; null: not measured.")
    basis: Literal["official", "derived", "estimated"] = Field(description=BASIS)


class ForecastResponse(Answer):
    target: str = Field(description="What is forecast.")
    unit: Literal["persons"] = Field(default="persons", description="Unit of the quantiles.")
    scope: str = Field(description="Which moves count: `between_regions`, `within_country` or `all`.")
    scope_note: str = Field(description="The scope in words.")
    cutoff: int = Field(description="Last calendar year whose values the forecast has seen.")
    dataset: DatasetTold = Field(description="What the forecast was learnt from.")
    forecasts: list[RegionForecast] = Field(description="One per region and horizon, in the order of the request.")


class Region(Answer):
    region: str = Field(description="Code of the region.")
    name: str = Field(description="Name in English.")
    name_ru: str | None = Field(description="Name in Russian; null where the dataset has none.")
    name_kk: str | None = Field(description="Name in Kazakh; null where the dataset has none.")
    kind: Literal["city", "region"] = Field(description="Whether it is a city.")
    latitude: float = Field(description="Of its main town, in degrees north.", ge=-90, le=90)
    longitude: float = Field(description="Of its main town, in degrees east.", ge=-180, le=180)
    unit: dict[str, str] = Field(
        description="By target, the unit of constant boundaries whose series is forecast: the region itself, or the "
        "older region that it was part of."
    )
    basis: dict[str, Literal["official", "derived", "estimated"]] = Field(description=f"By target. {BASIS}")


class RegionsResponse(Answer):
    regions: list[Region] = Field(description="Regions that the forecast answers for.")


class DatasetSpan(DatasetTold):
    first_year: int = Field(description="First calendar year with a value.")
    last_year: int = Field(description="Last calendar year with a value, also where the cutoff hides it.")


class DecisionTold(Answer):
    target: str = Field(description="What is forecast; `flow` is from region to region.")
    horizon: int = Field(description="Years after the cutoff.")
    model: str = Field(description="Model that is served.")
    reason: str = Field(description="Why it is served.")
    provisional: bool = Field(description=f"Whether the evidence is of {PROVISIONAL} past cutoffs or fewer.")
    cutoffs: int = Field(description="Past cutoffs with a known outcome.", ge=0)
    skill: float | None = Field(description=f"{SKILL}; null: not measured.")
    probability: Share | None = Field(description="Probability that the skill is above 0, 0-1, by resampling cutoffs.")


class Score(Answer):
    target: str = Field(description="What was forecast; `flow` is from region to region.")
    model: str = Field(description="Model; `served` is what would have been served at each cutoff, knowing the past.")
    horizon: int = Field(description="Years after the cutoff.")
    skill: float | None = Field(description=f"{SKILL}; pooled. null: persistence made no error.")
    skill_low: float | None = Field(description="Lower end of the skill's 80 % interval; null with a single cutoff.")
    skill_high: float | None = Field(description="Upper end, when whole cutoffs are resampled.")
    won: float = Field(description="Share of cutoffs with less error than persistence, 0-1.")
    wape: float | None = Field(description="Σ|outcome − median| / Σ|outcome|, a ratio; null: all outcomes are 0.")
    sign_agreement: float = Field(description="Share of outcomes whose sign the median has, 0-1.")
    crps: float = Field(description="Continuous ranked probability score of the draws, mean persons per outcome.")
    coverage_50: Share = Field(description="Share of outcomes inside the 50 % interval, 0-1.")
    coverage_80: Share = Field(description="Share of outcomes inside the 80 % interval, 0-1.")
    coverage_90: Share = Field(description="Share of outcomes inside the 90 % interval, 0-1.")
    n: int = Field(description="Outcomes scored: regions × cutoffs, or pairs × cutoffs.", ge=1)
    cutoffs: int = Field(description="Past cutoffs scored.", ge=1)


class ServedTold(Answer):
    """Which model answers."""

    source: str = Field(
        description="`models:/NAME@ALIAS` or `models:/NAME/VERSION` of the registry, or `folder`.",
        examples=["models:/qonys-kazakhstan@champion"],
    )
    version: str | None = Field(description="Its version in the registry; null: not from there.", examples=["7"])
    content: str = Field(
        description="Hash of the bundle's content, in hexadecimal; the same content answers the same.",
        examples=["0b888ba8f7f7dec1"],
    )
    loaded_at: str = Field(description="When it was loaded, ISO 8601, UTC.", examples=["2026-03-02T09:30:00+00:00"])


class ModelResponse(Answer):
    cutoff: int = Field(description="Last calendar year whose values the forecast has seen.")
    horizons: list[int] = Field(description="Years after the cutoff that can be asked for.")
    targets: list[str] = Field(description="Targets that /forecast can be asked for.")
    flows: bool = Field(description="Whether /flows can be asked: flows from region to region are forecast.")
    quantiles: list[float] = Field(description="Probability levels that are answered, 0-1.")
    draws: int = Field(description="Possible futures from which the quantiles are taken.")
    dataset: DatasetSpan = Field(description="What the forecast was learnt from.")
    versions: dict[str, str] = Field(description="Of Qonys, its commit, Python and the libraries at training.")
    decisions: list[DecisionTold] = Field(description="What is served, per target and horizon.")
    scorecard: list[Score] = Field(description="The backtest, per target, model and horizon.")
    served: ServedTold | None = Field(
        default=None, description="Which model answers, and since when; null where nobody serves it."
    )


class ReloadResponse(Answer):
    """What became of a reload."""

    outcome: Literal["swapped", "unchanged"] = Field(
        description="`swapped`: another model answers from now on; `unchanged`: it is the one that answered before.",
        examples=["swapped"],
    )
    served: ServedTold = Field(description="What answers now.")


class Endpoint(Answer):
    path: str = Field(description="Path.")
    methods: list[str] = Field(description="HTTP methods.")
    about: str = Field(description="What it answers.")


class IndexResponse(Answer):
    name: str = Field(description="Name of the service.")
    about: str = Field(description="What it does.")
    documentation: str = Field(description="Path of its OpenAPI document.")
    endpoints: list[Endpoint] = Field(description="What can be asked.")


# --- from a bundle to answers ---------------------------------------------------------------------------------------


def known_of(bundle: Bundle) -> Known:
    names = {region.region: (region.name, *_other_names(region)) for region in _regions(bundle)}
    forecast = bundle.forecast
    regions = {target: one.regions for target, one in forecast.targets.items()}
    regions |= {FLOW: forecast.flows.regions} if forecast.flows else {}
    outlook = bundle.advice.outlook
    regions |= {PROJECTED: outlook.regions} if outlook else {}
    return Known(
        {target: {code: names[code] for code in codes} for target, codes in regions.items()},
        bundle.manifest.horizons,
        outlook.years if outlook else (),
    )


def forecast_response(bundle: Bundle, target: str) -> ForecastResponse:
    """Every region and horizon of a target."""
    forecast = bundle.forecast.targets[target]
    return ForecastResponse(
        target=target,
        scope=forecast.scope,
        scope_note=SCOPE_NOTES[forecast.scope],
        cutoff=forecast.cutoff,
        dataset=dataset_told(bundle),
        forecasts=_region_forecasts(bundle, forecast),
    )


def dataset_told(bundle: Bundle) -> DatasetTold:
    return DatasetTold(**{field: bundle.manifest.dataset[field] for field in DatasetTold.model_fields})


def regions_response(bundle: Bundle) -> RegionsResponse:
    return RegionsResponse(regions=_regions(bundle))


def model_response(bundle: Bundle) -> ModelResponse:
    manifest = bundle.manifest
    return ModelResponse(
        cutoff=manifest.cutoff,
        horizons=list(manifest.horizons),
        targets=list(bundle.forecast.targets),
        flows=bundle.forecast.flows is not None,
        quantiles=list(QUANTILES),
        draws=bundle.forecaster.draws,
        dataset=DatasetSpan(**manifest.dataset),
        versions=manifest.versions,
        decisions=[_decision(decision) for decision in manifest.decisions],
        scorecard=[Score.model_validate(row) for row in _records(bundle.scorecard)],
    )


def _region_forecasts(bundle: Bundle, forecast: TargetForecast) -> list[RegionForecast]:
    names = bundle.dataset.regions.set_index("region")["name"]
    quantiles = forecast.quantiles(QUANTILES)
    evidence = {horizon: evidence_of(bundle, forecast.target, horizon) for horizon in forecast.horizons}
    return [
        RegionForecast(
            region=region,
            name=str(names[region]),
            year=forecast.cutoff + horizon,
            horizon=horizon,
            quantiles={f"{level}": int(quantiles[q, h, r]) for q, level in enumerate(QUANTILES)},
            model=forecast.models[horizon],
            basis=forecast.basis[region],  # pyright: ignore[reportArgumentType] -- checked by pydantic
            **evidence[horizon],
        )
        for r, region in enumerate(forecast.regions)
        for h, horizon in enumerate(forecast.horizons)
    ]


def evidence_of(bundle: Bundle, target: str, horizon: int) -> dict[str, Any]:
    """Why the model is served, and how well it did: why, provisional, skill, coverage_measured."""
    decision = bundle.manifest.decision(target, horizon)
    measured = {f"{level}": getattr(decision, f"coverage_{level}") for level in (50, 80, 90)}
    return {
        "why": decision.reason,
        "provisional": decision.provisional,
        "skill": Skill(value=decision.skill, cutoffs=decision.cutoffs),
        "coverage_measured": Coverage.model_validate(measured | {"cutoffs": decision.cutoffs}),
    }


def _decision(decision: Decision) -> DecisionTold:
    return DecisionTold(**{field: getattr(decision, field) for field in DecisionTold.model_fields})


def _regions(bundle: Bundle) -> list[Region]:
    targets = bundle.forecast.targets
    answered = {region for forecast in targets.values() for region in forecast.regions}
    answered |= set(bundle.forecast.flows.regions) if bundle.forecast.flows else set()
    columns = ["region", "name", "name_ru", "name_kk", "kind", "latitude", "longitude"]
    regions = bundle.dataset.regions.reindex(columns=columns)
    rows = _records(regions[regions["region"].isin(answered)])
    unit = {target: _units(bundle, target) for target in targets}
    basis = {target: forecast.basis for target, forecast in targets.items()}
    return [
        Region.model_validate(row | {"unit": _of(unit, row["region"]), "basis": _of(basis, row["region"])})
        for row in rows
    ]


def _units(bundle: Bundle, target: str) -> dict[str, str]:
    """Unit by region, of the regions that the target's forecast answers for."""
    known = bundle.dataset.as_of(bundle.manifest.cutoff)
    units = unit_of_region(known.regions["region"], known.boundary_changes, first_year(known, target))
    return {region: str(units[region]) for region in bundle.forecast.targets[target].regions}


def _of(by_target: Mapping[str, Mapping[str, str]], region: str) -> dict[str, str]:
    return {target: by_region[region] for target, by_region in by_target.items() if region in by_region}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows, None where a value is missing."""
    rows = table.astype("object").where(table.notna(), None).to_dict("records")
    return [{str(column): value for column, value in row.items()} for row in rows]


def _other_names(region: Region) -> tuple[str, ...]:
    return tuple(name for name in (region.name_ru, region.name_kk) if name)
