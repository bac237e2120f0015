"""Tracking: what a training, an audit and answers leave in MLflow. The only file that writes there.

    experiment qonys
      run 'kazakhstan cutoff 2024'   configuration, dataset, scores of what is served, scorecard, figures, bundle/
        a child run per model        scores by target and horizon, pooled over cutoffs; WAPE by cutoff as steps
      run 'accounts kazakhstan 2013-2024'   what the audit of a balanced record found, its tables and its page
      run 'scenario turkistan' and others   what a command answered, where it was asked to be kept
    registered model qonys-kazakhstan
      a version per run              its bundle; training.promotion moves the aliases `champion` and `challenger`

Where: MLFLOW_TRACKING_URI, else build/mlflow.db with artifacts in build/mlartifacts.
"""

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns

import numpy as np
import pandas as pd

from models.bundle import Bundle, save_bundle
from training.backtest import SERVED, Backtest
from training.config import Config
from training.figures import every_figure
from training.gate import COVERAGE, PROBABILITY, PROVEN_FROM, RESAMPLES
from training.promotion import CHALLENGER, CHAMPION, promotion
from training.run import git_commit
from training.scorecard import KEY

# MLflow reads this when it is imported; without it, it writes an installation id and sends records of its use.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# A link per child run and a bar per upload would bury what the command line says.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Dataset as TrackedDataset
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

EXPERIMENT = "qonys"
SQLITE = "sqlite:///"
LONGEST_DESCRIPTION = 5000
"""Of a version, in MLflow's tables."""


class TrackingError(ValueError):
    """A store in which the run cannot be kept; names the store and what it says."""


@dataclass(frozen=True)
class Tracked:
    """A training in MLflow. alias: `champion` or `challenger`; reason: why, in one sentence."""

    run_id: str
    uri: str
    version: str
    alias: str
    reason: str


def store_uri() -> str:
    """Of the tracking store; the default is in the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or SQLITE + (Path.cwd() / "build" / "mlflow.db").as_posix()


def track(bundle: Bundle, tested: Backtest, config: Config) -> Tracked:
    """Keep a training as a run with a child per model, and its bundle as a version of the registered model.

    The run that `mlflow run` has made is used where there is one. Raises TrackingError.
    """
    uri = store_uri()
    with _told(uri), _quiet(), TemporaryDirectory() as folder:
        client = opened(uri)
        with started_run(client, uri, bundle) as run_id:
            _log_facts(client, run_id, bundle, config)
            _log_scores(client, run_id, bundle)
            _log_artifacts(client, run_id, bundle, tested, Path(folder))
        return register(client, uri, run_id, bundle)


def track_files(
    name: str, command: str, dataset: Mapping, metrics: Mapping[str, float], params: Mapping, files: Iterable[Path]
) -> str:
    """Keep what a command found as a run, with its files. dataset: name and sha256, as in a bundle's manifest.

    Returns the run's id and its store; raises TrackingError.
    """
    uri, now = store_uri(), time_ns() // 1_000_000
    tags = {f"dataset.{key}": dataset[key] for key in ("name", "sha256")} | {"mlflow.source.git.commit": git_commit()}
    with _told(uri), _quiet():
        client = opened(uri)
        with _run(client, uri, name, command) as run_id:
            client.log_batch(
                run_id,
                [Metric(key, float(value), now, 0) for key, value in metrics.items()],
                [Param(key, str(value)) for key, value in params.items()],
                [RunTag(key, value) for key, value in tags.items()],
            )
            for path in files:
                client.log_artifact(run_id, str(path))
    return f"{run_id} in {uri}"


# --- the store ------------------------------------------------------------------------------------------------------


@contextmanager
def _told(uri: str) -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        raise TrackingError(f"MLflow at {uri}: {error.message}") from error


def opened(uri: str) -> MlflowClient:
    """A client of the store. A SQLite store that is not there yet is made, whole or not at all."""
    path = _sqlite_file(uri)
    with _quiet():
        if path and not path.exists():
            _make_store(path)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _sqlite_file(uri: str) -> Path | None:
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def _artifacts(path: Path) -> str:
    """Beside the database; MLflow's own default is ./mlruns, wherever that is."""
    return (path.absolute().parent / "mlartifacts").as_uri()


def _make_store(path: Path) -> None:
    """In a folder of its own, then linked: of several processes one wins, and none sees tables that are half made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".unfinished-", ignore_cleanup_errors=True) as folder:
        unfinished = Path(folder) / path.name
        store = SqlAlchemyStore(SQLITE + unfinished.as_posix(), _artifacts(path))
        store.create_experiment(EXPERIMENT, artifact_location=_artifacts(path))
        store.engine.dispose()
        try:
            os.link(unfinished, path)
        except OSError:
            # Another process was first, or the file system has no links.
            if not path.exists():
                os.replace(unfinished, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without MLflow's and Alembic's account of every table and version."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _experiment(client: MlflowClient, uri: str) -> str:
    """Its id; made where it is missing."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found:
        return found.experiment_id
    path = _sqlite_file(uri)
    return client.create_experiment(EXPERIMENT, artifact_location=_artifacts(path) if path else None)


