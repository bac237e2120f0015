"""Words of faults: the name that was meant, the row of a file, and how many more there are."""

import difflib
from collections.abc import Iterable
from typing import Any

SHOWN_PER_KIND = 50
"""Faults of one kind that are printed one by one; the rest are counted."""


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
