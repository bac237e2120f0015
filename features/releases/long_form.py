"""The form of the CSV that the Bureau's site gives out: a row per region, period and group of each classification.

`PERIOD` says the period; the day in `DAT` is the period's last, also of figures that are of its first day.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from features.releases.bureau_tables import BureauTable, BureauTables
from features.releases.bureau_words import is_unknown, plain
from features.releases.figures import Figure, LeftOut
from features.releases.findings import Findings
from features.releases.periods import Period, read_period
from features.releases.region_names import NATION, RegionNames
from features.releases.sheets import Sheet


class _Columns(NamedTuple):
    """Positions. groups: of the classifications beside region and period, by heading."""

    period: int
    region: int
    value: int
    groups: dict[str, int]


def is_long(sheet: Sheet, known: BureauTables) -> bool:
    return bool(sheet.rows) and _columns(sheet.rows[0], known) is not None


def long_figures(sheet: Sheet, table: BureauTable, names: RegionNames, findings: Findings) -> list[Figure]:
    """The figures of regions and nation in which every classification is at its total."""
    columns = _columns(sheet.rows[0], names.known)
    if columns is None:
        return []
    kept = list(_at_totals(sheet, columns, names, findings))
    periods = _periods({cells[columns.period] for _, cells in kept}, table, names.known)
    left_out, kind, unread = LeftOut(sheet.place), cache(names.kind), dict[object, str]()
    figures = []
    for row, cells in kept:
        name, period, cell = str(cells[columns.region]), periods[cells[columns.period]], cells[columns.value]
        if kind(name) == "smaller":
            left_out.add("units inside a region", row)
        elif kind(name) not in ("region", "nation"):
            unread.setdefault(name, _unknown(sheet, row, columns, name, names))
        elif period is None:
            unread.setdefault(cells[columns.period], _no_period(sheet, row, columns, cells))
        elif not is_unknown(cell):
            region = NATION if kind(name) == "nation" else name
            figures.append(Figure(sheet.at(row, columns.value), region, period, None, cell, table.factor))
    left_out.tell(findings)
    findings.faults += unread.values()
    return figures


def _columns(head: Sequence[object], known: BureauTables) -> _Columns | None:
    """None where the head is not that of the long form."""
    named = {str(cell).strip(): position for position, cell in enumerate(head) if cell is not None}
    form = known.long_form
    region = next((name for name in named if name.startswith(form["region"])), None)
    if region is None or form["period"] not in named or form["value"] not in named:
        return None
    # Beside each classification stands a column of its codes, whose name has an L before it.
    aside = {region, form["period"], form["value"], *form["ignored"], *(f"L{name}" for name in named)}
    groups = {name: position for name, position in named.items() if name not in aside}
    return _Columns(named[form["period"]], named[region], named[form["value"]], groups)


def _at_totals(
    sheet: Sheet, columns: _Columns, names: RegionNames, findings: Findings
) -> Iterator[tuple[int, Sequence[object]]]:
    """Rows whose groups are all totals. A classification of a single group is no reason to leave rows out."""
    told = [cells for cells in sheet.rows[1:] if cells[columns.value] is not None]
    kept = {
        position: _totals(sheet.at(0, position), name, {cells[position] for cells in told}, names, findings)
        for name, position in columns.groups.items()
    }
    others = 0
    for row, cells in enumerate(sheet.rows[1:], start=1):
        if cells[columns.value] is None:
            continue
        if all(cells[position] in totals for position, totals in kept.items()):
            yield row, cells
        else:
            others += 1
    if others:
        classified = ", ".join(columns.groups)
        findings.notes.append(f"{sheet.place}: {others:,} rows of single groups left out (by {classified})")


def _totals(where: str, name: str, groups: set[object], names: RegionNames, findings: Findings) -> frozenset[object]:
    totals = {group for group in groups if plain(group) in names.known.words["whole"]}
    if not totals and len(groups) > 1:
        shown = ", ".join(sorted(f"'{group}'" for group in groups)[:6])
        findings.faults.append(
            f"{where}: classification '{name}' has no total among {shown}; must have a group of all, like 'Всего'"
        )
    return frozenset(totals or groups)


def _periods(told: set[object], table: BureauTable, known: BureauTables) -> dict[object, Period | None]:
    """Six digits are year and month; where they are all of December, years that are named by their last month."""
    read = {cell: _period(str(cell).strip(), table, known) for cell in told}
    months = [period for period in read.values() if period is not None and not period.is_year]
    if months and all(period.first == period.last == 12 for period in months):
        return {cell: period and Period(period.year) for cell, period in read.items()}
    return read


def _period(text: str, table: BureauTable, known: BureauTables) -> Period | None:
    digits = re.fullmatch(r"((?:19|20)\d\d)(0[1-9]|1[0-2])", text)
    if digits:
        return Period(int(digits[1]), int(digits[2]), int(digits[2]))
    return read_period([text], table, known)


def _no_period(sheet: Sheet, row: int, columns: _Columns, cells: Sequence[object]) -> str:
    return f"{sheet.at(row, columns.period)}: '{cells[columns.period]}' is no period; must be like 2024 or 202406"


def _unknown(sheet: Sheet, row: int, columns: _Columns, name: str, names: RegionNames) -> str:
    where = sheet.at(row, columns.region)
    if sheet.rows[row][columns.region] is None:
        return f"{where}: is empty beside a figure; must be the name of a region"
    return f"{where}: unknown region '{name}'{names.hint(name)}; must be one of the dataset's regions, or an alias"
