"""Progress: a line that tells what is being done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

err = Console(stderr=True)


@contextmanager
def progress_line(what: str) -> Iterator[Callable[[str], None]]:
    """In a terminal one line that changes; in a file or pipe a line per message."""
    if err.is_terminal:
        with err.status(what) as status:
            yield lambda message: status.update(f"{what}: {message}")
    else:
        yield lambda message: err.print(f"{what}: {message}", highlight=False)
