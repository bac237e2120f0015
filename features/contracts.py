"""What each table of a dataset folder must look like: columns, units, keys, and rules that cross tables."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from features.indicators import INDICATORS

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
class Table:
    """Contract of one table. `key`: columns that identify a row."""

    name: str
    key: tuple[str, ...]
    schema: pa.DataFrameSchema

    @property
    def columns(self) -> list[str]:
        return list(self.schema.columns)


def _text(required: bool = True, **rules: object) -> pa.Column:
    return pa.Column("str", required=required, nullable=not required, **rules)


def _whole(minimum: int | None, required: bool = True) -> pa.Column:
    checks = [] if minimum is None else [pa.Check.ge(minimum)]
    return pa.Column("Int64", checks, required=required, nullable=not required)


def _number(low: float, high: float, required: bool = True) -> pa.Column:
    return pa.Column("float64", pa.Check.in_range(low, high), required=required, nullable=not required)


def _one_of(values: Iterable[str], required: bool = True) -> pa.Column:
    return _text(required, checks=pa.Check.isin(list(values)))


_YEAR = pa.Column("Int64", pa.Check.in_range(1800, 2200))
_PROVENANCE = {"published": _whole(1800, False), "basis": _one_of(BASES, False), "source": _text(False)}


def _table(name: str, key: str, columns: dict[str, pa.Column]) -> Table:
    return Table(name, tuple(key.split()), pa.DataFrameSchema(columns, strict=True))


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
            "region year measure scope",
            {
                "region": _text(),
                "year": _YEAR,
                "measure": _one_of(MEASURES),
                "scope": _one_of(SCOPES),
                "persons": _whole(None),
                **_PROVENANCE,
            },
        ),
        _table(
            "pairs",
            "origin destination",
            {
                "origin": _text(),
                "destination": _text(),
                "distance_km": _number(0, 20_100, False),
                "contiguous": pa.Column("boolean", required=False, nullable=True),
            },
        ),
        _table(
            "population_by_age",
            "region year sex age_group",
            {
                "region": _text(),
                "year": _YEAR,
                "sex": _one_of(SEXES),
                "age_group": _text(checks=pa.Check.str_matches(r"^(\d+-\d+|\d+\+)$")),
                "persons": _whole(0),
            },
        ),
        _table(
            "boundary_changes",
            "year predecessor successor",
            {"year": _YEAR, "predecessor": _text(), "successor": _text()},
        ),
    ]
}

REGION_COLUMNS = ("region", "origin", "destination", "predecessor", "successor")


# --- one table ------------------------------------------------------------------------------------------------------


def check_table(raw: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[str], pd.Index]:
    """The table with its types, its faults, and the labels of rows that have one.

    Rows are numbered as in a CSV file: the header is row 1.
    """
    faults = _column_faults(raw, table)
    present = [name for name in table.columns if name in raw.columns]
    typed, type_faults = _typed(raw[present], table)
    bad = pd.Index(sorted({label for _, label in type_faults}))
    faults += _capped([line for line, _ in type_faults], f"{table.name}: values of a wrong type")

    partial = pa.DataFrameSchema({name: table.schema.columns[name] for name in present})
    try:
        partial.validate(typed, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        cases = cases[cases["index"].notna() & ~cases["index"].isin(bad)]
        for (column, _), group in cases.groupby(["column", "check"], sort=False):
            lines = [_rule_fault(table, str(column), row.index_, row.failure_case, typed) for row in _rows(group)]
            faults += _capped(lines, f"{table.name}: column {column}")
        bad = bad.union(pd.Index(cases["index"].unique()))
    if set(table.key) <= set(present):
        faults += _duplicate_faults(typed, table)
    return typed, faults, bad


def _rows(cases: pd.DataFrame) -> Iterable:
    return cases.rename(columns={"index": "index_"}).itertuples()


def _column_faults(raw: pd.DataFrame, table: Table) -> list[str]:
    faults = []
    for name in raw.columns:
        if name not in table.columns:
            faults.append(f"{table.name}: unknown column '{name}'{nearest(str(name), table.columns)}")
    for name, column in table.schema.columns.items():
        if column.required and name not in raw.columns:
            faults.append(f"{table.name}: column '{name}' is missing; required: {', '.join(_required(table))}")
    return faults


def _required(table: Table) -> list[str]:
    return [name for name, column in table.schema.columns.items() if column.required]


def _typed(raw: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[tuple[str, object]]]:
    """Columns in the contract's types; what cannot be read becomes missing and a fault (line, row label)."""
    typed, faults = {}, []
    for name in raw.columns:
        dtype = type_name(table.schema.columns[name])
        typed[name], unread = _READERS[dtype](raw[name])
        wanted = {"Int64": "a whole number", "float64": "a number", "boolean": "true or false"}.get(dtype, "text")
        faults += [
            (f"{table.name}: row {row_number(label)}: {name} is '{raw.at[label, name]}'; must be {wanted}", label)
            for label in raw.index[unread]
        ]
    return pd.DataFrame(typed, index=raw.index), faults


