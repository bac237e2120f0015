"""What a training leaves in MLflow, in a real SQLite store."""

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
import typer
from mlflow import MlflowClient
from typer.testing import CliRunner

from features.dataset import KAZAKHSTAN
from models.bundle import load_bundle
from training.compare_command import check_dataset, compare
from training.outcomes import outcomes
from training.registry import register
from training.report_command import report
from training.review import Review
from training.saved_view import KEY, TAG
from training.scorecard import scorecard
from training.store import NOTE, TrackingError, end_run, found_training, opened, store_uri
from training.tracking import started_run, track
from training.vintages_command import score, vintages

MODEL = "qonys-kazakhstan"
PICKLE = b"\x80"
ROUNDED = 5.1e-5
"""Metrics have four digits behind the point."""


@pytest.fixture(scope="module")
def tracked(folder, trained, config):
    """The first training of a fresh store."""
    return track(*trained, config)


@pytest.fixture(scope="module")
def client(tracked) -> MlflowClient:
    return opened(tracked.uri)


@pytest.fixture(scope="module")
def children(client, tracked) -> dict:
    """Runs of the models, by name."""
    run = client.get_run(tracked.run_id)
    found = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{tracked.run_id}'")
    return {run.info.run_name: run for run in found}


@pytest.fixture(scope="module")
def artifacts(client, tracked) -> Path:
    return Path(client.download_artifacts(tracked.run_id, ""))


