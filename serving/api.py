"""Requests and answers of /forecast, /regions, /model and /, and what all answers tell of the bundle."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.bundle import Bundle
from models.decision import PROVISIONAL
from models.forecast import QUANTILES
from serving.known import MOST, known

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
Share = Annotated[float, Field(ge=0, le=1)]


# --- requests -------------------------------------------------------------------------------------------------------


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
    """The dataset that was learnt from."""

    name: str = Field(description="Short name of the dataset that the bundle was trained on.")
    title: str = Field(description="Its title.")
    sha256: str = Field(description="sha256 of its tables, in hexadecimal.")
    sources: list[str] = Field(description="Whose figures they are; name them when you publish a forecast.")


class Skill(Answer):
    """How much better than persistence the served model was."""

    value: float | None = Field(description=f"{SKILL}; of the served model. null: not measured.")
    against: Literal["persistence"] = Field(
        default="persistence", description="What it is measured against: the last year."
    )
    cutoffs: int = Field(description="Past cutoffs on which it was measured.", ge=0)


class Coverage(Answer):
    """How often past outcomes were inside the intervals."""

    within_50: Share | None = Field(alias="50", description="Of the 50 % interval, 0.25 to 0.75; share, 0-1.")
    within_80: Share | None = Field(alias="80", description="Of the 80 % interval, 0.1 to 0.9; share, 0-1.")
    within_90: Share | None = Field(alias="90", description="Of the 90 % interval, 0.05 to 0.95; share, 0-1.")
    cutoffs: int = Field(description="Past cutoffs on which it was measured.", ge=0)


class RegionForecast(Answer):
    """The forecast of one region and year, and how good such forecasts were."""

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
    """The forecast of one target by region and year."""

    target: str = Field(description="What is forecast.")
    unit: Literal["persons"] = Field(default="persons", description="Unit of the quantiles.")
    scope: str = Field(description="Which moves count: `between_regions`, `within_country` or `all`.")
    scope_note: str = Field(description="The scope in words.")
    cutoff: int = Field(description="Last calendar year whose values the forecast has seen.")
    dataset: DatasetTold = Field(description="What the forecast was learnt from.")
    forecasts: list[RegionForecast] = Field(description="One per region and horizon, in the order of the request.")


class Region(Answer):
    """One region that the forecast answers for."""

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
    """Regions that can be asked for."""

    regions: list[Region] = Field(description="Regions that the forecast answers for.")


class DatasetSpan(DatasetTold):
    """The dataset that was learnt from, and the years it spans."""

    first_year: int = Field(description="First calendar year with a value.")
    last_year: int = Field(description="Last calendar year with a value, also where the cutoff hides it.")


class DecisionTold(Answer):
    """What is served for one target and horizon, and on what evidence."""

    target: str = Field(description="What is forecast; `flow` is from region to region.")
    horizon: int = Field(description="Years after the cutoff.")
    model: str = Field(description="Model that is served.")
    reason: str = Field(description="Why it is served.")
    provisional: bool = Field(description=f"Whether the evidence is of {PROVISIONAL} past cutoffs or fewer.")
    cutoffs: int = Field(description="Past cutoffs with a known outcome.", ge=0)
    skill: float | None = Field(description=f"{SKILL}; null: not measured.")
    probability: Share | None = Field(description="Probability that the skill is above 0, 0-1, by resampling cutoffs.")


class Score(Answer):
    """How well one model did in the backtest, for one target and horizon."""

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
    """What is served, why, and how well it did in the past."""

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
    """One path that can be asked."""

    path: str = Field(description="Path.")
    methods: list[str] = Field(description="HTTP methods.")
    about: str = Field(description="What it answers.")


class IndexResponse(Answer):
    """The service, and what it can be asked."""

    name: str = Field(description="Name of the service.")
    about: str = Field(description="What it does.")
    documentation: str = Field(description="Path of its OpenAPI document.")
    endpoints: list[Endpoint] = Field(description="What can be asked.")


# --- what all answers tell ------------------------------------------------------------------------------------------


def dataset_told(bundle: Bundle) -> DatasetTold:
    return DatasetTold(**{field: bundle.manifest.dataset[field] for field in DatasetTold.model_fields})


def region_names(bundle: Bundle) -> dict[str, str]:
    """In English, by code."""
    return dict(bundle.dataset.regions.set_index("region")["name"])
