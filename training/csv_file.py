"""A file of a table or a figure that is written whole or not at all."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from training.config import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE = (".csv", ".json")
FIGURE = (".png", ".svg")


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


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Make its folder, and replace the file that was there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(unfinished)
        os.replace(unfinished, path)
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
    nearest = next(place for place in places if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(f"{option} {path}: {nearest} cannot be written to; choose another place")
