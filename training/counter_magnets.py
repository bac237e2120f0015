"""Counter-magnets: packages in other regions that draw people away from a city; the best found by Optuna."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import optuna
import pandas as pd

from models.forecast import Forecast
from models.scenario import ScenarioAnswer, answer
from models.scenario_model import ScenarioModel
from models.scenario_package import package_of
from models.scenario_search import Diversion, Lever, rounded, words_of

REFERENCE = 0.1
"""The relative change at which single levers are compared."""
TOLD = 15
"""Single levers whose answer is given in draws."""
REGIONS = 3
"""Regions of a package, at most."""
CANDIDATES = 6
"""Regions that the search may choose of: those that can divert most."""
TOO_FEW = 1e3
"""What a package that does not reach the target costs at least: more than any relative change."""
SEED = 20
MARGIN = 1.04
"""How much more than the target a package must divert with mean effects, so that it does so in the mean of draws."""
INTERVAL = (0.1, 0.9)


@dataclass(frozen=True, eq=False)
class CounterMagnets:
    """target: persons a year fewer into the city. levers: by persons diverted per per cent of change, the most first.

    package: the answer of the smallest package found that reaches the target in the mean of draws, or of the one that
    comes nearest; diverted: what it diverts a year, mean and INTERVAL of draws. most: what all regions with all
    indicators as good as was ever seen would divert, in the mean.
    """

    city: str
    target: float
    levers: pd.DataFrame
    package: ScenarioAnswer
    diverted: tuple[float, float, float]
    most: float
    trials: int

    @property
    def reached(self) -> bool:
        """In the mean of draws."""
        return self.diverted[0] >= self.target


def counter_magnets(
    model: ScenarioModel,
    forecast: Forecast,
    city: str,
    target: float,
    trials: int,
    progress: Callable[[int], None] | None = None,
) -> CounterMagnets:
    """target: persons a year. Raises ScenarioError for an unknown city."""
    diversion = Diversion.of(model, forecast, city)
    draws = _draws(forecast)
    levers = _levers(diversion, MARGIN * target)
    found = _search(diversion, levers, MARGIN * target, trials, progress)
    best = _answered(diversion, forecast, draws, found)
    most = diversion.persons({lever: diversion.largest(lever) for lever in diversion.levers})
    told = _with_intervals(diversion, forecast, draws, levers)
    return CounterMagnets(city, target, told, best, _diverted(best, city), most, trials)


def _draws(forecast: Forecast) -> np.ndarray | None:
    return None if forecast.flows is None else forecast.flows.draws()


# --- single levers --------------------------------------------------------------------------------------------------


def _levers(diversion: Diversion, target: float) -> pd.DataFrame:
    """region, indicator, change (relative), persons, persons_per_percent, largest_change, persons_at_largest,
    change_for_target (NaN where none inside of what was seen reaches it)."""
    rows = []
    for lever in diversion.levers:
        most = diversion.largest(lever)
        change = min(REFERENCE, most)
        persons = diversion.persons({lever: change})
        needed = diversion.needed(lever, target)
        at_most = diversion.persons({lever: most})
        rows.append((*lever, change, persons, persons / (100 * change), most, at_most, needed))
    columns = ["region", "indicator", "change", "persons", "persons_per_percent"]
    columns += ["largest_change", "persons_at_largest", "change_for_target"]
    table = pd.DataFrame(rows, columns=columns).astype({"change_for_target": "float64"})
    return table.sort_values("persons_per_percent", ascending=False, kind="stable", ignore_index=True)


def _with_intervals(
    diversion: Diversion, forecast: Forecast, draws: np.ndarray | None, levers: pd.DataFrame
) -> pd.DataFrame:
    """With lower, upper of what a lever diverts, and its applicability; the first TOLD levers."""
    rows = []
    first = levers.head(TOLD)
    for region, indicator, change in zip(first["region"], first["indicator"], first["change"], strict=True):
        told = _answered(diversion, forecast, draws, {(region, indicator): change})
        _, lower, upper = _diverted(told, diversion.city)
        rows.append((lower, upper, told.applicability[0].status if told.applicability else ""))
    more = pd.DataFrame(rows, columns=["lower", "upper", "applicability"])
    return first.join(more).assign(label="assumed")


def _answered(
    diversion: Diversion, forecast: Forecast, draws: np.ndarray | None, changes: Mapping[Lever, float]
) -> ScenarioAnswer:
    flows = forecast.flows
    assert flows is not None, "checked by Diversion.of"
    years = [flows.cutoff + horizon for horizon in flows.horizons]
    words = {"name": f"away from {diversion.city}", "change": words_of(changes)}
    return answer(diversion.model, forecast, package_of(words, diversion.model, years), draws)


def _diverted(told: ScenarioAnswer, city: str) -> tuple[float, float, float]:
    """Persons a year fewer into the city, mean and INTERVAL of draws, each the mean of the years ahead."""
    fewer = 0 - told.changes["inflow"][:, :, told.regions.index(city)].mean(axis=1)
    lower, upper = np.quantile(fewer, INTERVAL)
    return float(fewer.mean()), float(lower), float(upper)


# --- packages -------------------------------------------------------------------------------------------------------


def _search(
    diversion: Diversion,
    levers: pd.DataFrame,
    target: float,
    trials: int,
    progress: Callable[[int], None] | None,
) -> dict[Lever, float]:
    """The package with the smallest sum of relative changes that diverts the target; else what comes nearest."""
    strongest = levers.groupby("region")["persons_at_largest"].sum().nlargest(CANDIDATES).index
    candidates = [str(region) for region in strongest]
    limits = {lever: diversion.largest(lever) for lever in diversion.levers}

    def objective(trial: optuna.Trial) -> float:
        changes = _suggested(trial, candidates, limits, diversion.model.indicators)
        persons, size = diversion.persons(changes), sum(changes.values())
        return size if persons >= target else TOO_FEW + (target - persons)

    def told(study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        if progress:
            progress(len(study.trials))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    for start in _starts(levers, candidates, limits, diversion.model.indicators):
        study.enqueue_trial(start)
    study.optimize(objective, n_trials=trials, callbacks=[told])
    return _trimmed(diversion, _suggested(study.best_trial, candidates, limits, diversion.model.indicators), target)


def _trimmed(diversion: Diversion, changes: dict[Lever, float], target: float) -> dict[Lever, float]:
    """Without what is not needed, the least useful first, and no larger than needed; all of it where the target is not
    reached."""
    if diversion.persons(changes) < target:
        return changes
    for lever in sorted(changes, key=lambda one: diversion.persons({one: changes[one]})):
        without = {one: share for one, share in changes.items() if one != lever}
        if diversion.persons(without) >= target:
            changes = without
    for part in np.linspace(0.01, 1, 100):
        smaller = {lever: rounded(part * share) for lever, share in changes.items()}
        if diversion.persons(smaller) >= target:
            return {lever: share for lever, share in smaller.items() if share > 0}
    return changes


def _starts(
    levers: pd.DataFrame, candidates: list[str], limits: Mapping[Lever, float], indicators: tuple[str, ...]
) -> list[dict[str, str | float]]:
    """Where the search begins: everything in the strongest regions, each indicator where it diverts most, and single
    levers that reach the target alone."""
    places = [f"region_{place}" for place in range(min(REGIONS, len(candidates)))]
    starts = [dict(zip(places, candidates, strict=False)) | dict.fromkeys(indicators, 1.0)]
    open_to = levers[levers["region"].isin(candidates)]
    for name, rows in open_to.groupby("indicator"):
        strongest = [str(one) for one in rows.nlargest(len(places), "persons_at_largest")["region"]]
        regions = [*strongest, *strongest[:1] * len(places)]
        starts.append(dict(zip(places, regions, strict=False)) | dict.fromkeys(indicators, 0.0) | {str(name): 1.0})
    enough = open_to[open_to["change_for_target"].notna()]
    first = enough.nsmallest(CANDIDATES, "change_for_target")
    for region, name, change in zip(first["region"], first["indicator"], first["change_for_target"], strict=True):
        # Rounded up, since the words of a package are rounded down.
        part = min(float(np.ceil(1000 * change)) / 1000 / limits[region, name], 1.0)
        starts.append(dict.fromkeys(places, str(region)) | dict.fromkeys(indicators, 0.0) | {str(name): part})
    return starts


def _suggested(
    trial: optuna.Trial | optuna.trial.FrozenTrial,
    candidates: list[str],
    limits: Mapping[Lever, float],
    indicators: tuple[str, ...],
) -> dict[Lever, float]:
    """Some of the candidates, and of each indicator one part of what was seen in each of them."""
    chosen = {
        trial.suggest_categorical(f"region_{place}", candidates) for place in range(min(REGIONS, len(candidates)))
    }
    parts = {name: trial.suggest_float(name, 0.0, 1.0) for name in indicators}
    changes = {lever: rounded(parts[lever[1]] * limit) for lever, limit in limits.items() if lever[0] in chosen}
    return {lever: share for lever, share in changes.items() if share > 0}
