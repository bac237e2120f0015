"""Killing a training at any moment leaves the registered champion and the bundle as they were."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from models.bundle import load_bundle
from tests.tables import net_country, write_folder

QUICK = ["train", "--data", "data", "--set", "draws=100", "--set", "horizons=[1]"]
NAME = "qonys-example"


def start(folder: Path, *words: str) -> subprocess.Popen:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    command = [sys.executable, "-m", "training", *QUICK, *words]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def champion(folder: Path) -> str:
    client = MlflowClient(f"sqlite:///{folder}/build/mlflow.db")
    return str(client.get_model_version_by_alias(NAME, "champion").version)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    write_folder(folder / "data", **net_country(["A", "B", "C", "D"], range(2006, 2021)))
    process = start(folder)
    _, told = process.communicate(timeout=200)
    assert process.returncode == 0, told
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        pytest.param("models at cutoff 2010", 0.0, id="while_models_are_fitted", marks=pytest.mark.long),
        pytest.param("tracking the run", 0.2, id="as_tracking_starts", marks=pytest.mark.long),
        pytest.param("tracking the run", 1.0, id="while_it_tracks"),
        pytest.param("tracking the run", 2.0, id="as_it_registers", marks=pytest.mark.long),
    ],
)
def test_a_killed_training_changes_nothing_that_is_served(served, line, seconds):
    manifest, version = (served / "build/bundle/manifest.json").read_bytes(), champion(served)
    process = start(served, "--set", "seed=21")
    assert process.stderr is not None
    for told in process.stderr:
        if line in told:
            break
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert (served / "build/bundle/manifest.json").read_bytes() == manifest
    assert load_bundle(served / "build/bundle").forecast.targets
    assert champion(served) == version


@pytest.mark.long
@pytest.mark.slow
def test_after_crashes_a_training_runs_as_ever(served):
    process = start(served)
    _, told = process.communicate(timeout=200)

    assert process.returncode == 0, told
    assert champion(served) == "1"


@pytest.mark.slow
@pytest.mark.parametrize(
    "most",
    [
        pytest.param(10_000, id="no_room_for_a_bundle", marks=pytest.mark.long),
        pytest.param(200_000, id="no_room_for_the_store"),
    ],
)
def test_a_training_without_room_says_so_and_changes_nothing_that_is_served(served, most):
    manifest, version = (served / "build/bundle/manifest.json").read_bytes(), champion(served)
    process = start(served, "--set", "seed=22")
    # Files may not grow beyond: as a full disk, without filling one.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
    _, told = process.communicate(timeout=200)

    assert process.returncode == 2
    assert "Traceback" not in told
    assert told.count("error:") == 1
    assert (served / "build/bundle/manifest.json").read_bytes() == manifest
    assert load_bundle(served / "build/bundle").forecast.targets
    assert champion(served) == version
