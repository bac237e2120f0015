"""A team's set-up: PostgreSQL as MLflow's and Optuna's store, a shared folder for artifacts and vintages."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile

import pytest
import typer
from typer.testing import CliRunner

from features.dataset import load_dataset
from serving.bundle_source import fetch_bundle
from tests.tables import net_country, write_folder
from training.config import load_config
from training.doctor_command import doctor
from training.run import train
from training.store import opened
from training.tracking import track
from training.tune import tune
from training.vintages import vintages

PROGRAMS = {name: shutil.which(name) for name in ("initdb", "pg_ctl")}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(None in PROGRAMS.values(), reason="needs PostgreSQL's initdb and pg_ctl on the path"),
]


def unprivileged() -> int | None:
    """PostgreSQL refuses to run as root: the user id that it runs as instead."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user.pw_uid for user in pwd.getpwall()}
    return users.get("postgres", users["nobody"])


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    """Address of a PostgreSQL of our own, with empty databases `mlflow` and `optuna`."""
    psycopg = pytest.importorskip("psycopg", reason="needs psycopg: pip install 'qonys[postgres]'")
    user, port = unprivileged(), free_port()
    # Not below pytest's folder, which only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="qonys-postgres-", ignore_cleanup_errors=True) as place:
        if user is not None:
            os.chown(place, user, -1)

        def run(*words: str) -> None:
            subprocess.run(words, user=user, cwd=place, env={"LC_ALL": "C"}, check=True, stdout=subprocess.DEVNULL)

        data = f"{place}/data"
        run(str(PROGRAMS["initdb"]), "-D", data, "-U", "qonys", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-h 127.0.0.1 -p {port} -k {place} -F"
        run(str(PROGRAMS["pg_ctl"]), "-D", data, "-o", settings, "-l", f"{place}/log", "-w", "start")
        try:
            with psycopg.connect(f"host=127.0.0.1 port={port} user=qonys dbname=postgres", autocommit=True) as one:
                for name in ("mlflow", "optuna"):
                    one.execute(f"CREATE DATABASE {name}")
            yield f"postgresql+psycopg://qonys@127.0.0.1:{port}"
        finally:
            run(str(PROGRAMS["pg_ctl"]), "-D", data, "-m", "immediate", "stop")


@pytest.mark.long
def test_a_team_trains_tunes_reviews_and_serves_from_postgresql(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    for name, value in {
        "MLFLOW_TRACKING_URI": f"{server}/mlflow",
        "QONYS_OPTUNA_STORAGE": f"{server}/optuna",
        "QONYS_ARTIFACTS": str(tmp_path / "shared" / "artifacts"),
        "QONYS_VINTAGES": str(tmp_path / "shared" / "vintages"),
    }.items():
        monkeypatch.setenv(name, value)
    data = write_folder(tmp_path / "data", **net_country(["A", "B", "C"], range(2004, 2021)))
    config = load_config(["draws=20", "horizons=[1]", "boosted.rounds=5", "advice=false"], data=data)

    made, tested = train(config)
    tracked = track(made, tested, config)
    found = tune(load_dataset(data), (1,), 1, f"{server}/optuna")

    run = opened(tracked.uri).get_run(tracked.run_id)
    assert run.info.artifact_uri.startswith((tmp_path / "shared" / "artifacts").as_uri())
    assert run.data.params["config.draws"] == "20"
    assert found.trials == 1
    assert fetch_bundle("models:/qonys-example@champion").manifest == made.manifest
    assert [one.run_id for one in vintages(tmp_path / "shared" / "vintages")] == [tracked.run_id]
    assert not (tmp_path / "mlruns").exists()
    told = CliRunner().invoke(checked(), ["--port", str(free_port())])
    assert (told.exit_code, "fail " in told.output) == (0, False), told.output
    for line in ("ok   database driver: psycopg", "ok   store: postgresql", "ok   optuna storage: postgresql"):
        assert line in told.output
    assert "ok   registry: qonys-example serves version 1" in told.output


def checked() -> typer.Typer:
    """`qonys doctor` by itself."""
    app = typer.Typer()
    app.command()(doctor)
    return app
