"""History: what was recorded of the past, by region of the time and year; made once at the start."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from features.dataset import Dataset
from features.targets import records
from models.bundle import Bundle
from serving.api import SCOPE_NOTES, Answer, DatasetTold, dataset_told
from serving.records import records_of

MEASURES = {"inflow": "arrivals", "out_migration": "departures"}
"""Measures of the balanced record by target."""
MOVES_SCOPE = "between_regions"


class PastRegion(Answer):
    """One region that there was, and its population."""

    region: str = Field(description="Code of the region.")
    name: str = Field(description="Name in English.")
    name_ru: str | None = Field(description="Name in Russian; null where the dataset has none.")
    name_kk: str | None = Field(description="Name in Kazakh; null where the dataset has none.")
    kind: Literal["city", "region"] = Field(description="Whether it is a city.")
    population: dict[int, float] = Field(description="Persons on 1 January, by year.")


class BoundaryChange(Answer):
    """One region that followed another."""

    year: int = Field(description="First year of the successor.")
    predecessor: str = Field(description="Code of the region that was split, merged or renamed.")
    successor: str = Field(description="Code of a region that followed it.")


class PastValue(Answer):
    """What was recorded of one year."""

    year: int = Field(description="Calendar year of the moves.")
    persons: float = Field(description="Persons who moved in the year; of net_migration the balance.")
    lower: float | None = Field(description="Lower end of the 80 % interval; null: recorded, not estimated.")
    upper: float | None = Field(description="Upper end of it.")
    rate_per_1000: float | None = Field(description="Per 1,000 inhabitants on 1 January; null: population not known.")
    basis: Literal["official", "derived", "estimated"] = Field(
        description="`official` as published, `derived` computed from published ones, `estimated` by the record."
    )


class PastSeries(Answer):
    """What was recorded of one target in one region."""

    region: str = Field(description="Code of the region of the time.")
    target: str = Field(description="`net_migration`, `inflow` or `out_migration`.")
    values: list[PastValue] = Field(description="By year.")


class HistoryResponse(Answer):
    """What was recorded of the past."""

    unit: Literal["persons"] = Field(default="persons", description="Unit of values that are no rates.")
    cutoff: int = Field(description="Last calendar year whose values the forecast has seen.")
    dataset: DatasetTold = Field(description="Whose figures they are.")
    scopes: dict[str, str] = Field(description="Which moves count, by target: as in the forecast of the target.")
    scope_notes: dict[str, str] = Field(description="The scopes in words, by target.")
    regions: list[PastRegion] = Field(description="Every region that there was.")
    boundary_changes: list[BoundaryChange] = Field(description="Which region followed which.")
    series: list[PastSeries] = Field(description="By target and region; only what counts the moves that are forecast.")


def history_response(bundle: Bundle, moves: pd.DataFrame | None) -> HistoryResponse:
    """What was known at the cutoff. moves: region, year, measure, persons, lower, upper, basis, as of
    `moves_of_regions`; None where there is no balanced record."""
    known = bundle.dataset.as_of(bundle.manifest.cutoff)
    population = known.indicator("population")
    scopes = {target: one.scope for target, one in bundle.forecast.targets.items()}
    rows = {target: _rows(known, target, scope, moves) for target, scope in scopes.items()}
    return HistoryResponse(
        cutoff=bundle.manifest.cutoff,
        dataset=dataset_told(bundle),
        scopes=scopes,
        scope_notes={target: SCOPE_NOTES[scope] for target, scope in scopes.items()},
        regions=list(_regions(known, population)),
        boundary_changes=[
            BoundaryChange(year=int(row.year), predecessor=str(row.predecessor), successor=str(row.successor))  # pyright: ignore[reportArgumentType]
            for row in known.boundary_changes.itertuples()
        ],
        series=[one for target, table in rows.items() for one in _series(target, table, population)],
    )


def _rows(known: Dataset, target: str, scope: str, moves: pd.DataFrame | None) -> pd.DataFrame:
    """region, year, persons, lower, upper, basis of the moves that the forecast is of; empty where there are none."""
    recorded_scope, rows = records(known, target)
    if recorded_scope == scope or moves is None or scope != MOVES_SCOPE or target not in MEASURES:
        return (rows if recorded_scope == scope else rows.head(0)).assign(lower=np.nan, upper=np.nan)
    return moves[moves["measure"] == MEASURES[target]]


def _series(target: str, rows: pd.DataFrame, population: pd.DataFrame) -> Iterator[PastSeries]:
    inhabitants = (
        population.rename_axis(index="year").reset_index().melt("year", var_name="region", value_name="inhabitants")
    )
    rated = rows.merge(inhabitants, on=["year", "region"], how="left", validate="one_to_one")
    rated = rated.assign(rate_per_1000=(1000 * rated["persons"] / rated["inhabitants"]).round(2))
    # All rows at once: a table for each region takes ten times as long.
    told = records_of(rated.sort_values(["region", "year"])[["region", *PastValue.model_fields]])
    for region, group in groupby(told, key=lambda row: row.pop("region")):
        yield PastSeries(region=region, target=target, values=[PastValue.model_validate(row) for row in group])


def _regions(known: Dataset, population: pd.DataFrame) -> Iterator[PastRegion]:
    columns = ["region", "name", "name_ru", "name_kk", "kind"]
    for row in records_of(known.regions.reindex(columns=columns)):
        counted = population[row["region"]].dropna() if row["region"] in population else {}
        yield PastRegion.model_validate(row | {"population": _by_year(counted)})


def _by_year(counted: Mapping[Any, float]) -> dict[int, float]:
    return {int(year): float(persons) for year, persons in counted.items()}
