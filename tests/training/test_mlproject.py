"""`mlflow run` on this project."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import typer
import yaml

from training.__main__ import app
from training.config import load_config
from training.store import opened

ROOT = Path(__file__).parents[2]
PROJECT = yaml.safe_load((ROOT / "MLproject").read_text("utf-8"))


@pytest.mark.parametrize("name", PROJECT["entry_points"])
def test_an_entry_point_calls_a_command_with_options_that_it_has(name):
    entry = PROJECT["entry_points"][name]
    defaults = {key: shlex.quote(parameter["default"]) for key, parameter in entry["parameters"].items()}
    python, dash_m, program, command, *words = shlex.split(entry["command"].format(**defaults))
    known = typer.main.get_command(app).commands[command]

    assert (python, dash_m, program, command) == ("python", "-m", "training", name)
    assert {word for word in words if word.startswith("--")} <= {opt for param in known.params for opt in param.opts}
    settings = [value for option, value in pairwise(words) if option == "--set"]
    assert load_config(settings) == load_config()


def test_its_environment_is_there():
    environment = yaml.safe_load((ROOT / PROJECT["python_env"]).read_text("utf-8"))

    assert environment["dependencies"] == ["-c requirements.lock", ".[train]"]
    assert re.search(r"^mlflow==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)


@pytest.mark.long
@pytest.mark.slow
def test_mlflow_run_trains_into_the_run_that_it_has_made(tmp_path):
    project = tmp_path / "qonys"
    for name in ("features", "models", "training"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "MLproject", project)
    uri = f"sqlite:///{project}/build/mlflow.db"
    client = opened(uri)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = "mlflow run . -e train --env-manager local --experiment-name qonys"
    small = "-P draws=20 -P cutoff=2008 -P horizons=[1]"

    subprocess.run(
        [*command.split(), *small.split()],
        cwd=project,
        env=os.environ | {"PATH": path, "MLFLOW_TRACKING_URI": uri},
        check=True,
        timeout=300,
    )

    runs = client.search_runs([client.get_experiment_by_name("qonys").experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert parent.data.tags["mlflow.project.entryPoint"] == "train"
    assert (parent.info.run_name, parent.info.status) == ("2008: first · kazakhstan", "FINISHED")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs if run is not parent} == {parent.info.run_id}
    assert client.get_model_version_by_alias("qonys-kazakhstan", "champion").run_id == parent.info.run_id
    assert not (project / "mlruns").exists()
