"""A CSV file that is written whole or not at all."""

import os
from pathlib import Path

import pandas as pd

from training.config import ConfigError


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Make its folder, and replace the file that was there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    table.to_csv(unfinished, index=False)
    os.replace(unfinished, path)


def check_out(path: Path) -> None:
    """Before the work rather than after it."""
    if path.is_dir():
        raise ConfigError(f"--out {path}: is a folder; must be a file")
    nearest = next(parent for parent in path.absolute().parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(f"--out {path}: {nearest} cannot be written to; choose another place")