# --- runs -----------------------------------------------------------------------------------------------------------


@contextmanager
def started_run(client: MlflowClient, uri: str, bundle: Bundle) -> Iterator[str]:
    """Id of this training's run."""
    name = f"{bundle.manifest.dataset['name']} cutoff {bundle.manifest.cutoff}"
    with _run(client, uri, name, "qonys train") as run_id:
        yield run_id


@contextmanager
def _run(client: MlflowClient, uri: str, name: str, command: str) -> Iterator[str]:
    """Id of a run; the run is marked as failed where the body is left by an exception."""
    run_id = os.environ.get("MLFLOW_RUN_ID")
    if run_id:
        client.update_run(run_id, name=name)
    else:
        tags = {"mlflow.source.name": command, "mlflow.source.type": "LOCAL"}
        run_id = client.create_run(_experiment(client, uri), run_name=name, tags=tags).info.run_id
    try:
        yield run_id
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id)


def _log_facts(client: MlflowClient, run_id: str, bundle: Bundle, config: Config) -> None:
    """What went in: configuration, the gate's constants, the dataset, the code; and what the gate decided."""
    manifest = bundle.manifest
    gate = {"probability": PROBABILITY, "coverage": COVERAGE, "proven_from": PROVEN_FROM, "resamples": RESAMPLES}
    params = _flat("config", asdict(config)) | {"bundle.cutoff": manifest.cutoff} | _flat("gate", gate)
    dataset = {f"dataset.{key}": manifest.dataset[key] for key in ("name", "sha256", "first_year", "last_year")}
    versions = {f"version.{name}": version for name, version in manifest.versions.items()}
    decisions = {
        f"gate.{decision.target}.h{decision.horizon}": f"{decision.model}: {decision.reason}"
        for decision in manifest.decisions
    }
    shown = {"mlflow.source.git.commit": manifest.versions["commit"], "mlflow.note.content": _note(bundle)}
    client.log_batch(
        run_id,
        params=[Param(key, str(value)) for key, value in params.items()],
        tags=[RunTag(key, str(value)) for key, value in (dataset | versions | decisions | shown).items()],
    )
    client.log_inputs(run_id, [DatasetInput(_tracked(bundle, config), [InputTag("mlflow.data.context", "training")])])


def _flat(prefix: str, table: Mapping) -> dict:
    """{"boosted": {"rounds": 1}} as {"config.boosted.rounds": 1}."""
    flat = {}
    for key, value in table.items():
        flat |= _flat(f"{prefix}.{key}", value) if isinstance(value, Mapping) else {f"{prefix}.{key}": value}
    return flat


def _tracked(bundle: Bundle, config: Config) -> TrackedDataset:
    told = bundle.manifest.dataset
    rows = {name: len(table) for name, table in bundle.dataset.tables().items()}
    profile = {"rows": rows, "years": [told["first_year"], told["last_year"]], "sha256": told["sha256"]}
    source = json.dumps({"uri": str(config.data)})
    # MLflow keeps at most 36 characters of a digest; the tag dataset.sha256 has them all.
    return TrackedDataset(told["name"], told["sha256"][:36], "local", source, profile=json.dumps(profile))


def _log_scores(client: MlflowClient, run_id: str, bundle: Bundle) -> None:
    """Scores of what is served with the run, of every model with a child run of its own."""
    card, scores = bundle.scorecard, bundle.scores
    _log_metrics(client, run_id, _pooled(card[card["model"] == SERVED]))
    experiment = client.get_run(run_id).info.experiment_id
    for model, rows in card.groupby("model"):
        tags = {"mlflow.parentRunId": run_id, "model": str(model)}
        child = client.create_run(experiment, run_name=str(model), tags=tags).info.run_id
        _log_metrics(client, child, [*_pooled(rows), *_by_cutoff(scores[scores["model"] == model])])
        client.set_terminated(child)


def _pooled(card: pd.DataFrame) -> list[Metric]:
    """As `net_migration/skill_h1`."""
    now = time_ns() // 1_000_000
    return [
        Metric(f"{row['target']}/{score}_h{row['horizon']}", float(row[score]), now, 0)
        for _, row in card.iterrows()
        for score in card.columns.difference(KEY, sort=False)
        if np.isfinite(row[score])
    ]


def _by_cutoff(scores: pd.DataFrame) -> list[Metric]:
    """As `net_migration/wape_by_cutoff_h1`, with the cutoff as step."""
    now = time_ns() // 1_000_000
    wape = scores["abs_error"] / scores["abs_actual"]
    names = scores["target"] + "/wape_by_cutoff_h" + scores["horizon"].astype("str")
    return [
        Metric(name, value, now, int(cutoff))
        for name, value, cutoff in zip(names, wape, scores["cutoff"], strict=True)
        if np.isfinite(value)
    ]


