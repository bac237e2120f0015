"""Backtest: forecasting from past cutoffs as if each were now (rolling origin), every choice made before its cutoff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.targets import TARGETS, margins_record_net, recorded_targets, target_history
from models import combination
from models.boosted import BoostedSettings
from models.decision import Decision
from models.forecast import QUANTILES, TargetForecast
from models.forecaster import (
    HORIZONS,
    ForecastError,
    MigrationForecaster,
    Served,
    fallback,
    forecastable_targets,
)
from models.track_record import DEFAULTS, Progress, TrackRecord, models_of, past_cutoffs, track_record
from training.gate import decide
from training.metrics import crps, interval_coverage, sign_agreement

SERVED = "served"
COLUMNS = [
    *("target", "model", "cutoff", "horizon", "n", "abs_error", "abs_actual"),
    *("sign_agreement", "coverage_50", "coverage_80", "coverage_90", "crps"),
]
INTERVALS = {50: (0.25, 0.75), 80: (0.1, 0.9), 90: (0.05, 0.95)}


@dataclass(frozen=True, eq=False)
class Backtest:
    """scores: one row per target, model, cutoff, horizon (COLUMNS), model `served` among them.
    choices: the gate's decisions by cutoff, as it would have made them then.
    records: track records by target, to calibrate the final forecaster from."""

    scores: pd.DataFrame
    choices: dict[int, list[Decision]]
    records: dict[str, TrackRecord]


def backtest(
    dataset: Dataset,
    horizons: Sequence[int] = HORIZONS,
    last: int | None = None,
    progress: Progress | None = None,
    settings: BoostedSettings = DEFAULTS,
    draws: int = 1000,
) -> Backtest:
    """Score every model, and what the gate would have served, at every cutoff that leaves an outcome to score.

    last: the last cutoff whose values may be seen at all; default all.
    """
    last = last_value_year(dataset) if last is None else last
    known = dataset.as_of(last)
    records = {
        target: track_record(known, target, past_cutoffs(known, target, last), horizons, progress, settings)
        for target in forecastable_targets(known, last)
    }
    rows: list[dict] = []
    choices = {}
    for cutoff in sorted({cutoff for record in records.values() for cutoff in record.cutoffs}):
        reach = {target: record for target, record in records.items() if _scorable(known, record, cutoff)}
        if not reach:
            continue
        if progress:
            progress(f"scores at cutoff {cutoff}")
        choices[cutoff] = gate_at(known, pd.DataFrame(rows, columns=COLUMNS), cutoff, list(reach), horizons)
        fallbacks = {target: fallback(known.as_of(cutoff), target) for target in reach}
        scored: dict[tuple, dict[str, list[dict]]] = {}
        for name, served in _entrants(list(reach), horizons, choices[cutoff]).items():
            whole = {(target, h): served.get((target, h), fallbacks[target]) for target in reach for h in horizons}
            # What is served is most often one of the entrants; the same models give the same draws.
            same = tuple(whole.items())
            if same not in scored:
                forecaster = MigrationForecaster(whole, tuple(horizons), draws, settings=settings)
                forecast = forecaster.fit(known, cutoff, reach).predict_units(known, cutoff, horizons)
                scored[same] = {
                    target: score(forecast.targets[target], target_history(known, target).persons) for target in reach
                }
            own = [target for target in reach if (target, horizons[0]) in served]
            rows += [{"model": name, **row} for target in own for row in scored[same][target]]
    scores = pd.DataFrame(rows, columns=COLUMNS).sort_values(["target", "model", "cutoff", "horizon"])
    return Backtest(scores.reset_index(drop=True), choices, records)


def last_value_year(dataset: Dataset) -> int:
    """The last year in which any target has a value. Raises ForecastError where none has."""
    if not recorded_targets(dataset):
        raise ForecastError(f"{dataset.name}: records no {', '.join(TARGETS)} of regions with a population")
    return max(
        int(target_history(dataset, target).persons.dropna(how="all").index.max())
        for target in recorded_targets(dataset)
    )


def gate_at(
    known: Dataset, scores: pd.DataFrame, cutoff: int, targets: Iterable[str], horizons: Sequence[int]
) -> list[Decision]:
    """What the gate serves at a cutoff: it sees scores of outcomes that were known by then, and no others."""
    seen = scores[scores["cutoff"] + scores["horizon"] <= cutoff]
    vintage = known.as_of(cutoff)
    return [
        decision
        for system in systems(vintage, targets)
        for horizon in horizons
        for decision in decide(seen, system, horizon, fallback(vintage, system[0]))
    ]


def systems(known: Dataset, targets: Iterable[str]) -> list[tuple[str, ...]]:
    """Targets that add up, inflow − out_migration = net_migration, are one system; others stand alone."""
    targets = tuple(targets)
    together = len(targets) == len(TARGETS) and margins_record_net(known)
    return [targets] if together else [(target,) for target in targets]


def _scorable(known: Dataset, record: TrackRecord, cutoff: int) -> bool:
    """At least one known error before the cutoff to calibrate from, and the cutoff in the record."""
    forecastable = cutoff in record.cutoffs and record.target in forecastable_targets(known.as_of(cutoff), cutoff)
    return forecastable and record.taught(known, cutoff)


def _entrants(targets: list[str], horizons: Sequence[int], decisions: list[Decision]) -> dict[str, Served]:
    """Each model alone, and what is served: name → model by (target, horizon)."""
    models = {target: [model.name for model in models_of(target)] + [combination.NAME] for target in targets}
    names = sorted({name for found in models.values() for name in found})
    alone: dict[str, Served] = {
        name: {(target, horizon): name for target in targets if name in models[target] for horizon in horizons}
        for name in names
    }
    return alone | {SERVED: {(decision.target, decision.horizon): decision.model for decision in decisions}}


def score(forecast: TargetForecast, persons: pd.DataFrame) -> list[dict]:
    """Scores of one forecast by horizon, over the regions with an outcome; horizons without one are left out."""
    rows = []
    quantiles = dict(zip(QUANTILES, forecast.quantiles(QUANTILES), strict=True))
    for h, horizon in enumerate(forecast.horizons):
        year = forecast.cutoff + horizon
        outcome = persons.reindex(index=[year], columns=list(forecast.regions)).to_numpy()[0]
        told = ~np.isnan(outcome)
        if not told.any():
            continue
        actual, median = outcome[told], quantiles[0.5][h, told]
        coverage = {
            f"coverage_{level}": interval_coverage(actual, quantiles[low][h, told], quantiles[high][h, told])
            for level, (low, high) in INTERVALS.items()
        }
        rows.append(
            {
                "target": forecast.target,
                "cutoff": forecast.cutoff,
                "horizon": horizon,
                "n": int(told.sum()),
                "abs_error": float(np.abs(actual - median).sum()),
                "abs_actual": float(np.abs(actual).sum()),
                "sign_agreement": sign_agreement(actual, median),
                **coverage,
                "crps": crps(actual, forecast.draws[:, h, told].astype("float64")),
            }
        )
    return rows
