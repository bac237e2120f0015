"""How tests are shared out to workers: what needs the same training goes to one of them."""

import gc
import os
from pathlib import PurePosixPath

import pytest

# Before numpy is imported: threads of one worker that wait, spinning, take the core of the other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from xdist.scheduler import LoadFileScheduling

SHARED = ("training", "serving")
"""Folders whose tests share a training. They have the most tests, so xdist begins with them."""
PROCESSES = ("bento", "bundle_source", "faults", "page_browser", "reliability", "reload", "service")
"""Tests of serving that wait for processes: apart from the others, whose bundle they find."""


class ByTraining(LoadFileScheduling):
    """A folder that shares a training is one unit of work, like any other file."""

    def _split_scope(self, nodeid: str) -> str:
        parts = PurePosixPath(super()._split_scope(nodeid)).parts
        if parts[:2] == ("tests", "serving") and parts[-1] in {f"test_{name}.py" for name in PROCESSES}:
            return "tests/serving/processes"
        return "/".join(parts[:2]) if parts[0] == "tests" and parts[1] in SHARED else "/".join(parts)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> ByTraining:
    return ByTraining(config, log)


def pytest_sessionstart() -> None:
    """Libraries make millions of objects that stay: the collector need not walk over them again and again."""
    gc.set_threshold(100_000, 50, 100)
