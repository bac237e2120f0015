"""Projection tables: quantiles of a projection as long tables, by age and in sum."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.schedules import SEXES

GROUPS = (*(f"{age}-{age + 4}" for age in range(0, 85, 5)), "85+")
MEASURES = ("population", "children", "working_age", "pension_age")
DEPENDENCY = "dependency"


@dataclass(frozen=True)
class Frame:
    """What the rows of a projection's tables are of. basis: of the age structure, by region."""

    years: tuple[int, ...]
    regions: tuple[str, ...]
    level: str
    basis: dict[str, str]


def age_quantiles(population: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """(quantile, year, region, sex, group), whole persons, of (draw, year, region, sex, group)."""
    return np.rint(np.quantile(population, levels, axis=0)).astype(np.int32)


def age_table(values: np.ndarray, levels: Sequence[float], frame: Frame) -> pd.DataFrame:
    """Rows region, year, sex, age_group, quantile, value, unit, level, basis of `age_quantiles`."""
    index = {
        "quantile": levels,
        "year": frame.years,
        "region": frame.regions,
        "sex": SEXES,
        "age_group": GROUPS,
    }
    return _long(values, index, frame).assign(unit="persons")[
        ["region", "year", "sex", "age_group", "quantile", "value", "unit", "level", "basis"]
    ]


def summary_table(broad: np.ndarray, levels: Sequence[float], frame: Frame) -> pd.DataFrame:
    """Rows region, year, measure, quantile, value, unit, level, basis of (draw, year, region, measure of MEASURES).

    `dependency` is children and people of pension age to 100 of working age, made in every draw.
    """
    values = summary_quantiles(broad, levels)
    measures = (*MEASURES, DEPENDENCY)
    index = {"quantile": levels, "year": frame.years, "region": frame.regions, "measure": measures}
    table = _long(values.round(2), index, frame)
    unit = np.where(table["measure"] == DEPENDENCY, "per 100 of working age", "persons")
    return table.assign(unit=unit)[["region", "year", "measure", "quantile", "value", "unit", "level", "basis"]]


def summary_quantiles(broad: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Of MEASURES, whole persons, and of `dependency`, (quantile, year, region, measure)."""
    people = broad.astype("float64")
    dependency = 100 * (people[..., 1] + people[..., 3]) / np.maximum(people[..., 2], 1)
    values = np.quantile(np.concatenate([people, dependency[..., None]], axis=-1), levels, axis=0)
    values[..., :-1] = np.rint(values[..., :-1])
    return values


def _long(values: np.ndarray, index: dict[str, Sequence], frame: Frame) -> pd.DataFrame:
    rows = pd.MultiIndex.from_product(list(index.values()), names=list(index))
    table = pd.DataFrame({"value": values.ravel()}, index=rows).reset_index()
    table = table.sort_values(["region", "year"], kind="stable", ignore_index=True)
    return table.assign(level=frame.level, basis=table["region"].map(frame.basis))
