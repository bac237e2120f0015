"""Mobility: who moves in the years of a projection. As forecast as far as that goes, then under a level.

After the last horizon rates return to their long mean by a tenth a year, the pull that the forecast itself has from one
year to the next (net_migration.py), and are shaken each year as much as a forecast of one year errs. Flows follow

    flow(i, j) = population(i) · rate(i, j) · level · e^(attraction(j) − attraction(i))

with the rates of the last horizon in every draw: a region gains or loses by its attraction, and what leaves arrives.
"""

from dataclasses import dataclass

import numpy as np

from features.boundaries import unit_of_region
from features.dataset import Dataset
from features.targets import first_year, target_history
from models.coherence import balance_net, whole, whole_net
from models.forecast import Forecast
from models.schedules import Assumption
from models.vital_history import VitalHistory

KEPT = 0.9
"""Part of the distance from the long mean that is left after a year."""
RAMP = 10
"""Years after the forecast until a low or high level is reached."""
SIGNS = {"low": -1.0, "medium": 0.0, "high": 1.0}
USUAL_LEVEL = 0.3
"""Standard deviation of the log of the level where fewer than LEAST years are known."""
LEAST = 5
MOST_LEAVING = 0.5
"""Part of a region's people that leaves in a year at most, beyond the forecast."""
MOST_ATTRACTION = 1.5
NEWTON_STEPS = 30


@dataclass(frozen=True, eq=False)
class Moves:
    """Of one year, whole persons by (draw, region). share: part of a region's out-migrants by destination, (draw,
    origin, destination). Without flows only the balance: of moves abroad where there are flows, else of all moves."""

    balance: np.ndarray
    out: np.ndarray | None = None
    into: np.ndarray | None = None
    share: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Outlooks:
    """What both kinds of mobility need of the years after the forecast.

    level: factor, (draw, year). gap: long mean less the forecast's last median, a year and person, (region), of all
    moves. returned: (year), how far rates have returned, 0 up to the last horizon.
    """

    level: np.ndarray
    gap: np.ndarray
    returned: np.ndarray


def shaken(deviation: np.ndarray, draws: int, years: int, horizons: int, rng: np.random.Generator) -> np.ndarray:
    """Shocks that fade, (draw, year, …), by standard deviation of a year's, (…); none up to the last horizon."""
    made = np.zeros((draws, years, *np.shape(deviation)))
    for year in range(horizons, years):
        made[:, year] = KEPT * made[:, year - 1] + deviation * rng.standard_normal((draws, *np.shape(deviation)))
    return made


def outlooks(
    known: Dataset,
    history: VitalHistory,
    forecast: Forecast,
    regions: tuple[str, ...],
    years: int,
    level: str,
    chosen: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Outlooks, tuple[Assumption, ...]]:
    net = forecast.targets["net_migration"]
    horizons = len(net.horizons)
    after = np.maximum(np.arange(years) - horizons + 1, 0)
    spread, told = _spread_of_level(history)
    rise = SIGNS[level] * spread * np.minimum(after / RAMP, 1.0)
    shocks = np.zeros((len(chosen), years))
    if "out_migration" in forecast.targets:
        movers = np.log(np.maximum(forecast.targets["out_migration"].draws[:, 0].sum(axis=1), 1))
        shocks = shaken(np.array(movers.std()), len(chosen), years, horizons, rng)
    made = Outlooks(np.exp(rise + shocks), _gap(known, history, forecast, regions), 1 - KEPT**after)
    factor = np.exp(SIGNS[level] * spread)
    return made, (
        Assumption("moves until the last horizon", "as forecast, draw by draw", f"forecast from {forecast.cutoff}"),
        Assumption(
            "level of moves",
            f"{level}: reaches {factor:.2f} times the forecast's last in {RAMP} years; low and high are one standard "
            f"deviation of the log of the yearly level ({spread:.2f}) off",
            told,
        ),
        Assumption(
            "balances after the forecast",
            f"return to the mean of all recorded years by {1 - KEPT:.0%} of the distance a year, shaken each year as "
            "a forecast of one year errs",
            "net migration as recorded",
        ),
    )


