"""Tracking: what a training, an audit and answers leave in MLflow. The only file that writes there.

    experiment qonys                 its description: which versions serve now
      run '2024: data, draws 1000→2000 · kazakhstan'
                                     description: five answers of a reviewer; configuration, dataset, scores of what is
                                     served, scorecard, outcomes, figures, report.html, bundle/
        a child run per model        scores by target and horizon, pooled over cutoffs; WAPE by cutoff as steps
      run 'accounts kazakhstan 2013-2024'   what the audit of a balanced record found, its tables and its page
      run 'scenario turkistan' and others   what a command answered, where it was asked to be kept
    registered model qonys-kazakhstan
      a version per run              its bundle; training.promotion moves the aliases `champion` and `challenger`

A new champion's forecast is sealed (training.vintages) before the alias moves.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns

from models.bundle import Bundle, save_bundle
from training.backtest import SERVED, Backtest
from training.changes import changes, facts_of
from training.config import Config
from training.figures import every_figure
from training.gate import COVERAGE, PROBABILITY, PROVEN_FROM, RESAMPLES
from training.outcomes import outcomes
from training.registry import Tracked, register
from training.review import Before, Review
from training.run import git_commit
from training.run_metrics import card_with_sharpness, metrics_by_cutoff, pooled_metrics
from training.store import (
    DatasetInput,
    DefaultRunContext,
    InputTag,
    Metric,
    MlflowClient,
    Param,
    RunTag,
    TrackedDataset,
    TrackingError,
    end_run,
    experiment_id,
    last_training,
    opened,
    quiet,
    store_uri,
    told,
)

__all__ = ["Tracked", "TrackingError", "started_run", "track", "track_files"]

TYPES = {"i": "long", "f": "double", "b": "boolean"}
"""MLflow's names of columns' types, by numpy's kind."""
TRAINING, COMMAND = "training", "command"
"""Kinds of runs, in the tag `kind`; a model's child run has none."""


def track(bundle: Bundle, tested: Backtest, config: Config) -> Tracked:
    """Keep a training as a run with a child per model, and its bundle as a version of the registered model.

    The run that `mlflow run` has made is used where there is one. Raises TrackingError.
    """
    uri = store_uri()
    with told(uri), quiet(), TemporaryDirectory() as folder:
        client = opened(uri)
        review = reviewed(client, uri, bundle, tested, config)
        with started_run(client, uri, review) as run_id:
            _log_facts(client, run_id, bundle, config)
            _log_scores(client, run_id, bundle)
            _log_artifacts(client, run_id, review, tested, Path(folder))
        return register(client, uri, run_id, review, _pictures(Path(folder)))


def track_files(
    name: str, command: str, dataset: Mapping, metrics: Mapping[str, float], params: Mapping, files: Iterable[Path]
) -> str:
    """Keep what a command found as a run, with its files. dataset: name and sha256, as in a bundle's manifest.

    Returns the run's id and its store; raises TrackingError.
    """
    uri, now = store_uri(), time_ns() // 1_000_000
    tags = {f"dataset.{key}": dataset[key] for key in ("name", "sha256")}
    tags |= {"mlflow.source.git.commit": git_commit(), "kind": COMMAND}
    with told(uri), quiet():
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


def reviewed(client: MlflowClient, uri: str, bundle: Bundle, tested: Backtest, config: Config) -> Review:
    """The training beside the last one of the same dataset."""
    came = outcomes(tested, bundle.dataset, bundle.manifest.cutoff)
    last = last_training(client, uri, bundle.manifest.dataset["name"], os.environ.get("MLFLOW_RUN_ID", ""))
    if last is None:
        return Review(bundle, came, tested.by_size)
    before = Before(str(last.info.run_name), f"#/experiments/{last.info.experiment_id}/runs/{last.info.run_id}")
    facts = facts_of({key: _shown(value) for key, value in _params(bundle, config).items()}, _dataset_tags(bundle))
    made = changes(facts_of(last.data.params, last.data.tags), facts)
    return Review(bundle, came, tested.by_size, before, made)


# --- runs -----------------------------------------------------------------------------------------------------------


@contextmanager
def started_run(client: MlflowClient, uri: str, review: Review) -> Iterator[str]:
    """Id of this training's run."""
    with _run(client, uri, review.name, "qonys train") as run_id:
        client.set_tag(run_id, "kind", TRAINING)
        client.set_tag(run_id, "changed", review.changed)
        yield run_id


@contextmanager
def _run(client: MlflowClient, uri: str, name: str, command: str) -> Iterator[str]:
    """Id of a run; the run is marked as failed where the body is left by an exception."""
    run_id = os.environ.get("MLFLOW_RUN_ID")
    if run_id:
        client.update_run(run_id, name=name)
    else:
        tags = DefaultRunContext().tags() | {"mlflow.source.name": command}
        run_id = client.create_run(experiment_id(client, uri), run_name=name, tags=tags).info.run_id
    try:
        yield run_id
    except BaseException:
        end_run(client, run_id, "FAILED")
        raise
    end_run(client, run_id)


