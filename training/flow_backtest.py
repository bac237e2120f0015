"""Scores of flow forecasts: of the flows, of the sums of each region, by class of size, and of flows without a past."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.flows import FlowHistory, carried, flow_history, sums_by
from features.pair_features import regions_of
from features.targets import target_history
from models import flow_placement
from models.flow_calibration import FlowCalibration, calibrated
from models.flow_forecaster import flow_targets, quantiles_of
from models.flow_futures import FlowFutures
from models.flow_record import FlowRecord, size_class, size_names
from models.forecast import FLOW, QUANTILES, TargetForecast
from models.structural import StructuralBoosted, StructuralGravity
from training.gate import PERSISTENCE
from training.metrics import (
    common_part_of_commuters,
    interval_coverage,
    mass_inside,
    mean_pinball_loss,
    r_squared,
    sorted_crps,
)

INTERVALS = {50: (0.25, 0.75), 80: (0.1, 0.9), 90: (0.05, 0.95)}
CELL_DRAWS = 20_000_000
"""Cells × draws from which intervals are scored; a large country's are scored from fewer draws."""
FEWEST_DRAWS = 100
STRUCTURAL_CUTOFFS = 5
ScoreTarget = Callable[[TargetForecast, pd.DataFrame], list[dict]]
SIZE_COLUMNS = [
    *("target", "model", "cutoff", "horizon", "size_class", "n", "abs_error", "abs_actual"),
    *("coverage_50", "coverage_80", "coverage_90", "mass_80"),
]
STRUCTURE_COLUMNS = ["model", "cutoff", "horizon", "regions", "cpc", "r2"]


@dataclass(frozen=True, eq=False)
class FlowScores:
    """rows: as training.backtest.COLUMNS without `model`. by_size: SIZE_COLUMNS without `model`. structure:
    STRUCTURE_COLUMNS without `model`. One each per horizon with an outcome."""

    rows: list[dict]
    by_size: list[dict]
    structure: list[dict]


