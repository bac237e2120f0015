"""Growing a dataset folder by a release: new figures beside the old, old ones kept where they were revised."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.contracts import TABLES, DatasetError
from features.dataset import filled_table, load_dataset, read_file
from features.descriptor import FILE
from features.releases.comparing import COUNTS, Comparison, compare_fixed, compare_values
from features.releases.release import Release, ReleaseError, checked_tables, content_sha256
from features.releases.replacing import Folder, read_folder, replace_tables
from features.superseded import KEY, VALUE
from features.table_check import check_table


@dataclass(frozen=True, eq=False)
class Growth:
    """What a release changed in a dataset folder.

    counts: rows by table, columns added, unchanged, revised, withdrawn, outranked (of a weaker basis than what is
    there, left out). revised: table, key columns, old, new, difference, old_basis, basis, release; the largest
    differences first; new is empty where a row was withdrawn. known: whether the same release was in the folder.
    """

    folder: Path
    release: str
    counts: pd.DataFrame
    revised: pd.DataFrame
    known: bool = False


def grow(folder: Path, release: Release, new: bool = False) -> Growth:
    """Add a release to a dataset folder, or make the folder of it.

    The grown dataset takes the place of the old one at once, after it was read as a whole and found good; the same
    release again changes nothing.

    Raises DatasetError or ReleaseError; the folder is then as it was.
    """
    there = _new_folder(folder) if new else _good_folder(folder)
    superseded = _read(there, "superseded")
    rows = checked_tables(release)
    sha256 = content_sha256(release, rows)
    if any((one.get("name"), one.get("sha256")) == (release.name, sha256) for one in there.descriptor["releases"]):
        return Growth(
            folder, release.name, _counts({name: _nothing(table) for name, table in rows.items()}), _NONE, True
        )
    compared = _compared(there, superseded, rows, release)
    counts = _counts({name: one.counts for name, one in compared.items()})
    told = {"name": release.name, "published": release.published, "sha256": sha256}
    told["tables"] = {name: {what: n for what, n in one.counts.items() if n} for name, one in compared.items()}
    told |= {"suppressed_below": release.suppressed_below} if release.suppressed_below else {}
    replace_tables(there, _changed(superseded, compared), told)
    return Growth(folder, release.name, counts, _revised(compared, release.name))


def _good_folder(folder: Path) -> Folder:
    load_dataset(folder)
    return read_folder(folder)


def _new_folder(folder: Path) -> Folder:
    if (folder / FILE).exists():
        raise ReleaseError(f"{folder}: is a dataset already; a release is added to it with --into")
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "dataset"
    return Folder(folder, {"name": name, "title": folder.resolve().name, "resources": [], "releases": []}, None)


def _nothing(rows: pd.DataFrame) -> dict[str, int]:
    return dict.fromkeys(COUNTS, 0) | {"unchanged": len(rows)}


def _counts(counts: dict[str, dict[str, int]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(counts, orient="index", columns=list(COUNTS)).rename_axis("table")


# --- comparing ------------------------------------------------------------------------------------------------------


def _compared(
    there: Folder, superseded: pd.DataFrame, rows: dict[str, pd.DataFrame], release: Release
) -> dict[str, Comparison]:
    compared, faults = {}, []
    for name, own in rows.items():
        table = _read(there, name)
        if name in VALUE:
            compared[name] = compare_values(name, table, superseded, own, release)
        else:
            compared[name], found = compare_fixed(name, table, own)
            faults += found
    if faults:
        raise DatasetError(f"release '{release.name}'", faults)
    return compared


def _read(there: Folder, name: str) -> pd.DataFrame:
    """The table in the contract's types; without rows where the folder has none."""
    path = there.path(name)
    if path is None:
        types = {column: rule.dtype for column, rule in TABLES[name].columns.items()}
        needed = types if name == "superseded" else TABLES[name].required
        return pd.DataFrame({column: pd.Series(dtype=types[column]) for column in needed})
    table = check_table(read_file(path), TABLES[name]).frame.reset_index(drop=True)
    return filled_table(name, table) if name == "superseded" else table


def _changed(superseded: pd.DataFrame, compared: dict[str, Comparison]) -> dict[str, pd.DataFrame]:
    """Tables that the release changes, and `superseded` where it does."""
    changed = {name: one for name, one in compared.items() if one.counts["unchanged"] < sum(one.counts.values())}
    tables = {name: one.table for name, one in changed.items()}
    parts = [superseded[~superseded["table"].isin(list(changed))], *(one.superseded for one in changed.values())]
    parts = [part for part in parts if len(part)]
    return tables | ({"superseded": pd.concat(parts, ignore_index=True)} if parts else {})


def _revised(compared: dict[str, Comparison], release: str) -> pd.DataFrame:
    told = [one.revised.assign(table=name) for name, one in compared.items() if len(one.revised)]
    if not told:
        return _NONE
    both = pd.concat(told, ignore_index=True).reindex(columns=_NONE.columns).assign(release=release)
    return both.sort_values("difference", key=lambda one: -one.abs(), kind="stable", ignore_index=True)


_NONE = pd.DataFrame(columns=[*KEY, "old", "new", "difference", "old_basis", "basis", "release"])
