"""The form of the Bureau's spreadsheets: a title, regions in rows, periods in columns, notes below."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from features.contracts import MEASURES
from features.releases.bureau_tables import BureauTable
from features.releases.bureau_words import has_figure, is_number, is_unknown, plain
from features.releases.figures import Figure, LeftOut
from features.releases.findings import Findings
from features.releases.periods import Period, period_in, read_period, year_in
from features.releases.region_names import NATION, RegionNames
from features.releases.sheets import Sheet

SIZES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
LEFT_OUT = {
    "including": "words between rows ('of which')",
    "smaller": "units inside a region",
    "part": "figures of a part (urban, rural, men, women)",
    "whole": "a second row of totals",
    "words": "words below or between the figures",
}


class _Column(NamedTuple):
    position: int
    period: Period
    measure: str | None


class _Layout(NamedTuple):
    """Where things are in a sheet, counted from 0. head: rows of headings. titles: texts above and beside them."""

    name_column: int
    first_row: int
    head: list[int]
    titles: list[str]


def wide_figures(sheet: Sheet, table: BureauTable, names: RegionNames, findings: Findings) -> list[Figure]:
    """The sheet's figures, dashes among them; none, and a note, where no row of it begins with a region."""
    if sheet.name is not None and names.kind(sheet.name) == "part":
        findings.notes.append(f"{sheet.place}: {LEFT_OUT['part']} left out: the whole sheet")
        return []
    layout = _layout(sheet, names)
    if layout is None:
        findings.notes.append(f"{sheet.place}: no row with figures begins with a region; left out")
        return []
    columns = _columns(sheet, layout, table, names, findings)
    factor = _factor(sheet, layout, table, names, findings)
    left_out, withheld, figures = LeftOut(sheet.place), [], []
    for row, name in _rows(sheet, layout, columns, names, left_out, findings):
        for column in columns:
            where, cell = sheet.at(row, column.position), sheet.rows[row][column.position]
            if not is_unknown(cell):
                figures.append(Figure(where, name, column.period, column.measure, cell, factor))
            elif cell is not None:
                withheld.append(where)
    left_out.tell(findings)
    if withheld:
        findings.notes.append(f"{withheld[0]}: marked as not available or withheld{_more(withheld)}")
    return figures


# --- where things are -----------------------------------------------------------------------------------------------


def _layout(sheet: Sheet, names: RegionNames) -> _Layout | None:
    width = len(sheet.rows[0]) if sheet.rows else 0
    named = [[row for row in range(len(sheet.rows)) if _is_named(sheet, row, c, names)] for c in range(width)]
    if not any(named):
        return None
    name_column = max(range(width), key=lambda column: len(named[column]))
    first_row = _first_row(sheet, name_column, named[name_column][0])
    above = {row: _filled(sheet.rows[row]) for row in range(first_row)}
    head = [row for row, cells in above.items() if _is_heading(cells, name_column) and not _is_numbering(cells)]
    titles = [str(cell) for row, cells in above.items() if row not in head for cell in cells.values()]
    return _Layout(name_column, first_row, head, [*([sheet.name] if sheet.name else []), *titles])


def _first_row(sheet: Sheet, name_column: int, first_named: int) -> int:
    """The first row of figures, which may begin with a name that is not known."""
    for row in range(first_named):
        cells = _filled(sheet.rows[row])
        numbers = [cell for column, cell in cells.items() if column > name_column and is_number(cell)]
        figures = [cell for cell in numbers if year_in([cell]) is None]
        needed = 1 if isinstance(cells.get(name_column), str) else 2
        if len(figures) >= needed and not _is_numbering(cells):
            return row
    return first_named


def _is_named(sheet: Sheet, row: int, column: int, names: RegionNames) -> bool:
    """Begins with a region or the nation, and has something beside it: a title has not."""
    cells = sheet.rows[row]
    text = cells[column]
    beside = any(cell is not None for cell in cells[column + 1 :])
    return isinstance(text, str) and beside and names.kind(text) in ("region", "nation")


def _filled(cells: Sequence[object]) -> dict[int, object]:
    return {column: cell for column, cell in enumerate(cells) if cell is not None}


def _is_heading(cells: dict[int, object], name_column: int) -> bool:
    """Stands above figures; a single cell only where it is a year or the like, else it is a title."""
    right = [cell for column, cell in cells.items() if column > name_column]
    return bool(right) and (len(cells) > 1 or (year_in(right) is not None and len(plain(right[0]).split()) < 3))


def _is_numbering(cells: dict[int, object]) -> bool:
    """A row that numbers the columns: `А 1 2 3`."""
    first, *numbers = (plain(cell) for cell in cells.values())
    counted = [[str(number + start) for number in range(len(numbers))] for start in (1, 2)]
    return len(first) <= 1 and len(numbers) > 1 and numbers in counted


# --- columns --------------------------------------------------------------------------------------------------------


def _columns(
    sheet: Sheet, layout: _Layout, table: BureauTable, names: RegionNames, findings: Findings
) -> list[_Column]:
    """Columns of figures; a fault for each whose period cannot be read."""
    columns, skipped, parts = [], [], []
    for position in range(layout.name_column + 1, len(sheet.rows[0])):
        stack = _stack(sheet, layout, position)
        if not _holds_figures(sheet, layout, position, stack):
            continue
        if {plain(cell) for cell in stack} & names.known.words["no_figures"]:
            skipped.append(sheet.at(layout.head[-1], position))
            continue
        kinds = [names.kind(str(cell)) for cell in stack]
        if "part" in kinds:
            parts.append(sheet.at(layout.head[-1], position))
            continue
        stack = [cell for cell, kind in zip(stack, kinds, strict=True) if kind not in ("whole", "including")]
        period = _period(stack, layout, table, names)
        if period is None:
            findings.faults.append(_no_period(sheet, layout, position, stack, table))
        else:
            columns.append(_Column(position, period, _measure(stack, names)))
    for what, places in (("a column of codes", skipped), (f"a column with {LEFT_OUT['part']}", parts)):
        findings.notes += [f"{places[0]}: {what} left out{_more(places)}"] if places else []
    return columns


