"""datapackage.json: which file holds which table, and what the maker of a dataset folder says of it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from features.contracts import TABLES, DatasetError
from features.fault_words import nearest

FILE = "datapackage.json"
REQUIRED = ("regions", "indicators")


@dataclass(frozen=True)
class Resource:
    """One table of the format and its file. hash: `sha256:…`, or None where none is given.

    gaps: years that are missing in a series for a reason: `years`, `reason`, and the key columns they are in.
    revisions: years whose months do not add up to the year's figure for a reason, likewise.
    """

    name: str
    path: Path
    hash: str | None
    gaps: tuple[dict, ...]
    revisions: tuple[dict, ...]

    def hash_faults(self) -> list[str]:
        if self.hash is None:
            return []
        algorithm, _, wanted = self.hash.rpartition(":")
        if algorithm != "sha256":
            return [f"{FILE}: resource '{self.name}': hash is '{self.hash}'; must be 'sha256:…'"]
        found = hashlib.sha256(self.path.read_bytes()).hexdigest()
        if found == wanted.lower():
            return []
        told = f"sha256 of '{self.path.name}' is {found[:12]}…; must be {wanted[:12]}… as the descriptor says"
        return [f"{self.name}: {told}"]


@dataclass(frozen=True)
class Descriptor:
    """resources: tables whose file is there. notes: what is no fault but worth knowing.

    licenses, sources: as they stand in the file, each with its title, name or path.
    releases: what was imported, in that order, each with its name, round, sha256 and counts.
    """

    name: str
    title: str
    licenses: tuple[dict, ...]
    sources: tuple[dict, ...]
    releases: tuple[dict, ...]
    resources: tuple[Resource, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def read_descriptor(folder: Path) -> Descriptor:
    """Raises DatasetError where there is nothing that could be a descriptor; all other faults are told in it."""
    told = _json(folder)
    entries, faults, notes = _tables(told["resources"])
    resources = []
    for entry in entries:
        resource, found = _resource(folder, entry)
        resources += [resource] if resource else []
        faults += found
    if not isinstance(told.get("name"), str):
        faults.insert(0, f"{FILE}: 'name' is missing; must be a short text")
    licenses, unread = _objects(told, "licenses", "{name, title, path}")
    sources, unread_too = _objects(told, "sources", "{title, path}")
    releases, unread_releases = _objects(told, "releases", "{name, published, sha256}")
    faults += unread + unread_too + unread_releases
    title = str(told.get("title", told.get("name")))
    words = (str(told.get("name")), title, licenses, sources, releases)
    return Descriptor(*words, tuple(resources), tuple(faults), (*notes, *_withheld(releases)))


def _withheld(releases: Iterable[dict]) -> list[str]:
    """Notes on cells that a release left out because they were small."""
    return [
        f"{table}: release '{release.get('name')}' withholds cells of fewer than {least} persons"
        for release in releases
        for table, least in (release.get("suppressed_below") or {}).items()
    ]


def _objects(told: dict, key: str, wanted: str) -> tuple[tuple[dict, ...], list[str]]:
    given = told.get(key, [])
    if isinstance(given, list) and all(isinstance(one, dict) for one in given):
        return tuple(given), []
    return (), [f"{FILE}: '{key}' must be a list of {wanted}"]


def _json(folder: Path) -> dict:
    path = folder / FILE
    if not path.is_file():
        raise DatasetError(str(folder), [f"{FILE}: not there; a dataset folder must have this descriptor"])
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(str(folder), [f"{FILE}: {error}; must be JSON in UTF-8"]) from None
    resources = told.get("resources") if isinstance(told, dict) else None
    if not isinstance(resources, list) or not all(isinstance(entry, dict) for entry in resources):
        raise DatasetError(str(folder), [f"{FILE}: 'resources' must be a list of {{name, path}}"])
    return told


def _tables(entries: list[dict]) -> tuple[list[dict], list[str], list[str]]:
    """Entries that are tables of the format, each once; faults; notes."""
    names = [str(entry.get("name")) for entry in entries]
    tables, faults, notes, meant = {}, [], [], set(names)
    for name, entry in zip(names, entries, strict=True):
        if name in tables:
            faults.append(f"{FILE}: resource '{name}' is there twice; names must be unique")
        elif name in TABLES:
            tables[name] = entry
        else:
            hint = nearest(name, set(TABLES) - set(names))
            told = f"{FILE}: resource '{name}' is not a table of the format ({', '.join(TABLES)}){hint}"
            (faults if hint else notes).append(told)
            meant |= {table for table in TABLES if f"'{table}'" in hint}
    return list(tables.values()), faults + _absent(meant), notes


def _absent(named: Iterable[str]) -> list[str]:
    faults = [
        f"{FILE}: resource '{name}' is missing; required: {', '.join(REQUIRED)}"
        for name in REQUIRED
        if name not in named
    ]
    if "flows" not in named and "movements" not in named:
        faults.append(f"{FILE}: neither 'flows' nor 'movements' is there; one of them must be")
    return faults


def _resource(folder: Path, entry: dict) -> tuple[Resource | None, list[str]]:
    name, given, where = entry["name"], entry.get("path"), f"{FILE}: resource '{entry['name']}'"
    gaps, faults = _years_with_reason(entry, "gaps", where)
    revisions, unread = _years_with_reason(entry, "revisions", where)
    faults += unread
    if not isinstance(given, str):
        return None, [*faults, f"{where}: path is {given!r}; must be the name of a file"]
    path = folder / given
    if not path.resolve().is_relative_to(folder.resolve()):
        return None, [*faults, f"{where}: path '{given}' leads out of the folder; must lie in it"]
    if not path.is_file():
        there = sorted(file.name for file in folder.iterdir() if file.is_file())
        return None, [*faults, f"{where}: file '{given}' is not there{nearest(given, there)}"]
    resource = Resource(name, path, None if entry.get("hash") is None else str(entry["hash"]), gaps, revisions)
    return resource, faults + resource.hash_faults()


def _years_with_reason(entry: dict, key: str, where: str) -> tuple[tuple[dict, ...], list[str]]:
    given = entry.get(key, [])
    if isinstance(given, list) and all(_has_years_and_reason(one) for one in given):
        return tuple(given), []
    return (), [f"{where}: {key} are {given!r}; must be a list of {{years: [2019], reason: why}}"]


def _has_years_and_reason(one: object) -> bool:
    if not isinstance(one, dict) or not one.get("reason"):
        return False
    years = one.get("years")
    return isinstance(years, list) and bool(years) and all(isinstance(year, int) for year in years)
