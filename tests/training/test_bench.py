"""The bench counts every answer, accepts none that is not the same, and says what was missed."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from queue import Queue
from threading import Event, Thread

import pandas as pd
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from training.bench_cores import client_cores, on_cores, server_cores
from training.bench_load import BenchError, Measured, in_other_bytes, measured, request
from training.bench_process import running
from training.serving_bench import BARE, COLUMNS, CONNECTIONS, CONSTANT, FORECAST, MLFLOW, OURS, TASKS
from training.serving_bench_report import bench_report, ratios

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour"


@contextmanager
def server(answer: Callable[[int], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A port that answers the n-th request it gets, and the requests. No answer: the connection is closed."""
    got: list[bytes] = []
    told_port: Queue[int] = Queue()
    ended = Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                got.append(head + await reader.readexactly(int(head.rpartition(b": ")[2])))
                told = answer(len(got))
                if not told:
                    break
                # In two parts, as any answer may come.
                writer.write(told[:30])
                await asyncio.sleep(0)
                writer.write(told[30:])
        writer.close()

    async def listen() -> None:
        listening = await asyncio.start_server(talk, "127.0.0.1", 0)
        told_port.put(listening.sockets[0].getsockname()[1])
        await asyncio.to_thread(ended.wait)

    thread = Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    try:
        yield told_port.get(timeout=10), got
    finally:
        ended.set()
        thread.join()


def ask(port: int, connections: int = 3, most: int = 30) -> Measured:
    return asyncio.run(measured(port, repeat(request("POST", "/forecast", b"{}")), connections, 5, most))


def test_every_request_is_answered_and_counted_once():
    with server(lambda _: OK) as (port, got):
        found = ask(port, connections=3, most=30)

    assert len(got) == len(found.latencies) == 30
    assert set(got) == {request("POST", "/forecast", b"{}")}
    assert found.body == b"four"
    assert 0 < min(found.latencies) <= max(found.latencies) <= found.seconds < 5


def test_a_request_is_asked_anew_in_other_bytes():
    asked = in_other_bytes("POST", "/forecast", b"{}")

    found = [next(asked).rpartition(b"\r\n\r\n") for _ in range(1_000)]

    assert len({body for _, _, body in found}) == 1_000
    assert {body.strip() for _, _, body in found} == {b"{}"}
    assert {head for head, _, _ in found} == {request("POST", "/forecast", found[0][2]).partition(b"\r\n\r\n")[0]}


def test_a_turn_ends_when_its_time_is_over():
    with server(lambda _: OK) as (port, _):
        found = asyncio.run(measured(port, repeat(request("GET", "/")), 2, 0.1, 10_000_000))

    assert 0.1 <= found.seconds < 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(lambda n: OK if n < 9 else OK.replace(b"four", b"five"), "differ", id="another_answer"),
        pytest.param(lambda n: OK if n < 9 else OK.replace(b"200", b"500"), "must be 200", id="a_fault"),
        pytest.param(lambda _: b"HTTP/1.1 200 OK\r\nX-Length: 4\r\n\r\nfour", "content-length", id="no_length"),
        pytest.param(lambda n: OK if n < 9 else b"", "closed before the answer was whole", id="no_answer"),
    ],
)
def test_a_server_that_does_not_answer_alike_is_not_measured(answer, told):
    with server(answer) as (port, _), pytest.raises(BenchError, match=told):
        ask(port)


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no room')"]

    with (
        pytest.raises(BenchError, match=r"mine: ended with 1; it said:\nno room"),
        running("mine", command, "http://127.0.0.1:9/", tmp_path / "log", {}),
    ):
        pass


@pytest.mark.skipif(not server_cores(), reason="one core, or a system that does not let a process choose")
def test_servers_and_the_client_have_other_cores():
    allowed, servers, client = os.sched_getaffinity(0), server_cores(), client_cores()

    assert servers | client == allowed
    assert not servers & client
    with on_cores(client):
        assert os.sched_getaffinity(0) == client
    assert os.sched_getaffinity(0) == allowed


# --- the report -----------------------------------------------------------------------------------------------------


def table(ours: float, p99: float = 2.0, late: int = 0) -> pd.DataFrame:
    """Others answer 1,000, 2,000 and 100 requests a second."""
    speeds = {OURS: ours, CONSTANT: 1_000.0, BARE: 2_000.0, MLFLOW: 100.0}
    rows = [
        [task.name, name, n, 500, speed, 1.0, p99, 9.0, late, 2.0]
        for task in TASKS
        for n in CONNECTIONS
        for name, speed in speeds.items()
        if name != CONSTANT or task == FORECAST
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_ratios_are_of_requests_per_second():
    found = ratios(table(1_500.0))

    first = found.iloc[0]
    assert (first["task"], first["connections"]) == ("one forecast", 1)
    assert first[[CONSTANT, BARE, MLFLOW]].tolist() == [1.5, 0.75, 15.0]
    assert list(found["connections"]) == list(CONNECTIONS) * len(TASKS)


@pytest.mark.parametrize(
    ("made", "missed"),
    [
        pytest.param(table(1_500.0), 0, id="all"),
        pytest.param(table(1_100.0), 2, id="too_slow_beside_mlflow"),
        pytest.param(table(800.0), 4, id="and_beside_bentoml"),
        pytest.param(table(1_500.0, p99=2.1), 1, id="a_tail"),
        pytest.param(table(1_500.0, late=1), 1, id="a_late_answer"),
    ],
)
def test_what_was_wanted_and_missed_is_said(made, missed):
    report = bench_report(made)

    assert report.count("NOT met") == missed
    assert report.count(": met") == 6 - missed
    assert "| one forecast | qonys | 8 |" in report


# --- the command, and a server --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param([], "must be given --serving", id="nothing_to_measure"),
        pytest.param(["--serving", "--bundle", "nowhere"], "--bundle nowhere: no bundle there", id="no_bundle"),
    ],
)
def test_what_cannot_be_measured_is_told_at_once(words, told):
    import typer

    from training.bench_command import bench

    app = typer.Typer()
    app.command()(bench)
    result = CliRunner().invoke(app, words)

    assert told in str(result.exception)


def test_the_bare_app_answers_what_was_prepared_and_checks_what_is_asked(monkeypatch, tmp_path):
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({task.path: f'"{task.path}"' for task in TASKS}), "utf-8")
    monkeypatch.setenv("QONYS_BENCH_ANSWERS", str(answers))
    from training.bench_servers.bare import app

    client = TestClient(app())

    assert client.post("/forecast", json={"target": "inflow", "regions": ["A"]}).json() == "/forecast"
    assert client.post("/flows", json={"horizons": [1]}).json() == "/flows"
    assert client.post("/scenario", json={"changes": [], "allow_extrapolation": True}).json() == "/scenario"
    assert client.post("/flows", json={"horizons": ["1"]}).status_code == 422
    assert client.post("/forecast", json={"target": "inflow", "regions": ["A"], "x": 1}).status_code == 422
