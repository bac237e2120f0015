"""Flows of a dataset that records them: which model is served, and the futures of every pair and of their sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.boundaries import unit_of_region
from features.dataset import Dataset
from features.flows import FlowHistory, flow_history, has_flows, sums_by
from features.pair_features import regions_of
from features.targets import margins_record_net
from models import flow_placement as placement
from models.flow_calibration import FlowCalibration, calibrated
from models.flow_futures import FlowFutures
from models.flow_models import DEFAULT, FlowModel, flow_models
from models.flow_placement import Placed
from models.flow_record import FlowRecord
from models.forecast import FLOW, QUANTILES, FlowForecast, TargetForecast
from models.structural import StructuralBoosted

NEW_YEARS = 2
"""A region whose population begins that many years before the last flows, or later, is new."""
LAST_YEARS = 3
"""A series of flows that ended longer before the cutoff is not forecast."""


@dataclass(frozen=True, eq=False)
class FittedFlows:
    """What is learnt of flows. served: model by horizon. calibrations: one per horizon, in units of constant
    boundaries, newcomers last. newcomers: the model of flows from indicators alone, where a region has no history."""

    horizons: tuple[int, ...]
    served: dict[int, str]
    models: dict[str, FlowModel]
    calibrations: tuple[FlowCalibration, ...]
    newcomers: StructuralBoosted | None = None

    def points(self, known: Dataset, cutoff: int) -> np.ndarray:
        """Point forecasts of the served models, (horizon, pair), over the pairs of the vintage."""
        said = {name: model.predict(known, cutoff, self.horizons) for name, model in self.models.items()}
        return np.stack([said[self.served[horizon]][h] for h, horizon in enumerate(self.horizons)])


def flow_targets(known: Dataset, cutoff: int) -> list[str]:
    """Targets that are forecast as sums of flows: none where flows are not recorded, or too short or too old."""
    if not has_flows(known):
        return []
    years = flow_history(known).years[flow_history(known).recorded]
    if len(years) < 2 or years[-1] <= cutoff - LAST_YEARS:
        return []
    return ["inflow", "out_migration", *(["net_migration"] if margins_record_net(known) else [])]


def fit_flows(
    known: Dataset,
    cutoff: int,
    record: FlowRecord,
    served: Mapping[tuple[str, int], str],
    horizons: Sequence[int],
) -> FittedFlows:
    """Fit what is served of flows at the cutoff of a vintage. record: reaches the cutoff."""
    chosen = {horizon: served.get((FLOW, horizon), DEFAULT) for horizon in horizons}
    models = {
        model.name: model.fit(known, cutoff, horizons)
        for model in flow_models(known)
        if model.name in set(chosen.values())
    }
    history, newcomers = flow_history(known), _newcomers(known, cutoff)
    regions = (*history.regions, *newcomers)
    fitted = FittedFlows(tuple(horizons), chosen, models, ())
    calibrations = [
        calibrated(record, known, chosen[horizon], horizon, cutoff, regions, _totals(history, point, len(newcomers)))
        for horizon, point in zip(horizons, fitted.points(known, cutoff), strict=True)
    ]
    structural = StructuralBoosted().fit(known, cutoff) if newcomers else None
    return FittedFlows(tuple(horizons), chosen, models, tuple(calibrations), structural)


def _newcomers(known: Dataset, cutoff: int) -> list[str]:
    """Units whose population begins so late that they never could have a flow: an older one without any had none."""
    unit = unit_of_region(known.regions["region"], known.boundary_changes, int(known.flows["year"].min()))
    never = {unit[region] for region in regions_of(known, cutoff)} - set(flow_history(known).regions)
    population = known.indicators[known.indicators["indicator"] == "population"]
    first = population.groupby(population["region"].map(unit))["year"].min()
    return sorted(one for one in never if first[one] > int(known.flows["year"].max()) - NEW_YEARS)


def _totals(history: FlowHistory, point: np.ndarray, newcomers: int) -> tuple[np.ndarray, np.ndarray]:
    """Out- and in-totals as forecast, each (region), with one person for each newcomer."""
    ends = (history.origin, history.destination)
    out, into = (np.append(sums_by(end, point, len(history.regions)), np.ones(newcomers)) for end in ends)
    return out, into


def placed_flows(fitted: FittedFlows, known: Dataset, cutoff: int, in_units: bool) -> Placed:
    """Point forecasts between units of constant boundaries, or between the regions of the day."""
    points = fitted.points(known, cutoff)
    if in_units:
        return placement.in_units(known, points)
    return placement.in_present_regions(known, cutoff, points, fitted.calibrations[0].regions, fitted.newcomers)


def futures_of(fitted: FittedFlows, known: Dataset, placed: Placed, count: int, seed: int) -> FlowFutures:
    threshold = flow_history(known).threshold
    return FlowFutures(placed.pairs, placed.point, fitted.horizons, fitted.calibrations, threshold, count, seed)


def flow_forecast(
    fitted: FittedFlows, known: Dataset, cutoff: int, horizons: Sequence[int], count: int, seed: int, in_units: bool
) -> tuple[FlowForecast, dict[str, TargetForecast]]:
    """Quantiles of every flow, and draws of the region targets that are their sums, from the same futures."""
    placed = placed_flows(fitted, known, cutoff, in_units)
    futures = futures_of(fitted, known, placed, count, seed)
    out, into, blocks = futures.summed(lambda _, __, draws: quantiles_of(np.sort(draws, axis=1)))
    chosen = [fitted.horizons.index(horizon) for horizon in horizons]
    models = {horizon: fitted.served[horizon] for horizon in horizons}
    quantiles = np.stack([np.concatenate(of_horizon, axis=1) for of_horizon in blocks], axis=1)[:, chosen]
    pairs = placed.pairs
    flows = FlowForecast(
        cutoff,
        tuple(horizons),
        pairs.regions,
        pairs.origin,
        pairs.destination,
        quantiles,
        models,
        placed.basis,
        lambda wanted: futures.draws(wanted)[:, chosen],
    )
    sums = {"inflow": into, "out_migration": out, "net_migration": into - out}
    basis = dict(zip(pairs.regions, _region_basis(placed), strict=True))
    targets = {
        target: TargetForecast(
            target, "between_regions", cutoff, tuple(horizons), pairs.regions, sums[target][:, chosen], models, basis
        )
        for target in flow_targets(known, cutoff)
    }
    return flows, targets


def quantiles_of(ordered: np.ndarray) -> np.ndarray:
    """Of sorted draws (pair, draw), (level of QUANTILES, pair), in whole persons."""
    place = np.array(QUANTILES) * (ordered.shape[1] - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    part = (place - below)[:, None]
    return np.rint((1 - part) * ordered[:, below].T + part * ordered[:, above].T).astype(np.int32)


def _region_basis(placed: Placed) -> list[str]:
    """By region, the basis of its largest flow; estimated where it has none."""
    ends = [placed.pairs.origin, placed.pairs.destination]
    flows = pd.DataFrame({"region": np.concatenate(ends), "size": np.tile(placed.point[0], 2)})
    largest = flows.assign(basis=np.tile(placed.basis, 2)).sort_values("size", kind="stable").groupby("region")["basis"]
    return list(largest.last().reindex(range(len(placed.pairs.regions)), fill_value="estimated"))
