"""The store: where MLflow keeps runs, versions and artifacts, and how it is opened.

Where: MLFLOW_TRACKING_URI, else build/mlflow.db; artifacts in QONYS_ARTIFACTS, else build/mlartifacts. Other files take
MLflow's names from here, so that what MLflow reads when it is imported has been set.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns

# MLflow reads this when it is imported; without it, it writes an installation id and sends records of its use.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# A link per child run and a bar per upload would bury what the command line says.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Dataset as TrackedDataset
from mlflow.entities import DatasetInput, InputTag, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking.context.default_context import DefaultRunContext
from sqlalchemy.exc import SQLAlchemyError

__all__ = [
    "DatasetInput",
    "DefaultRunContext",
    "InputTag",
    "Metric",
    "MlflowClient",
    "MlflowException",
    "Param",
    "Run",
    "RunTag",
    "TrackedDataset",
    "TrackingError",
    "artifact",
    "existing",
    "experiment_id",
    "found_training",
    "last_training",
    "opened",
    "quiet",
    "sqlite_file",
    "store_uri",
    "told",
]

EXPERIMENT = "qonys"
SQLITE = "sqlite:///"
NOTE = "mlflow.note.content"
"""Tag that MLflow's pages show as a description, in Markdown."""
MODELS = "models:/"


class TrackingError(ValueError):
    """A store in which the run cannot be kept or found; names the store and what it says."""


def store_uri() -> str:
    """Of the tracking store; the default is in the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or SQLITE + (Path.cwd() / "build" / "mlflow.db").as_posix()


def sqlite_file(uri: str) -> Path | None:
    """The database's file, where the store is one."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


@contextmanager
def told(uri: str) -> Iterator[None]:
    """MLflow's errors as TrackingError."""
    try:
        yield
    except MlflowException as error:
        raise TrackingError(f"MLflow at {uri}: {error.message}") from error
    except SQLAlchemyError as error:
        raise TrackingError(f"MLflow at {uri}: {str(error).splitlines()[0]}") from error


RAISING = ("mlflow.store.db.utils", "sqlalchemy")
"""Loggers that tell, with a traceback, what their callers get as an exception."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without MLflow's and Alembic's account of every table and version, and of database errors that are raised too."""
    least = {"mlflow": logging.WARNING, "alembic": logging.WARNING} | dict.fromkeys(RAISING, logging.CRITICAL)
    loggers = [logging.getLogger(name) for name in least]
    levels = [logger.level for logger in loggers]
    for logger, level in zip(loggers, least.values(), strict=True):
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


# --- opening --------------------------------------------------------------------------------------------------------


def opened(uri: str) -> MlflowClient:
    """A client of the store. A SQLite store that is not there yet is made, whole or not at all."""
    path = sqlite_file(uri)
    with quiet():
        if path and not path.exists():
            _make_store(path)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def existing(uri: str) -> MlflowClient:
    """A client of a store that must be there already. Raises TrackingError where it is not."""
    path = sqlite_file(uri)
    if path and not path.exists():
        raise TrackingError(f"MLflow at {uri}: no store there; train first, or set MLFLOW_TRACKING_URI to where it is")
    return opened(uri)


def experiment_id(client: MlflowClient, uri: str) -> str:
    """Of the experiment; made where it is missing."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found:
        return found.experiment_id
    return client.create_experiment(EXPERIMENT, artifact_location=_artifacts(uri))


def _artifacts(uri: str) -> str | None:
    """QONYS_ARTIFACTS; else a server's own place; else beside the database's file, or below build for one elsewhere.

    MLflow's own default is ./mlruns, wherever that is.
    """
    told = os.environ.get("QONYS_ARTIFACTS")
    if told:
        return told if "://" in told else Path(told).absolute().as_uri()
    if uri.startswith("http"):
        return None
    path = sqlite_file(uri)
    return ((path.absolute().parent if path else Path.cwd() / "build") / "mlartifacts").as_uri()


def _make_store(path: Path) -> None:
    """In a folder of its own, then linked: of several processes one wins, and none sees tables that are half made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".unfinished-", ignore_cleanup_errors=True) as folder:
        unfinished = Path(folder) / path.name
        place = _artifacts(SQLITE + path.as_posix())
        store = SqlAlchemyStore(SQLITE + unfinished.as_posix(), place)
        store.create_experiment(EXPERIMENT, artifact_location=place)
        store.engine.dispose()
        try:
            os.link(unfinished, path)
        except OSError:
            # Another process was first, or the file system has no links.
            if not path.exists():
                os.replace(unfinished, path)


def end_run(client: MlflowClient, run_id: str, status: str = "FINISHED") -> None:
    """Not before it began: the clock may have been set back."""
    began = client.get_run(run_id).info.start_time
    client.set_terminated(run_id, status, max(began, time_ns() // 10**6))


# --- finding --------------------------------------------------------------------------------------------------------


def last_training(client: MlflowClient, uri: str, dataset: str, apart_from: str = "") -> Run | None:
    """The last training of a dataset that was finished, but for one run."""
    name = dataset.replace("'", "")
    asked = f"tags.kind = 'training' AND tags.`dataset.name` = '{name}' AND attributes.status = 'FINISHED'"
    runs = client.search_runs([experiment_id(client, uri)], asked, max_results=2, order_by=["attributes.end_time DESC"])
    return next((run for run in runs if run.info.run_id != apart_from), None)


def found_training(client: MlflowClient, uri: str, asked: str) -> Run:
    """A training by its run's id, the beginning of it, its name, or `models:/NAME@ALIAS`, `models:/NAME/VERSION`.

    Raises TrackingError that names what there is.
    """
    if asked.startswith(MODELS):
        return client.get_run(_run_of_version(client, asked))
    runs = _trainings(client, uri, ViewType.ACTIVE_ONLY)
    found = _called(runs, asked)
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} trainings are called so in {uri}" if found else f"no training is called so in {uri}"
    if not found and (deleted := _called(_trainings(client, uri, ViewType.DELETED_ONLY), asked)):
        what = f"was deleted; `mlflow runs restore --run-id {deleted[0].info.run_id}` brings it back"
    known = "".join(f"\n  {run.info.run_id[:8]} {run.info.run_name}" for run in (found or runs)[:10])
    raise TrackingError(f"run '{asked}': {what}; there are:{known or ' none'}")


def _trainings(client: MlflowClient, uri: str, view: int) -> list[Run]:
    """The newest first."""
    newest = ["attributes.start_time DESC"]
    return list(client.search_runs([experiment_id(client, uri)], "tags.kind = 'training'", view, order_by=newest))


def _called(runs: list[Run], asked: str) -> list[Run]:
    return [run for run in runs if asked and (run.info.run_id.startswith(asked) or run.info.run_name == asked)]


def _run_of_version(client: MlflowClient, asked: str) -> str:
    name, at, alias = asked.removeprefix(MODELS).partition("@")
    if at:
        return str(client.get_model_version_by_alias(name, alias).run_id)
    name, _, version = name.rpartition("/")
    return str(client.get_model_version(name, version).run_id)


def artifact(uri: str, tracking_uri: str) -> Path:
    """A local copy of an artifact, a file or a folder."""
    return Path(download_artifacts(artifact_uri=uri, tracking_uri=tracking_uri))
