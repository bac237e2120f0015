"""Release: rows that a source published together, in the columns of the dataset format."""

import hashlib
from dataclasses import dataclass, field, replace

import pandas as pd

from features.contracts import TABLES, DatasetError
from features.table_check import check_table


class ReleaseError(ValueError):
    """A release that a dataset cannot take, or a folder that takes none."""


@dataclass(frozen=True, eq=False)
class Release:
    """Rows to be added to a dataset folder.

    name: a short text by which the release is told from others, such as `T26 2025`.
    published: the round in which its rows became known.
    tables: rows by table of the dataset format (`indicators`, `flows`, `movements`, …), with `source` where the table
        has it. A row without `published` became known in the release's round, one without `basis` is official.
    complete: by table, columns whose values name what the release tells in full: of `flows` ("year",), where a pair
        that is absent in one of its years moved nobody. Rows that a dataset has there and the release has not are
        withdrawn.
    suppressed_below: by table, the fewest persons that a cell must have; smaller ones were left out.
    """

    name: str
    published: int
    tables: dict[str, pd.DataFrame]
    complete: dict[str, tuple[str, ...]] = field(default_factory=dict)
    suppressed_below: dict[str, int] = field(default_factory=dict)

    def with_tables(self, tables: dict[str, pd.DataFrame]) -> "Release":
        """The same with more tables."""
        return replace(self, tables=self.tables | tables)


def checked_tables(release: Release) -> dict[str, pd.DataFrame]:
    """The tables in the contract's types, with every column of their key.

    Raises DatasetError that lists every cell that breaks the contract.
    """
    unknown = [f"no table '{name}' in the dataset format; known: {', '.join(TABLES)}" for name in _unknown(release)]
    checked = {name: check_table(rows, TABLES[name]) for name, rows in release.tables.items() if name in TABLES}
    faults = unknown + [fault for one in checked.values() for fault in one.faults]
    if faults:
        raise DatasetError(f"release '{release.name}'", faults)
    return {name: one.frame.reset_index(drop=True) for name, one in checked.items() if len(one.frame)}


def _unknown(release: Release) -> list[str]:
    return [name for name in release.tables if name not in TABLES or name == "superseded"]


def content_sha256(release: Release, tables: dict[str, pd.DataFrame]) -> str:
    """Of what the release says; the order of its rows does not count."""
    words = (release.published, sorted(release.complete.items()), sorted(release.suppressed_below.items()))
    digest = hashlib.sha256(repr(words).encode())
    for name, rows in sorted(tables.items()):
        ordered = rows[sorted(rows.columns)].sort_values([column for column in TABLES[name].key if column in rows])
        digest.update(name.encode() + b"\0" + ordered.to_csv(index=False).encode())
    return digest.hexdigest()
