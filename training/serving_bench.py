"""The bench of the service: how often it answers, side by side with others on this machine, in one run.

Invariants: one worker each, on loopback. Rounds are interleaved, and each begins with another server, so that whatever
else the machine does hits all alike. Servers have the same cores, and the client has one to itself, where there are
two. Every answer must be 200 and the same as the first to the same request.
"""

import asyncio
import gc
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import uvloop

from training.bench_cores import client_cores, on_cores, server_cores
from training.bench_load import BenchError, Measured, in_other_bytes, measured, request
from training.bench_process import free_port, running

OURS, CONSTANT, BARE, MLFLOW = "qonys", "BentoML, constant", "FastAPI, prepared", "mlflow models serve"
CONNECTIONS = (1, 8, 32)
ROUNDS = 5
MOST = 5_000
"""Requests of a turn: more would tell nothing."""
WARM, WARM_SECONDS = 20, 5
"""Requests of each kind before anything is measured, and how long they may take."""
TAIL_MS = 200
UVICORN = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
COLUMNS = [
    *("task", "server", "connections", "requests", "per_second"),
    *("p50_ms", "p99_ms", "longest_ms", "over_200_ms", "kilobytes"),
]


@dataclass(frozen=True)
class Task:
    """What is asked for. anew: in other bytes each time, so that no answer can be kept."""

    name: str
    path: str
    anew: bool = False


FORECAST = Task("one forecast", "/forecast")
TASKS = (
    FORECAST,
    Task("one forecast, asked anew", "/forecast", anew=True),
    Task("all flows of a year", "/flows"),
    Task("all flows of a year, asked anew", "/flows", anew=True),
    Task("a what-if, asked anew", "/scenario", anew=True),
)


@dataclass(frozen=True)
class Cell:
    """What is measured as one. server: its name. asked: requests as they are sent, never at their end."""

    server: str
    port: int
    task: Task
    asked: Iterator[bytes]
    connections: int = 1


def serving_bench(bundle: Path, folder: Path, seconds: float, progress: Callable[[str], None]) -> pd.DataFrame:
    """Columns COLUMNS. folder: for what servers need and say.

    seconds: of measuring, beside starting the servers and waiting for what is under way when a turn ends.
    Raises BenchError.
    """
    with ExitStack() as stack:
        asked = list(_started(bundle, folder, stack, progress))
        stack.enter_context(on_cores(client_cores()))
        stack.enter_context(_without_collector())
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        for one in asked:
            runner.run(measured(one.port, one.asked, 1, WARM_SECONDS, WARM))
        turns: dict[Cell, list[Measured]] = {}
        order = [(number, cell) for number in range(ROUNDS) for cell in _round(asked, number)]
        for number, cell in order:
            progress(f"round {number + 1} of {ROUNDS}: {cell.task.name}, {cell.connections} at once, {cell.server}")
            turn = measured(cell.port, cell.asked, cell.connections, seconds / len(order), MOST)
            turns.setdefault(cell, []).append(runner.run(turn))
    return pd.DataFrame(sorted((_row(cell, of) for cell, of in turns.items()), key=_place), columns=COLUMNS)


def _round(asked: list[Cell], number: int) -> Iterator[Cell]:
    """Each task at each number of connections, by one server after the other; another is first in each round."""
    for task in TASKS:
        cells = [cell for cell in asked if cell.task == task]
        first = number % len(cells)
        for connections in CONNECTIONS:
            yield from (replace(cell, connections=connections) for cell in cells[first:] + cells[:first])


def _place(row: Mapping[str, Any]) -> tuple[int, int, int]:
    """Of a row in the table, whichever was measured first."""
    tasks, servers = [task.name for task in TASKS], (OURS, BARE, CONSTANT, MLFLOW)
    return tasks.index(row["task"]), row["connections"], servers.index(row["server"])


