"""The registry: how a run's bundle becomes a version of a registered model, champion or challenger."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import time_ns

import numpy as np
import pandas as pd

from models.bundle import Bundle
from training.model_card import model_card
from training.promotion import CHALLENGER, CHAMPION, promotion
from training.review import Review, Verdict
from training.run_note import LONGEST, models_note, run_note
from training.saved_view import TAG, trainings_view, view_link
from training.store import NOTE, MlflowClient, MlflowException, RunTag, artifact, sqlite_file
from training.vintages import plain_name, seal, vintages_folder

PREFIX = "qonys-"
GAVE_WAY = "gave way"
"""Verdict of a version that was champion."""


@dataclass(frozen=True)
class Tracked:
    """A training in MLflow. alias: `champion` or `challenger`; reason: why, in one sentence."""

    run_id: str
    uri: str
    version: str
    alias: str
    reason: str


def register(client: MlflowClient, uri: str, run_id: str, review: Review, pictures: Mapping[str, bytes]) -> Tracked:
    """Make the bundle of a run a version of the registered model, champion or challenger; write the run's report.

    A champion's forecast is sealed first. Then the alias moves: whatever stops this earlier leaves the champion as it
    was. After it only descriptions change. pictures: PNG by name.
    """
    bundle = review.bundle
    name = model_name(bundle.manifest.dataset["name"])
    _make_model(client, name, bundle.manifest.dataset["title"])
    last = client.get_registered_model(name).aliases.get(CHAMPION)
    alias, reason = _verdict(client, uri, name, bundle, last)
    version = _make_version(client, run_id, name, review, {"verdict": alias, "reason": reason})
    champion = version if alias == CHAMPION else str(last)
    verdict = Verdict(name, version, alias, reason, champion)
    review = replace(review, verdict=verdict)
    _describe(client, run_id, verdict, run_note(review))
    client.log_text(run_id, model_card(review, pictures), "report.html")
    if alias == CHAMPION:
        _seal(client, uri, run_id, bundle, verdict)
    client.set_registered_model_alias(name, alias, version)
    experiment = client.get_run(run_id).info.experiment_id
    client.set_experiment_tag(experiment, TAG, trainings_view(time_ns() // 1_000_000))
    if alias == CHAMPION:
        _tell_of_champions(client, experiment, name, last, version)
    return Tracked(run_id, uri, version, alias, reason)


def model_name(dataset: str) -> str:
    """
    >>> model_name("kazakhstan")
    'qonys-kazakhstan'
    """
    return PREFIX + plain_name(dataset)


def _make_model(client: MlflowClient, name: str, title: str) -> None:
    try:
        client.create_registered_model(name, description=title)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _verdict(client: MlflowClient, uri: str, name: str, bundle: Bundle, last: str | None) -> tuple[str, str]:
    """Alias and reason; a champion whose bundle cannot be read stays, as nothing can be compared."""
    if last is None:
        return promotion(bundle.scores, None, bundle.manifest.cutoff, None)
    source = client.get_model_version(name, str(last)).source
    try:
        manifest = json.loads(artifact(f"{source}/manifest.json", uri).read_text("utf-8"))
        scores = pd.read_csv(artifact(f"{source}/{manifest['content']}/scores.csv", uri))
    except (OSError, MlflowException):
        return CHALLENGER, f"the champion, version {last}, cannot be read at {source}; nothing can be compared"
    return promotion(bundle.scores, scores, bundle.manifest.cutoff, manifest["cutoff"])


def _make_version(client: MlflowClient, run_id: str, name: str, review: Review, verdict: dict[str, str]) -> str:
    """Its tags are columns of the list of versions: what fits there."""
    told, scores = review.bundle.manifest, review.served[["skill", "coverage_80"]].mean()
    facts = {"cutoff": str(told.cutoff), "data": told.dataset["sha256"][:12]}
    facts |= {str(score): f"{mean:.3f}" for score, mean in scores.items() if np.isfinite(mean)}
    source = f"{client.get_run(run_id).info.artifact_uri}/bundle"
    return str(client.create_model_version(name, source, run_id, facts | verdict).version)


# --- what pages say -------------------------------------------------------------------------------------------------


def _describe(client: MlflowClient, run_id: str, verdict: Verdict, note: str) -> None:
    """The five answers, with the run and with its version."""
    client.update_model_version(verdict.model, verdict.version, description=note)
    tags = {"verdict": verdict.alias, "reason": verdict.reason, NOTE: note}
    tags |= {"registered_model": verdict.model, "registered_version": verdict.version}
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])


def _seal(client: MlflowClient, uri: str, run_id: str, bundle: Bundle, verdict: Verdict) -> None:
    """Beside the store, and with the run."""
    folder = vintages_folder(sqlite_file(uri))
    sealed = seal(bundle, folder, verdict.model, verdict.version, run_id, verdict.reason)
    for suffix in (".parquet", ".json"):
        client.log_artifact(run_id, str(sealed.path(folder, suffix)), "vintage")
    client.set_tag(run_id, "vintage", sealed.name)


def _tell_of_champions(client: MlflowClient, experiment: str, name: str, last: str | None, version: str) -> None:
    """On the pages of the experiment, of the registered model, and of the run whose version no longer serves."""
    rows = _champions(client)
    client.set_experiment_tag(experiment, NOTE, models_note(pd.DataFrame(rows), view_link(experiment)))
    # MLflow's pages show runs and models rather than traces and prompts.
    client.set_experiment_tag(experiment, "mlflow.experimentKind", "custom_model_development")
    (own,) = (row for row in rows if row["model"] == name)
    told = f"Serves: version {version}, cutoff {own['cutoff']}: {own['reason']}. {_run_link(experiment, own['run_id'])}"
    client.update_registered_model(name, f"{own['title']}\n\n{told}")
    if last is not None and (before := client.get_model_version(name, str(last))).run_id:
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        told = f"No longer serves: version {version} took its place on {day}.\n\n"
        client.update_model_version(name, str(last), description=(told + (before.description or ""))[:LONGEST])
        client.set_model_version_tag(name, str(last), "verdict", GAVE_WAY)
        client.set_tag(before.run_id, NOTE, told + client.get_run(before.run_id).data.tags.get(NOTE, ""))
        client.set_tag(before.run_id, "verdict", GAVE_WAY)


def _run_link(experiment: str, run_id: str) -> str:
    return f"[Its run](#/experiments/{experiment}/runs/{run_id}) has scores, figures and the report."


def _champions(client: MlflowClient) -> list[dict]:
    rows = []
    for model in client.search_registered_models(f"name LIKE '{PREFIX}%'"):
        if CHAMPION in model.aliases:
            version = client.get_model_version(model.name, str(model.aliases[CHAMPION]))
            title = (model.description or "").partition("\n")[0]
            told = {"cutoff": version.tags.get("cutoff", ""), "reason": version.tags.get("reason", "")}
            told |= {"title": title, "run_id": version.run_id}
            rows.append({"model": model.name, "version": version.version} | told)
    return rows
