"""Cores: servers that are measured and the client that measures them are kept apart, where the system lets them be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def server_cores() -> set[int]:
    """All that this process may have, but the client's; empty: there is one, or the system does not let it choose."""
    return _cores() - client_cores()


def client_cores() -> set[int]:
    """One; empty: as for servers."""
    cores = _cores()
    return {max(cores)} if len(cores) > 1 else set()


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """This thread, and what it starts; empty: wherever the system likes."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
