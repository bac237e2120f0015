"""A set-up's health."""

import json
import re
import socket

import pytest
import typer
from typer.testing import CliRunner

from models.bundle import save_bundle
from training import doctor
from training.doctor_command import doctor as command


def by_name(found) -> dict:
    return {check.name: check for check in found}


@pytest.fixture
def uri(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/build/mlflow.db"


def test_a_fresh_set_up_is_told_what_to_do_and_nothing_is_made(uri, tmp_path):
    found = by_name(doctor.checks(tmp_path / "bundle", uri, None, "127.0.0.1", 0, tmp_path / "build"))

    assert found["store"].line.startswith("warn store: none at sqlite")
    assert found["bundle"].status == "warn"
    assert found["python"].status == found["port"].status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_of_other_code_is_warned_of_and_a_damaged_one_fails(trained, tmp_path, monkeypatch):
    folder = save_bundle(trained[0], tmp_path / "bundle")
    monkeypatch.setattr("training.run.git_commit", lambda: "another")

    found = by_name(doctor._bundle(folder))

    assert found["bundle"].told.endswith("kazakhstan, cutoff 2024")
    assert found["bundle's Qonys"].status == "ok"
    assert found["bundle's commit"].status == "warn"
    next(folder.rglob("scores.csv")).write_text("changed", "utf-8")
    assert by_name(doctor._bundle(folder))["bundle"].status == "fail"


def test_libraries_are_held_against_bounds_and_lock(monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda name: {"pandas": "2.0", "numpy": None}.get(name, "9999"))

    libraries, lock = doctor._libraries(), doctor._locked()

    assert libraries.status == "fail"
    assert re.search(r"numpy is not installed, must be .*pandas 2\.0, must be <4,>=3\.1", libraries.told)
    assert lock.status == "warn"
    assert "pandas" in lock.told or "differ" in lock.told


def test_a_port_in_use_fails_and_exits_with_1(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    app = typer.Typer()
    app.command()(command)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = CliRunner().invoke(app, ["--json", "--port", str(taken.getsockname()[1])])

    (port,) = [check for check in json.loads(told.stdout) if check["name"] == "port"]
    assert (told.exit_code, port["status"]) == (1, "fail")
    assert "choose another with --port" in port["right"]


def test_a_store_that_is_not_there_fails_without_its_password():
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'qonys[postgres]'")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        found = doctor._reached(
            "store", f"postgresql+psycopg://q:secret@127.0.0.1:{nobody.getsockname()[1]}/x", "start it"
        )

    assert found.status == "fail"
    assert "secret" not in found.line


def test_a_missing_driver_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda _: None)

    found = doctor._driver("postgresql://db/mlflow", None)

    assert (found.status, found.told) == ("fail", "psycopg2 is not installed")


def test_a_missing_browser_is_only_warned_of():
    assert doctor._browser(lambda _: None).status == "warn"