def _more(places: list[str]) -> str:
    return f", as are {len(places) - 1} more" if len(places) > 1 else ""


def _stack(sheet: Sheet, layout: _Layout, position: int) -> list[object]:
    """The headings of a column from top to bottom; one that is merged over several stands in the leftmost of them."""
    stack = []
    for row in layout.head:
        cells, column = sheet.rows[row], position
        while row != layout.head[-1] and cells[column] is None and column > layout.name_column + 1:
            column -= 1
        stack += [cells[column]] if cells[column] is not None else []
    return stack


def _holds_figures(sheet: Sheet, layout: _Layout, position: int, stack: list[object]) -> bool:
    """A number below the head, or a period in it: what has neither is a column of words."""
    cells = [cells[position] for cells in sheet.rows[layout.first_row :]]
    return any(is_number(cell) for cell in cells) or year_in(stack) is not None


def _period(stack: list[object], layout: _Layout, table: BureauTable, names: RegionNames) -> Period | None:
    """From the headings; a year that is missing in them, or all of it where they name a measure, from the title."""
    told = period_in(layout.titles, names.known)
    if told is None or _names_a_year(stack):
        return read_period(stack, table, names.known)
    if table.on_1_january:
        return Period(told.year)
    with_year = read_period([told.year, *stack], table, names.known)
    return told if with_year is not None and with_year.is_year else with_year


def _names_a_year(stack: list[object]) -> bool:
    return any(year_in([cell]) is not None for cell in stack)


def _no_period(sheet: Sheet, layout: _Layout, position: int, stack: list[object], table: BureauTable) -> str:
    row = layout.head[-1] if layout.head else max(layout.first_row - 1, 0)
    told = " / ".join(str(cell) for cell in stack)
    right = "2024 or '1 января 2024'" if table.on_1_january else "2024, 'январь 2024' or 'январь-июнь 2024'"
    return f"{sheet.at(row, position)}: '{told}' is no period; must be like {right}"


def _measure(stack: list[object], names: RegionNames) -> str | None:
    said = {plain(cell) for cell in stack}
    return next((measure for measure in MEASURES if said & names.known.words[measure]), None)


# --- rows -----------------------------------------------------------------------------------------------------------


def _rows(
    sheet: Sheet,
    layout: _Layout,
    columns: list[_Column],
    names: RegionNames,
    left_out: LeftOut,
    findings: Findings,
) -> Iterator[tuple[int, str]]:
    """Rows whose figures count, with the region's name; a row of a part heads a section that is left out."""
    in_part, nation_read, name = False, False, None
    first_figures = min((column.position for column in columns), default=len(sheet.rows[0]))
    for row in range(layout.first_row, len(sheet.rows)):
        cells = sheet.rows[row]
        below = [cell for cell in cells[layout.name_column + 1 : first_figures] if isinstance(cell, str)]
        has_figures = any(has_figure(cells[column.position]) for column in columns)
        text = cells[layout.name_column]
        if text is None and not below and not has_figures:
            continue
        name = name if text is None and below else text
        kind = _kind(name, below, names)
        if kind == "whole" and has_figures and not nation_read:
            kind = "nation"
        if kind in ("part", "whole") and not has_figures and not below:
            in_part = kind == "part"
        nation_read |= kind == "nation"
        if kind in ("region", "nation") and not in_part:
            yield row, NATION if kind == "nation" else str(name)
        elif kind == "unknown" and has_figures:
            findings.faults.append(_unknown(sheet, layout, row, name, names))
        elif any(cell is not None for cell in cells):
            left_out.add(LEFT_OUT["part" if in_part else "words" if kind == "unknown" else kind], row)


def _kind(name: object, below: Iterable[str], names: RegionNames) -> str:
    """below: what stands between the name and the figures, such as `urban`."""
    if any(names.kind(text) == "part" for text in below):
        return "part"
    return names.kind(name) if isinstance(name, str) else "unknown"


def _unknown(sheet: Sheet, layout: _Layout, row: int, name: object, names: RegionNames) -> str:
    where = sheet.at(row, layout.name_column)
    if name is None:
        return f"{where}: is empty beside figures; must be the name of a region"
    return f"{where}: unknown region '{name}'{names.hint(str(name))}; must be one of the dataset's regions, or an alias"


# --- units ----------------------------------------------------------------------------------------------------------


def _factor(sheet: Sheet, layout: _Layout, table: BureauTable, names: RegionNames, findings: Findings) -> float:
    """From the sheet's numbers to our unit: what title and headings say of thousands or millions."""
    headings = [str(cell) for row in layout.head for cell in sheet.rows[row] if isinstance(cell, str)]
    said = {word for text in [*layout.titles, *headings] for word in plain(text).split()}
    sizes = [size for word, size in SIZES.items() if said & names.known.words[word]]
    if len(sizes) > 1:
        findings.faults.append(f"{sheet.place}: title and headings name two units; must be one, or give --factor")
    if not sizes:
        return table.factor
    return sizes[0] / table.unit_size