@contextmanager
def _without_collector() -> Iterator[None]:
    """Looking for garbage takes tens of milliseconds, in which answers would seem to be late."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _row(cell: Cell, turns: list[Measured]) -> dict[str, Any]:
    """Medians of rounds, the longest and the late of all."""
    if len({turn.body for turn in turns}) > 1:
        raise BenchError(f"{cell.server}, {cell.task.name}: two answers to the same request differ")
    turns_ms = [1000 * np.array(turn.latencies) for turn in turns]
    return {
        "task": cell.task.name,
        "server": cell.server,
        "connections": cell.connections,
        "requests": sum(map(len, turns_ms)),
        "per_second": np.median([len(turn.latencies) / turn.seconds for turn in turns]),
        "p50_ms": np.median([np.quantile(of, 0.5) for of in turns_ms]),
        "p99_ms": np.median([np.quantile(of, 0.99) for of in turns_ms]),
        "longest_ms": max(of.max() for of in turns_ms),
        "over_200_ms": sum(int((of > TAIL_MS).sum()) for of in turns_ms),
        "kilobytes": len(turns[0].body) / 1000,
    }


# --- servers --------------------------------------------------------------------------------------------------------


def _started(bundle: Path, folder: Path, stack: ExitStack, progress: Callable[[str], None]) -> Iterator[Cell]:
    """The service first: what it answers is what others have prepared."""

    def start(name: str, command: list[str], ready: str, **env: str) -> int:
        progress(f"starting {name}")
        port = free_port()
        told = [sys.executable, "-m", *(word.replace("PORT", str(port)) for word in command)]
        log = folder / f"{name.split()[0].strip(',')}.log"
        with on_cores(server_cores()):
            stack.enter_context(running(name, told, f"http://127.0.0.1:{port}{ready}", log, env))
        return port

    ours = start(OURS, ["serving", "--bundle", str(bundle.resolve()), "--port", "PORT"], "/readyz")
    bodies = _bodies(ours)
    answers = folder / "answers.json"
    answers.write_text(json.dumps({path: _answer(ours, path, body) for path, body in bodies.items()}), "utf-8")
    yield from _cells(OURS, ours, bodies)

    bare = ["uvicorn", "training.bench_servers.bare:app", "--factory", "--port", "PORT", *UVICORN]
    yield from _cells(BARE, start(BARE, bare, "/openapi.json", QONYS_BENCH_ANSWERS=str(answers)), bodies)

    constant = ["bentoml", "serve", "training.bench_servers.constant:Constant", "--host", "127.0.0.1", "--port", "PORT"]
    port = start(CONSTANT, constant, "/readyz", BENTOML_DO_NOT_TRACK="true")
    yield Cell(CONSTANT, port, FORECAST, repeat(request("POST", "/forecast", bodies["/forecast"])))

    model = _pyfunc(bundle, folder)
    mlflow = ["mlflow", "models", "serve", "-m", str(model), "--env-manager", "local", "--workers", "1", "-p", "PORT"]
    rows = {path: {"dataframe_records": [{"path": path, **json.loads(body)}]} for path, body in bodies.items()}
    invoked = {path: json.dumps(row).encode() for path, row in rows.items()}
    yield from _cells(MLFLOW, start(MLFLOW, mlflow, "/ping"), invoked, at="/invocations")


def _cells(server: str, port: int, bodies: Mapping[str, bytes], at: str = "") -> Iterator[Cell]:
    """bodies: by path of the task. at: path that is asked; empty: the task's."""
    for task in TASKS:
        path, body = at or task.path, bodies[task.path]
        asked = in_other_bytes("POST", path, body) if task.anew else repeat(request("POST", path, body))
        yield Cell(server, port, task, asked)


def _pyfunc(bundle: Path, folder: Path) -> Path:
    import mlflow

    # Imported before MLflow saves: it tells MLflow to draw no bars.
    from training import store  # noqa: F401
    from training.bench_servers import __path__ as places

    model, code = folder / "pyfunc", Path(places[0]) / "pyfunc.py"
    mlflow.pyfunc.save_model(  # pyright: ignore[reportPrivateImportUsage]
        str(model), python_model=str(code), artifacts={"bundle": str(bundle)}, pip_requirements=["qonys"]
    )
    return model


def _bodies(port: int) -> dict[str, bytes]:
    """What is asked for: all horizons of the first region, all flows of the first year, one change of one region."""
    told = json.loads(_answer(port, "/model"))
    region = json.loads(_answer(port, "/regions"))["regions"][0]["region"]
    lever = json.loads(_answer(port, "/indicators"))["levers"][0]
    change = "+5 %" if lever["relative"] else "+0.1"
    changes = [{"region": lever["regions"][0]["region"], "indicator": lever["indicator"], "change": change}]
    asked = {
        "/forecast": {"target": "net_migration", "regions": [region]},
        "/flows": {"horizons": told["horizons"][:1]},
        "/scenario": {"changes": changes, "allow_extrapolation": True},
    }
    return {path: json.dumps(body).encode() for path, body in asked.items()}


def _answer(port: int, path: str, body: bytes | None = None) -> str:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        raise BenchError(f"{path} is not answered by this bundle: {error.read().decode()[:300]}") from None
