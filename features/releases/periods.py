"""Period: a year, or months of one, and how the Bureau writes it at the head of a column."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from features.releases.bureau_tables import BureauTable, BureauTables
from features.releases.bureau_words import plain

_YEAR = re.compile(r"(?:19|20)\d\d")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "і": 1, "іі": 2, "ііі": 3}
"""Typed with Latin letters or with the Cyrillic one that looks like them."""
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True, order=True)
class Period:
    """Months `first` to `last` of a year, both in it."""

    year: int
    first: int = 1
    last: int = 12

    @property
    def is_year(self) -> bool:
        return (self.first, self.last) == (1, 12)

    @property
    def is_month(self) -> bool:
        return self.first == self.last

    def __str__(self) -> str:
        if self.is_year:
            return f"{self.year}"
        return f"{self.year}-{self.first:02}" + ("" if self.is_month else f" to {self.year}-{self.last:02}")


def read_period(cells: Iterable[object], table: BureauTable, known: BureauTables) -> Period | None:
    """The period that the cells above a figure say together; None where they say none, two, or more than one.

    `1 January 2024` and the date are the year of a state on that day, and the month of anything else.

    >>> from features.releases.bureau_tables import bureau_tables
    >>> str(read_period(["2024", "қаңтар-маусым"], bureau_tables().tables["6567"], bureau_tables()))
    '2024-01 to 2024-06'
    """
    tokens = _tokens(" ".join(dict.fromkeys(_text(cell) for cell in cells if cell is not None)))
    years = {int(token) for token in tokens if _YEAR.fullmatch(token)}
    if len(years) != 1:
        return None
    rest = [token for token in tokens if not _YEAR.fullmatch(token) and token not in _beside(known)]
    return _of_year(years.pop(), rest, table, known)


def year_in(cells: Iterable[object]) -> int | None:
    """The one year that is named, whatever else the cells say; None where it is none or several."""
    years = {int(token) for cell in cells for token in _tokens(_text(cell)) if _YEAR.fullmatch(token)}
    return years.pop() if len(years) == 1 else None


def period_in(cells: Iterable[object], known: BureauTables) -> Period | None:
    """The one year that is named among other words, as in a title, with a month or two if they are."""
    cells = list(cells)
    year = year_in(cells)
    months = [known.months[token] for cell in cells for token in _tokens(_text(cell)) if token in known.months]
    if year is None or len(months) > 2:
        return None
    return Period(year, *((min(months), max(months)) if months else ()))


def _of_year(year: int, rest: list[str], table: BureauTable, known: BureauTables) -> Period | None:
    months = [known.months[token] for token in rest if token in known.months]
    other = [token for token in rest if token not in known.months]
    if not rest:
        return Period(year)
    if table.on_1_january:
        return Period(year) if months == [1] and other in ([], ["1"], ["01"]) else None
    if other:
        return None if months else _named_part(year, other, known)
    if len(months) == 1:
        return Period(year, months[0], months[0])
    return Period(year, months[0], months[1]) if len(months) == 2 and months[0] < months[1] else None


def _named_part(year: int, words: list[str], known: BureauTables) -> Period | None:
    """Quarters, halves, and so many months since January."""
    if len(words) != 2:
        return None
    number, kind = (words[0], words[1]) if words[0].isdigit() or words[0] in _ROMAN else (words[1], words[0])
    count = _ROMAN.get(number, int(number) if number.isdigit() else 0)
    if kind in known.words["months_so_far"] and 1 <= count <= 12:
        return Period(year, 1, count)
    length = 3 if kind in known.words["quarter"] else 6 if kind in known.words["half"] else 0
    if length and 1 <= count <= 12 // length:
        return Period(year, (count - 1) * length + 1, count * length)
    return None


def _beside(known: BureauTables) -> frozenset[str]:
    sizes = ("beside_a_period", "thousand", "million", "billion", "arrivals", "departures", "net")
    return frozenset(word for kind in sizes for name in known.words[kind] for word in _tokens(name))


def _tokens(text: str) -> list[str]:
    """Numbers, words (`м2` is one) and signs; dashes only part them."""
    return re.findall(r"\d+|[^\W\d]+(?:\d(?!\d))?|[^\w\s-]", text)


def _text(cell: object) -> str:
    if isinstance(cell, (datetime, date)):
        return _of_date(cell.day, cell.month, cell.year)
    if re.fullmatch(r"\s*\d{4}\.0\s*", str(cell)):
        return str(cell).strip()[:4]
    dated = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\D*", str(cell).strip())
    return _of_date(*map(int, dated.groups())) if dated else plain(cell)


def _of_date(day: int, month: int, year: int) -> str:
    """A date that begins a month; any other is left as it stands, which is no period."""
    names = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
    return f"{names[month - 1]} {year}" if day == 1 and 1 <= month <= 12 else f"{day} {month} {year}"
