"""Tables of a scenario's answer."""

import numpy as np
import pandas as pd

from models.forecast import QUANTILES
from models.scenario import MEASURES, ScenarioAnswer

REGION_COLUMNS = ["measure", "region", "year", "kind", "quantile", "value", "unit", "label", "basis"]
FLOW_COLUMNS = ["origin", "destination", "year", "quantile", "value", "unit", "label", "basis"]
KINDS = ("baseline", "scenario", "difference")
Array = np.ndarray


def region_effects(answer: ScenarioAnswer, levels: tuple[float, ...] = QUANTILES) -> pd.DataFrame:
    """Long table: measure, region, year, kind, quantile, value, unit, label, basis.

    kind: baseline, scenario, difference (quantiles of differences of draws). The measure `stays` has only the last.
    """
    blocks = [
        (measure, kind, quantiles(draws, levels).transpose(2, 1, 0))
        for measure in MEASURES
        for kind, draws in zip(KINDS, _kinds(answer, measure), strict=True)
    ]
    blocks.append(("stays", "difference", quantiles(answer.stays, levels).transpose(2, 1, 0)))
    cells = blocks[0][2].size
    table = pd.DataFrame(
        {
            "measure": np.repeat([measure for measure, _, _ in blocks], cells),
            "region": np.tile(np.repeat(answer.regions, len(answer.years) * len(levels)), len(blocks)),
            "year": np.tile(np.repeat(answer.years, len(levels)), len(blocks) * len(answer.regions)),
            "kind": np.repeat([kind for _, kind, _ in blocks], cells),
            "quantile": np.tile(levels, len(blocks) * cells // len(levels)),
            "value": np.concatenate([value.ravel() for _, _, value in blocks]),
        }
    )
    return table.assign(unit="persons", label=answer.label, basis=answer.basis)[REGION_COLUMNS]


def _kinds(answer: ScenarioAnswer, measure: str) -> tuple[Array, Array, Array]:
    """Draws of KINDS."""
    baseline, change = answer.baseline[measure], answer.changes[measure]
    return baseline, baseline + change, change


def quantiles(draws: Array, levels: tuple[float, ...] = QUANTILES) -> Array:
    """(level, …), whole persons."""
    return np.rint(np.quantile(draws, levels, axis=0)).astype(np.int64)


def flow_effects(answer: ScenarioAnswer, levels: tuple[float, ...] = QUANTILES) -> pd.DataFrame:
    """The flows that change most, the largest first: origin, destination, year, quantile, value of the change."""
    value = quantiles(answer.largest_changes, levels).transpose(2, 1, 0)
    regions, shape = np.array(answer.regions), value.shape
    table = pd.DataFrame(
        {
            "origin": np.repeat(regions[answer.origin[answer.largest]], shape[1] * shape[2]),
            "destination": np.repeat(regions[answer.destination[answer.largest]], shape[1] * shape[2]),
            "year": np.tile(np.repeat(answer.years, shape[2]), shape[0]),
            "quantile": np.tile(levels, shape[0] * shape[1]),
            "value": value.ravel(),
        }
    )
    return table.assign(unit="persons", label=answer.label, basis=answer.basis)[FLOW_COLUMNS]


def diverted(answer: ScenarioAnswer, place: str) -> pd.DataFrame:
    """Who no longer comes to a place, and where they are instead: origin, year, instead, persons (mean of draws).

    instead: a region, or `stays`. Of those of an origin who go elsewhere, each place gets the part that it gained.
    """
    here = answer.regions.index(place)
    rows = []
    for pair in np.flatnonzero(answer.destination == here):
        origin = int(answer.origin[pair])
        others = np.flatnonzero(answer.origin == origin)
        for year, change in zip(answer.years, answer.mean_changes, strict=True):
            gained = {int(answer.destination[one]): change[one] for one in others if change[one] > 0}
            gained[-1] = max(-change[others].sum(), 0.0)
            if change[pair] < 0:
                total = sum(gained.values())
                rows += [
                    (
                        answer.regions[origin],
                        year,
                        "stays" if to < 0 else answer.regions[to],
                        -change[pair] * some / total,
                    )
                    for to, some in gained.items()
                    if some > 1e-6
                ]
    table = pd.DataFrame(rows, columns=["origin", "year", "instead", "persons"])
    table = table.sort_values(["year", "persons"], ascending=[True, False], ignore_index=True)
    return table.assign(label=answer.label, basis=answer.basis)
