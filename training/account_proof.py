"""Proof of the balanced record: recorded flows are hidden, estimated from what is left, and compared with the truth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.account_estimate import Estimate, estimate
from features.account_gravity import ELASTICITIES, Elasticities, Surroundings, surroundings
from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.evidence import evidence
from models.structural import BASE, fit_gravity
from training.metrics import common_part_of_commuters, interval_coverage

MARGINS, AS_IN_KAZAKHSTAN = "margins", "as in Kazakhstan"
CASES = (MARGINS, AS_IN_KAZAKHSTAN)
LATE_YEARS = 3
"""Last years of which arrivals and departures are told in the second case, as in Kazakhstan from 2022 on."""
MADE_INSIDE = 2.0
"""Made moves inside a region for each move between regions and the same number of inhabitants,"""
INSIDE_SPREAD = 0.25
"""with this standard deviation of logs between regions,"""
INSIDE_CHANGE = 0.05
"""and this one between years."""
PANELS = {"Korea": Elasticities((0.6, 0.2), (0.6, 0.2)), "USA": Elasticities((0.9, 0.2), (0.8, 0.2))}
"""What fits the truth best in the two panels that the usual elasticities are between."""
INTERVAL = (0.1, 0.9)
ROUNDS = 200
CLASSES = 4
Array = np.ndarray


class ProofError(ValueError):
    """A dataset with which nothing can be proven."""


@dataclass(frozen=True, eq=False)
class Hidden:
    """dataset: with figures that follow from its flows instead of them. between_share: by year, part of all moves in
    the country that goes to another region; 1 where moves inside were not made up."""

    dataset: Dataset
    between_share: dict[int, float]


@dataclass(frozen=True)
class Variant:
    """One estimate. seed: of the moves inside that are made up."""

    case: str
    elasticities: Elasticities
    name: str
    seed: int


def variants(seed: int) -> list[Variant]:
    """Both cases as the record is made, with what fits each panel best instead, and with other moves inside."""
    usual = [Variant(case, ELASTICITIES, "as used", seed) for case in CASES]
    panels = [Variant(case, one, f"best in {name}", seed) for case in CASES for name, one in PANELS.items()]
    return [*usual, *panels, Variant(AS_IN_KAZAKHSTAN, ELASTICITIES, "as used, other moves inside", seed + 1)]


def proof(truth: "Truth", draws: int, seed: int, progress: Callable[[str], None] = lambda _: None) -> pd.DataFrame:
    """One row per variant and year, see `_scores` and `yardsticks`."""
    rows = []
    for one in variants(seed):
        progress(f"{one.case}, {one.name}")
        rows += _compared(truth, one, draws)
    return pd.DataFrame(rows).merge(yardsticks(truth), on="year", validate="many_to_one")


@dataclass(frozen=True, eq=False)
class Truth:
    """Recorded flows between units of constant boundaries, (year, part, part); a pair without a row is zero."""

    dataset: Dataset
    around: Surroundings
    tables: Array

    def of(self, year: int) -> Array:
        return self.tables[self.around.years.index(year)]


def true_tables(dataset: Dataset) -> Truth:
    """Raises ProofError where no flows are recorded."""
    if not len(dataset.flows):
        raise ProofError(f"{dataset.name}: records no flows; must have some, to be hidden and compared with")
    whole = at_constant_boundaries(dataset, int(dataset.flows["year"].min()))
    kept = hidden(whole, MARGINS, 0).dataset
    told = evidence(kept)
    persons = whole.flows.set_index(["year", "origin", "destination"])["persons"]
    every = pd.MultiIndex.from_product([told.years, told.parts, told.parts])
    tables = persons.reindex(every, fill_value=0).to_numpy("float64")
    side = len(told.parts)
    return Truth(whole, surroundings(kept, told), tables.reshape(len(told.years), side, side))


# --- hiding ---------------------------------------------------------------------------------------------------------


def hidden(dataset: Dataset, case: str, seed: int) -> Hidden:
    """Flows give way to arrivals and departures of all years; or to balances, and in the last years to arrivals and
    departures that include moves inside each region, which are made up."""
    moved = dataset.flows.groupby(["year", "destination"])["persons"].sum().rename_axis(["year", "region"])
    left = dataset.flows.groupby(["year", "origin"])["persons"].sum().rename_axis(["year", "region"])
    ends = pd.DataFrame({"arrivals": moved, "departures": left}).fillna(0).astype("int64")
    if case == MARGINS:
        return Hidden(_with_movements(dataset, _long(ends, "between_regions")), dict.fromkeys(_years(ends), 1.0))
    late = ends.index.get_level_values("year") > _years(ends)[-1 - LATE_YEARS]
    inside = _made_inside(dataset, ends, np.random.default_rng(seed))[late]
    early = pd.DataFrame({"net": ends["arrivals"] - ends["departures"]})[~late]
    rows = [_long(early, "between_regions"), _long(ends[late].add(inside, axis=0), "within_country")]
    between, within = (one.groupby("year").sum() for one in (ends["arrivals"][late], inside))
    shares = between / (between + within)
    return Hidden(_with_movements(dataset, pd.concat(rows)), {int(str(year)): share for year, share in shares.items()})


def _years(ends: pd.DataFrame) -> list[int]:
    return sorted(int(year) for year in ends.index.unique("year"))


def _made_inside(dataset: Dataset, ends: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    people = pd.DataFrame({"people": dataset.indicator("population").stack()})["people"].reindex(ends.index)
    rate = MADE_INSIDE * ends["arrivals"].sum() / people.sum()
    codes = ends.index.get_level_values("region")
    regions = pd.Index(sorted(codes.unique()))
    usual = np.exp(INSIDE_SPREAD * rng.standard_normal(len(regions)))[regions.get_indexer(codes)]
    return (rate * people * usual * np.exp(INSIDE_CHANGE * rng.standard_normal(len(ends)))).astype("int64")


def _long(wide: pd.DataFrame, scope: str) -> pd.DataFrame:
    return wide.reset_index().melt(["year", "region"], var_name="measure", value_name="persons").assign(scope=scope)


def _with_movements(dataset: Dataset, rows: pd.DataFrame) -> Dataset:
    basis = pd.Series("official", rows.index, dtype="category")
    movements = rows.assign(published=rows["year"], basis=basis, source="recorded flows").reset_index(drop=True)
    return replace(
        dataset,
        flows=dataset.flows.iloc[:0],
        movements=movements,
        statements=dataset.statements.iloc[:0],
        _known={},
        _whole=None,
    )


# --- comparing ------------------------------------------------------------------------------------------------------


def _compared(truth: Truth, variant: Variant, draws: int) -> Iterator[dict]:
    kept = hidden(truth.dataset, variant.case, variant.seed)
    told = evidence(kept.dataset)
    found = estimate(kept.dataset, told, draws, variant.seed, variant.elasticities)
    for place, year in enumerate(told.years):
        late = variant.case == MARGINS or year in kept.between_share
        words = {"case": variant.case, "elasticities": variant.name, "year": year, "late": late}
        made = variant.case == AS_IN_KAZAKHSTAN and late
        share = {"share": found.level.share[0], "true_share": kept.between_share[year]} if made else {}
        yield words | _scores(found, place, truth.of(year)) | share


def _scores(found: Estimate, place: int, truth: Array) -> dict[str, float]:
    """cpc: of the estimate. cpc_plain: of population × population / distance at the estimate's level.

    coverage: of 80 % intervals of flows; by quarter of the true flows, the smallest first; of arrivals and departures.
    level: of all moves between regions, estimated over true.
    """
    off = ~np.eye(len(truth), dtype=bool)
    tables = found.tables[:, place, :-1, :-1] * off
    table, drawn = tables[0], tables[1:]
    lower, upper = np.quantile(drawn[:, off], INTERVAL, axis=0)
    quarter = np.argsort(np.argsort(truth[off], kind="stable")) * CLASSES // off.sum()
    classes = [quarter == one for one in range(CLASSES)]
    plain = plain_gravity(found.around, place, table.sum())
    return {
        "cpc": common_part_of_commuters(truth[off], table[off]),
        "cpc_plain": common_part_of_commuters(truth[off], plain[off]),
        "coverage": interval_coverage(truth[off], lower, upper),
        **{
            f"coverage_{one + 1}": interval_coverage(truth[off][which], lower[which], upper[which])
            for one, which in enumerate(classes)
        },
        "coverage_arrivals": interval_coverage(truth.sum(axis=0), *np.quantile(drawn.sum(axis=1), INTERVAL, axis=0)),
        "coverage_departures": interval_coverage(truth.sum(axis=1), *np.quantile(drawn.sum(axis=2), INTERVAL, axis=0)),
        "level": float(table.sum() / truth.sum()),
    }


# --- yardsticks -----------------------------------------------------------------------------------------------------


def yardsticks(truth: Truth) -> pd.DataFrame:
    """CPC by year of what sees the truth, so that nobody could have it: gravity fitted to the hidden flows themselves,
    the table of independence with the true sums of rows and columns, and the plain product of these."""
    off = ~np.eye(truth.tables.shape[1], dtype=bool)
    rows = []
    for place, year in enumerate(truth.around.years):
        table = truth.tables[place]
        made = {
            "fitted": fitted_gravity(truth.around, place, table),
            "independence": proportional(off, table.sum(axis=1), table.sum(axis=0)),
            "product": product(table),
        }
        scores = {f"cpc_{name}": common_part_of_commuters(table[off], flows[off]) for name, flows in made.items()}
        rows.append({"year": year, **scores})
    return pd.DataFrame(rows)


def plain_gravity(around: Surroundings, place: int, level: float) -> Array:
    """Population × population / distance, (part, part), at a level."""
    people, off = around.population[place], ~np.eye(len(around.distance_km), dtype=bool)
    flows = np.outer(people, people) / np.maximum(around.distance_km, 1.0) * off
    return flows * level / flows.sum()


def fitted_gravity(around: Surroundings, place: int, truth: Array) -> Array:
    """Gravity of populations, distance and border, fitted to the truth by Poisson pseudo-maximum likelihood."""
    off = ~np.eye(len(truth), dtype=bool)
    size = np.broadcast_to(np.log(around.population[place]), truth.shape)
    features = [size.T, size, np.log(np.maximum(around.distance_km, 1.0)), around.contiguous]
    columns = np.stack([one[off] for one in features], axis=1).astype("float64")
    mean = truth[off].mean()
    fitted = fit_gravity(columns, truth[off] / mean, np.ones(len(columns)), BASE)
    flows = np.zeros_like(truth)
    flows[off] = mean * np.exp(fitted.log_expected(columns).astype("float64"))
    return flows


def product(truth: Array) -> Array:
    """Departures × arrivals, the diagonal left out, at the true level."""
    flows = np.outer(truth.sum(axis=1), truth.sum(axis=0))
    np.fill_diagonal(flows, 0.0)
    return flows * truth.sum() / flows.sum()


def proportional(prior: Array, departures: Array, arrivals: Array) -> Array:
    """Iterative proportional fitting of a table to its sums (Deming & Stephan 1940)."""
    flows = prior.astype("float64")
    for _ in range(ROUNDS):
        flows = flows * (departures / np.maximum(flows.sum(axis=1), 1e-9))[:, None]
        flows = flows * (arrivals / np.maximum(flows.sum(axis=0), 1e-9))
    return flows
