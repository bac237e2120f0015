"""How tests are shared out: what needs the same training goes to one worker, and what takes longest goes first."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHARED = ("training", "serving")
"""Folders whose tests share a training."""
LONG = (*SHARED, "test_end_to_end.py", "test_crash.py", "test_leakage.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: LONG.index(_group(item)) if _group(item) in LONG else len(LONG))


def _group(item: pytest.Item) -> str:
    """Its folder where that shares a training, else its file."""
    if not item.path.is_relative_to(HERE):
        return str(item.path)
    first = item.path.relative_to(HERE).parts[0]
    return first if first in SHARED or first in LONG else str(item.path)
