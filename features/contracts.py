"""What each table of a dataset folder must look like: columns, types, allowed values, keys."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import pandera.pandas as pa

SHOWN_PER_KIND = 50
"""Faults of one kind that are printed one by one; the rest are counted."""

SCOPES = ("between_regions", "within_country", "abroad", "all")
MEASURES = ("arrivals", "departures", "net")
BASES = ("official", "derived", "estimated")
SEXES = ("female", "male")


class DatasetError(ValueError):
    """A dataset that breaks the contract. `faults` holds every fault found, one line each."""

    def __init__(self, folder: str, faults: list[str]) -> None:
        self.faults = faults
        count = f"{len(faults)} fault" + ("s" if len(faults) != 1 else "")
        super().__init__("\n".join([f"{folder}: {count}", *(f"  {fault}" for fault in faults)]))


@dataclass(frozen=True)
class Rule:
    """words: what is right. holds: the rule for pandera: the name of a check of its own with the arguments, or a
    function of all values that tells which are right."""

    words: str
    holds: tuple[str, tuple] | Callable[[pd.Series], pd.Series]


@dataclass(frozen=True)
class Column:
    """dtype: Int64, float64, boolean or str. One that is not required may be left out, and its cells may be empty."""

    dtype: str
    rule: Rule | None = None
    required: bool = True


@dataclass(frozen=True)
class Table:
    """Contract of one table. `key`: columns that identify a row; one that is not required may be left out or empty."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]

    @property
    def required(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.required]

    @cached_property
    def checked(self) -> "Mapping[str, pa.Column]":
        """The columns as pandera checks them."""
        return {name: _checked(column) for name, column in self.columns.items()}


def _checked(column: Column) -> "pa.Column":
    # Takes half a second, which a service that reads what was checked already does not wait for.
    import pandera.pandas as pa

    rule, check = column.rule, None
    if rule is not None:
        check = pa.Check(rule.holds) if callable(rule.holds) else getattr(pa.Check, rule.holds[0])(*rule.holds[1])
    return pa.Column(column.dtype, check, required=column.required, nullable=not column.required)


def _text(required: bool = True, rule: Rule | None = None) -> Column:
    return Column("str", rule, required)


def _whole(minimum: int | None, required: bool = True) -> Column:
    return Column("Int64", None if minimum is None else Rule(f"at least {minimum}", ("ge", (minimum,))), required)


def _in_range(low: float, high: float) -> Rule:
    return Rule(f"from {low:g} to {high:g}", ("in_range", (low, high)))


def _number(low: float, high: float, required: bool = True) -> Column:
    return Column("float64", _in_range(low, high), required)


def _ages() -> Column:
    return _text(rule=Rule("like 0-4 or 85+, the lower age first", _is_age_group))


def _is_age_group(groups: pd.Series) -> pd.Series:
    ages = groups.str.extract(r"^(?P<open>\d+)\+$|^(?P<lower>\d+)-(?P<upper>\d+)$").astype("float64")
    return ages["open"].notna() | (ages["lower"] <= ages["upper"])


def _one_of(values: Iterable[str], required: bool = True) -> Column:
    values = list(values)
    return _text(required, Rule("one of " + ", ".join(values), ("isin", (values,))))


_YEAR = Column("Int64", _in_range(1800, 2200))
_CALENDAR_MONTH = Column("Int64", _in_range(1, 12))
_MONTH = Column("Int64", _in_range(1, 12), required=False)
_PROVENANCE = {"published": _whole(1800, False), "basis": _one_of(BASES, False), "source": _text(False)}


def _table(name: str, key: str, columns: Mapping[str, Column]) -> Table:
    return Table(name, tuple(key.split()), columns)


TABLES: dict[str, Table] = {
    table.name: table
    for table in [
        _table(
            "regions",
            "region",
            {
                "region": _text(),
                "name": _text(),
                "kind": _one_of(("city", "region")),
                "latitude": _number(-90, 90),
                "longitude": _number(-180, 180),
                "name_ru": _text(False),
                "name_kk": _text(False),
                "area_km2": _number(1e-3, 2e7, False),
                "valid_from": _whole(1800, False),
                "valid_to": _whole(1800, False),
            },
        ),
        _table(
            "indicators",
            "region year indicator",
            {"region": _text(), "year": _YEAR, "indicator": _text(), "value": _number(-1e15, 1e15), **_PROVENANCE},
        ),
        _table(
            "flows",
            "origin destination year",
            {"origin": _text(), "destination": _text(), "year": _YEAR, "persons": _whole(0), **_PROVENANCE},
        ),
        _table(
            "movements",
            "region year month measure scope",
            {
                "region": _text(),
                "year": _YEAR,
                "month": _MONTH,
                "measure": _one_of(MEASURES),
                "scope": _one_of(SCOPES),
                "persons": _whole(None),
                **_PROVENANCE,
            },
        ),
        _table(
            "statements",
            "region other year first_month last_month measure scope source",
            {
                "region": _text(False),
                "other": _text(False),
                "year": _YEAR,
                "first_month": _CALENDAR_MONTH,
                "last_month": _CALENDAR_MONTH,
                "measure": _one_of(MEASURES),
                "scope": _one_of(SCOPES),
                "persons": _whole(None),
                "error": _number(0, 1e9, False),
                **_PROVENANCE,
                "source": _text(),
            },
        ),
        _table(
            "pairs",
            "origin destination",
            {
                "origin": _text(),
                "destination": _text(),
                "distance_km": _number(0, 20_100, False),
                "contiguous": Column("boolean", required=False),
            },
        ),
        _table(
            "population_by_age",
            "region year sex age_group",
            {
                "region": _text(),
                "year": _YEAR,
                "sex": _one_of(SEXES),
                "age_group": _ages(),
                "persons": _whole(0),
            },
        ),
        _table(
            "boundary_changes",
            "year predecessor successor",
            {"year": _YEAR, "predecessor": _text(), "successor": _text()},
        ),
        _table(
            "superseded",
            "table region origin destination year month measure scope indicator published superseded value release",
            {
                "table": _one_of(("indicators", "flows", "movements")),
                "region": _text(False),
                "origin": _text(False),
                "destination": _text(False),
                "year": _YEAR,
                "month": _MONTH,
                "measure": _one_of(MEASURES, False),
                "scope": _one_of(SCOPES, False),
                "indicator": _text(False),
                "value": _number(-1e15, 1e15),
                "published": _whole(1800),
                "superseded": _whole(1800),
                "basis": _one_of(BASES),
                "source": _text(False),
                "release": _text(False),
            },
        ),
    ]
}

REGION_COLUMNS = ("region", "other", "origin", "destination", "predecessor", "successor")


# --- checking a table -----------------------------------------------------------------------------------------------


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


# --- words ----------------------------------------------------------------------------------------------------------


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no known word is near."""
    # Comparing takes time in proportion to the length; no known word is as long.
    close = difflib.get_close_matches(word[:80], list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def row_number(label: Any) -> int:
    """As in a CSV file, whose header is row 1."""
    return label + 2


def capped(lines: list[str], kind: str) -> list[str]:
    """The first lines, and how many more there are."""
    if len(lines) <= SHOWN_PER_KIND:
        return lines
    return [*lines[:SHOWN_PER_KIND], f"{kind}: {len(lines) - SHOWN_PER_KIND:,} more like the last"]