def _read_number(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    read = pd.to_numeric(raw, errors="coerce").astype("float64")
    read = read.where(read.abs() != float("inf"))
    return read, read.isna() & raw.notna()


def _read_whole(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    if pd.api.types.is_integer_dtype(raw.dtype):
        return raw.astype("Int64"), pd.Series(False, index=raw.index)
    read, unread = _read_number(raw)
    fraction = read.notna() & (read % 1 != 0)
    return read.where(~fraction).astype("Int64"), unread | fraction


def _read_truth(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    read = raw.astype("str").str.lower().map({"true": True, "false": False, "1": True, "0": False}).astype("boolean")
    return read, read.isna() & raw.notna()


def _read_text(raw: pd.Series) -> tuple[pd.Series, pd.Series]:
    read = raw.astype("str").where(raw.notna())
    return read, pd.Series(False, index=raw.index)


_READERS = {"Int64": _read_whole, "float64": _read_number, "boolean": _read_truth, "str": _read_text}


def type_name(column: pa.Column) -> str:
    """Int64, float64, boolean or str."""
    name = str(column.dtype)
    return "str" if name.startswith("str") else name


def _rule_fault(table: Table, column: str, label: object, value: object, typed: pd.DataFrame) -> str:
    rule = table.schema.columns[column]
    where = f"{table.name}: row {row_number(label)}"
    if pd.isna(value):  # type: ignore[arg-type]
        return f"{where}: {column} is empty; must be given"
    wanted = " and ".join(_in_words(check) for check in rule.checks)
    return f"{where}: {column} is '{value}'; must be {wanted}"


def _in_words(check: pa.Check) -> str:
    told = check.statistics or {}
    if "allowed_values" in told:
        return "one of " + ", ".join(map(str, told["allowed_values"]))
    if "pattern" in told:
        return "like 0-4 or 85+"
    if "max_value" in told and "min_value" in told:
        return f"from {told['min_value']:g} to {told['max_value']:g}"
    return f"at least {told['min_value']}"


def _duplicate_faults(typed: pd.DataFrame, table: Table) -> list[str]:
    key = list(table.key)
    again = typed[typed.duplicated(key) & typed[key].notna().all(axis=1)]
    lines = [
        f"{table.name}: row {row_number(label)}: ({', '.join(map(str, values))}) is there twice; "
        f"{' + '.join(key)} must be unique"
        for label, values in zip(again.index, again[key].itertuples(index=False), strict=True)
    ]
    return _capped(lines, f"{table.name}: duplicate keys")


# --- rules that cross tables ----------------------------------------------------------------------------------------


def check_regions_known(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Every region code that is used is in `regions`; no move ends where it began."""
    if "region" not in tables["regions"]:
        return []
    known = sorted(tables["regions"]["region"].dropna().unique())
    span = f"{known[0]} … {known[-1]} ({len(known)})" if known else "none"
    faults = []
    for name, frame in tables.items():
        if name == "regions":
            continue
        for column in [column for column in REGION_COLUMNS if column in frame]:
            unknown = frame[~frame[column].isin(known) & frame[column].notna()]
            lines = [
                f"{name}: row {row_number(label)}: unknown {column} '{code}'; known: {span}{nearest(code, known)}"
                for label, code in unknown[column].items()
            ]
            faults += _capped(lines, f"{name}: unknown {column}")
        if {"origin", "destination"} <= set(frame.columns):
            same = frame[frame["origin"] == frame["destination"]]
            lines = [
                f"{name}: row {row_number(label)}: origin and destination are both '{code}'; must be two regions"
                for label, code in same["origin"].items()
            ]
            faults += _capped(lines, f"{name}: origin = destination")
    return faults


def check_indicator_bounds(indicators: pd.DataFrame) -> list[str]:
    faults = []
    for name, group in indicators.dropna(subset=["value"]).groupby("indicator"):
        if name not in INDICATORS:
            continue
        entry = INDICATORS[str(name)]
        low, high = entry.bounds
        outside = group[(group["value"] < low) | (group["value"] > high)]
        lines = [
            f"indicators: row {row_number(row.Index)}: {name} of {row.region} in {row.year} is {row.value:g}; "
            f"must be from {low:g} to {high:g} {entry.unit}"
            for row in outside.itertuples()
        ]
        faults += _capped(lines, f"indicators: {name} out of bounds")
    return faults


def check_no_missing_year(table: str, frame: pd.DataFrame, series: list[str], gaps: list[dict]) -> list[str]:
    """A series that starts and ends has every year between, unless the descriptor's `gaps` name it with a reason."""
    faults = []
    frame = frame.dropna(subset=[*series, "year"])
    for key, years in frame.groupby(series, observed=True)["year"]:
        missing = set(range(int(years.min()), int(years.max()) + 1)) - set(years.astype(int))
        named = dict(zip(series, key if isinstance(key, tuple) else (key,), strict=True))
        missing -= {year for gap in gaps if _concerns(gap, named) for year in gap["years"]}
        if missing:
            faults.append(
                f"{table}: {', '.join(map(str, named.values()))}: {_years(missing)} missing inside the series "
                f"{years.min()}-{years.max()}; give the value, or name the gap and its reason in the descriptor"
            )
    return _capped(faults, f"{table}: missing years")


def _concerns(gap: dict, named: dict[str, object]) -> bool:
    return all(gap.get(column, value) == value for column, value in named.items())


def _years(years: set[int]) -> str:
    return ("year " if len(years) == 1 else "years ") + ", ".join(map(str, sorted(years)))


def check_flow_years(flows: pd.DataFrame, gaps: list[dict]) -> list[str]:
    years = flows[["year"]].drop_duplicates().assign(table="all pairs")
    return check_no_missing_year("flows", years, ["table"], gaps)


def check_net_is_arrivals_less_departures(movements: pd.DataFrame) -> list[str]:
    wide = movements.pivot_table(
        index=["region", "year", "scope"], columns="measure", values="persons", aggfunc="first"
    )
    if not set(MEASURES) <= set(wide.columns):
        return []
    wide = wide.dropna(subset=list(MEASURES))
    wrong = wide[wide["net"] != wide["arrivals"] - wide["departures"]]
    lines = [
        f"movements: {row.Index[0]}, {row.Index[1]}, {row.Index[2]}: net is {row.net:.0f}; must be arrivals − "
        f"departures = {row.arrivals - row.departures:.0f}"
        for row in wrong.itertuples()
    ]
    return _capped(lines, "movements: net ≠ arrivals − departures")


def check_internal_balance(movements: pd.DataFrame) -> list[str]:
    """Inside a country one region's gain is another's loss: internal nets sum to zero in every year."""
    internal = movements[movements["scope"].isin(["between_regions", "within_country"])]
    nets = internal[internal["measure"] == "net"].groupby(["scope", "year"])["persons"].sum()
    return [
        f"movements: {scope}, {year}: net sums to {total:+.0f} over the regions; must be 0"
        for (scope, year), total in nets[nets != 0].items()  # type: ignore[misc]
    ]


def check_counts_not_negative(movements: pd.DataFrame) -> list[str]:
    wrong = movements[(movements["measure"] != "net") & (movements["persons"] < 0)]
    lines = [
        f"movements: row {row_number(row.Index)}: {row.measure} of {row.region} in {row.year} is {row.persons}; "
        "must be at least 0"
        for row in wrong.itertuples()
    ]
    return _capped(lines, "movements: negative counts")


def check_population_present(population: pd.DataFrame, used: pd.DataFrame) -> list[str]:
    """`population` and `used`: region (in constant units), year. Every region-year that is used has a population.

    Years before a region's first population are let pass: its rates start later than its moves.
    """
    first = population.groupby("region")["year"].min().rename("first").reset_index()
    used = used.drop_duplicates().merge(first, how="left", on="region")
    used = used[used["first"].isna() | (used["year"] >= used["first"])].drop(columns="first")
    merged = used.merge(population.drop_duplicates(), how="left", indicator=True)
    missing = merged[merged["_merge"] == "left_only"]
    lines = [
        f"indicators: {region}: population is missing in {_years(set(group['year'].astype(int)))}; must be given for "
        "every region and year with flows or movements"
        for region, group in missing.groupby("region")
    ]
    return _capped(lines, "indicators: missing population")


# --- words ----------------------------------------------------------------------------------------------------------


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no known word is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def row_number(label: object) -> int:
    return int(label) + 2  # type: ignore[call-overload]


def _capped(lines: list[str], kind: str) -> list[str]:
    if len(lines) <= SHOWN_PER_KIND:
        return lines
    return [*lines[:SHOWN_PER_KIND], f"{kind}: {len(lines) - SHOWN_PER_KIND:,} more like the last"]