@pytest.fixture
def copied_store(tracked, tmp_path) -> str:
    """The store after the first training, to break things in."""
    shutil.copy(tracked.uri.removeprefix("sqlite:///"), tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def champion_of(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias(MODEL, "champion").version)


# --- time -----------------------------------------------------------------------------------------------------------


def test_a_run_does_not_end_before_it_began_where_the_clock_is_set_back(client, tracked, monkeypatch):
    experiment = client.get_run(tracked.run_id).info.experiment_id
    run_id = client.create_run(experiment).info.run_id
    monkeypatch.setattr("training.store.time_ns", lambda: 0)
    end_run(client, run_id)
    ended = client.get_run(run_id).info
    assert ended.status == "FINISHED"
    assert ended.end_time == ended.start_time
    client.delete_run(run_id)


# --- the run --------------------------------------------------------------------------------------------------------


def test_a_training_is_a_run_with_a_child_per_model(client, tracked, children, trained):
    run = client.get_run(tracked.run_id)

    assert run.info.run_name == "2024: first · kazakhstan"
    assert set(children) == set(trained[1].scores["model"])
    assert {child.info.status for child in [run, *children.values()]} == {"FINISHED"}


def test_children_hold_the_scorecard(children, trained):
    for row in scorecard(trained[1].scores).to_dict("records"):
        metrics = children[row["model"]].data.metrics
        for name in ("skill", "wape", "crps", "coverage_50", "coverage_80", "coverage_90"):
            assert metrics[f"{row['target']}/{name}_h{row['horizon']}"] == pytest.approx(row[name], abs=ROUNDED)


def test_children_hold_the_error_of_every_cutoff(client, children, trained):
    scores = trained[1].scores.query("model == 'expert_average' and target == 'net_migration' and horizon == 2")

    history = client.get_metric_history(children["expert_average"].info.run_id, "net_migration/wape_by_cutoff_h2")

    assert {metric.step: metric.value for metric in history} == pytest.approx(
        dict(zip(scores["cutoff"], scores["abs_error"] / scores["abs_actual"], strict=True)), abs=ROUNDED
    )


def test_a_run_says_what_went_in(client, tracked, trained):
    bundle, _ = trained
    run = client.get_run(tracked.run_id)
    (dataset,) = run.inputs.dataset_inputs

    assert run.data.params["config.draws"] == "200"
    assert run.data.params["bundle.cutoff"] == "2024"
    assert run.data.params["gate.probability"] == "0.8"
    assert run.data.tags["dataset.sha256"] == bundle.dataset.sha256
    assert bundle.dataset.sha256.startswith(dataset.dataset.digest)
    assert run.data.tags["mlflow.source.git.commit"] == bundle.manifest.versions["commit"]
    assert run.data.params["dataset.sha256"] == bundle.dataset.sha256
    assert run.data.params["version.pandas"] == pd.__version__
    assert run.data.tags["gate.net_migration.h1"] == bundle.manifest.decision("net_migration", 1).model
    assert run.data.tags["mlflow.user"]
    columns = {one["name"] for one in json.loads(dataset.dataset.schema)["mlflow_colspec"]}
    assert {"indicators.value", "movements.persons"} <= columns


def test_runs_can_be_sorted_by_skill_coverage_and_sharpness(client, tracked, trained):
    metrics = client.get_run(tracked.run_id).data.metrics
    served = trained[0].scorecard.query("model == 'served'")

    assert metrics["overall/skill"] == pytest.approx(served["skill"].mean(), abs=ROUNDED)
    assert metrics["overall/coverage_80"] == pytest.approx(served["coverage_80"].mean(), abs=ROUNDED)
    assert metrics["net_migration/width_50_h1"] < metrics["net_migration/width_80_h1"]
    assert metrics["net_migration/width_80_h1"] < metrics["net_migration/width_80_h2"]
    assert metrics["net_migration/crps_skill_h1"] < 1


def test_a_view_of_the_trainings_waits_in_mlflows_list(client, tracked):
    run = client.get_run(tracked.run_id)
    told = json.loads(client.get_experiment(run.info.experiment_id).tags[TAG])
    state = json.loads(zlib.decompress(base64.b64decode(told["state"].removeprefix("deflate;"))))

    there = {f"metrics.`{name}`" for name in run.data.metrics} | {f"tags.`{name}`" for name in run.data.tags}
    assert set(state["selectedColumns"]) - there == {"attributes.`Dataset`"}
    assert len(client.search_runs([run.info.experiment_id], state["searchFilter"])) >= 1
    assert f"viewStateShareKey={KEY}" in client.get_experiment(run.info.experiment_id).tags[NOTE]


def test_the_description_answers_five_questions_in_order(client, tracked, trained):
    note = client.get_run(tracked.run_id).data.tags[NOTE]

    found = [line for line in note.splitlines() if line.startswith("### ")]
    assert [line[4:6] for line in found[:5]] == ["1.", "2.", "3.", "4.", "5."]
    assert note.startswith("champion: there was no champion")
    assert "* Miss: net_migration of Astana in 2016" in note
    assert f"sha256 `{trained[0].dataset.sha256}`" in note
    assert client.get_model_version(MODEL, "1").description == note


def test_artifacts_are_scores_scorecard_figures_and_the_bundle(artifacts, trained):
    scores = pd.read_csv(artifacts / "scores.csv")

    pd.testing.assert_frame_equal(scores, trained[1].scores, check_dtype=False)
    assert "expert_average" in set(pd.read_csv(artifacts / "scorecard.csv")["model"])
    assert "Largest misses" in (artifacts / "report.html").read_text("utf-8")
    assert len(pd.read_csv(artifacts / "outcomes.csv")) == len(outcomes(trained[1], trained[0].dataset, 2024))
    assert (artifacts / "figures" / "fan_KZ-71.png").stat().st_size > 10_000
    assert load_bundle(artifacts / "bundle").manifest == trained[0].manifest


def test_no_artifact_is_a_pickle(artifacts):
    files = [path for path in artifacts.rglob("*") if path.is_file()]

    assert {path.suffix for path in files} <= {".json", ".csv", ".html", ".png", ".npz", ".parquet", ".txt"}
    for path in files:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                assert all(arrays[name].dtype != object for name in arrays)
        else:
            assert not path.read_bytes().startswith(PICKLE), path


def test_everything_is_below_build(tracked, folder):
    assert [path.name for path in folder.iterdir()] == ["build"]
    assert sorted(path.name for path in (folder / "build").iterdir()) == ["mlartifacts", "mlflow.db", "vintages"]


def test_a_run_that_mlflow_has_made_is_used(client, tracked, trained, monkeypatch):
    experiment = client.get_run(tracked.run_id).info.experiment_id
    run_id = client.create_run(experiment, run_name="of mlflow run").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)

    with started_run(client, tracked.uri, Review(trained[0])) as used:
        assert used == run_id

    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status) == ("2024: first · kazakhstan", "FINISHED")


