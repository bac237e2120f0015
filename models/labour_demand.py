"""Demand: jobs that are expected by region and year, as a user's file states them."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from reprlib import repr as shown
from typing import Any

import pandas as pd

from features.fault_words import nearest
from models.labour import LabourError

COLUMNS = ("region", "year", "jobs", "source")
SECTION = "jobs"
MOST = 1_000
"""Rows, where no more regions and years are projected."""
MOST_JOBS = 10**10
"""In a region and year: more than there are people on earth."""
Rows = list[tuple[str, Mapping[str, Any]]]
"""What a row is called in an error, and its cells."""


def read_demand(path: Path, regions: Sequence[str], years: Sequence[int]) -> pd.DataFrame:
    """Rows region, year, jobs (persons at work), source of a CSV file, or of the `[[jobs]]` of a TOML file.

    Raises LabourError that lists every fault, with row and column.
    """
    rows, faults = (_toml_rows if path.suffix == ".toml" else _csv_rows)(path)
    return _checked(str(path), rows, faults, regions, years)


def demand_of(given: object, regions: Sequence[str], years: Sequence[int]) -> pd.DataFrame:
    """The same of a list of dictionaries."""
    return _checked(SECTION, *_listed(given), regions, years)


def _checked(name: str, rows: Rows, faults: list[str], regions: Sequence[str], years: Sequence[int]) -> pd.DataFrame:
    most = max(MOST, len(regions) * len(years))
    if len(rows) > most:
        faults = [f"has {len(rows)} rows; must have one for a region and year, {most} at most"]
    else:
        faults += [f"{row_name}: {fault}" for row_name, row in rows for fault in _row_faults(row, regions, years)]
        faults += [*_duplicates(rows), *([] if rows or faults else ["has no row; must have one at least"])]
    if faults:
        raise LabourError("\n".join([f"{name}:", *(f"  {fault}" for fault in faults)]))
    table = pd.DataFrame([{key: row[key] for key in COLUMNS} for _, row in rows])
    return table.astype({"year": "float64", "jobs": "float64"}).astype({"year": "int64"})


def _csv_rows(path: Path) -> tuple[Rows, list[str]]:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise LabourError(f"{path}: {error}; must be a CSV file with columns {', '.join(COLUMNS)}") from None
    rows: Rows = [(f"row {line}", row) for line, row in enumerate(_records(table), start=1)]
    missing = [f"column {name} is missing; must be there" for name in COLUMNS if name not in table]
    unknown = [f"column '{name}': unknown{nearest(str(name), COLUMNS)}" for name in table if name not in COLUMNS]
    return rows, missing + unknown


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def _toml_rows(path: Path) -> tuple[Rows, list[str]]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LabourError(f"{path}: {error}; must be a TOML file with rows [[{SECTION}]]") from None
    rows, faults = _listed(data.get(SECTION, []))
    return rows, [f"'{key}': unknown{nearest(key, [SECTION])}" for key in data if key != SECTION] + faults


def _listed(given: object) -> tuple[Rows, list[str]]:
    """Rows of a list, and keys that are missing or unknown."""
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        return [], [f"{SECTION}: must be a list of rows with {', '.join(COLUMNS)}"]
    rows: Rows = [(f"{SECTION} {line}", row) for line, row in enumerate(given, start=1)]
    faults = []
    for name, row in rows:
        faults += [f"{name}: {key} is missing; must be there" for key in COLUMNS if key not in row]
        faults += [f"{name}: '{key}': unknown{nearest(str(key), COLUMNS)}" for key in row if key not in COLUMNS]
    return rows, faults


def _row_faults(row: Mapping[str, Any], regions: Sequence[str], years: Sequence[int]) -> list[str]:
    """Of the cells that are there."""
    faults = []
    if row.get("region", regions[0]) not in regions:
        span = f"{regions[0]} … {regions[-1]} ({len(regions)})"
        faults.append(f"unknown region {shown(row['region'])}; known: {span}{nearest(str(row['region']), regions)}")
    if _number(row.get("year", years[0])) not in years:
        faults.append(f"year = {shown(row['year'])}: must be a projected year, {years[0]} to {years[-1]}")
    if not 0 <= _number(row.get("jobs", 0)) <= MOST_JOBS:
        faults.append(f"jobs = {shown(row['jobs'])}: must be a number from 0 to {MOST_JOBS:,}")
    source = row.get("source", "given")
    if not (isinstance(source, str) and source.strip()):
        faults.append("source is empty; must say whose figure it is")
    return faults


def _number(value: object) -> float:
    """NaN of what is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _duplicates(rows: Rows) -> list[str]:
    first: dict[tuple[str, float], str] = {}
    faults = []
    for name, row in rows:
        key = (str(row.get("region")), _number(row.get("year")))
        if not math.isnan(key[1]) and first.setdefault(key, name) != name:
            faults.append(f"{name}: {key[0]} {key[1]:.0f} a second time, after {first[key]}; must be once")
    return faults
