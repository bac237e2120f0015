"""Projection: many years ahead, by region, sex and age, in draws (cohort-component; Preston, Heuveline & Guillot 2001).

To the last horizon moves are the forecast's, draw by draw; later years are projections under a level, no forecasts.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from models import schedules
from models.age_structure import AgeStructure, age_structure
from models.cohort_year import CohortYear, ProjectionError, cohort_year
from models.forecast import QUANTILES, Forecast
from models.mobility import SIGNS, FlowMobility, NetMobility, outlooks
from models.projection_tables import GROUPS, MEASURES, Frame, age_quantiles, age_table, summary_table
from models.schedules import ASSUMPTIONS, SEXES, Assumption
from models.track_record import Progress
from models.vital_rates import vital_rates

LEVELS = tuple(SIGNS)
MOST_REGIONS = 100
MOST_YEARS = 100
AT_A_TIME = 50
"""Draws that are carried together: few enough for the processor's cache."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Whole persons. start: the first year; its 1 January is known, later ones are projected.

    population: (draw, year, region, sex, age group of GROUPS), on 1 January. broad: (draw, year, region, measure of
    MEASURES), by the pension age of the year. components: (draw, year, region) by name, one year less: `births`,
    `deaths`, `net_migration`, and where flows are forecast `inflow`, `out_migration`, `abroad`.
    basis: by region, of the age structure of the start. forecast_until: last year whose moves are forecast.

    Invariants, in every draw: population of a year + births − deaths + net_migration is that of the next; net_migration
    is inflow − out_migration + abroad; inflow and out_migration have one sum; nothing but balances is negative.
    """

    start: int
    years: tuple[int, ...]
    regions: tuple[str, ...]
    level: str
    population: np.ndarray
    broad: np.ndarray
    components: dict[str, np.ndarray]
    assumptions: tuple[Assumption, ...]
    basis: dict[str, str]
    forecast_until: int

    def measure(self, name: str) -> np.ndarray:
        """(draw, year, region)."""
        return self.broad[..., MEASURES.index(name)]

    @property
    def frame(self) -> Frame:
        return Frame(self.years, self.regions, self.level, self.basis)

    def table(self, levels: tuple[float, ...] = QUANTILES) -> pd.DataFrame:
        """Quantiles by region, year, sex and age group."""
        return age_table(age_quantiles(self.population, levels), levels, self.frame)

    def summary(self, levels: tuple[float, ...] = QUANTILES) -> pd.DataFrame:
        """Quantiles by region and year of MEASURES and of the dependency ratio."""
        return summary_table(self.broad, levels, self.frame)


def project(
    dataset: Dataset,
    cutoff: int,
    forecast: Forecast,
    to: int,
    level: str = "medium",
    draws: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Projection:
    """From 1 January after the cutoff to 1 January of `to`, for the regions of the forecast.

    level: of moves after the forecast: `low`, `medium` or `high`. draws: how many of the forecast's; all by default.

    Raises ProjectionError for arguments that do not fit, HistoryError where the dataset lacks what it starts from.
    """
    chosen = _chosen(cutoff, forecast, to, level, draws)
    known, rng = dataset.as_of(cutoff), np.random.default_rng(seed)
    regions = regions_of(forecast)
    structure = age_structure(known, cutoff, regions)
    steps = to - structure.year
    rates = vital_rates(structure, steps, len(chosen), rng)
    mobility, told = _mobility(known, structure, forecast, chosen, steps, level, rng)
    made = _Made(len(chosen), steps, len(regions), flows=forecast.flows is not None)
    for first in range(0, len(chosen), AT_A_TIME):
        part = slice(first, min(first + AT_A_TIME, len(chosen)))
        people = np.broadcast_to(structure.persons, (part.stop - part.start, *structure.persons.shape))
        made.state(part, 0, people, structure.year)
        for step in range(steps):
            moves = mobility.at(step, part, made.broad[part, : step + 1, :, 0])
            year = cohort_year(people, moves, rates.fertility[part, step], rates.mortality[part, step], rng)
            people = year.people
            made.state(part, step + 1, people, structure.year + step + 1)
            made.flow(part, step, year)
        if progress:
            progress(f"to {to}, {part.stop} of {len(chosen)} draws")
    assumptions = (structure.assumption, *rates.assumptions, *told, *ASSUMPTIONS)
    return Projection(
        structure.year,
        tuple(range(structure.year, to + 1)),
        regions,
        level,
        made.population,
        made.broad,
        made.components,
        assumptions,
        structure.basis,
        cutoff + len(forecast.targets["net_migration"].horizons),
    )


def _chosen(cutoff: int, forecast: Forecast, to: int, level: str, draws: int | None) -> np.ndarray:
    """Positions of the draws that are used: as many from each half, since futures come in mirrored pairs."""
    faults = []
    if level not in LEVELS:
        faults.append(f"level '{level}': must be {', '.join(LEVELS)}")
    if not cutoff + 1 < to <= cutoff + MOST_YEARS:
        faults.append(f"to {to}: must be a year from {cutoff + 2} to {cutoff + MOST_YEARS}")
    if forecast.cutoff != cutoff:
        faults.append(f"forecast from {forecast.cutoff}: must be from the cutoff, {cutoff}")
    net = forecast.targets.get("net_migration")
    if net is None:
        faults.append(f"targets {', '.join(forecast.targets) or 'none'}: net_migration must be forecast")
        raise ProjectionError("; ".join(faults))
    given = net.draws.shape[0]
    asked = given if draws is None else draws
    if not 2 <= asked <= given or asked % 2:
        faults.append(f"draws {asked}: must be an even number from 2 to the {given} of the forecast")
    if list(net.horizons) != list(range(1, len(net.horizons) + 1)):
        faults.append(f"horizons {list(net.horizons)}: must be 1, 2, … without a gap")
    if len(regions_of(forecast)) > MOST_REGIONS:
        faults.append(f"{len(regions_of(forecast))} regions: must be at most {MOST_REGIONS}")
    if faults:
        raise ProjectionError("; ".join(faults))
    half = np.arange(asked // 2)
    return np.concatenate([half, net.draws.shape[0] // 2 + half])


def regions_of(forecast: Forecast) -> tuple[str, ...]:
    """Those that are projected."""
    return forecast.targets["net_migration"].regions if forecast.flows is None else forecast.flows.regions


def _mobility(
    known: Dataset,
    structure: AgeStructure,
    forecast: Forecast,
    chosen: np.ndarray,
    steps: int,
    level: str,
    rng: np.random.Generator,
) -> tuple[FlowMobility | NetMobility, tuple[Assumption, ...]]:
    target, regions, flows = forecast.targets["net_migration"], structure.regions, forecast.flows
    ahead, told = outlooks(known, structure.history, forecast, regions, steps, level, chosen, rng)
    order = [target.regions.index(region) for region in regions]
    net, people = target.draws[chosen][:, :, order], structure.persons.sum(axis=(1, 2)).astype("float64")
    if flows is None:
        return NetMobility(net, people, ahead, target.scope != "all", rng), told
    moved = np.zeros((*net.shape, len(regions)), dtype=np.int64)
    moved[:, :, flows.origin, flows.destination] = flows.draws()[chosen]
    # Moves abroad are what the balance of all moves has beside flows.
    abroad = net - (moved.sum(axis=2) - moved.sum(axis=3)) if target.scope == "all" else np.zeros_like(net)
    return FlowMobility(moved, abroad, net, people, ahead, rng), told


class _Made:
    """Arrays of a projection, filled part by part."""

    def __init__(self, draws: int, steps: int, regions: int, flows: bool) -> None:
        self.population = np.empty((draws, steps + 1, regions, len(SEXES), len(GROUPS)), dtype=np.int32)
        self.broad = np.empty((draws, steps + 1, regions, len(MEASURES)), dtype=np.int32)
        names = ["births", "deaths", "net_migration", *(["inflow", "out_migration", "abroad"] if flows else [])]
        self.components = {name: np.empty((draws, steps, regions), dtype=np.int32) for name in names}

    def state(self, part: slice, step: int, people: np.ndarray, year: int) -> None:
        self.population[part, step] = np.add.reduceat(people, range(0, 90, 5), axis=-1)
        women, men = schedules.pension_age(year)
        children = people[..., : schedules.CHILDREN].sum(axis=(-2, -1))
        old = people[:, :, 0, women:].sum(axis=-1) + people[:, :, 1, men:].sum(axis=-1)
        everybody = self.population[part, step].sum(axis=(-2, -1))
        self.broad[part, step] = np.stack([everybody, children, everybody - children - old, old], axis=-1)

    def flow(self, part: slice, step: int, year: CohortYear) -> None:
        out, into, balance = (one.sum(axis=(-2, -1)) for one in (year.out, year.into, year.balance))
        told = {
            "births": year.newborn.sum(axis=-1),
            "deaths": year.deaths.sum(axis=(-2, -1)) + year.newborn_deaths.sum(axis=-1),
            "net_migration": into - out + balance,
            "inflow": into,
            "out_migration": out,
            "abroad": balance,
        }
        for name, array in self.components.items():
            array[part, step] = told[name]
