"""A table as text of equal width."""

from collections.abc import Sequence


def text_table(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Lines; the first columns stand to the left, the others to the right.

    >>> print("\\n".join(text_table([["target", "ahead"], ["inflow", "1"]])))
    target  ahead
    inflow      1
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(row, widths, left)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    padded = [cell.ljust(width) for cell, width in zip(row[:left], widths[:left], strict=True)]
    return padded + [cell.rjust(width) for cell, width in zip(row[left:], widths[left:], strict=True)]
