"""train(config) -> Bundle: the whole pipeline on one screen."""

import platform
import subprocess
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from features.dataset import Dataset, load_dataset
from features.part_years import with_running_year
from models.advice import advice_of
from models.bundle import Bundle, manifest_of
from models.decision import Decision
from models.estimated_flows import NAME as BALANCED_RECORD
from models.estimated_flows import REASON, sums_of_record
from models.flow_forecaster import flow_targets
from models.forecast import FLOW
from models.forecaster import MigrationForecaster
from models.track_record import Progress
from training.backtest import Backtest, backtest, gate_at, last_value_year
from training.config import Config, ConfigError
from training.scorecard import scorecard

LIBRARIES = ("qonys", "pandas", "numpy", "scikit-learn", "lightgbm", "mlflow", "bentoml", "pandera")


def train(config: Config, progress: Progress | None = None) -> tuple[Bundle, Backtest]:
    """Read, backtest, decide, fit, advise. Writes nothing: who calls saves the bundle and tracks the run."""
    dataset = load_dataset(config.data)
    cutoff = _cutoff(config, dataset)
    dataset = with_running_year(dataset, cutoff)
    tested = backtest(dataset, config.horizons, cutoff, progress, config.boosted, config.draws, structural=True)
    made = fitted_bundle(config, dataset, cutoff, tested)
    if config.advice:
        made = replace(made, advice=advice_of(dataset, cutoff, made.forecast, progress))
    return made, tested


def _cutoff(config: Config, dataset: Dataset) -> int:
    last = last_value_year(dataset)
    if config.cutoff is not None and config.cutoff > last:
        raise ConfigError(f"cutoff {config.cutoff}: the last year with a value is {last}; must not be later")
    return last if config.cutoff is None else config.cutoff


def fitted_bundle(config: Config, dataset: Dataset, cutoff: int, tested: Backtest) -> Bundle:
    """The forecaster that the gate lets be served at the cutoff, with its evidence."""
    taught = [target for target, record in tested.records.items() if record.taught(dataset, cutoff)]
    if tested.flows and tested.flows.taught(dataset, cutoff):
        taught += [FLOW, *flow_targets(dataset.as_of(cutoff), cutoff)]
    decisions = gate_at(dataset.as_of(cutoff), tested.scores, cutoff, taught, config.horizons)
    served = {(decision.target, decision.horizon): decision.model for decision in decisions}
    forecaster = MigrationForecaster(served, config.horizons, config.draws, config.seed, config.boosted)
    fitted = forecaster.fit(dataset, cutoff, tested.records, tested.flows)
    if fitted.estimated is not None:
        targets = [FLOW, *sums_of_record(dataset.as_of(cutoff), cutoff)]
        decisions += [Decision(target, h, BALANCED_RECORD, REASON, 0) for target in targets for h in config.horizons]
    manifest = manifest_of(dataset, cutoff, decisions, versions(), config.horizons)
    return Bundle(manifest, fitted, dataset, tested.scores, scorecard(tested.scores))


def versions() -> dict[str, str]:
    """Of Python, the libraries and the code: what a reader needs to make the same run again."""
    return {"python": platform.python_version(), "commit": git_commit()} | {name: version(name) for name in LIBRARIES}


def git_commit() -> str:
    """Commit of the code that runs, with `+changes` where it was changed; `unknown` outside a repository."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        asked = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False)
        return asked.stdout.strip() if asked.returncode == 0 else ""

    try:
        commit = git("rev-parse", "HEAD")
        return (commit + ("+changes" if git("status", "--porcelain") else "")) if commit else "unknown"
    except FileNotFoundError:
        return "unknown"
