"""Records: tables and numbers as answers hold them, null where nothing is known."""

import math
from typing import Any

import pandas as pd


def records_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows, None where a value is missing."""
    rows = table.astype("object").where(table.notna(), None).to_dict("records")
    return [{str(column): value for column, value in row.items()} for row in rows]


def or_none(value: float) -> float | None:
    """None for what is not a number."""
    return None if math.isnan(value) else float(value)
