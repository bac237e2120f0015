"""Tuning the boosted challenger on early cutoffs. The only file that knows Optuna.

Nested: the search sees outcomes up to `before` and nothing later; what it finds is then scored on later cutoffs, beside
the defaults, and that score is what counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from features.dataset import Dataset
from features.targets import first_year, target_history
from models.baselines import Persistence
from models.boosted import BoostedRateChange, BoostedSettings
from models.forecaster import forecastable_targets
from training.backtest import last_value_year
from training.config import ConfigError

MIN_TEACHING = 4
"""Years of a series before its first cutoff: fewer teach a tree nothing."""


class TuneError(ConfigError):
    """A search that the data does not allow; says what would be right."""


@dataclass(frozen=True)
class Tuned:
    """settings: the best found. trials: how many were tried in all.

    Errors are relative to persistence, below 1 beats it: error_inner of the best on outcomes up to `before`;
    error_default and error_tuned on later cutoffs.
    """

    settings: BoostedSettings
    trials: int
    before: int
    error_inner: float
    error_default: float
    error_tuned: float


def tune(
    dataset: Dataset,
    horizons: Sequence[int],
    trials: int,
    storage: str,
    before: int | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Tuned:
    """Search until the study holds `trials` trials; a study that was interrupted goes on where it stopped.

    before: the last year whose outcomes the search may see; default the middle of the series.
    progress: called with the number of trials done and the best error after each.
    """
    targets = forecastable_targets(dataset.as_of(last_value_year(dataset)), last_value_year(dataset))
    spans = {target: _span(dataset, target, before) for target in targets}
    spans = {target: span for target, span in spans.items() if span is not None}
    if not spans:
        raise TuneError(
            f"{dataset.name}: no target has {MIN_TEACHING + 3} years before {before or 'its middle'}; more are needed"
        )
    limit = max(last for _, last in spans.values())
    known = dataset.as_of(limit)
    study = _study(dataset, horizons, limit, storage)

    def objective(trial: optuna.Trial) -> float:
        inner = {target: range(first, limit) for target, (first, _) in spans.items()}
        return relative_error(known, _suggested(trial), inner, horizons)

    def told(study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        if progress:
            progress(len(study.trials), study.best_value)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study.optimize(objective, n_trials=max(0, trials - len(study.trials)), callbacks=[told])
    best = replace(BoostedSettings(), **study.best_params)
    outer = {target: range(limit, last_value_year(dataset)) for target in spans}
    return Tuned(
        best,
        len(study.trials),
        limit,
        study.best_value,
        relative_error(dataset, BoostedSettings(), outer, horizons),
        relative_error(dataset, best, outer, horizons),
    )


def _span(dataset: Dataset, target: str, before: int | None) -> tuple[int, int] | None:
    """First cutoff and last year that the search may use, or None where there are too few."""
    first = first_year(dataset, target) + MIN_TEACHING
    last = before if before is not None else (first + last_value_year(dataset)) // 2
    return (first, last) if last - first >= 3 else None


def _study(dataset: Dataset, horizons: Sequence[int], limit: int, storage: str) -> optuna.Study:
    name = f"{dataset.name} {dataset.sha256[:12]} to {limit}, horizons {','.join(map(str, horizons))}"
    sampler = optuna.samplers.TPESampler(seed=20)
    try:
        return optuna.create_study(storage=storage, study_name=name, sampler=sampler, load_if_exists=True)
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise TuneError(f"{storage}: cannot keep a study there ({reason}); must be like sqlite:///FILE") from None


def _suggested(trial: optuna.Trial) -> BoostedSettings:
    return BoostedSettings(
        rounds=trial.suggest_int("rounds", 20, 200, step=20),
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        num_leaves=trial.suggest_int("num_leaves", 3, 16),
        min_data_in_leaf=trial.suggest_int("min_data_in_leaf", 5, 60),
        lambda_l2=trial.suggest_float("lambda_l2", 0.1, 100, log=True),
        feature_fraction=trial.suggest_float("feature_fraction", 0.2, 1.0),
    )


def relative_error(
    dataset: Dataset, settings: BoostedSettings, cutoffs: dict[str, range], horizons: Sequence[int]
) -> float:
    """Error of the boosted model, fitted at each cutoff, over persistence's; mean over targets and horizons."""
    ratios = []
    for target, years in cutoffs.items():
        missed = {name: np.zeros(len(horizons)) for name in ("boosted", "persistence")}
        for cutoff in years:
            for model in (BoostedRateChange(settings), Persistence()):
                said = model.fit(dataset, target, cutoff, horizons).predict(dataset, target, cutoff, horizons)
                missed[model.name] += _missed(dataset, target, cutoff, said, horizons)
        ratios += list(missed["boosted"][missed["persistence"] > 0] / missed["persistence"][missed["persistence"] > 0])
    return float(np.mean(ratios))


def _missed(dataset: Dataset, target: str, cutoff: int, said: pd.DataFrame, horizons: Sequence[int]) -> np.ndarray:
    persons = target_history(dataset, target).persons
    actual = persons.reindex(index=[cutoff + horizon for horizon in horizons], columns=said.index)
    return np.nansum(np.abs(actual.to_numpy() - said.to_numpy().T), axis=1)


def as_toml(tuned: Tuned) -> str:
    """A file for `qonys train --config`."""
    lines = [
        f"# Found in {tuned.trials} trials on outcomes up to {tuned.before}.",
        "# Error relative to persistence, below 1 beats it:",
        f"# {tuned.error_inner:.4f} where it was searched; on later cutoffs {tuned.error_tuned:.4f}, "
        f"and {tuned.error_default:.4f} with the defaults.",
        "[boosted]",
        *(f"{key} = {value!r}" for key, value in asdict(tuned.settings).items()),
    ]
    return "\n".join(lines) + "\n"


def write_settings(tuned: Tuned, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_toml(tuned), "utf-8")
