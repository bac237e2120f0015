"""The service as a process: it starts, answers, stops, and refuses to start with what it cannot serve."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from serving.__main__ import main
from tests.serving.process import BENTOML, ROOT, environment, running


@pytest.mark.long
def test_the_process_answers_over_http_and_ctrl_c_ends_it(client, bundle_folder, free_port, tmp_path):
    command = [sys.executable, "-m", "serving", "--bundle", str(bundle_folder), "--port", str(free_port)]
    request = {"target": "net_migration", "regions": ["KZ-71", "KZ-75"]}

    with running(command, free_port, tmp_path / "log", environment()) as (address, process):
        answer = httpx.post(f"{address}/forecast", json=request)
        metrics = httpx.get(f"{address}/metrics")
        # As a terminal does: to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(timeout=20)

    assert answer.content == client.post("/forecast", json=request).content
    assert 'endpoint="/forecast"' in metrics.text
    assert code == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("told", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_qonys_serve_ends_when_it_alone_is_told(bundle_folder, free_port, tmp_path, told):
    command = [sys.executable, "-m", "training", "serve", "--bundle", str(bundle_folder), "--port", str(free_port)]

    with running(command, free_port, tmp_path / "log", environment()) as (address, process):
        process.send_signal(told)
        process.wait(timeout=20)

    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address}/readyz", timeout=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["--bundle", "nowhere"], "nowhere: no bundle there", id="no_bundle"),
        pytest.param(["--bundle", "models:/qonys"], "must be models:/NAME@ALIAS", id="half_a_uri"),
        pytest.param(["--port", "99999"], "port 99999: must be from 1 to 65535", id="no_such_port"),
        pytest.param(["--host", "nowhere.invalid"], "nowhere.invalid:3000: cannot listen", id="no_such_host"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(bundle_folder, monkeypatch, capsys, arguments, told):
    monkeypatch.setattr(sys, "argv", ["serving", "--bundle", str(bundle_folder), *arguments])

    assert main() == 2

    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert told in said
    assert said.count("\n") == 1


def test_a_port_that_is_taken_is_told(bundle_folder, monkeypatch, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["serving", "--bundle", str(bundle_folder), "--port", str(port)])

        assert main() == 2

    assert f"127.0.0.1:{port}: cannot listen there (Address already in use)" in capsys.readouterr().err


def test_bentoml_itself_does_not_start_without_a_bundle(tmp_path, free_port):
    """A worker that failed would be started again for ever."""
    command = [str(BENTOML), "serve", "serving.service:Qonys", "--port", str(free_port)]

    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(QONYS_BUNDLE=tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode != 0
    assert f"error: {tmp_path}: no bundle there" in ended.stderr
    assert "Traceback" not in ended.stderr
