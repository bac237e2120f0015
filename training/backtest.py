"""Backtest: forecasting from past cutoffs as if each were now (rolling origin), every choice made before its cutoff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.flows import flow_history
from features.targets import TARGETS, margins_record_net, recorded_targets, target_history
from models import combination
from models.boosted import BoostedSettings
from models.decision import Decision
from models.flow_forecaster import flow_targets
from models.flow_models import FROZEN
from models.flow_record import FlowRecord, flow_cutoffs, flow_record, size_class
from models.forecast import FLOW, QUANTILES, TargetForecast
from models.forecaster import (
    HORIZONS,
    ForecastError,
    MigrationForecaster,
    Served,
    fallback,
    forecastable_targets,
    region_targets,
)
from models.track_record import DEFAULTS, Progress, TrackRecord, models_of, past_cutoffs, track_record
from training.flow_backtest import (
    SIZE_COLUMNS,
    STRUCTURE_COLUMNS,
    FlowScores,
    interval_rows,
    score_flows,
    scored_draws,
    size_rows,
    structural_cutoffs,
    structural_scores,
)
from training.gate import decide
from training.metrics import crps, mean_pinball_loss, sign_agreement

SERVED = "served"
COLUMNS = [
    *("target", "model", "cutoff", "horizon", "n", "abs_error", "abs_actual"),
    *("sign_agreement", "coverage_50", "coverage_80", "coverage_90", "width_50", "width_80", "width_90"),
    *("crps", "pinball"),
]


@dataclass(frozen=True, eq=False)
class Backtest:
    """scores: one row per target, model, cutoff, horizon (COLUMNS), model `served` among them.
    choices: the gate's decisions by cutoff, as it would have made them then.
    records: track records by target, to calibrate the final forecaster from; flows: the same of flows.
    by_size: scores by class of size (SIZE_COLUMNS).
    structure: CPC and R² of flow models, and of those that see no past flows (STRUCTURE_COLUMNS)."""

    scores: pd.DataFrame
    choices: dict[int, list[Decision]]
    records: dict[str, TrackRecord]
    flows: FlowRecord | None = None
    by_size: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SIZE_COLUMNS))
    structure: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=STRUCTURE_COLUMNS))


def backtest(
    dataset: Dataset,
    horizons: Sequence[int] = HORIZONS,
    last: int | None = None,
    progress: Progress | None = None,
    settings: BoostedSettings = DEFAULTS,
    draws: int = 1000,
    structural: bool = False,
) -> Backtest:
    """Score every model, and what the gate would have served, at every cutoff that leaves an outcome to score.

    last: the last cutoff whose values may be seen at all; default all. structural: also score the models that see no
    past flows, at the last cutoffs.
    """
    last = last_value_year(dataset) if last is None else last
    known = dataset.as_of(last)
    records = {
        target: track_record(known, target, past_cutoffs(known, target, last), horizons, progress, settings)
        for target in region_targets(known, last)
    }
    flows = flow_record(known, flow_cutoffs(known, last), horizons, progress) if flow_targets(known, last) else None
    made = Backtest(pd.DataFrame(columns=COLUMNS), {}, records, flows)
    rows, by_size, structure = [], [], []
    for cutoff in sorted(
        {past for record in [*records.values(), *([flows] if flows else [])] for past in record.cutoffs}
    ):
        regional, of_flows = _scorable_targets(known, made, cutoff)
        if not regional and not of_flows:
            continue
        if progress:
            progress(f"scores at cutoff {cutoff}")
        targets = [*regional, *of_flows]
        made.choices[cutoff] = gate_at(known, pd.DataFrame(rows, columns=COLUMNS), cutoff, targets, horizons)
        new, sizes = _regional_rows(
            known, {t: records[t] for t in regional}, cutoff, made.choices[cutoff], horizons, draws, settings
        )
        by_size += sizes
        if flows and of_flows:
            scored = _flow_scores(known, flows, cutoff, made.choices[cutoff], draws)
            new += [{"model": name, **row} for name, one in scored.items() for row in one.rows]
            by_size += [{"model": name, **row} for name, one in scored.items() for row in one.by_size]
            structure += [{"model": name, **row} for name, one in scored.items() for row in one.structure]
        rows += new
    scores = pd.DataFrame(rows, columns=COLUMNS).sort_values(["target", "model", "cutoff", "horizon"])
    track = [pd.DataFrame(structure, columns=STRUCTURE_COLUMNS)]
    if flows and structural:
        track.append(structural_scores(known, structural_cutoffs(known), progress))
    return replace(
        made,
        scores=scores.reset_index(drop=True),
        by_size=pd.DataFrame(by_size, columns=SIZE_COLUMNS),
        structure=pd.concat([one for one in track if len(one)] or track, ignore_index=True),
    )


def _scorable_targets(known: Dataset, made: Backtest, cutoff: int) -> tuple[list[str], list[str]]:
    """Targets with models of their own, and those that are flows or their sums, that can be scored at a cutoff."""
    regional = [target for target, record in made.records.items() if _scorable(known, record, cutoff)]
    flows, vintage = made.flows, known.as_of(cutoff)
    if flows is None or cutoff not in flows.cutoffs or not flows.taught(known, cutoff):
        return regional, []
    sums = flow_targets(vintage, cutoff)
    return regional, [FLOW, *sums] if sums else []


def _regional_rows(
    known: Dataset,
    reach: dict[str, TrackRecord],
    cutoff: int,
    decisions: list[Decision],
    horizons: Sequence[int],
    draws: int,
    settings: BoostedSettings,
) -> tuple[list[dict], list[dict]]:
    """Scores, and scores by class of size."""
    rows, sizes, fallbacks = [], [], {target: fallback(known.as_of(cutoff), target) for target in reach}
    scored: dict[tuple, dict[str, tuple[list[dict], list[dict]]]] = {}
    own = [decision for decision in decisions if decision.target in reach]
    for name, served in _entrants(list(reach), horizons, own).items() if reach else ():
        whole = {(target, h): served.get((target, h), fallbacks[target]) for target in reach for h in horizons}
        # What is served is most often one of the entrants; the same models give the same draws.
        same = tuple(whole.items())
        if same not in scored:
            forecaster = MigrationForecaster(whole, tuple(horizons), draws, settings=settings)
            forecast = forecaster.fit_targets(known, cutoff, reach).predict_units(known, cutoff, horizons)
            scored[same] = {target: _both_scores(known, forecast.targets[target], reach[target]) for target in reach}
        told = [target for target in reach if (target, horizons[0]) in served]
        rows += [{"model": name, **row} for target in told for row in scored[same][target][0]]
        sizes += [{"model": name, **row} for target in told for row in scored[same][target][1]]
    return rows, sizes


def _both_scores(known: Dataset, forecast: TargetForecast, record: TrackRecord) -> tuple[list[dict], list[dict]]:
    """By horizon, and by horizon and class of size as known at the cutoff."""
    persons = target_history(known, forecast.target).persons
    sizes = pd.Series(record.size[record.cutoffs.index(forecast.cutoff)], index=list(record.regions))
    class_of = size_class(sizes.reindex(list(forecast.regions)).to_numpy(dtype="float64"))
    own = persons.reindex(columns=list(forecast.regions))
    return score(forecast, persons), size_rows(forecast, own, np.tile(class_of, (len(forecast.horizons), 1)))


def _flow_scores(
    known: Dataset, record: FlowRecord, cutoff: int, decisions: list[Decision], draws: int
) -> dict[str, FlowScores]:
    """Scores by model; what is served has at each horizon those of the model that the gate chose."""
    count = scored_draws(known.as_of(cutoff), draws)
    before = record.before(cutoff)
    # A model that is offered late has no errors yet to make intervals from.
    names = [
        name
        for name in record.points[cutoff]
        if any(before.errors(known, name, horizon, cutoff) for horizon in record.horizons)
    ]
    scored = {name: score_flows(known, record, name, cutoff, count, score) for name in names}
    chosen = {decision.horizon: decision.model for decision in decisions if decision.target == FLOW}
    served = {
        part: [row for h, name in chosen.items() for row in getattr(scored[name], part) if row["horizon"] == h]
        for part in ("rows", "by_size", "structure")
    }
    return scored | {SERVED: FlowScores(**served)}


def last_value_year(dataset: Dataset) -> int:
    """The last year in which any target has a value. Raises ForecastError where none has."""
    if not recorded_targets(dataset):
        raise ForecastError(f"{dataset.name}: records no {', '.join(TARGETS)} of regions with a population")
    return max(target_history(dataset, target).recorded[-1] for target in recorded_targets(dataset))


def gate_at(
    known: Dataset, scores: pd.DataFrame, cutoff: int, targets: Iterable[str], horizons: Sequence[int]
) -> list[Decision]:
    """What the gate serves at a cutoff: it sees scores of outcomes that were known by then, and no others."""
    vintage = known.as_of(cutoff)
    seen = scores[_outcome_known(vintage, scores, cutoff)]
    return [
        decision
        for system in systems(vintage, targets)
        for horizon in horizons
        for decision in decide(seen, system, horizon, fallback(vintage, system[0]), FROZEN if FLOW in system else ())
    ]


def _outcome_known(vintage: Dataset, scores: pd.DataFrame, cutoff: int) -> pd.Series:
    """Whether the outcome of each score had been published."""
    year, known = scores["cutoff"] + scores["horizon"], pd.Series(False, index=scores.index)
    for target in scores["target"].unique():
        recorded = _recorded_years(vintage, target)
        known |= (scores["target"] == target) & year.isin(recorded) & (year <= cutoff)
    return known


def _recorded_years(vintage: Dataset, target: str) -> list[int]:
    if target == FLOW:
        history = flow_history(vintage)
        return [int(year) for year in history.years[history.recorded]]
    return target_history(vintage, target).recorded


def systems(known: Dataset, targets: Iterable[str]) -> list[tuple[str, ...]]:
    """Targets that add up are one system: flows and their sums, or the three of a region. Others stand alone."""
    targets = tuple(targets)
    if FLOW in targets:
        account = (FLOW, *(target for target in ("inflow", "out_migration") if target in targets))
        account += ("net_migration",) if "net_migration" in targets and margins_record_net(known) else ()
    else:
        account = targets if len(targets) == len(TARGETS) and margins_record_net(known) else ()
    return [*([account] if account else []), *((target,) for target in targets if target not in account)]


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
        inside = {level: values[h, told] for level, values in quantiles.items()}
        rows.append(
            {
                "target": forecast.target,
                "cutoff": forecast.cutoff,
                "horizon": horizon,
                "n": int(told.sum()),
                "abs_error": float(np.abs(actual - median).sum()),
                "abs_actual": float(np.abs(actual).sum()),
                "sign_agreement": sign_agreement(actual, median),
                **interval_rows(actual, inside),
                "crps": crps(actual, forecast.draws[:, h, told].astype("float64")),
                "pinball": float(mean_pinball_loss(actual, np.stack(list(inside.values())), QUANTILES).mean()),
            }
        )
    return rows