def test_a_training_that_is_stopped_is_a_failed_run(client, tracked, trained):
    with pytest.raises(KeyboardInterrupt), started_run(client, tracked.uri, Review(trained[0])) as run_id:
        raise KeyboardInterrupt

    assert client.get_run(run_id).info.status == "FAILED"


def test_a_store_that_refuses_is_named(tracked, trained, config, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "unknown")

    with pytest.raises(TrackingError, match=r"build/mlflow\.db: .*unknown"):
        track(*trained, config)


# --- commands that read the store ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def commands() -> typer.Typer:
    app = typer.Typer()
    for command in (compare, report, vintages, score):
        app.command()(command)
    return app


def test_a_training_compared_with_itself_is_identical(commands, tracked, tmp_path):
    asked = [tracked.run_id[:8], f"models:/{MODEL}@champion"]
    told = CliRunner().invoke(commands, ["compare", *asked, "--out", str(tmp_path / "compared.json")])

    assert told.exit_code == 0, told.output
    found = pd.read_json(tmp_path / "compared.json")
    assert set(found["verdict"]) == {"identical"}
    assert set(found["target"]) == {"net_migration", "overall"}
    assert "does it matter: no; errors are identical at all 21 cutoffs in common" in told.output


def test_both_runs_that_are_not_there_are_told(commands, tracked):
    told = CliRunner().invoke(commands, ["compare", "one", "two"])

    for asked in ("one", "two"):
        assert f"run '{asked}': no training is called so" in str(told.exception)


def test_a_runs_report_can_be_had_as_a_file(commands, tracked, artifacts, tmp_path):
    told = CliRunner().invoke(commands, ["report", "--run", tracked.run_id, "--out", str(tmp_path / "report.html")])

    assert told.exit_code == 0, told.output
    assert (tmp_path / "report.html").read_bytes() == (artifacts / "report.html").read_bytes()


def test_a_champions_forecast_is_sealed_listed_and_waits_for_figures(commands, tracked, artifacts):
    (kept,) = (artifacts / "vintage").glob("2024-*.parquet")
    sealed = Path("build", "vintages", "kazakhstan", kept.name)
    assert sealed.read_bytes() == kept.read_bytes()

    listed = CliRunner().invoke(commands, ["vintages"])
    scored = CliRunner().invoke(commands, ["score", "--data", str(KAZAKHSTAN)])

    assert "qonys-kazakhstan version 1" in listed.output
    assert "rows, as sealed" in listed.output
    assert scored.exit_code == 0, scored.output
    assert "no outcome of a sealed forecast is known yet" in scored.output
    assert Path("build/vintages/scoreboard.json").is_file()


# --- versions -------------------------------------------------------------------------------------------------------


def test_the_first_version_is_the_champion(client, tracked, trained):
    version = client.get_model_version_by_alias(MODEL, "champion")

    assert (tracked.version, tracked.alias, tracked.reason) == ("1", "champion", "there was no champion")
    assert version.run_id == tracked.run_id
    assert "there was no champion" in version.description
    assert "\nnet_migration      1 " in version.description
    card = trained[0].scorecard.query("model == 'served'")
    assert version.tags["coverage_80"] == f"{card['coverage_80'].mean():.3f}"
    assert "Serves: version 1, cutoff 2024" in client.get_registered_model(MODEL).description
    experiment = client.get_experiment(client.get_run(tracked.run_id).info.experiment_id)
    assert experiment.tags[NOTE].startswith("qonys-kazakhstan serves version 1, cutoff 2024")


