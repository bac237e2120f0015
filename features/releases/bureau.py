"""Files of the Bureau of National Statistics of Kazakhstan as a Release, in the boundaries of a dataset's regions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.dataset import Dataset
from features.indicators import INDICATORS
from features.releases.bureau_tables import BureauTable, bureau_tables
from features.releases.figures import Figure
from features.releases.findings import BureauError, Findings
from features.releases.long_form import is_long, long_figures
from features.releases.readings import Key, Readings, carried_notes, national_notes, readings, with_months
from features.releases.region_names import NATION, RegionNames, region_names
from features.releases.release import Release
from features.releases.sheets import Sheet, read_sheets
from features.releases.wide_form import wide_figures

ANOTHER_UNIT = 50.0
"""Figures that are so many times the dataset's own, or such a part of them, are in another unit rather than revised."""

COMPARED = 10
"""Figures that must be in both before units are compared."""

SERIES = {
    "indicators": ["region", "year", "indicator"],
    "movements": ["region", "year", "month", "measure", "scope"],
}
"""Columns that say what a value is, by table of the dataset format."""


@dataclass(frozen=True)
class BureauFile:
    """A file and the table that it holds."""

    path: Path
    table: BureauTable


def bureau_files(paths: Sequence[Path], number: str | None = None) -> list[BureauFile]:
    """number: of the table that all of them hold; else it is in each name.

    Raises BureauError that lists every file of which it is not clear.
    """
    findings, files = Findings(), []
    for path in paths:
        try:
            files.append(BureauFile(path, bureau_tables().table_of(path, number)))
        except BureauError as error:
            findings.faults += [fault for fault in error.faults if fault not in findings.faults]
    findings.check()
    return files


def read_bureau(
    files: Sequence[BureauFile],
    dataset: Dataset,
    published: int | None = None,
    name: str | None = None,
    factor: float | None = None,
) -> tuple[Release, list[str]]:
    """The files' figures of the dataset's regions; notes on what was left out and where the Bureau contradicts itself.

    published: the round in which all figures became known; by default, each figure's year and the indicator's
    publication lag. What they revise is replaced in the round of the last of them.
    name: by default the tables' sources and the round. factor: from the files' figures to our unit, instead of what the
    mapping and the files say.

    Raises BureauError that lists every fault of every file.
    """
    names, findings = region_names(dataset, bureau_tables()), Findings()
    tables = {file.table.number: file.table for file in files}
    if factor is not None and len(tables) > 1:
        raise BureauError([f"--factor {factor:g}: {len(tables)} tables are given; must be one, each has its own unit"])
    frames = []
    for number, table in tables.items():
        paths = [file.path for file in files if file.table.number == number]
        found = _found(paths, table, names, factor, findings)
        frames.append(_rows(found, table, published, findings))
        findings.faults += _other_units(frames[-1], table, dataset)
        findings.notes += _missing(found, table, names)
    findings.check()
    return _release(frames, list(tables.values()), name), findings.notes


def _found(
    paths: Iterable[Path], table: BureauTable, names: RegionNames, factor: float | None, findings: Findings
) -> Readings:
    before = len(findings.faults)
    sheets = [sheet for path in paths for sheet in read_sheets(path, findings)]
    figures = [(sheet.place, _figures(sheet, table, names, findings)) for sheet in sheets]
    if factor is not None:
        figures = [(place, [one._replace(factor=factor) for one in own]) for place, own in figures]
    found = readings(figures, table, names, findings)
    findings.notes += [*national_notes(found, table), *carried_notes(found, table, names)]
    own = with_months({key: one for key, one in found.items() if key.region != NATION}, table, findings)
    if not own and len(findings.faults) == before:
        told = ", ".join(dict.fromkeys(sheet.file for sheet in sheets))
        findings.faults.append(f"{told}: holds no figure of a region of the dataset; regions must stand in rows")
    return own