def scored_draws(dataset: Dataset, draws: int) -> int:
    """How many draws intervals of flows are scored from: even, at most `draws`."""
    pairs = len(flow_history(dataset).origin)
    return min(draws, max(FEWEST_DRAWS, 2 * (CELL_DRAWS // (2 * pairs))))


def score_flows(
    dataset: Dataset, record: FlowRecord, model: str, cutoff: int, draws: int, score_target: ScoreTarget, seed: int = 20
) -> FlowScores:
    """Scores of one model at one cutoff, as it would have been served then. dataset: knows the outcomes.

    score_target(forecast, persons): scores of a region target by horizon. Persistence is scored as the last value
    itself: the median of its futures is a little below, as most flows are below their mean.
    """
    known = dataset.as_of(cutoff)
    then, now = flow_history(known), flow_history(dataset)
    horizons = tuple(h for h in record.horizons if not np.isnan(now.year(cutoff + h)).any())
    if not horizons:
        return FlowScores([], [], [])
    said = record.points[cutoff][model].astype("float64")
    point = np.stack([said[record.horizons.index(horizon)] for horizon in horizons])
    calibrations = _calibrations(record, known, model, cutoff, horizons, point)
    pairs = flow_placement.in_units(known, point).pairs
    futures = FlowFutures(pairs, point, horizons, calibrations, then.threshold, draws, seed)
    outcomes = np.stack([now.year(cutoff + horizon) for horizon in horizons])
    came = carried(outcomes, now, then)
    out, into, blocks = futures.summed(
        lambda h, block, flows: _cells(np.sort(flows, axis=1), came[h, block]),
    )
    scores = FlowScores([], [], [])
    for h, horizon in enumerate(horizons):
        told, scored = {"cutoff": cutoff, "horizon": horizon}, np.concatenate(blocks[h], axis=1)
        if model == PERSISTENCE:
            scored[0] = np.rint(point[h])
        flow = {"target": FLOW} | told
        scores.rows.append(flow | _flow_row(scored, came[h], outcomes[h], point[h]))
        scores.by_size.extend(flow | row for row in _by_size(scored, came[h], size_class(point[h])))
        matrix = _structure(outcomes[h], carried(scored[0], then, now), now)
        scores.structure.append(told | {"regions": len(now.regions)} | matrix)
    sums = {"inflow": into, "out_migration": out, "net_migration": into - out}
    if model == PERSISTENCE:
        totals = [sums_by(end, point, len(then.regions)) for end in (then.origin, then.destination)]
        last = {"out_migration": totals[0], "inflow": totals[1], "net_migration": totals[1] - totals[0]}
        sums = {target: draws - np.median(draws, axis=0) + last[target] for target, draws in sums.items()}
    _add_sums(scores, dataset, cutoff, horizons, then, sums, score_target)
    return scores


def _calibrations(
    record: FlowRecord, known: Dataset, model: str, cutoff: int, horizons: Sequence[int], point: np.ndarray
) -> tuple[FlowCalibration, ...]:
    then = flow_history(known)
    found = []
    for flows, horizon in zip(point, horizons, strict=True):
        out, into = (sums_by(end, flows, len(then.regions)) for end in (then.origin, then.destination))
        found.append(calibrated(record, known, model, horizon, cutoff, then.regions, (out, into)))
    return tuple(found)


def _cells(ordered: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Of each pair, (score, pair): median, inside 50, 80, 90 % or not, part of it inside 80 %, CRPS, pinball loss, and
    widths of the 50, 80, 90 % intervals.

    ordered: (pair, draw).
    """
    quantiles = quantiles_of(ordered)
    inside = [
        (quantiles[QUANTILES.index(low)] <= outcome) & (outcome <= quantiles[QUANTILES.index(high)])
        for low, high in INTERVALS.values()
    ]
    part = mass_inside(outcome, ordered, INTERVALS[80])
    losses = [sorted_crps(outcome, ordered.T), mean_pinball_loss(outcome, quantiles, QUANTILES)]
    widths = [quantiles[QUANTILES.index(high)] - quantiles[QUANTILES.index(low)] for low, high in INTERVALS.values()]
    return np.stack([quantiles[QUANTILES.index(0.5)], *inside, part, *losses, *widths]).astype("float64")


def _flow_row(scored: np.ndarray, came: np.ndarray, outcome: np.ndarray, point: np.ndarray) -> dict:
    """Scores of the flows of a year: error over all pairs, also those that nobody could know of at the cutoff; coverage
    over the pairs whose forecast is above zero; widths, CRPS and pinball loss over all that were known."""
    median, above = scored[0], point >= 0.5
    unseen = outcome.sum() - came.sum()
    above = above if above.any() else np.ones_like(above)
    covered = {f"coverage_{level}": float(scored[1 + i, above].mean()) for i, level in enumerate(INTERVALS)}
    return {
        "n": len(came),
        "abs_error": float(np.abs(came - median).sum() + unseen),
        "abs_actual": float(outcome.sum()),
        "sign_agreement": float(((came > 0) == (median > 0)).mean()),
        **covered,
        **{f"width_{level}": float(scored[7 + i].sum()) for i, level in enumerate(INTERVALS)},
        "crps": float(scored[5].mean()),
        "pinball": float(scored[6].mean()),
    }


def _by_size(scored: np.ndarray, outcome: np.ndarray, class_of: np.ndarray) -> list[dict]:
    """One row per class of size that has cells. scored: median, inside 50, 80, 90 %, part of it inside 80 %."""
    rows = []
    for one, name in enumerate(size_names()):
        own = class_of == one
        if own.any():
            names = [*(f"coverage_{level}" for level in INTERVALS), "mass_80"]
            covered = {name: float(scored[1 + i, own].mean()) for i, name in enumerate(names)}
            error = float(np.abs(scored[0, own] - outcome[own]).sum())
            sizes = {"size_class": name, "n": int(own.sum()), "abs_error": error}
            rows.append(sizes | {"abs_actual": float(np.abs(outcome[own]).sum())} | covered)
    return rows


def _structure(outcome: np.ndarray, forecast: np.ndarray, history: FlowHistory) -> dict:
    cells = len(history.regions) * (len(history.regions) - 1)
    return {"cpc": common_part_of_commuters(outcome, forecast), "r2": r_squared(outcome, forecast, cells)}


def _add_sums(
    scores: FlowScores,
    dataset: Dataset,
    cutoff: int,
    horizons: tuple[int, ...],
    then: FlowHistory,
    sums: dict[str, np.ndarray],
    score_target: ScoreTarget,
) -> None:
    """Scores of the targets that are sums of flows; classes of size by people leaving."""
    class_of = size_class(np.median(sums["out_migration"], axis=0))
    for target in flow_targets(dataset.as_of(cutoff), cutoff):
        words = target, "between_regions", cutoff, horizons, then.regions
        forecast = TargetForecast(*words, sums[target], {}, {})
        persons = target_history(dataset, target).persons.reindex(columns=list(then.regions))
        scores.rows.extend(score_target(forecast, persons))
        scores.by_size.extend(size_rows(forecast, persons, class_of))


def size_rows(forecast: TargetForecast, persons: pd.DataFrame, class_of: np.ndarray) -> list[dict]:
    """SIZE_COLUMNS without `model`, of a region target. persons: year × region; class_of: (horizon, region)."""
    rows, quantiles = [], dict(zip(QUANTILES, forecast.quantiles(), strict=True))
    for h, horizon in enumerate(forecast.horizons):
        outcome = persons.reindex([forecast.cutoff + horizon]).to_numpy()[0]
        told = ~np.isnan(outcome)
        if told.any():
            inside = [(quantiles[a][h] <= outcome) & (outcome <= quantiles[b][h]) for a, b in INTERVALS.values()]
            ordered = np.sort(forecast.draws[:, h, told], axis=0).T
            part = np.empty(len(told))
            part[told] = mass_inside(outcome[told], ordered, INTERVALS[80])
            scored = np.stack([quantiles[0.5][h], *inside, part]).astype("float64")[:, told]
            where = {"target": forecast.target, "cutoff": forecast.cutoff, "horizon": horizon}
            rows += [where | row for row in _by_size(scored, outcome[told], class_of[h][told])]
    return rows


# --- flows without a past -------------------------------------------------------------------------------------------


def structural_scores(
    dataset: Dataset, cutoffs: Sequence[int], progress: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """CPC and R² of the structural models one year ahead, over the whole matrix (STRUCTURE_COLUMNS).

    They have seen no past flow of a pair or its regions but as what is to be explained.
    """
    rows = []
    for cutoff in cutoffs:
        for model in (StructuralGravity(), StructuralBoosted()):
            if progress:
                progress(f"{model.name} at cutoff {cutoff}")
            expected = model.fit(dataset, cutoff).predict(dataset, cutoff)
            regions = regions_of(dataset.as_of(cutoff), cutoff)
            outcome = _matrix(dataset, cutoff, regions)
            apart = ~np.eye(len(regions), dtype=bool)
            told = {"model": model.name, "cutoff": cutoff, "horizon": 1, "regions": len(regions)}
            rows.append(
                told
                | {
                    "cpc": common_part_of_commuters(outcome[apart], expected[apart]),
                    "r2": r_squared(outcome[apart], expected[apart], int(apart.sum())),
                }
            )
    return pd.DataFrame(rows, columns=STRUCTURE_COLUMNS)


def structural_cutoffs(dataset: Dataset) -> list[int]:
    """The last cutoffs whose next year has flows, with at least two years of flows behind them."""
    history = flow_history(dataset)
    years = history.years[history.recorded]
    return [int(year) for year in years[2:] if year + 1 in years][-STRUCTURAL_CUTOFFS:]


def _matrix(dataset: Dataset, cutoff: int, regions: tuple[str, ...]) -> np.ndarray:
    """Flows of the year after a cutoff between the regions of the cutoff, (region, region)."""
    flows = at_constant_boundaries(dataset, cutoff).flows
    flows = flows[flows["year"] == cutoff + 1]
    place = pd.Index(regions)
    origin, destination = (place.get_indexer(pd.Index(flows[end])) for end in ("origin", "destination"))
    there = (origin >= 0) & (destination >= 0)
    matrix = np.zeros((len(regions), len(regions)), dtype=np.float32)
    matrix[origin[there], destination[there]] = flows["persons"].to_numpy()[there]
    return matrix


def interval_rows(actual: np.ndarray, quantiles: dict[float, np.ndarray]) -> dict[str, float]:
    """Coverage of the intervals, and the sum of their widths in persons, by column name."""
    covered = {
        f"coverage_{level}": interval_coverage(actual, quantiles[low], quantiles[high])
        for level, (low, high) in INTERVALS.items()
    }
    widths = {f"width_{level}": float((quantiles[b] - quantiles[a]).sum()) for level, (a, b) in INTERVALS.items()}
    return covered | widths