def test_the_same_training_again_is_a_challenger_and_the_champion_stays(
    copied_store, tracked, trained, config, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", copied_store)
    monkeypatch.setattr("training.tracking.every_figure", lambda *_: iter(()))

    again = track(*trained, replace(config, seed=21))

    client = opened(copied_store)
    version = client.get_model_version_by_alias(MODEL, "challenger")
    assert (again.version, again.alias) == ("2", "challenger")
    assert champion_of(client) == "1"
    assert version.tags["reason"] == again.reason
    assert "identical" in again.reason
    run = client.get_run(again.run_id)
    assert run.data.tags["reason"] == again.reason
    assert run.info.run_name.startswith("2024: seed 20→21")
    assert "* `config.seed`: `20` → `21`" in run.data.tags[NOTE]
    assert found_training(client, copied_store, again.run_id[:8]).info.run_id == again.run_id
    with pytest.raises(TrackingError, match=r"(?s)no training is called so .* 2024: first · kazakhstan"):
        found_training(client, copied_store, "nobody")
    client.set_tag(again.run_id, "dataset.name", "another")
    with pytest.raises(TrackingError, match=r"of 'kazakhstan', run .* of 'another'; must be trainings of one dataset"):
        check_dataset(*(client.get_run(one.run_id) for one in (tracked, again)))
    client.delete_run(again.run_id)
    with pytest.raises(TrackingError, match=rf"was deleted; `mlflow runs restore --run-id {again.run_id}`"):
        found_training(client, copied_store, again.run_id)


def test_a_champion_that_gives_way_says_so(copied_store, tracked, trained):
    client = opened(copied_store)
    bundle = trained[0]
    newer = replace(bundle, manifest=replace(bundle.manifest, cutoff=2025))

    found = register(client, copied_store, tracked.run_id, Review(newer), {})

    assert found.alias == "champion"
    assert client.get_model_version(MODEL, "1").description.startswith("No longer serves: version 2")
    assert client.get_model_version(MODEL, "1").tags["verdict"] == "gave way"
    assert "Serves: version 2, cutoff 2025" in client.get_registered_model(MODEL).description


def test_a_registration_that_is_stopped_at_the_alias_leaves_the_champion(copied_store, tracked, trained):
    path = copied_store.removeprefix("sqlite:///")
    with sqlite3.connect(path) as store:
        for what in ("INSERT", "UPDATE"):
            store.execute(
                f"CREATE TRIGGER stop_{what} BEFORE {what} ON registered_model_aliases "
                "BEGIN SELECT RAISE(ABORT, 'stopped'); END"
            )
    store.close()
    client = opened(copied_store)

    with pytest.raises(Exception, match="stopped"):
        register(client, copied_store, tracked.run_id, Review(trained[0]), {})

    assert champion_of(client) == "1"
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 2
    assert client.get_run(tracked.run_id).info.status == "FINISHED"


def test_a_champion_that_cannot_be_read_stays(copied_store, tracked, trained):
    client = opened(copied_store)
    lost = client.create_model_version(MODEL, "/nowhere/bundle", tracked.run_id)
    client.set_registered_model_alias(MODEL, "champion", str(lost.version))

    found = register(client, copied_store, tracked.run_id, Review(trained[0]), {})

    assert found.alias == "challenger"
    assert "cannot be read at /nowhere/bundle" in found.reason
    assert champion_of(client) == str(lost.version)


# --- the store ------------------------------------------------------------------------------------------------------


def test_the_store_is_where_mlflow_is_told_it_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert store_uri() == f"sqlite:///{tmp_path}/build/mlflow.db"

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert store_uri() == "http://localhost:5000"


@pytest.mark.long
def test_three_processes_can_make_one_store(tmp_path):
    code = "import sys; from training.store import opened; print(len(opened(sys.argv[1]).search_experiments()))"
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/build/mlflow.db"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]

    said = [process.communicate(timeout=120) for process in processes]

    assert said == [("2\n", "")] * 3
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["mlflow.db"]


def test_importing_does_nothing(tmp_path):
    outside = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_CURRENT_TEST")}
    outside |= {"HOME": str(tmp_path), "MPLCONFIGDIR": matplotlib.get_cachedir(), "PYTHONDONTWRITEBYTECODE": "1"}

    subprocess.run([sys.executable, "-c", "import training.tracking"], cwd=tmp_path, env=outside, check=True)

    assert list(tmp_path.rglob("*")) == []