def _figures(sheet: Sheet, table: BureauTable, names: RegionNames, findings: Findings) -> list[Figure]:
    read = long_figures if is_long(sheet, names.known) else wide_figures
    return read(sheet, table, names, findings)


# --- rows of the dataset format -------------------------------------------------------------------------------------


def _rows(found: Readings, table: BureauTable, published: int | None, findings: Findings) -> pd.DataFrame:
    """Rows of `indicators` or `movements`."""
    last = max((key.period.year for key in found), default=0)
    if published is not None and published < last:
        findings.faults.append(
            f"--published {published}: {table.source} has figures of {last}; must be {last} or later"
        )
    rows = [_row(key, reading.value, table) | {"basis": _basis(reading.computed)} for key, reading in found.items()]
    columns = [*SERIES[_home(table)], _value_column(table), "basis"]
    made = pd.DataFrame(rows, columns=columns)
    return made.assign(published=published or made["year"] + table.publication_lag, source=table.source)


def _row(key: Key, value: float, table: BureauTable) -> dict[str, object]:
    row = {"region": key.region, "year": key.period.year}
    if table.indicator is not None:
        return row | {"indicator": table.indicator, "value": value}
    month = pd.NA if key.period.is_year else key.period.last
    return row | {"month": month, "measure": key.measure, "scope": table.scope, "persons": int(value)}


def _basis(computed: bool) -> str:
    return "derived" if computed else "official"


def _home(table: BureauTable) -> str:
    return "movements" if table.indicator is None else "indicators"


def _value_column(table: BureauTable) -> str:
    return "persons" if table.indicator is None else "value"


def _release(frames: list[pd.DataFrame], tables: list[BureauTable], name: str | None) -> Release:
    published = max(int(frame["published"].max()) for frame in frames)
    sources = [table.source for table in tables]
    told = name or f"{', '.join(dict.fromkeys(sources))} of {published}"
    homes = [_home(table) for table in tables]
    parts = {home: [frame for frame, own in zip(frames, homes, strict=True) if own == home] for home in homes}
    joined = {home: pd.concat(of, ignore_index=True) for home, of in parts.items()}
    if "movements" in joined:
        joined["movements"] = joined["movements"].astype({"month": "Int64"})
    return Release(told, published, joined)


# --- what the dataset says of it ------------------------------------------------------------------------------------


def _other_units(rows: pd.DataFrame, table: BureauTable, dataset: Dataset) -> list[str]:
    """A file in thousands is not a revision of the dataset's persons."""
    home, value = _home(table), _value_column(table)
    known = dataset.whole.tables().get(home) if len(rows) >= COMPARED else None
    if known is None:
        return []
    key = [column for column in SERIES[home] if column in known]
    known = known[[*key, value]].astype({"month": "Int64"} if "month" in key else {})
    both = rows.astype({"month": "Int64"} if "month" in rows else {}).merge(known, on=key, suffixes=("", "_known"))
    both = both[(both[value] != 0) & (both[f"{value}_known"] != 0)]
    if len(both) < COMPARED:
        return []
    ratio = float((both[value] / both[f"{value}_known"]).abs().median())
    if 1 / ANOTHER_UNIT < ratio < ANOTHER_UNIT:
        return []
    told = f"figures are {ratio:,.4g} times those that the dataset has of the same regions and years ({len(both)})"
    return [f"{table.source}: {told}; is the unit another? give --factor, from the file's figures to {_unit(table)}"]


def _unit(table: BureauTable) -> str:
    return "persons" if table.indicator is None else INDICATORS[table.indicator].unit


def _missing(found: Readings, table: BureauTable, names: RegionNames) -> list[str]:
    """Regions of the last year that have no figure in it."""
    if not found:
        return []
    last = max(key.period.year for key in found)
    there = {key.region for key in found if key.period.year == last}
    missing = [code for code in names.regions if names.existed(code, last) and code not in there]
    return [f"{table.source}: no figure of {', '.join(sorted(missing))} in {last}"] if missing else []
