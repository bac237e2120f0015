"""Replacing tables of a dataset folder at once: a crash at any moment leaves the old dataset or the new one, whole."""

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.contracts import TABLES, DatasetError
from features.dataset import load_dataset
from features.descriptor import FILE
from features.releases.release import ReleaseError

UNFINISHED = ".unfinished-"
_VERSION = re.compile(rf"({'|'.join(TABLES)})-[0-9a-f]{{12}}\.(csv|parquet|pq)")
"""Names of tables that were put in place here."""


@dataclass(frozen=True, eq=False)
class Folder:
    """A dataset folder: its descriptor as JSON, and the bytes it was read from, None where there is no folder yet."""

    root: Path
    descriptor: dict
    read: bytes | None

    def path(self, table: str) -> Path | None:
        return next((self.root / one["path"] for one in self.descriptor["resources"] if one["name"] == table), None)


def read_folder(folder: Path) -> Folder:
    """A folder whose dataset is known to be good."""
    read = (folder / FILE).read_bytes()
    descriptor = json.loads(read.decode("utf-8-sig"))
    return Folder(folder, descriptor | {"releases": descriptor.get("releases", [])}, read)


def replace_tables(folder: Folder, tables: dict[str, pd.DataFrame], release: dict) -> None:
    """Put tables in place, in the format that each has in the folder, and name the release in the descriptor.

    New files are written beside the old ones, under names that hold their hash, and read together with what stays; then
    one step replaces the descriptor. What no descriptor names any longer is removed last.

    Raises DatasetError, with the folder as it was, where the whole would not be a good dataset.
    """
    new = not folder.root.exists()
    unfinished = folder.root / f"{UNFINISHED}{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        paths = {name: _write_table(unfinished, name, table, folder.path(name)) for name, table in tables.items()}
        descriptor = _descriptor(folder.descriptor, unfinished, paths, release)
        _check(folder, unfinished, descriptor)
        _commit(folder, unfinished, list(paths.values()))
        _remove_replaced(folder, descriptor)
    finally:
        _sweep(folder.root)
        if new and not any(folder.root.iterdir()):
            folder.root.rmdir()


# --- writing --------------------------------------------------------------------------------------------------------


def _write_table(unfinished: Path, name: str, table: pd.DataFrame, old: Path | None) -> str:
    """The name of the file."""
    suffix = old.suffix if old else ".csv"
    draft = unfinished / f"draft{suffix}"
    if suffix in (".parquet", ".pq"):
        table.to_parquet(draft, index=False)
    else:
        table.to_csv(draft, index=False, lineterminator="\n")
    path = f"{name}-{_sha256(draft)[:12]}{suffix}"
    _flush(draft)
    os.replace(draft, unfinished / path)
    return path


def _descriptor(told: dict, unfinished: Path, paths: dict[str, str], release: dict) -> dict:
    new = {
        name: {"name": name, "path": path, "hash": f"sha256:{_sha256(unfinished / path)}"}
        for name, path in paths.items()
    }
    kept = [entry | new.pop(entry["name"], {}) for entry in told["resources"]]
    return told | {"resources": [*kept, *new.values()], "releases": [*told["releases"], release]}


def _check(folder: Folder, unfinished: Path, descriptor: dict) -> None:
    """Read the dataset as it will be: new files, and links to the ones that stay."""
    for entry in descriptor["resources"]:
        there = unfinished / entry["path"]
        if entry["name"] in TABLES and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            _link(folder.root / entry["path"], there)
    draft = unfinished / FILE
    draft.write_text(json.dumps(descriptor, indent=2, ensure_ascii=False) + "\n", "utf-8")
    _flush(draft)
    try:
        load_dataset(unfinished)
    except DatasetError as error:
        # The folder that a user knows is not the one that was read.
        raise DatasetError(
            f"{folder.root} with the release '{descriptor['releases'][-1]['name']}'", error.faults
        ) from None


def _link(file: Path, place: Path) -> None:
    try:
        os.link(file, place)
    except OSError:
        # Not every file system has links.
        shutil.copyfile(file, place)


# --- putting in place -----------------------------------------------------------------------------------------------


def _commit(folder: Folder, unfinished: Path, files: list[str]) -> None:
    for file in files:
        os.replace(unfinished / file, folder.root / file)
    _flush(folder.root)
    there = folder.root / FILE
    if (there.read_bytes() if there.exists() else None) != folder.read:
        raise ReleaseError(f"{folder.root}: was changed by somebody else meanwhile; import the release again")
    os.replace(unfinished / FILE, there)
    _flush(folder.root)


def _remove_replaced(folder: Folder, descriptor: dict) -> None:
    named = {entry["path"] for entry in descriptor["resources"]}
    for entry in folder.descriptor["resources"]:
        if entry["name"] in TABLES and entry["path"] not in named:
            (folder.root / entry["path"]).unlink(missing_ok=True)


def _sweep(root: Path) -> None:
    """What this or an earlier import that was stopped left: files put here that the descriptor does not name."""
    there = root / FILE
    named = {one.get("path") for one in json.loads(there.read_text("utf-8-sig"))["resources"]} if there.exists() else ()
    for file in root.iterdir():
        if _VERSION.fullmatch(file.name) and file.name not in named:
            file.unlink()
    for rest in root.glob(f"{UNFINISHED}*"):
        shutil.rmtree(rest, ignore_errors=True)


def _flush(path: Path) -> None:
    """To the disk; of a folder, its names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
