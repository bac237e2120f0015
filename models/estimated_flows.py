"""Flows where none are recorded: futures of the balanced record, in which every balance is as it is forecast.

A draw of the record first, then of its future: the level walks on, shares drift, and the table of the year is balanced
to what the models of regions forecast in that draw. Skill, which cannot be measured without recorded flows, is not
claimed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.account_estimate import MOST_PARTS
from features.accounts import balanced_record, summed
from features.balancing import Statements, balance
from features.boundaries import PartsError, present_parts, unit_of_region
from features.dataset import Dataset
from features.evidence import Evidence, EvidenceError, all_counted, evidence
from features.flows import has_flows
from features.remembered import remembered
from features.targets import first_year, recorded_targets, target_history
from models.coherence import settled
from models.forecast import QUANTILES, FlowForecast, TargetForecast

NAME = "balanced_record"
REASON = (
    "no flows are recorded: they continue the record that is estimated from published figures, balanced to the "
    "forecast of net_migration in every draw; how far they are off cannot be measured"
)
SHARE_DRIFT = 0.05
"""Standard deviation of the yearly change of the log of a region's part of departures, or arrivals."""
CELL_DRIFT = 0.1
"""The same of a flow beside its regions."""
ABROAD_DRIFT = 0.2
"""The same of moves from, and to, abroad."""
LEVEL_ERROR = 0.002
"""Error within which a table keeps to the level of its draw, as a part of it."""
MARGIN_ERROR = 0.5
STATED = ("net_migration", "inflow", "out_migration")
OLDEST = 2
"""A record that ends that many years before the cutoff, or more, is not continued."""


