"""Placement of flows: from units of constant boundaries to the regions of the day, and regions without a history."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.boundaries import present_parts, unit_of_region
from features.dataset import Dataset
from features.flows import FlowHistory, flow_history
from features.pair_features import regions_of
from models.flow_futures import Pairs
from models.structural import StructuralBoosted


@dataclass(frozen=True, eq=False)
class Placed:
    """Pairs with their point forecasts, (horizon, pair), and their basis, (pair)."""

    pairs: Pairs
    point: np.ndarray
    basis: np.ndarray


def in_units(known: Dataset, points: np.ndarray) -> Placed:
    """Between the units themselves, in which outcomes can be compared over years."""
    history = flow_history(known)
    ends = history.origin, history.destination
    return Placed(Pairs(history.regions, *ends, *ends), points, history.basis)


def in_present_regions(
    known: Dataset,
    cutoff: int,
    points: np.ndarray,
    units: tuple[str, ...],
    newcomers: StructuralBoosted | None,
) -> Placed:
    """Between the regions in which people were last counted.

    A unit that was split gives each part its share of its flows: by the parts' last recorded flows, else by population.
    Flows between the parts of a unit stay as last recorded. Flows of regions without a history come from indicators.
    Whatever is split or comes from indicators is estimated. units: those of the calibration, newcomers last.
    """
    history, flows = flow_history(known), []
    unit = unit_of_region(known.regions["region"], known.boundary_changes, int(known.flows["year"].min()))
    parts = present_parts(known, unit)
    alone = sorted(set(history.regions) - set(parts["unit"]))
    parts = pd.concat([parts, pd.DataFrame({"region": alone, "unit": alone, "share": 1.0})], ignore_index=True)
    if (parts["region"] == parts["unit"]).all():
        flows.append(_unsplit(history, points))
    else:
        flows += [_split(known, history, points, parts), _inside_units(known, parts, len(points))]
    if newcomers is not None:
        without_history = unit.index[unit.isin(set(units) - set(history.regions))]
        flows.append(_of_newcomers(known, cutoff, newcomers, without_history, len(points)))
    return _assembled(pd.concat(flows, ignore_index=True), parts, units, len(points))


def _unsplit(history: FlowHistory, points: np.ndarray) -> pd.DataFrame:
    names = np.array(history.regions)
    ends = {"origin": names[history.origin], "destination": names[history.destination]}
    return pd.DataFrame(ends | {"basis": history.basis} | _by_horizon(points))


def _by_horizon(points: np.ndarray) -> dict[str, np.ndarray]:
    return {f"h{h}": point for h, point in enumerate(points)}


def _split(known: Dataset, history: FlowHistory, points: np.ndarray, parts: pd.DataFrame) -> pd.DataFrame:
    """Flows between units, divided among the parts of their origin and destination."""
    whole = _unsplit(history, points).rename(columns={"origin": "unit_origin", "destination": "unit_destination"})
    ends = [
        parts.rename(columns={"region": end, "unit": f"unit_{end}", "share": f"share_{end}"})[
            [end, f"unit_{end}", f"share_{end}"]
        ]
        for end in ("origin", "destination")
    ]
    flows = whole.merge(ends[0], on="unit_origin").merge(ends[1], on="unit_destination")
    flows = flows.merge(_last_flows(known), on=["origin", "destination"], how="left")
    cell = flows.groupby(["unit_origin", "unit_destination"])
    later = _split_later(known, parts)
    told = ~(flows["unit_origin"].isin(later) | flows["unit_destination"].isin(later))
    recorded = flows["persons"].where(told).fillna(0.0)
    # One person by population beside those recorded: a part without a recorded flow can have one.
    key = recorded + flows["share_origin"] * flows["share_destination"]
    part = key / key.groupby([flows["unit_origin"], flows["unit_destination"]]).transform("sum")
    columns = list(_by_horizon(points))
    flows[columns] = flows[columns].mul(part, axis=0)
    flows["basis"] = flows["basis"].where(cell["origin"].transform("size") == 1, "estimated")
    return flows[["origin", "destination", "basis", *columns]]


def _split_later(known: Dataset, parts: pd.DataFrame) -> set[str]:
    """Units that changed after the last year with flows, which is recorded between the regions before."""
    changes = known.boundary_changes[known.boundary_changes["year"] > known.flows["year"].max()]
    unit = parts.set_index("region")["unit"]
    return {str(unit[region]) for region in changes["successor"] if region in unit.index}


def _inside_units(known: Dataset, parts: pd.DataFrame, horizons: int) -> pd.DataFrame:
    """Flows between parts of one unit, as in the last year that has flows."""
    unit = parts.set_index("region")["unit"]
    last = _last_flows(known)
    last = last[last["origin"].isin(unit.index) & last["destination"].isin(unit.index)]
    inside = last[last["origin"].map(unit).to_numpy() == last["destination"].map(unit).to_numpy()]
    points = {f"h{h}": inside["persons"].astype("float64") for h in range(horizons)}
    return inside[["origin", "destination"]].assign(basis="estimated", **points)


def _last_flows(known: Dataset) -> pd.DataFrame:
    """Rows origin, destination, persons of the last year, between the regions of the time."""
    flows = known.flows
    return flows.loc[flows["year"] == flows["year"].max(), ["origin", "destination", "persons"]]


def _of_newcomers(
    known: Dataset, cutoff: int, model: StructuralBoosted, without_history: pd.Index, horizons: int
) -> pd.DataFrame:
    """Flows from and to regions without a history, from indicators; without those that the source would withhold."""
    names, expected = np.array(regions_of(known, cutoff)), model.predict(known, cutoff)
    new = np.isin(names, without_history)
    wanted = (new[:, None] | new) & (expected >= max(flow_history(known).threshold, 0.5))
    origin, destination = np.nonzero(wanted)
    points = {f"h{h}": expected[wanted].astype("float64") for h in range(horizons)}
    return pd.DataFrame({"origin": names[origin], "destination": names[destination], "basis": "estimated"} | points)


def _assembled(flows: pd.DataFrame, parts: pd.DataFrame, units: tuple[str, ...], horizons: int) -> Placed:
    """Sorted by origin, then destination; every region of the day is there, also without a flow."""
    unit = dict(zip(parts["region"], parts["unit"], strict=True))
    regions = pd.Index(sorted({*unit, *flows["origin"], *flows["destination"]}))
    flows = flows.sort_values(["origin", "destination"], kind="stable", ignore_index=True)
    position = {region: place for place, region in enumerate(units)}
    of_unit = np.array([position.get(unit.get(str(region), str(region)), 0) for region in regions], dtype=np.int32)
    origin, destination = (
        regions.get_indexer(pd.Index(flows[end])).astype(np.int32) for end in ("origin", "destination")
    )
    pairs = Pairs(tuple(map(str, regions)), origin, destination, of_unit[origin], of_unit[destination])
    return Placed(pairs, flows[[f"h{h}" for h in range(horizons)]].to_numpy().T.copy(), flows["basis"].to_numpy())
