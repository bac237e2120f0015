"""The report of the bench of the service, in Markdown."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from training.bench_cores import client_cores, server_cores
from training.serving_bench import (
    BARE,
    CONNECTIONS,
    CONSTANT,
    FORECAST,
    MLFLOW,
    OURS,
    ROUNDS,
    TASKS,
)

LIBRARIES = ("qonys", "bentoml", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "mlflow", "pydantic")
WANTED = ((MLFLOW, 12.0), (CONSTANT, 0.9))
"""How many times as often as another a forecast is to be answered."""
WANTED_AT = (1, 8)
TAIL = 2.0
"""What the p99 of a forecast at 8 connections may be of its p50."""
NOTES = f"""One worker each, on loopback, {ROUNDS} rounds; speeds and quantiles are medians of rounds. All have uvloop
and httptools. The service writes its log and counts its metrics as it always does, and keeps answers that were given
before; *asked anew* is the same request in other bytes each time (white space after the JSON), of which nothing is
kept. The FastAPI app has neither log nor metrics; it checks the same request and answers the same bytes, prepared,
which for the what-if nobody could do: there it is a bound and no rival. BentoML's endpoint answers one word. MLflow
serves the same bundle as a pyfunc that has prepared what can be prepared."""


def bench_report(table: pd.DataFrame) -> str:
    """table: of `serving_bench`."""
    parts = [
        "# How fast the service is",
        "\n".join(f"- {line}" for line in _machine()),
        NOTES,
        _markdown(table.round({"per_second": 0, "p50_ms": 2, "p99_ms": 2, "longest_ms": 1, "kilobytes": 1})),
        "The service against the others, times as many requests per second:",
        _markdown(ratios(table).round(2)),
        "\n".join(f"- {line}" for line in _verdicts(table)),
    ]
    return "\n\n".join(parts) + "\n"


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Requests per second of the service over those of each other: task, connections, a column for each."""
    wide = table.pivot(index=["task", "connections"], columns="server", values="per_second")
    others = [name for name in (CONSTANT, BARE, MLFLOW) if name in wide]
    found = wide[others].rdiv(wide[OURS], axis=0).reset_index()
    return found.sort_values(["task", "connections"], key=lambda values: values.map(_place), ignore_index=True)


def _place(value: object) -> int:
    order = [*(task.name for task in TASKS), *CONNECTIONS]
    return order.index(value)  # pyright: ignore[reportArgumentType]


def _verdicts(table: pd.DataFrame) -> Iterator[str]:
    found = ratios(table).set_index(["task", "connections"])
    for other, wanted in WANTED:
        for connections in WANTED_AT:
            ratio = float(found.loc[(FORECAST.name, connections), other])  # pyright: ignore[reportArgumentType, reportCallIssue]
            told = f"a forecast as often as {other} at {connections}: {ratio:.2f} times, wanted {wanted:g} or more"
            yield f"{told}: {_met(ratio >= wanted)}"
    ours = table[(table["server"] == OURS) & (table["task"] == FORECAST.name)].set_index("connections")
    tail = float(ours["p99_ms"][8] / ours["p50_ms"][8])
    yield f"p99 of a forecast at 8 over its p50: {tail:.2f}, wanted {TAIL:g} or less: {_met(tail <= TAIL)}"
    late, of = int(ours["over_200_ms"].sum()), int(ours["requests"].sum())
    yield f"forecasts that took 200 ms or more: {late} of {of:,}, wanted none: {_met(not late)}"


def _met(is_met: bool) -> str:
    return "met" if is_met else "NOT met"


def _machine() -> Iterator[str]:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    yield datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield f"{_processor()}, {os.cpu_count()} cores; load at the end, of 1, 5 and 15 minutes: {load}"
    if server_cores():
        yield f"servers on {_listed(server_cores())}, the client on {_listed(client_cores())}"
    yield f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    yield ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def _listed(cores: set[int]) -> str:
    return f"core{'s' if len(cores) > 1 else ''} {', '.join(map(str, sorted(cores)))}"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _markdown(table: pd.DataFrame) -> str:
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    lines = [list(table.columns), ["---"] * len(table.columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return "" if value != value else f"{value:,.10g}" if isinstance(value, int | float) else str(value)
