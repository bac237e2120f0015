"""How tests are shared out to workers, and the training that both need, made once."""

import fcntl
import gc
import os
import pickle
import sys
from pathlib import Path, PurePosixPath

import pytest

# Processes that tests start need not compile each module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Before numpy is imported: threads of one worker that wait, spinning, take the core of the other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from xdist.scheduler import LoadFileScheduling

SHARED = ("training", "serving")
"""Folders whose tests share what they have read, computed and imported: one unit of work each."""
PROCESSES = ("bento", "bundle_source", "faults", "page_browser", "reliability", "reload", "service")
"""Tests of serving that wait for processes: apart from the others, whose bundle they find."""
EARLY = (
    *("tests/serving", "tests/models/test_forecaster.py", "tests/training", "tests/serving/processes"),
    *("tests/test_crash.py", "tests/test_no_skew.py", "tests/test_end_to_end.py", "tests/test_leakage.py"),
)
"""Units that take longest, in the order in which they begin: no worker is to end long before the other, nor to wait
for the training that `tests/serving` begins with. Others go by their number of tests."""


class ByTraining(LoadFileScheduling):
    """A folder that shares a training is one unit of work, like any other file."""

    def _split_scope(self, nodeid: str) -> str:
        parts = PurePosixPath(super()._split_scope(nodeid)).parts
        if parts[:2] == ("tests", "serving") and parts[-1] in {f"test_{name}.py" for name in PROCESSES}:
            return "tests/serving/processes"
        return "/".join(parts[:2]) if parts[0] == "tests" and parts[1] in SHARED else "/".join(parts)

    def _assign_work_unit(self, node) -> None:
        early = next((scope for scope in EARLY if scope in self.workqueue), None)
        if early is not None:
            self.workqueue.move_to_end(early, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> ByTraining:
    return ByTraining(config, log)


def pytest_sessionstart() -> None:
    """Libraries make millions of objects that stay: the collector need not walk over them again and again. And what one
    worker compiles, the other reads."""
    gc.set_threshold(100_000, 50, 100)
    sys.dont_write_bytecode = False


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `bundle`, a small training on the embedded data, and `trained`, the same beside its backtest.

    Who needs it first trains, in whichever worker; others wait for it.
    """
    from models.bundle import save_bundle
    from training.config import load_config
    from training.run import train

    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "embedded"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "trained").is_file():
            made = train(load_config(["draws=200", "horizons=[1, 2]"]))
            # Before its forecast is made: futures of flows are functions, which cannot be pickled.
            trained = pickle.dumps(made)
            save_bundle(made[0], folder / "bundle")
            (folder / "trained").write_bytes(trained)
    return folder
