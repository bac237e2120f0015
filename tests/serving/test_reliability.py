"""The service under load: no request is lost while a model is swapped, or when it is told to end."""

import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from models.bundle import save_bundle
from serving.client import Client, ServiceError
from serving.keys import new_key
from tests.serving.load import Load
from tests.serving.process import environment, running

SECRET, ENTRY = new_key("ops", "admin")


@pytest.fixture(scope="module")
def folder(bundle_folder, tmp_path_factory) -> Path:
    return Path(shutil.copytree(bundle_folder, tmp_path_factory.mktemp("served") / "bundle"))


@pytest.fixture(scope="module")
def served(folder, tmp_path_factory) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "serving", "--bundle", str(folder), "--port", str(port)]
    env = environment(QONYS_API_KEYS=ENTRY, QONYS_ACCESS_LOG="off", QONYS_DRAIN="1.5")
    with running(command, port, tmp_path_factory.mktemp("log") / "log", env) as (address, process):
        yield address, psutil.Process(process.pid)


def worker(supervisor: psutil.Process) -> psutil.Process:
    """The process that answers."""
    for _ in range(100):
        found = [one for one in supervisor.children() if one.status() != psutil.STATUS_ZOMBIE]
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no worker")


def test_no_request_is_lost_while_a_model_is_swapped(served, folder, flow_bundle, bundle):
    address, _ = served
    save_bundle(flow_bundle, folder)

    with Load(address, SECRET) as load, Client(address, SECRET) as client:
        before = set(load.bodies)
        told = client.reload()
        after = client.model()
        load.wait_for_more(50)

    assert told.outcome == "swapped"
    assert after.served == told.served
    assert after.cutoff == flow_bundle.manifest.cutoff != bundle.manifest.cutoff
    assert load.lost == []
    assert load.refused == 0
    # Each answer is wholly of one model or of the other.
    assert len(before) == 1
    assert len(load.bodies) == 2


def test_a_broken_model_is_refused_under_load_and_the_old_goes_on(served, folder):
    address, _ = served
    manifest = folder / "manifest.json"
    whole = manifest.read_text("utf-8")
    manifest.write_text(whole.replace('"content": "', '"content": "gone'), "utf-8")

    with Load(address, SECRET) as load, Client(address, SECRET) as client:
        with pytest.raises(ServiceError, match="not served: ") as caught:
            client.reload()
        load.wait_for_more(20)
    manifest.write_text(whole, "utf-8")

    assert caught.value.status == 409
    assert load.lost == []
    assert len(load.bodies) == 1


def test_a_worker_that_is_killed_is_started_at_once_and_a_client_does_not_notice(served):
    address, supervisor = served
    killed = worker(supervisor)

    start = time.monotonic()
    killed.kill()
    killed.wait(10)
    new = worker(supervisor)
    noticed = time.monotonic() - start
    with Client(address, SECRET) as client:
        assert client.model().cutoff
    back = time.monotonic() - start

    assert new.pid != killed.pid
    assert noticed < 3
    # Starting takes two seconds of one core, which tests share.
    assert back < 20


def unready(address: str) -> httpx.Response:
    """What a service answers that no longer wants to be asked."""
    for _ in range(200):
        answer = httpx.get(f"{address}/readyz", timeout=10)
        if answer.status_code != 200:
            return answer
        time.sleep(0.02)
    raise AssertionError("ready for ever")


def test_no_request_is_lost_when_the_service_is_told_to_end(served):
    address, supervisor = served

    with Load(address, SECRET) as load:
        told = time.monotonic()
        supervisor.terminate()
        draining = unready(address)
        supervisor.wait(timeout=20)

    assert load.lost == []
    assert load.answered_at > told
    assert load.refused > 0
    assert draining.status_code == 503
    assert draining.json()["error"]["code"] == "shutting_down"
    assert draining.headers["connection"] == "close"
