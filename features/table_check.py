"""Table check: a table read in the types of its contract, and every fault that it has."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from features.contracts import Table
from features.fault_words import capped, nearest, row_number


@dataclass(frozen=True, eq=False)
class Checked:
    """A table in its types, in which every cell that breaks the contract is empty. faulty: labels of rows with a fault.

    Rows keep the labels they had in the file, 0 for the first below the header. undated: labels of rows whose month
    broke the contract, so that an empty month does not mean a whole year.
    """

    frame: pd.DataFrame
    faults: list[str]
    faulty: pd.Index
    undated: pd.Index = field(default_factory=lambda: pd.Index([]))

    @property
    def sound(self) -> pd.DataFrame:
        """The rows without a fault."""
        return self.frame.drop(index=self.faulty)


@dataclass(frozen=True)
class _Cell:
    column: str
    label: int
    fault: str


def check_table(raw: pd.DataFrame, table: Table) -> Checked:
    typed, cells = _typed(raw[[name for name in table.columns if name in raw]], table)
    cells += _broken_rules(typed, table, {(cell.column, cell.label) for cell in cells})
    faults = _column_faults(raw, table)
    for column in typed.columns:
        broken = [cell for cell in cells if cell.column == column]
        faults += capped([cell.fault for cell in broken], f"{table.name}: column {column}")
        typed.loc[[cell.label for cell in broken], column] = None
    again = _repeated(typed.drop(index=_rows(cells, table.key)), table)
    faults += _duplicate_faults(again, table)
    return Checked(typed, faults, _rows(cells, typed.columns).union(again.index), _rows(cells, ["month"]))


def _rows(cells: list[_Cell], columns: Iterable[str]) -> pd.Index:
    """Labels of the rows in which one of the columns has a fault."""
    return pd.Index(sorted({cell.label for cell in cells if cell.column in columns}))


def _column_faults(raw: pd.DataFrame, table: Table) -> list[str]:
    unknown = [
        f"{table.name}: unknown column '{name}'{nearest(str(name), table.columns)}"
        for name in raw.columns
        if name not in table.columns
    ]
    missing = [
        f"{table.name}: column '{name}' is missing; required: {', '.join(table.required)}"
        for name in table.required
        if name not in raw.columns
    ]
    empty = [] if len(raw) or table.name in MAY_BE_EMPTY else [f"{table.name}: has no rows; must have some"]
    return unknown + missing + empty


MAY_BE_EMPTY = ("flows", "movements", "statements", "pairs", "boundary_changes", "population_by_age", "superseded")


def _typed(raw: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[_Cell]]:
    """Columns in the contract's types; a cell that cannot be read becomes empty and is told."""
    typed, cells = {}, []
    for name, values in raw.items():
        dtype = table.columns[str(name)].dtype
        typed[name], unread = _READERS[dtype](values)
        wanted = _WANTED[dtype]
        cells += [
            _Cell(str(name), label, f"{table.name}: row {row_number(label)}: {name} is '{value}'; must be {wanted}")
            for label, value in zip(values.index[unread], values[unread], strict=True)
        ]
    return pd.DataFrame(typed, index=raw.index), cells


def _read_number(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.infer_dtype(raw, skipna=True) == "boolean":
        return pd.Series(float("nan"), index=raw.index), raw.notna()
    read = pd.to_numeric(raw, errors="coerce").astype("float64")
    read = read.where(read.abs() != float("inf"))
    return read, read.isna() & raw.notna()


def _read_whole(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_integer_dtype(raw.dtype):
        return raw.astype("Int64"), pd.Series(False, index=raw.index)
    read, unread = _read_number(raw)
    # Beyond 2⁵³ a number in text is not kept to the last digit.
    fraction = read.notna() & ((read % 1 != 0) | (read.abs() > 2**53))
    return read.where(~fraction).astype("Int64"), unread | fraction


def _read_truth(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    read = raw.astype("str").str.lower().map({"true": True, "false": False, "1": True, "0": False}).astype("boolean")
    return read, read.isna() & raw.notna()


def _read_text(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    read = raw.astype("str").where(raw.notna())
    return read, pd.Series(False, index=raw.index)


_READERS = {"Int64": _read_whole, "float64": _read_number, "boolean": _read_truth, "str": _read_text}
_WANTED = {"Int64": "a whole number", "float64": "a number", "boolean": "true or false", "str": "text"}


def _broken_rules(typed: pd.DataFrame, table: Table, unread: set[tuple[str, int]]) -> list[_Cell]:
    """Cells that were read and break a rule of their column."""
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    present = pa.DataFrameSchema({str(name): table.checked[name] for name in typed.columns})
    try:
        present.validate(typed, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.drop_duplicates(["column", "index"])
        told = zip(cases["column"], cases["index"], cases["failure_case"], strict=True)
        return [
            _Cell(column, label, _rule_fault(table, column, label, value))
            for column, label, value in told
            if (column, label) not in unread
        ]
    return []


def _rule_fault(table: Table, column: str, label: int, value: object) -> str:
    where = f"{table.name}: row {row_number(label)}: {column}"
    if value is None or value is pd.NA or value != value:
        return f"{where} is empty; must be given"
    rule = table.columns[column].rule
    return f"{where} is '{value}'; must be {rule.words if rule else table.columns[column].dtype}"


def _repeated(typed: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Keys that were there before, of rows whose key has no fault."""
    key = [column for column in table.key if column in typed or column in table.required]
    return typed.loc[typed.duplicated(key), key] if set(key) <= set(typed.columns) else typed.iloc[:0]


def _duplicate_faults(again: pd.DataFrame, table: Table) -> list[str]:
    lines = [
        f"{table.name}: row {row_number(label)}: ({', '.join(str(value) for value in values if pd.notna(value))}) "
        f"is there twice; {' + '.join(again.columns)} must be unique"
        for label, *values in again.itertuples()
    ]
    return capped(lines, f"{table.name}: duplicate keys")