def _log_facts(client: MlflowClient, run_id: str, bundle: Bundle, config: Config) -> None:
    """What went in: configuration, the gate's constants, the dataset, the code; and what the gate decided."""
    decisions = {
        f"gate.{decision.target}.h{decision.horizon}": decision.model for decision in bundle.manifest.decisions
    }
    tags = _dataset_tags(bundle) | decisions | {"mlflow.source.git.commit": bundle.manifest.versions["commit"]}
    client.log_batch(
        run_id,
        params=[Param(key, _shown(value)) for key, value in _params(bundle, config).items()],
        tags=[RunTag(key, str(value)) for key, value in tags.items()],
    )
    client.log_inputs(run_id, [DatasetInput(_tracked(bundle, config), [InputTag("mlflow.data.context", "training")])])


def _params(bundle: Bundle, config: Config) -> dict:
    gate = {"probability": PROBABILITY, "coverage": COVERAGE, "proven_from": PROVEN_FROM, "resamples": RESAMPLES}
    told = bundle.manifest
    years = {f"dataset.{key}": told.dataset[key] for key in ("sha256", "first_year", "last_year")}
    config_first = _flat("config", asdict(config)) | {"bundle.cutoff": told.cutoff} | years
    return config_first | _flat("gate", gate) | _flat("version", told.versions)


def _dataset_tags(bundle: Bundle) -> dict:
    """What runs are searched by."""
    return {f"dataset.{key}": bundle.manifest.dataset[key] for key in ("name", "sha256")}


def _shown(value: object) -> str:
    """
    >>> _shown((1, 2, 3))
    '1 2 3'
    """
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _flat(prefix: str, table: Mapping) -> dict:
    """{"boosted": {"rounds": 1}} as {"config.boosted.rounds": 1}."""
    flat = {}
    for key, value in table.items():
        flat |= _flat(f"{prefix}.{key}", value) if isinstance(value, Mapping) else {f"{prefix}.{key}": value}
    return flat


def _tracked(bundle: Bundle, config: Config) -> TrackedDataset:
    given = bundle.manifest.dataset
    tables = bundle.dataset.tables()
    rows = {f"rows of {name}": len(table) for name, table in tables.items()}
    years = f"{given['first_year']}-{given['last_year']}, seen up to {bundle.manifest.cutoff}"
    sources = {f"source {number}": source for number, source in enumerate(given["sources"], 1)}
    profile = {"title": given["title"], "years": years} | sources | rows
    columns = [
        {"name": f"{name}.{column}", "type": TYPES.get(table[column].dtype.kind, "string"), "required": False}
        for name, table in tables.items()
        for column in table
    ]
    schema, source = {"mlflow_colspec": columns}, {"uri": str(config.data)}
    # Lists show the digest beside the name; the parameter dataset.sha256 has all of it.
    words = given["name"], given["sha256"][:12], "local", json.dumps(source)
    return TrackedDataset(*words, schema=json.dumps(schema), profile=json.dumps(profile))


def _log_scores(client: MlflowClient, run_id: str, bundle: Bundle) -> None:
    """Scores of what is served with the run, of every model with a child run of its own."""
    scores = bundle.scores
    card = card_with_sharpness(bundle.scorecard, scores)
    _log_metrics(client, run_id, pooled_metrics(card[card["model"] == SERVED]))
    experiment = client.get_run(run_id).info.experiment_id
    for model, rows in card.groupby("model"):
        tags = {"mlflow.parentRunId": run_id, "model": str(model)}
        child = client.create_run(experiment, run_name=str(model), tags=tags).info.run_id
        _log_metrics(client, child, [*pooled_metrics(rows), *metrics_by_cutoff(scores[scores["model"] == model])])
        end_run(client, child)


def _log_metrics(client: MlflowClient, run_id: str, metrics: list[Metric]) -> None:
    """In batches of the most that MLflow takes."""
    for first in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[first : first + 1000])


def _log_artifacts(client: MlflowClient, run_id: str, review: Review, tested: Backtest, folder: Path) -> None:
    bundle, card = review.bundle, review.bundle.scorecard
    save_bundle(bundle, folder / "bundle")
    tables = {"scores": bundle.scores, "scorecard": card, "scores_by_size": tested.by_size}
    tables |= {"structure": tested.structure, "outcomes": review.outcomes}
    for name, table in tables.items():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "figures").mkdir()
    for name, figure in every_figure(bundle, tested):
        figure.savefig(folder / "figures" / f"{name}.png", dpi=100)
    client.log_artifacts(run_id, str(folder))
    client.log_table(run_id, bundle.scores, "scores.json")


def _pictures(folder: Path) -> dict[str, bytes]:
    """PNG by name."""
    return {path.stem: path.read_bytes() for path in sorted((folder / "figures").iterdir())}
