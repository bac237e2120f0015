"""The service as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
BENTOML = Path(sys.executable).with_name("bentoml")


@contextmanager
def running(command: list[str], port: int, log: Path, env: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen]]:
    """A process group of its own that answers at a port; its address and the process."""
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True)
        try:
            for _ in range(400):
                assert process.poll() is None, log.read_text()
                try:
                    if httpx.get(f"{address}/readyz", timeout=1).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield address, process
        finally:
            # Asked first: the worker has a session of its own, and a kill of the parent would leave it running.
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def environment(**values: object) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("QONYS_BUNDLE", "PROMETHEUS_MULTIPROC_DIR")
    }
    return kept | {"BENTOML_DO_NOT_TRACK": "true"} | {name: str(value) for name, value in values.items()}
