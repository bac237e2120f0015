"""What each table of a dataset folder must look like: columns, types, allowed values, keys."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import pandera.pandas as pa

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
