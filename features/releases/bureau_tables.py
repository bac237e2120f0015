"""BureauTables: the mapping of the Bureau's tables to the dataset format, and the words it uses in them."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from features.contracts import MEASURES, SCOPES
from features.fault_words import nearest
from features.indicators import INDICATORS
from features.releases.bureau_words import plain
from features.releases.findings import BureauError

FILE = Path(__file__).with_name("bureau_tables.toml")
BY_COLUMN = "by column"


@dataclass(frozen=True)
class BureauTable:
    """One table of the Bureau, as bureau_tables.toml explains; either `indicator`, or `measure` and `scope`."""

    number: str
    title: str
    indicator: str | None = None
    measure: str | None = None
    scope: str | None = None
    source: str = ""
    unit_size: float = 1
    factor: float = 1
    on_1_january: bool = False
    live: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether the nation's figure is the sum of its regions'."""
        return self.indicator is None or INDICATORS[self.indicator].combine == "sum"

    @property
    def is_count(self) -> bool:
        """Whether it counts cases, so that a dash (no such case) is zero."""
        return self.indicator in (None, "births", "deaths")

    @property
    def publication_lag(self) -> int:
        return 0 if self.indicator is None else INDICATORS[self.indicator].publication_lag


@dataclass(frozen=True, eq=False)
class BureauTables:
    """words: by kind, in the form that `plain` gives. months: in order, each in its spellings."""

    tables: dict[str, BureauTable]
    aliases: dict[str, str]
    words: dict[str, frozenset[str]]
    months: dict[str, int]
    long_form: dict[str, Any]

    def live(self) -> list[str]:
        return [number for number, table in self.tables.items() if table.live]

    def table_of(self, path: Path, given: str | None = None) -> BureauTable:
        """The table that a file holds: the one that is given, else the one whose number is in the file's name.

        Raises BureauError.
        """
        if given is not None:
            return self._known(given, f"--table {given}")
        stem = path.stem.casefold()
        numbers = list(dict.fromkeys(re.findall(r"(?<!\d)\d{4,6}(?!\d)", stem)))
        named = [part for part in numbers if part in self.tables] or self._within(stem)
        if len(named) == 1:
            return self.tables[named[0]]
        numbers = named or numbers
        told = f"its name holds the numbers {', '.join(numbers)}" if numbers else "its name holds no table number"
        raise BureauError([f"{path.name}: {told}; give --table, or name it like 6567.csv; known: {self._span()}"])

    def served(self, numbers: Iterable[str]) -> list[BureauTable]:
        """Tables that can be fetched, each once. Raises BureauError that names every number that cannot."""
        numbers = list(dict.fromkeys(numbers))
        faults = [self._unknown(number, f"--tables {number}") for number in numbers if number not in self.tables]
        live = ", ".join(self.live())
        faults += [
            f"--tables {number}: the site does not serve it by a number; give its file, or one of {live}"
            for number in numbers
            if number in self.tables and not self.tables[number].live
        ]
        if faults:
            raise BureauError(faults)
        return [self.tables[number] for number in numbers]

    def _within(self, stem: str) -> list[str]:
        return [name for name in self.tables if not name.isdigit() and name in stem]

    def _known(self, number: str, where: str) -> BureauTable:
        if number not in self.tables:
            raise BureauError([self._unknown(number, where)])
        return self.tables[number]

    def _unknown(self, number: str, where: str) -> str:
        return f"{where}: not in {FILE.name}{nearest(number, self.tables)}; known: {self._span()}"

    def _span(self) -> str:
        return ", ".join(self.tables)


@cache
def bureau_tables() -> BureauTables:
    """The mapping that Qonys comes with.

    >>> bureau_tables().tables["6567"].measure
    'net'
    """
    return read_mapping(FILE)


def read_mapping(path: Path) -> BureauTables:
    """Raises ValueError where a table leads to no column of the dataset format."""
    told = tomllib.loads(path.read_text("utf-8"))
    tables = {number: _table(number, entry) for number, entry in told["tables"].items()}
    words = {kind: frozenset(map(plain, entry)) for kind, entry in told["words"].items() if kind != "months"}
    months = {plain(name): month for month, names in enumerate(told["words"]["months"], start=1) for name in names}
    return BureauTables(tables, told["aliases"], words, months, told["long_form"])


def _table(number: str, entry: dict[str, Any]) -> BureauTable:
    table = BureauTable(number, **{"source": f"BNS {number}", **entry})
    if table.indicator is None and (table.measure not in (*MEASURES, BY_COLUMN) or table.scope not in SCOPES):
        raise ValueError(f"{FILE.name}: table {number}: neither an indicator nor a measure and scope of the format")
    if table.indicator is not None and table.indicator not in INDICATORS:
        raise ValueError(f"{FILE.name}: table {number}: '{table.indicator}' is not in the indicator dictionary")
    return table