def _spread_of_level(history: VitalHistory) -> tuple[float, str]:
    """Standard deviation of the log of the part of people that moves between regions on balance."""
    known = ~np.isnan(history.net).any(axis=1)
    net, people = history.net[known], history.population[known]
    beside = net - people * (net.sum(axis=1) / people.sum(axis=1))[:, None]
    rate = np.abs(beside).sum(axis=1) / people.sum(axis=1)
    if len(rate) < LEAST:
        return USUAL_LEVEL, "assumed: too few years are recorded"
    years = np.array(history.years)[known]
    return float(np.log(np.maximum(rate, 1e-9)).std()), f"balances of regions {years[0]}-{years[-1]}"


def _gap(known: Dataset, history: VitalHistory, forecast: Forecast, regions: tuple[str, ...]) -> np.ndarray:
    """A region of a unit differs from it as it does at the end of the forecast. In sum regions return to the mean of
    the country: regions that grew would have too much weight in the sum of their means."""
    net = forecast.targets["net_migration"]
    order = [net.regions.index(region) for region in regions]
    last, people = np.median(net.draws[:, -1], axis=0)[order], history.population[-1]
    past = target_history(known, "net_migration")
    mean = past.rate.mean() / 1000
    first = first_year(known, "net_migration")
    unit = unit_of_region(known.regions["region"], known.boundary_changes, first)
    units = np.array([region if region in mean.index else unit.get(region, region) for region in regions])
    gap = np.zeros(len(regions))
    for one in set(units) & set(mean.index):
        parts = units == one
        gap[parts] = mean[one] - last[parts].sum() / people[parts].sum()
    country = past.persons.sum(axis=1, min_count=1) / past.population.reindex(past.persons.index).sum(axis=1)
    national = country.mean() - last.sum() / people.sum()
    return gap + national - (gap * people).sum() / people.sum()


def spread(draws: np.ndarray) -> np.ndarray:
    """Standard deviation of a normal distribution with the draws' 80 % interval."""
    low, high = np.quantile(draws, [0.1, 0.9], axis=0)
    return (high - low) / 2.563


# --- balances alone -------------------------------------------------------------------------------------------------


class NetMobility:
    """Where no flows are forecast: the balance of all moves, (draw, horizon, region) as forecast."""

    def __init__(self, net: np.ndarray, people: np.ndarray, ahead: Outlooks, balanced: bool, rng: np.random.Generator):
        """people: population in which rates are counted, (region)."""
        self._net, self._ahead, self._balanced = net, ahead, balanced
        rate, self._size = net[:, -1] / people, spread(net[:, 0])
        deviation = self._size / people
        middle = np.median(rate, axis=0)
        shocks = shaken(deviation, len(net), len(ahead.returned), net.shape[1], rng)
        back = ahead.returned[:, None]
        self._rate = middle + back * ahead.gap + (1 - back) * (rate - middle)[:, None] + shocks

    def at(self, year: int, part: slice, population: np.ndarray) -> Moves:
        """population: (draw, year, region) of the draws of the part, up to the year."""
        if year < self._net.shape[1]:
            return Moves(self._net[part, year])
        people = population[:, year].astype("float64")
        national = (self._rate[part, year] * people).sum(axis=1) / people.sum(axis=1)
        beside = self._rate[part, year] - national[:, None]
        net = people * (national[:, None] + self._ahead.level[part, year, None] * beside)
        net = np.maximum(net, -MOST_LEAVING * people)
        if self._balanced:
            net = balance_net(net, np.maximum(self._size, 1.0))
        return Moves(whole_net(net, self._balanced))


# --- flows ----------------------------------------------------------------------------------------------------------


