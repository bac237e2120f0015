"""Figure: one number of the Bureau as it stands in its cell, with the region, period and measure it is of."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from features.releases.findings import Findings
from features.releases.periods import Period


class Figure(NamedTuple):
    """region: the name as it stands, NATION for the national row. measure: where the column says it, else None.

    where: the cell, as a user finds it. factor: from the cell's number to our unit.
    """

    where: str
    region: str
    period: Period
    measure: str | None
    cell: object
    factor: float


class LeftOut:
    """Rows of one sheet that are left out on purpose, told in one note for each reason."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.rows: dict[str, list[int]] = defaultdict(list)

    def add(self, reason: str, row: int) -> None:
        """row: counted from 0."""
        self.rows[reason].append(row + 1)

    def tell(self, findings: Findings) -> None:
        findings.notes += [f"{self.place}: {reason} left out: {spans(rows)}" for reason, rows in self.rows.items()]


def spans(numbers: Iterable[int]) -> str:
    """Numbers with runs drawn together.

    >>> spans([3, 4, 5, 9])
    'rows 3-5, 9'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    told = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]
    shown = ", ".join(told[:8]) + (f" and {len(told) - 8} more places" if len(told) > 8 else "")
    return ("row " if len(runs) == 1 and runs[0][0] == runs[0][1] else "rows ") + shown