def _log_metrics(client: MlflowClient, run_id: str, metrics: list[Metric]) -> None:
    """In batches of the most that MLflow takes."""
    for first in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[first : first + 1000])


def _log_artifacts(client: MlflowClient, run_id: str, bundle: Bundle, tested: Backtest, folder: Path) -> None:
    card = bundle.scorecard
    save_bundle(bundle, folder / "bundle")
    bundle.scores.to_csv(folder / "scores.csv", index=False)
    card.to_csv(folder / "scorecard.csv", index=False)
    for name, table in (("scores_by_size", tested.by_size), ("structure", tested.structure)):
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "scorecard.html").write_text(card.round(3).to_html(index=False, border=0, na_rep=""), "utf-8")
    (folder / "figures").mkdir()
    for name, figure in every_figure(bundle, tested):
        figure.savefig(folder / "figures" / f"{name}.png", dpi=100)
    client.log_artifacts(run_id, str(folder))
    client.log_table(run_id, bundle.scores, "scores.json")


# --- versions -------------------------------------------------------------------------------------------------------


def register(client: MlflowClient, uri: str, run_id: str, bundle: Bundle) -> Tracked:
    """Make the bundle of a run a version of the registered model, champion or challenger.

    Moving the alias is the last that is written: whatever stops this earlier leaves the champion as it was.
    """
    name = model_name(bundle.manifest.dataset["name"])
    try:
        client.create_registered_model(name, description=bundle.manifest.dataset["title"])
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    alias, reason = _verdict(client, uri, name, bundle)
    verdict = {"verdict": alias, "reason": reason}
    facts = {
        "cutoff": str(bundle.manifest.cutoff),
        "dataset.sha256": bundle.manifest.dataset["sha256"],
        "commit": bundle.manifest.versions["commit"],
    }
    source = f"{client.get_run(run_id).info.artifact_uri}/bundle"
    description = f"**{alias}**: {reason}\n\n{_note(bundle)}"[:LONGEST_DESCRIPTION]
    version = str(client.create_model_version(name, source, run_id, verdict | facts, description=description).version)
    tags = verdict | {"registered_model": name, "registered_version": version}
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])
    client.set_registered_model_alias(name, alias, version)
    return Tracked(run_id, uri, version, alias, reason)


def model_name(dataset: str) -> str:
    """
    >>> model_name("kazakhstan")
    'qonys-kazakhstan'
    >>> model_name("Korea: 17 provinces")
    'qonys-Korea-17-provinces'
    """
    return "qonys-" + re.sub(r"[^\w.-]+", "-", dataset).strip("-")


def _verdict(client: MlflowClient, uri: str, name: str, bundle: Bundle) -> tuple[str, str]:
    """Alias and reason; a champion whose bundle cannot be read stays, as nothing can be compared."""
    version = client.get_registered_model(name).aliases.get(CHAMPION)
    if version is None:
        return promotion(bundle.scores, None, bundle.manifest.cutoff, None)
    source = client.get_model_version(name, str(version)).source
    try:
        manifest = json.loads(_artifact(f"{source}/manifest.json", uri).read_text("utf-8"))
        scores = pd.read_csv(_artifact(f"{source}/{manifest['content']}/scores.csv", uri))
    except (OSError, MlflowException):
        return CHALLENGER, f"the champion, version {version}, cannot be read at {source}; nothing can be compared"
    return promotion(bundle.scores, scores, bundle.manifest.cutoff, manifest["cutoff"])


def _artifact(uri: str, tracking_uri: str) -> Path:
    return Path(download_artifacts(artifact_uri=uri, tracking_uri=tracking_uri))


def _note(bundle: Bundle) -> str:
    """Scores of what is served and the gate's reasons, in Markdown."""
    served = bundle.scorecard[bundle.scorecard["model"] == SERVED].to_dict("records")
    by_key = {(row["target"], row["horizon"]): row for row in served}
    lines = [
        "| target | years ahead | served | skill | 80 % interval | covered by 80 % | cutoffs | why |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for decision in bundle.manifest.decisions:
        row = by_key.get((decision.target, decision.horizon))
        scores = _shown(row) if row else ["", "", "", "0"]
        cells = [decision.target, str(decision.horizon), decision.model, *scores, decision.reason]
        lines.append(f"| {' | '.join(cells)} |")
    told = "Scores are of what the gate would have served at past cutoffs, against persistence."
    return "\n".join([*lines, "", told])


def _shown(row: dict) -> list[str]:
    interval = "" if np.isnan(row["skill_low"]) else f"{row['skill_low']:+.3f} … {row['skill_high']:+.3f}"
    return [f"{row['skill']:+.3f}", interval, f"{row['coverage_80']:.0%}", str(row["cutoffs"])]
