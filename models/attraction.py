"""Attraction: a gravity model of flows that tells what indicators of both ends have to do with them.

log E(flow) = year effect + populations + distance, border, competing destinations + indices of both ends. It explains
and answers what-ifs; it does not forecast.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.indicators import INDICATORS
from models.attraction_fit import PoissonFit, fit_poisson
from models.attraction_index import Indices
from models.attraction_panel import GEOGRAPHY, Panel

ENDS = ("origin", "destination")
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Attraction:
    """Effects of a standard deviation of each index at the origin and at the destination, free of any sign.

    columns: GEOGRAPHY, then `origin_<group>`, then `destination_<group>`.
    """

    indices: Indices
    columns: tuple[str, ...]
    fit: PoissonFit

    def effects(self, end: str) -> Array:
        """(group)."""
        places = [self.columns.index(f"{end}_{group}") for group in self.indices.groups]
        return self.fit.coefficients[places]

    @property
    def geography(self) -> Array:
        """Coefficients of GEOGRAPHY."""
        return self.fit.coefficients[: len(GEOGRAPHY)]


def fit_attraction(panel: Panel, indices: Indices) -> Attraction:
    value = indices.of(panel.values(list(indices.indicators)))
    columns = (*GEOGRAPHY, *(f"{end}_{group}" for end in ENDS for group in indices.groups))
    fit = _fit(panel, [panel.geography, value[panel.origin], value[panel.destination]])
    return Attraction(indices, columns, fit)


def fit_difference(panel: Panel, indices: Indices) -> tuple[Array, Array]:
    """Effects of what the destination has more of each index than the origin, (group), and their covariance.

    One effect for both ends: what attracts from outside holds at home as much, as where people compare places
    (random utility; Beine, Bertoli & Fernández-Huertas Moraga 2016).
    """
    value = indices.of(panel.values(list(indices.indicators)))
    fit = _fit(panel, [panel.geography, value[panel.destination] - value[panel.origin]])
    first = len(GEOGRAPHY)
    return fit.coefficients[first:], fit.covariance[first:, first:]


def fit_alone(panel: Panel, indicator: str) -> PoissonFit:
    """GEOGRAPHY, then one indicator at the origin and at the destination, in its own scale; the mean where unknown."""
    value = np.nan_to_num(panel.values([indicator]))
    return _fit(panel, [panel.geography, value[panel.origin], value[panel.destination]])


def _fit(panel: Panel, blocks: list[Array]) -> PoissonFit:
    clusters = (panel.clusters("origin"), panel.clusters("destination"))
    return fit_poisson(np.concatenate(blocks, axis=1), panel.flows, panel.year, clusters)


# --- elasticities ---------------------------------------------------------------------------------------------------

PER_DEVIATION = "log flow per standard deviation of the index"


def elasticities(panel: Panel, indices: Indices) -> pd.DataFrame:
    """Long table: term, end, group, form, coefficient, standard_error, unit, n, first_year, last_year, clear, label,
    basis.

    form: `joint`, all indices together with geography; `difference`, one effect for both ends; `alone`, one indicator
    beside geography, so that it stands for all that goes with it. clear: whether zero lies more than two standard
    errors away.
    """
    rows = [*_joint(panel, indices), *_difference(panel, indices), *_alone(panel, indices)]
    table = pd.DataFrame(rows, columns=["term", "end", "group", "form", "coefficient", "standard_error", "unit"])
    return table.assign(
        n=len(panel.flows),
        first_year=panel.years[0],
        last_year=panel.years[-1],
        clear=table["coefficient"].abs() > 2 * table["standard_error"],
        label=np.where(_put_in(table) & (panel.basis == "estimated"), "assumed", "associated"),
        basis=panel.basis,
    )


def _put_in(table: pd.DataFrame) -> pd.Series:
    """What estimated flows were made with: effects of distance, borders and population are no findings there."""
    return table["group"].isin(["distance", "demography"])


def _joint(panel: Panel, indices: Indices) -> list[tuple]:
    made = fit_attraction(panel, indices)
    told = zip(made.columns, made.fit.coefficients, made.fit.standard_errors, strict=True)
    return [(*_named(column), "joint", coefficient, error, _unit(column)) for column, coefficient, error in told]


def _named(column: str) -> tuple[str, str, str]:
    """Term, end and group of a column."""
    end, _, name = column.partition("_")
    if end not in ENDS:
        return column, "pair", "distance"
    return (name, end, "demography") if name == "log_population" else (name, end, name)


def _unit(column: str) -> str:
    if column in GEOGRAPHY:
        return "log flow, neighbours against others" if column == "contiguous" else "elasticity"
    return PER_DEVIATION


def _difference(panel: Panel, indices: Indices) -> list[tuple]:
    effects, covariance = fit_difference(panel, indices)
    errors = np.sqrt(np.diag(covariance))
    told = zip(indices.groups, effects, errors, strict=True)
    return [(group, "both", group, "difference", effect, error, PER_DEVIATION) for group, effect, error in told]


def _alone(panel: Panel, indices: Indices) -> list[tuple]:
    rows = []
    for name in indices.indicators:
        fit, entry = fit_alone(panel, name), INDICATORS[name]
        unit = "elasticity" if entry.scale == "log" else f"log flow per {entry.unit}"
        for place, end in enumerate(ENDS, start=len(GEOGRAPHY)):
            rows.append((name, end, entry.group, "alone", fit.coefficients[place], fit.standard_errors[place], unit))
    return rows
