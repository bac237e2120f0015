"""Scenario: what changed indicators would do to flows, in draws that are paired with those of the forecast."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.forecast import FlowForecast, Forecast
from models.scenario_applicability import OUTSIDE, Applicability, applicability, check
from models.scenario_assumptions import assumptions
from models.scenario_flows import changed_flows
from models.scenario_model import ScenarioModel, effect_draws
from models.scenario_package import Package, ScenarioError

LABEL = "assumed"
MEASURES = ("inflow", "out_migration", "net_migration")
LARGEST = 40
"""Flows whose draws are kept: those that change most."""
MOST_LEAVING = 10.0
"""Times as many as are forecast who may leave a region: no more than live there, where one in ten leaves at most."""
CELLS = 4_000_000
"""Draws × horizons × pairs that are worked on at once."""
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class ScenarioAnswer:
    """What a package changes, beside what was forecast without it.

    baseline, changes: by measure of MEASURES, persons, (draw, horizon, region). origin, destination: positions in
    `regions`, (pair). mean_changes: of flows, (horizon, pair). largest: the pairs that change most, the largest first;
    largest_changes: theirs, (draw, horizon, largest).

    Invariants: whole persons; in every draw what inflow changes by sums to what out_migration does, and net to zero.
    """

    package: Package
    applicability: tuple[Applicability, ...]
    assumptions: tuple[str, ...]
    basis: str
    years: tuple[int, ...]
    regions: tuple[str, ...]
    origin: Array
    destination: Array
    baseline: dict[str, Array]
    changes: dict[str, Array]
    mean_changes: Array
    largest: Array
    largest_changes: Array
    label: str = LABEL

    @property
    def stays(self) -> Array:
        """Persons who do not leave, (draw, horizon, region); below zero where more leave."""
        return -self.changes["out_migration"]

    @property
    def extrapolates(self) -> bool:
        return any(one.status == OUTSIDE for one in self.applicability)


def answer(
    model: ScenarioModel,
    forecast: Forecast,
    package: Package,
    draws: Array | None = None,
    allow_extrapolation: bool = False,
) -> ScenarioAnswer:
    """draws: those of all flows, (draw, horizon, pair), where they are held already.

    Raises ScenarioError where no flows are forecast, for changes outside of what was seen, and where more would leave
    than MOST_LEAVING.
    """
    flows = flows_of(forecast)
    judged = applicability(model, package)
    if not allow_extrapolation:
        check(judged)
    count = count_of(forecast)
    years = tuple(flows.cutoff + horizon for horizon in flows.horizons)
    index = in_regions(model, model.index_change(package.sizes(model, years)), flows.regions)
    pull = np.einsum("hrg,dg->dhr", index, effect_draws(model, count))
    _check_leaving(pull, flows.regions)
    blocks = [_block(flows, pairs, pull, draws) for pairs in blocks_of_origins(flows, count)]
    more, leave = (np.sum([block.changes[end] for block in blocks], axis=0) for end in (0, 1))
    largest = np.concatenate([block.largest for block in blocks])
    mean = np.concatenate([block.mean for block in blocks], axis=1)
    order = np.argsort(-np.abs(mean[:, largest]).sum(axis=0), kind="stable")[:LARGEST]
    return ScenarioAnswer(
        package,
        tuple(judged),
        assumptions(model, package, flows.basis),
        "estimated" if (flows.basis == "estimated").any() else model.basis,
        years,
        flows.regions,
        flows.origin,
        flows.destination,
        {measure: _forecast(forecast, flows, measure) for measure in MEASURES},
        dict(zip(MEASURES, (more, leave, more - leave), strict=True)),
        mean,
        largest[order],
        np.concatenate([block.draws for block in blocks], axis=2)[:, :, order],
    )


def _check_leaving(pull: Array, regions: tuple[str, ...]) -> None:
    """pull: change of the log of attraction, (draw, horizon, region)."""
    times = np.exp(-pull.min(axis=(0, 1)))
    most = f"must be at most {MOST_LEAVING:g} times as many, by smaller changes"
    faults = [
        f"{regions[place]}: in a draw {times[place]:,.1f} times as many as are forecast would leave; {most}"
        for place in np.flatnonzero(times > MOST_LEAVING)
    ]
    if faults:
        raise ScenarioError("\n".join(faults))


def flows_of(forecast: Forecast) -> FlowForecast:
    """Raises ScenarioError where there are none."""
    if forecast.flows is None:
        raise ScenarioError("no flows are forecast, recorded or estimated: a scenario moves flows, so it needs them")
    return forecast.flows


def count_of(forecast: Forecast) -> int:
    """How many draws it has."""
    return len(next(iter(forecast.targets.values())).draws)


def in_regions(model: ScenarioModel, index: Array, regions: tuple[str, ...]) -> Array:
    """Changes of indices of the regions of a forecast, (horizon, region, group); none where the model has no region."""
    place = [model.regions.index(region) if region in model.regions else -1 for region in regions]
    return np.where(np.array(place)[:, None] >= 0, index[:, place], 0.0)


@dataclass(frozen=True, eq=False)
class _Block:
    """Of the pairs of some origins. changes: of inflow and out_migration, (draw, horizon, region). mean: change,
    (horizon, pair). largest: pairs that change most, among all pairs; draws: theirs."""

    changes: tuple[Array, Array]
    mean: Array
    largest: Array
    draws: Array


def blocks_of_origins(flows: FlowForecast, count: int) -> Iterator[slice]:
    """Slices of pairs with whole origins, so few that CELLS draws of them fit, or one origin."""
    ends = np.append(np.flatnonzero(np.diff(flows.origin)) + 1, len(flows.origin))
    most, first, last = CELLS // (count * len(flows.horizons)), 0, 0
    for end in ends:
        if end - first > most and last > first:
            yield slice(first, last)
            first = last
        last = int(end)
    yield slice(first, last)


def _block(flows: FlowForecast, pairs: slice, pull: Array, draws: Array | None) -> _Block:
    before = flows.draws(pairs) if draws is None else draws[:, :, pairs]
    origin, destination, regions = flows.origin[pairs], flows.destination[pairs], len(flows.regions)
    change = changed_flows(before, origin, destination, pull)
    mean = change.mean(axis=0)
    largest = np.argsort(-np.abs(mean).sum(axis=0), kind="stable")[:LARGEST]
    changes = _sums(change, destination, regions), _sums(change, origin, regions)
    return _Block(changes, mean, largest + (pairs.start or 0), change[:, :, largest])


def _sums(persons: Array, end: Array, regions: int) -> Array:
    """Of pairs by an end of theirs, (draw, horizon, region)."""
    order = np.argsort(end, kind="stable")
    ends, starts = np.unique(end[order], return_index=True)
    sums = np.zeros((*persons.shape[:2], regions), dtype=np.int64)
    sums[:, :, ends] = np.add.reduceat(persons[:, :, order], starts, axis=2)
    return sums


def _forecast(forecast: Forecast, flows: FlowForecast, measure: str) -> Array:
    """Draws of a target in the regions of flows; its balance may count moves abroad."""
    told = forecast.targets[measure]
    return told.draws[:, :, [told.regions.index(region) for region in flows.regions]]