@dataclass(frozen=True, eq=False)
class EstimatedFlows:
    """The last year of the balanced record, in draws.

    regions: sorted codes of the regions of the day. tables: (record draw, region + 1, region + 1), persons, moves
    abroad last, none inside. yearly_change: standard deviation of the change of the log of the level.
    """

    year: int
    regions: tuple[str, ...]
    tables: np.ndarray
    yearly_change: float

    @classmethod
    def fit(cls, known: Dataset) -> "EstimatedFlows":
        """Of what a vintage knows."""
        record = balanced_record(known)
        regions = tuple(sorted(record.told.standing[record.years[-1]]))
        tables = summed(record.draws[:, -1], record.groups(regions)).astype("float32")
        tables[:, range(len(regions)), range(len(regions))] = 0.0
        return cls(record.years[-1], regions, tables, record.level.yearly_change)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` reads."""
        return {
            "year": np.array(self.year),
            "regions": np.array(self.regions),
            "tables": self.tables,
            "yearly_change": np.array(self.yearly_change),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "EstimatedFlows":
        regions = tuple(str(region) for region in arrays["regions"])
        return cls(int(arrays["year"]), regions, arrays["tables"], float(arrays["yearly_change"]))

    def forecast(
        self, targets: Mapping[str, TargetForecast], cutoff: int, horizons: Sequence[int], seed: int
    ) -> tuple[FlowForecast, dict[str, TargetForecast]]:
        """Flows in the draws of the targets, and inflow and out_migration as their sums.

        targets: net_migration, and inflow and out_migration where they are counted between regions. In every draw
        inflow − out_migration, with the balance of moves abroad where the net counts them, is the net.
        """
        net, order = targets["net_migration"], [targets["net_migration"].regions.index(one) for one in self.regions]
        draws = {target: one.draws[:, :, order] for target, one in targets.items() if target in STATED}
        tables = [
            self._future({target: one[:, h] for target, one in draws.items()}, cutoff + horizon, seed)
            for h, horizon in enumerate(horizons)
        ]
        flows = np.rint(np.stack(tables, axis=1)[..., :-1, :-1]).astype(np.int32)
        balances = draws["net_migration"]
        if net.scope != "all":
            flows = settled(flows, balances)
        out, into = flows.sum(axis=-1), flows.sum(axis=-2)
        abroad = balances - (into - out) if net.scope == "all" else None
        sums = {
            target: self._sums(target, persons, targets.get(target), net)
            for target, persons in (("inflow", into), ("out_migration", out))
        }
        return self._flows(flows, abroad, cutoff, tuple(horizons)), sums

    def _sums(
        self, target: str, persons: np.ndarray, own: TargetForecast | None, net: TargetForecast
    ) -> TargetForecast:
        """own: its own forecast, whose margins the flows have."""
        models = dict.fromkeys(net.horizons, NAME) if own is None else own.models
        basis = dict.fromkeys(self.regions, "estimated") if own is None else own.basis
        return TargetForecast(target, "between_regions", net.cutoff, net.horizons, self.regions, persons, models, basis)

    def _flows(
        self, flows: np.ndarray, abroad: np.ndarray | None, cutoff: int, horizons: tuple[int, ...]
    ) -> FlowForecast:
        origin, destination = np.nonzero(~np.eye(len(self.regions), dtype=bool))
        draws = flows[:, :, origin, destination]
        return FlowForecast(
            cutoff,
            horizons,
            self.regions,
            origin,
            destination,
            np.rint(np.quantile(draws, QUANTILES, axis=0)).astype(np.int32),
            dict.fromkeys(horizons, NAME),
            np.full(len(origin), "estimated"),
            lambda wanted: draws[:, :, wanted],
            abroad,
        )

    def _future(self, draws: Mapping[str, np.ndarray], year: int, seed: int) -> np.ndarray:
        """Tables of a year ahead, (draw, region + 1, region + 1), with the balances and margins of (draw, region)."""
        ahead, count, side = np.sqrt(year - self.year), len(draws["net_migration"]), len(self.regions) + 1
        # The same normals at every horizon: a draw that is high next year is high after it.
        rng = np.random.default_rng(seed)
        record = self.tables[rng.permutation(count) % len(self.tables)].astype("float64")
        between = np.zeros((side, side))
        between[:-1, :-1] = 1 - np.eye(side - 1)
        half = rng.standard_normal(count - count // 2)
        # Mirrored, as draws of balances are: few draws have the median of many.
        walk = ahead * self.yearly_change * np.concatenate([half, -half])[:count]
        level = (record * between).sum(axis=(1, 2)) * np.exp(walk)
        if "inflow" in draws:
            level = draws["inflow"].sum(axis=1).astype("float64")
        ends = ahead * SHARE_DRIFT * rng.standard_normal((2, count, side))
        ends[:, :, -1] = ahead * ABROAD_DRIFT * rng.standard_normal((2, count))
        cells = ahead * CELL_DRIFT * rng.standard_normal((count, side, side))
        drifted = record * np.exp(ends[0][:, :, None] + ends[1][:, None, :] + cells)
        drifted[:, :-1, :-1] *= (level / (drifted * between).sum(axis=(1, 2)))[:, None, None]
        sums = {target: self._sums_of(target) for target in draws} | {"level": between[None]}
        matrix = np.concatenate(list(sums.values())).reshape(-1, side * side)
        error = np.append(np.full(len(matrix) - 1, MARGIN_ERROR), LEVEL_ERROR * np.median(level))
        stated = np.concatenate([*draws.values(), level[:, None]], axis=1)
        statements = Statements(matrix, error)
        solved = balance(drifted.reshape(count, -1), self._dispersion(drifted), statements, stated)
        return solved.cells.reshape(drifted.shape)

    def _sums_of(self, target: str) -> np.ndarray:
        """Which cells make up a target of each region, (region, region + 1, region + 1)."""
        side = len(self.regions) + 1
        end, every = np.eye(side)[:-1], np.ones(side)
        if target == "net_migration":
            return np.stack([np.outer(every, one) - np.outer(one, every) for one in end])
        here = np.append(every[:-1], 0.0)
        return np.stack([np.outer(here, one) if target == "inflow" else np.outer(one, here) for one in end])

    def _dispersion(self, tables: np.ndarray) -> np.ndarray:
        """Variance over size, (cell), of flows and of moves abroad: each as large as a region's sums of them."""
        mean = tables.mean(axis=0)
        dispersion = np.full(mean.shape, max(mean[:-1, :-1].sum() / len(self.regions), 1.0))
        dispersion[-1] = dispersion[:, -1] = max((mean[-1].sum() + mean[:, -1].sum()) / len(self.regions), 1.0)
        return dispersion.ravel()


# --- where it can be made -------------------------------------------------------------------------------------------


@remembered(512)
def estimates_flows(known: Dataset, cutoff: int) -> bool:
    """Whether flows of a vintage can be estimated: none are recorded, moves in the country are counted in some year,
    and every region has a balance in one of the last years, and a forecast of it."""
    if has_flows(known) or "net_migration" not in recorded_targets(known):
        return False
    told = _told(known)
    if told is None or not 2 <= len(told.parts) <= MOST_PARTS or told.years[-1] <= cutoff - OLDEST:
        return False
    if not _counts_moves(told):
        return False
    unit = unit_of_region(known.regions["region"], known.boundary_changes, first_year(known, "net_migration"))
    parts = present_parts(known, unit)
    forecast = parts.loc[parts["unit"].isin(target_history(known, "net_migration").regions), "region"]
    return set(forecast) == set(told.standing[told.years[-1]])


def _counts_moves(told: Evidence) -> bool:
    """Whether moves of every region, or of the country, are counted in some year: balances alone tell no level."""
    rows = told.rows[told.rows["scope"].isin(["between_regions", "within_country"]) & (told.rows["measure"] != "net")]
    counted = replace(told, rows=rows)
    return bool((rows["region"] == "").any()) or any(all_counted(counted, year) for year in told.years)


def _told(known: Dataset) -> Evidence | None:
    try:
        return evidence(known)
    except (EvidenceError, PartsError):
        return None


def sums_of_record(known: Dataset, cutoff: int) -> list[str]:
    """Targets that are sums of estimated flows: those that are not counted between regions by themselves."""
    if not estimates_flows(known, cutoff):
        return []
    recorded = recorded_targets(known)
    return [
        target
        for target in ("inflow", "out_migration")
        if target not in recorded or target_history(known, target).scope != "between_regions"
    ]
