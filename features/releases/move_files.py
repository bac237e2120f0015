"""Move files: the rows of a CSV or Parquet file of moves as batches of text, each with its number, also broken ones."""

# pyarrow.compute makes its functions when it is imported, unseen by pyright.
# pyright: reportAttributeAccessIssue=false

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.fault_words import nearest

BLOCK = 16 * 2**20
"""Bytes that are read at a time; a line is shorter."""

PARQUET = (".parquet", ".pq")


class MovesError(ValueError):
    """Files of moves that cannot be imported, and why."""


@dataclass(frozen=True)
class MoveFile:
    """A file and its columns. delimiter: of CSV."""

    path: Path
    columns: tuple[str, ...]
    delimiter: str = ","

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Columns row, text (of a row that cannot be read, else empty), and the named ones as text.

        row: in CSV the line, of which the header is the first; in Parquet the row, from 1. Lines without any cell are
        no rows. Each line stands for itself: a quote that is not closed spoils one row, not those after it.
        """
        return self._parquet(columns) if self.path.suffix in PARQUET else self._csv(columns)

    def _parquet(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        first = 1
        for batch in pq.ParquetFile(self.path).iter_batches(columns=list(columns)):
            cells = [batch.column(column).cast(pa.string()) for column in columns]
            yield _batch(columns, np.arange(first, first + len(batch)), cells)
            first += len(batch)

    def _csv(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        places, last = [self.columns.index(column) for column in columns], 0
        for block in _blocks(self.path):
            lines, rows = _lines(block, last)
            last = int(rows[-1])
            if not last - len(rows):
                lines, rows = lines[1:], rows[1:]
            yield from _cells(lines, rows, columns, places, self)


def open_moves(path: Path) -> MoveFile:
    """Raises MovesError where there is no table of moves."""
    if not path.is_file():
        raise MovesError(f"{path}: not there; must be a CSV or Parquet file with one row per move")
    try:
        if path.suffix in PARQUET:
            return MoveFile(path, tuple(pq.read_schema(path).names))
        with path.open("rb") as file:
            header = file.readline(BLOCK).decode("utf-8-sig").rstrip("\r\n")
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise MovesError(f"{path}: cannot be read ({error}); must be CSV in UTF-8 with a header, or Parquet") from None
    delimiter = max(",;\t", key=header.count)
    return MoveFile(
        path, tuple(cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])), delimiter
    )


def column_fault(file: MoveFile, role: str, column: str) -> str | None:
    if file.columns.count(column) == 1:
        return None
    what = "is there twice" if column in file.columns else "is not there"
    hint = nearest(column, file.columns)
    return f"{file.path}: column '{column}' ({role}) {what}; its columns: {', '.join(file.columns)}{hint}"


# --- CSV ------------------------------------------------------------------------------------------------------------


def _blocks(path: Path) -> Iterator[bytes]:
    """The file in blocks of whole lines."""
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        rest = b""
        while block := file.read(BLOCK):
            end = block.rfind(b"\n") + 1
            if end:
                yield rest + block[:end]
                rest = block[end:]
            else:
                rest += block
        if rest:
            yield rest + b"\n"


def _lines(block: bytes, last: int) -> tuple[pa.StringArray, np.ndarray]:
    """Lines without their ends, and their numbers, `last` being the one before. What is no UTF-8 is marked so."""
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        block = block.decode("utf-8", "replace").encode("utf-8")
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")) + 1
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    lines = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block))
    return pc.utf8_rtrim(lines, characters="\r\n"), np.arange(last + 1, last + 1 + len(ends))


BAD_LETTER = "\ufffd"


def _cells(
    lines: pa.StringArray, rows: np.ndarray, columns: Sequence[str], places: list[int], file: MoveFile
) -> Iterator[pa.RecordBatch]:
    """Plain lines are split at once, ones with quotes one by one."""
    unreadable = pc.match_substring(lines, BAD_LETTER)
    quoted = pc.and_not(pc.match_substring(lines, '"'), unreadable)
    split = pc.split_pattern(lines, file.delimiter)
    fits = pc.equal(pc.list_value_length(split), len(file.columns))
    empty = pc.equal(lines, "")
    plain = pc.and_not(pc.and_not(fits, unreadable), quoted)
    rest = pc.and_not(pc.invert(pc.or_(plain, quoted)), empty)
    chosen = pc.filter(split, plain)
    yield _batch(
        columns, rows[_mask(plain)], [pc.list_element(chosen, place) for place in places] if len(chosen) else []
    )
    if pc.any(rest).as_py():
        yield _broken(columns, rows[_mask(rest)], pc.filter(lines, rest))
    if pc.any(quoted).as_py():
        yield from _quoted(pc.filter(lines, quoted).to_pylist(), rows[_mask(quoted)], columns, places, file)


def _mask(chosen: pa.BooleanArray) -> np.ndarray:
    return chosen.to_numpy(zero_copy_only=False)


def _quoted(
    lines: list[str], rows: np.ndarray, columns: Sequence[str], places: list[int], file: MoveFile
) -> Iterator[pa.RecordBatch]:
    read = [_unquoted(line, file.delimiter) for line in lines]
    fits = np.array([len(cells) == len(file.columns) for cells in read], dtype=bool)
    good = [cells for cells, fit in zip(read, fits, strict=True) if fit]
    yield _batch(columns, rows[fits], [pa.array([cells[place] for cells in good], pa.string()) for place in places])
    yield _broken(columns, rows[~fits], pa.array(np.array(lines, dtype=object)[~fits], pa.string()))


def _unquoted(line: str, delimiter: str) -> list[str]:
    """No cells where the line's quotes are not closed."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return []


def _batch(columns: Sequence[str], rows: np.ndarray, cells: list[pa.Array]) -> pa.RecordBatch:
    cells = cells or [pa.nulls(len(rows), pa.string()) for _ in columns]
    return pa.RecordBatch.from_arrays(
        [pa.array(rows), pa.nulls(len(rows), pa.string()), *cells], schema=schema(columns)
    )


def _broken(columns: Sequence[str], rows: np.ndarray, lines: pa.Array) -> pa.RecordBatch:
    cells = [pa.nulls(len(rows), pa.string()) for _ in columns]
    return pa.RecordBatch.from_arrays([pa.array(rows), lines, *cells], schema=schema(columns))


def schema(columns: Sequence[str]) -> pa.Schema:
    """Of a batch; a column that is named twice is there twice."""
    return pa.schema(
        [("row", pa.int64()), ("text", pa.string()), *((f"c{i}", pa.string()) for i in range(len(columns)))]
    )
