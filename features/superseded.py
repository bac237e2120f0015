"""Superseded values: figures that a later release replaced, kept so that a vintage shows what was known then."""

from collections.abc import Mapping

import pandas as pd

from features.contracts import TABLES
from features.fault_words import capped, row_number
from features.table_check import Checked

VALUE = {"indicators": "value", "flows": "persons", "movements": "persons"}
"""Tables whose replaced values are kept, and the column that holds the value."""

KEY = ["table", "region", "origin", "destination", "year", "month", "measure", "scope", "indicator"]


def with_superseded(name: str, table: pd.DataFrame, superseded: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table and those they replaced; the latter with `superseded`, the round from which they are gone."""
    old = superseded[superseded["table"] == name.removeprefix("monthly_")]
    if name in ("movements", "monthly_movements"):
        old = old[old["month"].notna() == (name == "monthly_movements")]
    if not len(old):
        return table
    old = old.rename(columns={"value": VALUE[name.removeprefix("monthly_")]})
    both = pd.concat([table, old[[*table.columns.intersection(old.columns), "superseded"]]], ignore_index=True)
    return both.astype(table.dtypes.drop("basis").to_dict() | {"basis": "category"})


# --- rules ----------------------------------------------------------------------------------------------------------


def superseded_faults(usable: Mapping[str, Checked]) -> list[str]:
    """Faults of the table `superseded`: a key that is not its table's, and times in which two values were known."""
    rows = usable["superseded"].sound
    return [*_key_faults(rows), *_value_faults(rows), *_overlap_faults(rows)]


def _key_faults(rows: pd.DataFrame) -> list[str]:
    """A row has the key columns of the table it was in, and no others."""
    lines = []
    for name, own in rows.groupby("table"):
        table = TABLES[str(name)]
        for column in own.columns.intersection(KEY[1:]):
            if column not in table.key:
                wrong, wanted = own[column].notna(), f"must be empty for {name}"
            else:
                wrong, wanted = own[column].isna() & (column in table.required), f"must be given for {name}"
            lines += [
                f"superseded: row {row_number(label)}: {column} is {_or_empty(own[column][label])}; {wanted}"
                for label in own.index[wrong]
            ]
    return capped(lines, "superseded: keys")


def _or_empty(value: object) -> str:
    return "empty" if pd.isna(value) else f"'{value}'"  # pyright: ignore[reportCallIssue, reportArgumentType]


def _value_faults(rows: pd.DataFrame) -> list[str]:
    counts = rows.loc[rows["table"] != "indicators", "value"]
    lines = [
        f"superseded: row {row_number(label)}: value is {value:g}; must be a whole number of persons"
        for label, value in counts[counts % 1 != 0].items()
    ]
    return capped(lines, "superseded: values")


def _overlap_faults(rows: pd.DataFrame) -> list[str]:
    """A value is replaced after it was published, by one that is published in that round or later."""
    backwards = rows[rows["superseded"] < rows["published"]]
    lines = [
        f"superseded: row {row_number(row.Index)}: superseded is {row.superseded}, before it was published; "
        f"must be {row.published} or later"
        for row in backwards.itertuples()
    ]
    key = rows.columns.intersection(KEY).tolist()
    lasting = rows[rows["superseded"] > rows["published"]].sort_values("published", kind="stable")
    end = lasting.groupby(key, dropna=False)["superseded"].shift()
    lines += [
        f"superseded: row {row_number(label)}: published is {published}, while another value of the same key was "
        f"known until {until}; must be {until} or later"
        for label, published, until in zip(lasting.index, lasting["published"], end, strict=True)
        if pd.notna(until) and published < until
    ]
    return capped(lines, "superseded: times")
