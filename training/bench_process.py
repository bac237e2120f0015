"""A server as a process: started, waited for, and ended with whatever it started."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from training.bench_load import BenchError

ROOT = Path(__file__).parents[1]
START = 120
"""Seconds in which a server must answer; the slowest takes about 20 on two cores."""
END = 20
"""Seconds in which a server that is told to end must have ended."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(name: str, command: Sequence[str], ready: str, log: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Until left. ready: address that is answered with 200 once the server works. log: where it writes.

    Raises BenchError, with the end of the log, where it does not start.
    """
    # Programs beside Python's own are found whether or not its environment is the active one.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PATH": path, **env}, stdout=out, stderr=out, start_new_session=True
        )
        try:
            _wait(name, process, ready, log)
            yield
        finally:
            _end(process)


def _wait(name: str, process: subprocess.Popen, ready: str, log: Path) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        if _answers(ready):
            return
        time.sleep(0.1)
    found = f"did not start in {START} s" if process.poll() is None else f"ended with {process.returncode}"
    raise BenchError(f"{name}: {found}; it said:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _end(process: subprocess.Popen) -> None:
    """Asked first: workers have sessions of their own, and a kill of the parent would leave them running."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
