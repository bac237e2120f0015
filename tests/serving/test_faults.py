"""The service as a process while things around it break: each fault is one clear error, or nobody notices it."""

import json
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest
from starlette.testclient import TestClient

from serving.__main__ import main
from serving.keys import new_key
from tests.serving.load import Load
from tests.serving.process import environment, running
from tests.serving.test_errors import fault
from tests.serving.test_reliability import worker

SECRET, ENTRY = new_key("reader", "read")
NOBODY = "http://127.0.0.1:9"
"""Where no registry is."""
SLOW_CLIENTS = 40
BACK_S = 5
"""Seconds after which a killed worker must be back on a machine that does nothing else."""


@pytest.fixture(scope="module")
def folder(bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(bundle_folder, tmp_path_factory.mktemp("faults") / "bundle"))


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, psutil.Process]]:
    """A service of a folder, told of a registry that is gone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "serving", "--bundle", str(folder), "--port", str(port)]
    env = environment(QONYS_API_KEYS=ENTRY, QONYS_ACCESS_LOG="off", MLFLOW_TRACKING_URI=NOBODY)
    with running(command, port, tmp_path_factory.mktemp("log") / "log", env) as (address, process):
        yield address, psutil.Process(process.pid)


def asked(address: str, **words: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    return httpx.post(f"{address}/forecast", headers=headers, timeout=30, **words)  # pyright: ignore[reportArgumentType]


def test_a_body_of_50_mb_is_refused_and_takes_no_memory(served):
    address, supervisor = served
    answering = worker(supervisor)
    asked(address, json={})
    before = answering.memory_info().rss

    answers = [asked(address, content=b" " * 50_000_000) for _ in range(3)]
    grown = answering.memory_info().rss - before

    assert [answer.status_code for answer in answers] == [413] * 3
    assert fault(answers[0])["code"] == "body_too_large"
    assert grown < 10_000_000
    assert asked(address, json={}).status_code == 200


def test_clients_that_send_slowly_keep_nobody_waiting(served):
    address, _ = served
    place = httpx.URL(address)
    head = f"POST /forecast HTTP/1.1\r\nHost: {place.netloc.decode()}\r\nAuthorization: Bearer {SECRET}\r\n"
    asked(address, json={})
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection((place.host, place.port or 0))) for _ in range(SLOW_CLIENTS)
        ]
        for number, one in enumerate(slow):
            # Half of them stop within the head, half within the body.
            one.sendall((head + ("Content-Len" if number % 2 else "Content-Length: 2\r\n\r\n{")).encode())
        start = time.monotonic()
        others = [asked(address, json={}).status_code for _ in range(10)]
        took = time.monotonic() - start
        slow[0].sendall(b"}")
        whole = slow[0].recv(100)

    assert others == [200] * 10
    assert took < 5
    assert whole.startswith(b"HTTP/1.1 200")


def test_a_worker_killed_under_load_takes_only_what_it_was_answering(served):
    address, supervisor = served
    clients = 4

    with Load(address, SECRET, clients) as load:
        killed = worker(supervisor)
        killed.kill()
        start = time.monotonic()
        killed.wait(10)
        answered = load.bodies.total()
        while load.bodies.total() <= answered + clients and time.monotonic() - start < 60:
            time.sleep(0.02)
        back = time.monotonic() - start

    assert worker(supervisor).pid != killed.pid
    # Each client had one request under way, and none waited for the new worker in vain.
    assert len(load.lost) <= clients
    assert len(load.bodies) == 1
    # Tests share two cores with others.
    assert back < 3 * BACK_S


def test_a_bundle_that_breaks_on_the_disk_is_not_noticed_until_a_start_refuses_it(
    served, folder, free_port, monkeypatch, capsys
):
    address, _ = served
    before = asked(address, json={}).content
    broken = list(folder.rglob("*.npz"))
    for path in broken:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    answers = [asked(address, json={}).content for _ in range(20)]
    monkeypatch.setattr(sys, "argv", ["serving", "--bundle", str(folder), "--port", str(free_port)])
    ended = main()

    assert answers == [before] * 20
    assert ended == 2
    error, *faults = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {folder}: the bundle is damaged")
    assert sorted(line.split(":")[0].strip() for line in faults) == sorted(path.name for path in broken)


def test_a_worker_killed_while_its_bundle_is_broken_comes_back_when_it_is_mended(served, folder, bundle_folder):
    """The bundle is as the test before has left it."""
    address, supervisor = served
    content = json.loads((folder / "manifest.json").read_text("utf-8"))["content"]

    worker(supervisor).kill()
    refused = until(503, address)
    ready, alive = (httpx.get(f"{address}/{probe}") for probe in ("readyz", "livez"))
    tried = worker(supervisor)
    shutil.copytree(bundle_folder / content, folder / content, dirs_exist_ok=True)
    until(200, address)

    assert fault(refused)["code"] == "no_model"
    assert "retry-after" in refused.headers
    assert (ready.status_code, alive.status_code) == (503, 200)
    # It was not started again and again.
    assert worker(supervisor).pid == tried.pid


def until(status: int, address: str) -> httpx.Response:
    """The first answer with the status."""
    for _ in range(600):
        try:
            answer = asked(address, json={})
            if answer.status_code == status:
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"no {status} in 30 s")


def test_a_clock_that_is_set_changes_no_answer(client: TestClient, monkeypatch):
    before = [client.post("/forecast", json={}), client.get("/model")]

    after = []
    for seconds in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: seconds)
        after += [client.post("/forecast", json={}), client.get("/model")]

    assert [(one.status_code, one.content, one.headers["etag"]) for one in after] == 2 * [
        (one.status_code, one.content, one.headers["etag"]) for one in before
    ]
