"""Sheet: the cells of a workbook's sheet or of a CSV file, as they stand. The only reader of Excel files."""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from features.releases.findings import BureauError, Findings

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
DELIMITERS = "\t;,"
"""In the order of trust: tables have decimal commas, hardly ever tabs inside cells."""

_FORMULA = re.compile(rb"<f[ >/]")


@dataclass(frozen=True, eq=False)
class Sheet:
    """name: None where the file has no sheets. rows: str, int, float, datetime or None, all of one length.

    Cells that are merged downwards all hold the value of the uppermost.
    """

    file: str
    name: str | None
    rows: Sequence[Sequence[object]]

    @property
    def place(self) -> str:
        return self.file if self.name is None else f"{self.file}: sheet '{self.name}'"

    def at(self, row: int, column: int) -> str:
        """A cell as a user finds it: `6567.xlsx: sheet 'Лист1': B7`. Counted from 0."""
        return f"{self.place}: {get_column_letter(column + 1)}{row + 1}"


def read_sheets(path: Path, findings: Findings) -> list[Sheet]:
    """The sheets of a file, whatever its name ends in; none, and a fault, where it cannot be read."""
    try:
        return _sheets(path, path.read_bytes())
    except BureauError as error:
        findings.faults += error.faults
    except csv.Error as error:
        findings.faults.append(f"{path.name}: cannot be read as CSV ({error}); must be an .xlsx or CSV file")
    except OSError as error:
        findings.faults.append(f"{path}: cannot be read ({error.strerror}); must be an .xlsx or CSV file")
    return []


def _sheets(path: Path, content: bytes) -> list[Sheet]:
    if content.startswith(OLD_EXCEL):
        told = "is an old Excel file (.xls); open it in Excel or LibreOffice and save it as .xlsx or CSV"
        raise BureauError([f"{path.name}: {told}"])
    if content.startswith(b"PK"):
        return _workbook(path.name, content)
    text = _text(path.name, content)
    if text.lstrip()[:1] == "<":
        raise BureauError([f"{path.name}: is a web page, no table; must be an .xlsx or CSV file"])
    return [Sheet(path.name, None, _rectangle(_parsed(text)))]


# --- Excel ----------------------------------------------------------------------------------------------------------


def _workbook(name: str, content: bytes) -> list[Sheet]:
    try:
        book = load_workbook(io.BytesIO(content), data_only=True)
        formulas = load_workbook(io.BytesIO(content)) if _has_formulas(content) else None
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise BureauError([f"{name}: cannot be read ({error}); must be an .xlsx file that Excel opens"]) from None
    if formulas is not None:
        _check_formulas(name, book, formulas)
    return [Sheet(name, sheet.title, _cells(sheet)) for sheet in book.worksheets]


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheets = [part for part in parts.namelist() if part.startswith("xl/worksheets/")]
        return any(_FORMULA.search(parts.read(part)) for part in sheets)


def _check_formulas(name: str, book: Workbook, formulas: Workbook) -> None:
    """A formula that was never computed has no value: it must not pass for an empty cell."""
    faults = [
        f"{name}: sheet '{sheet.title}': {cell.coordinate}: {cell.value} was never computed; open the file in Excel or "
        "LibreOffice and save it again"
        for sheet in formulas.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" and book[sheet.title][cell.coordinate].value is None
    ]
    if faults:
        raise BureauError(faults)


def _cells(sheet: Worksheet) -> list[list[object]]:
    rows: list[list[object]] = [list(row) for row in sheet.iter_rows(values_only=True)]
    for merged in sheet.merged_cells.ranges:
        if merged.min_col == merged.max_col:
            for row in range(merged.min_row, merged.max_row):
                rows[row][merged.min_col - 1] = rows[merged.min_row - 1][merged.min_col - 1]
    return rows


# --- CSV ------------------------------------------------------------------------------------------------------------


def _text(name: str, content: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else Windows-1251, in which Russian Excel saves."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BureauError([f"{name}: is neither an Excel file nor text in UTF-8 or Windows-1251"])


def _parsed(text: str) -> list[list[str]]:
    rows = []
    for delimiter in DELIMITERS:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        if _is_table(rows):
            break
    return rows


def _is_table(rows: list[list[str]]) -> bool:
    """Most rows have the same number of cells, more than one."""
    widths = Counter(len(row) for row in rows if any(row))
    width, count = widths.most_common(1)[0] if widths else (0, 0)
    return width > 1 and 2 * count >= widths.total()


def _rectangle(rows: Iterable[Sequence[str]]) -> list[list[object]]:
    kept = [[cell if cell.strip() else None for cell in row] for row in rows]
    width = max(map(len, kept), default=0)
    return [[*row, *[None] * (width - len(row))] for row in kept]
