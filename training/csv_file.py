"""A file of a table, a figure or a page that is written whole or not at all."""

import errno
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from training.config import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE = (".csv", ".json")
FIGURE = (".png", ".svg")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Of an OSError: there is no room, anywhere on the disk."""


def write_csv(table: pd.DataFrame, path: Path) -> None:
    _replace(path, lambda unfinished: table.to_csv(unfinished, index=False))


def write_table(table: pd.DataFrame, path: Path) -> None:
    """As CSV, or as a JSON list of rows where the file's name ends so; see `check_out`."""
    if path.suffix == ".json":
        _replace(path, lambda unfinished: table.to_json(unfinished, orient="records", force_ascii=False, indent=1))
    else:
        write_csv(table, path)


def write_figure(figure: "Figure", path: Path) -> None:
    """As PNG or SVG, by how the file's name ends; see `check_out`."""
    _replace(path, lambda unfinished: figure.savefig(unfinished, format=path.suffix[1:], dpi=130))


def write_page(page: str, path: Path) -> None:
    _replace(path, lambda unfinished: unfinished.write_text(page, "utf-8"))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Make its folder, and replace the file that was there in one step."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        unfinished.unlink(missing_ok=True)


def check_out(path: Path | None, option: str = "--out", endings: Sequence[str] = ()) -> None:
    """Before the work rather than after it. endings: what the file's name may end with, as `.csv`."""
    if path is None:
        return
    if path.is_dir():
        raise ConfigError(f"{option} {path}: is a folder; must be a file")
    if endings and path.suffix not in endings:
        raise ConfigError(f"{option} {path}: must end with {' or '.join(endings)}")
    _check_place(path, option, [*path.absolute().parents])


def check_folder(path: Path | None, option: str = "--out") -> None:
    """The same of a folder, which may be there."""
    if path is None:
        return
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{option} {path}: is a file; must be a folder")
    _check_place(path, option, [path.absolute(), *path.absolute().parents])


def _check_place(path: Path, option: str, places: list[Path]) -> None:
    """By writing: what is allowed says nothing of root, who may write everywhere, nor of what cannot hold files."""
    nearest = next(place for place in places if place.exists())
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError:
        raise ConfigError(f"{option} {path}: {nearest} cannot be written to; choose another place") from None


def check_input(path: Path | None, option: str, right: str) -> None:
    """A file that is read later. right: what it must be, as `a TOML file`."""
    if path is not None and not path.is_file():
        told = "is a folder" if path.is_dir() else "is not there"
        raise ConfigError(f"{option} {path}: {told}; must be {right}")
