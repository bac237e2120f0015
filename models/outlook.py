"""Outlook: projections of every level in a form that is kept: some draws of broad ages, quantiles of age groups."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from models.forecast import Forecast
from models.projection import LEVELS, Projection, project
from models.projection_tables import MEASURES, Frame, age_quantiles, age_table, summary_quantiles, summary_table
from models.schedules import Assumption

KEPT_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
TO = 2050
DRAWS = 200


class OutlookError(ValueError):
    """A level, measure or region that an outlook does not have; says what it has."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """broad: by level, whole persons, (draw, year, region, measure of MEASURES after the first, whose sum that is).
    by_age: by level, whole persons, (quantile of KEPT_QUANTILES, year, region, sex, age group).

    years: 1 January of each; the first is known. forecast_until: last year whose moves are forecast. basis: by region.
    """

    years: tuple[int, ...]
    regions: tuple[str, ...]
    forecast_until: int
    broad: dict[str, np.ndarray]
    by_age: dict[str, np.ndarray]
    assumptions: dict[str, tuple[Assumption, ...]]
    basis: dict[str, str]

    def draws(self, level: str, measure: str) -> np.ndarray:
        """(draw, year, region), whole persons; draw i is one future of all measures, of one luck at all levels."""
        if level not in self.broad or measure not in MEASURES:
            raise OutlookError(
                f"level '{level}', measure '{measure}': must be one of {', '.join(self.broad)}, "
                f"and one of {', '.join(MEASURES)}"
            )
        broad = self.broad[level]
        return broad.sum(axis=-1, dtype=np.int32) if measure == MEASURES[0] else broad[..., MEASURES.index(measure) - 1]

    def table(self, level: str) -> pd.DataFrame:
        """Quantiles by region, year, sex and age group."""
        self.draws(level, MEASURES[0])
        return age_table(self.by_age[level], KEPT_QUANTILES, self._frame(level))

    def summary(self, level: str) -> pd.DataFrame:
        """Quantiles by region and year of MEASURES and of the dependency ratio."""
        return summary_table(self._whole(level), KEPT_QUANTILES, self._frame(level))

    def quantiles(self, level: str) -> np.ndarray:
        """Of MEASURES and the dependency ratio, (quantile of KEPT_QUANTILES, year, region, measure)."""
        return summary_quantiles(self._whole(level), KEPT_QUANTILES)

    def _whole(self, level: str) -> np.ndarray:
        return np.concatenate([self.draws(level, MEASURES[0])[..., None], self.broad[level]], axis=-1)

    def _frame(self, level: str) -> Frame:
        return Frame(self.years, self.regions, level, self.basis)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` reads."""
        arrays = {
            "years": np.array(self.years),
            "regions": np.array(self.regions),
            "forecast_until": np.array(self.forecast_until),
            "levels": np.array(list(self.broad)),
            "basis": np.array([self.basis[region] for region in self.regions]),
        }
        for level, told in self.assumptions.items():
            arrays[f"broad_{level}"] = self.broad[level]
            arrays[f"by_age_{level}"] = self.by_age[level]
            arrays[f"assumptions_{level}"] = np.array([(one.name, one.value, one.source) for one in told])
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Outlook":
        levels, regions = [str(one) for one in arrays["levels"]], tuple(str(one) for one in arrays["regions"])
        return cls(
            tuple(int(year) for year in arrays["years"]),
            regions,
            int(arrays["forecast_until"]),
            {level: arrays[f"broad_{level}"] for level in levels},
            {level: arrays[f"by_age_{level}"] for level in levels},
            {level: tuple(Assumption(*map(str, row)) for row in arrays[f"assumptions_{level}"]) for level in levels},
            dict(zip(regions, map(str, arrays["basis"]), strict=True)),
        )


def outlook(
    dataset: Dataset, cutoff: int, forecast: Forecast, to: int = TO, draws: int = DRAWS, seed: int = 0
) -> Outlook:
    """Projections of all levels from the same chances, of at most so many draws. Raises as `project`."""
    draws = min([draws, *(len(target.draws) for target in forecast.targets.values())])
    return outlook_of([project(dataset, cutoff, forecast, to, level, draws, seed) for level in LEVELS])


def outlook_of(projections: list[Projection]) -> Outlook:
    """Of projections that differ in their level alone."""
    first = projections[0]
    return Outlook(
        first.years,
        first.regions,
        first.forecast_until,
        {one.level: one.broad[..., 1:] for one in projections},
        {one.level: age_quantiles(one.population, KEPT_QUANTILES) for one in projections},
        {one.level: one.assumptions for one in projections},
        first.basis,
    )
