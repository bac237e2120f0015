"""Responses: from a bundle's forecast to what /forecast, /regions and /model answer."""

from collections.abc import Mapping
from typing import Any

from features.boundaries import unit_of_region
from features.targets import first_year, recorded_targets
from models.bundle import Bundle
from models.decision import Decision
from models.forecast import FLOW, QUANTILES, TargetForecast
from serving.api import (
    SCOPE_NOTES,
    Coverage,
    DatasetSpan,
    DecisionTold,
    ForecastResponse,
    ModelResponse,
    Region,
    RegionForecast,
    RegionsResponse,
    Score,
    Skill,
    dataset_told,
    region_names,
)
from serving.known import PROJECTED, Known
from serving.records import records_of


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
        scorecard=[Score.model_validate(row) for row in records_of(bundle.scorecard)],
    )


def _region_forecasts(bundle: Bundle, forecast: TargetForecast) -> list[RegionForecast]:
    names = region_names(bundle)
    quantiles = forecast.quantiles(QUANTILES)
    evidence = {horizon: evidence_of(bundle, forecast.target, horizon) for horizon in forecast.horizons}
    return [
        RegionForecast(
            region=region,
            name=names[region],
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
    rows = records_of(regions[regions["region"].isin(answered)])
    unit = {target: _units(bundle, target) for target in targets}
    basis = {target: forecast.basis for target, forecast in targets.items()}
    return [
        Region.model_validate(row | {"unit": _of(unit, row["region"]), "basis": _of(basis, row["region"])})
        for row in rows
    ]


def _units(bundle: Bundle, target: str) -> dict[str, str]:
    """Unit by region, of the regions that the target's forecast answers for."""
    known = bundle.dataset.as_of(bundle.manifest.cutoff)
    # What no region had counted by the cutoff is estimated from balances, and has their units.
    counted = target if target in recorded_targets(known) else "net_migration"
    units = unit_of_region(known.regions["region"], known.boundary_changes, first_year(known, counted))
    return {region: str(units[region]) for region in bundle.forecast.targets[target].regions}


def _of(by_target: Mapping[str, Mapping[str, str]], region: str) -> dict[str, str]:
    return {target: by_region[region] for target, by_region in by_target.items() if region in by_region}


def _other_names(region: Region) -> tuple[str, ...]:
    return tuple(name for name in (region.name_ru, region.name_kk) if name)