class FlowMobility:
    """flows: (draw, horizon, origin, destination), abroad: (draw, horizon, region), as forecast."""

    def __init__(
        self,
        flows: np.ndarray,
        abroad: np.ndarray,
        net: np.ndarray,
        people: np.ndarray,
        ahead: Outlooks,
        rng: np.random.Generator,
    ):
        """net: (draw, horizon, region) of all moves; people: population in which rates are counted, (region)."""
        self._flows, self._abroad, self._ahead = flows, abroad, ahead
        years, horizons = len(ahead.returned), flows.shape[1]
        last = flows[:, -1]
        middle = np.median(last, axis=0)
        turnover = np.maximum(middle.sum(axis=0) + middle.sum(axis=1), 1.0)
        national = (ahead.gap * people).sum() / people.sum()
        usual = attraction(middle, (ahead.gap - national) * people)
        beside = last.sum(axis=1) - last.sum(axis=2)
        own = (beside - np.median(beside, axis=0)) / turnover
        back = ahead.returned[:, None]
        shocks = shaken(spread(net[:, 0]) / turnover, len(flows), years, horizons, rng)
        pulled = back * (usual - own[:, None]) + shocks
        self._attraction = np.clip(pulled, -MOST_ATTRACTION, MOST_ATTRACTION)
        rate = abroad[:, -1] / people
        centre = np.median(rate, axis=0)
        shocks = shaken(spread(abroad[:, 0]) / people, len(flows), years, horizons, rng)
        self._rate = centre + back * national + (1 - back) * (rate - centre)[:, None] + shocks

    def at(self, year: int, part: slice, population: np.ndarray) -> Moves:
        """population: (draw, year, region) of the draws of the part, up to the year."""
        horizons = self._flows.shape[1]
        if year < horizons:
            flows = self._flows[part, year]
            out, into, balance = flows.sum(axis=2), flows.sum(axis=1), self._abroad[part, year]
        else:
            flows = self._beyond(year, part, population, horizons)
            out = np.rint(np.minimum(flows.sum(axis=2), MOST_LEAVING * population[:, year])).astype(np.int64)
            kept = out / np.maximum(flows.sum(axis=2), 1e-9)
            flows = flows * kept[:, :, None]
            into = whole(flows.sum(axis=1), out.sum(axis=1))
            people = population[:, year].astype("float64")
            balance = np.rint(np.maximum(self._rate[part, year] * people, -MOST_LEAVING / 2 * people)).astype(np.int64)
        share = flows / np.maximum(flows.sum(axis=2, keepdims=True), 1e-9)
        return Moves(balance, out, into, share.astype("float32"))

    def _beyond(self, year: int, part: slice, population: np.ndarray, horizons: int) -> np.ndarray:
        grown = population[:, year] / np.maximum(population[:, horizons - 1], 1)
        pull = np.exp(self._attraction[part, year])
        factor = self._ahead.level[part, year, None] * grown / pull
        return self._flows[part, -1] * factor[:, :, None] * pull[:, None, :]


def attraction(flows: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """By region, summing to zero: what makes the balances of flows, (origin, destination), rise by `gained`, which sums
    to zero: flow · e^(attraction of destination − of origin). Newton's method."""
    pull, target = np.zeros(len(flows)), flows.sum(axis=0) - flows.sum(axis=1) + gained
    for _ in range(NEWTON_STEPS):
        moved = flows * np.exp(pull[None, :] - pull[:, None])
        lacking = target - (moved.sum(axis=0) - moved.sum(axis=1))
        both = moved + moved.T
        slope = np.diag(both.sum(axis=1)) - both + 1.0  # the ones keep the sum of attractions at zero
        step = np.linalg.lstsq(slope, lacking, rcond=None)[0]
        pull = np.clip(pull + np.clip(step, -0.5, 0.5), -MOST_ATTRACTION, MOST_ATTRACTION)
    return pull
