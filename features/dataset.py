"""Dataset: the tables of a dataset folder, and what of them was known at a cutoff. The only reader of raw files."""

import hashlib
import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.contracts import REGION_COLUMNS, TABLES, DatasetError
from features.descriptor import FILE, Descriptor, Resource, read_descriptor
from features.fault_words import nearest
from features.indicators import INDICATORS, UNKNOWN_LAG
from features.remembered import remembered
from features.rules import rule_faults
from features.superseded import with_superseded
from features.table_check import check_table

KAZAKHSTAN = Path(__file__).parent / "kazakhstan"
"""The embedded default dataset."""

YEARLY = ("indicators", "flows", "movements", "statements", "population_by_age")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Validated tables, one row per key; tables that the folder does not have are empty.

    `statements` are figures that were told of a period, or of the whole country (no region); error in persons.
    The table `movements` is held in two: `movements` are figures of whole years, `monthly_movements` of months.
    `superseded` holds values that a later release replaced; a vintage shows them in their tables instead.
    licenses, origins, gaps, revisions, releases: as in the descriptor; gaps and revisions with their `table`.
    month: months of the year after the cutoff that are known too, 0 for none. running: the same for every vintage of
    which no month is asked.

    Invariants: every row of `indicators`, `flows`, and both movements has `published`, `basis`; with `cutoff` set, no
    value is of a later year or was published later, but for `monthly_movements` of the first `month` months of the next
    year. Frames are not to be changed in place.
    """

    name: str
    title: str
    licenses: tuple[dict, ...]
    origins: tuple[dict, ...]
    sha256: str
    regions: pd.DataFrame
    indicators: pd.DataFrame
    flows: pd.DataFrame
    movements: pd.DataFrame
    monthly_movements: pd.DataFrame
    statements: pd.DataFrame
    pairs: pd.DataFrame
    population_by_age: pd.DataFrame
    boundary_changes: pd.DataFrame
    superseded: pd.DataFrame
    gaps: tuple[dict, ...] = ()
    revisions: tuple[dict, ...] = ()
    releases: tuple[dict, ...] = ()
    cutoff: int | None = None
    month: int = 0
    running: int = 0
    _known: dict[tuple[int, int], "Dataset"] = field(default_factory=dict, repr=False)
    _whole: "Dataset | None" = field(default=None, repr=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """Titles of the sources, to be cited."""
        return tuple(str(source.get("title", "")) for source in self.origins)

    def as_of(self, cutoff: int, month: int | None = None) -> "Dataset":
        """The vintage that was known at the cutoff: nothing of a later year, nothing published later.

        `month` adds the running year: monthly movements of the year after the cutoff, January to that month; by default
        `running`. A vintage never widens: asked for a later cutoff or month it gives itself; asked for its own cutoff
        without a month, it hides what is above `running`.

        Boundaries are kept whole: they say in which units values are compared, and hold no value. Asked twice for a
        cutoff and month, it gives the same object, so that what is computed from it can be kept.
        """
        month = self.running if month is None else month
        if self.cutoff is not None and (cutoff > self.cutoff or (cutoff == self.cutoff and month >= self.month)):
            return self
        whole = self._whole or self
        if (cutoff, month) not in whole._known:
            seen = {name: _seen(whole._versions(name), cutoff) for name in YEARLY}
            seen["monthly_movements"] = _months_seen(whole._versions("monthly_movements"), cutoff, month)
            seen["superseded"] = whole.superseded.iloc[:0]
            vintage = replace(whole, **seen, cutoff=cutoff, month=month, _known={}, _whole=whole)
            # Of several threads that ask at once, all get the vintage of the first.
            whole._known.setdefault((cutoff, month), vintage)
        return whole._known[cutoff, month]

    @property
    def whole(self) -> "Dataset":
        """The dataset that this is a vintage of; itself where it is none."""
        return self._whole or self

    @property
    def is_vintage(self) -> bool:
        """Whether its rows are those of `whole` that were known at its cutoff; not where a table was replaced, nor
        where values were that `whole` keeps beside its rows."""
        if self._whole is None or len(self._whole.superseded):
            return False
        return self._whole._known.get((self.cutoff or 0, self.month)) is self

    def _versions(self, name: str) -> pd.DataFrame:
        return with_superseded(name, getattr(self, name), self.superseded)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that have rows, by name, as in a folder: `movements` with its months, years first."""
        tables = {name: getattr(self, name) for name in TABLES}
        if len(self.monthly_movements):
            tables["movements"] = _with_months(self.movements, self.monthly_movements)
        return {name: table for name, table in tables.items() if len(table)}

    def indicator(self, name: str) -> pd.DataFrame:
        """Values of one indicator: year × region; the same frame for everyone who asks."""
        return _indicator(self, name)


@remembered(1024)
def _indicator(dataset: Dataset, name: str) -> pd.DataFrame:
    table, rows = dataset.indicators, _rows_by_indicator(dataset).get(name, np.zeros(0, dtype=int))
    years, row = np.unique(table["year"].to_numpy()[rows], return_inverse=True)
    column, regions = pd.factorize(table["region"].array.take(rows), sort=True)
    values = np.full((len(years), len(regions)), np.nan)
    values[row, column] = table["value"].to_numpy()[rows]
    return pd.DataFrame(values, index=pd.Index(years, name="year"), columns=pd.Index(regions, name="region"))


@remembered(64)
def _rows_by_indicator(dataset: Dataset) -> Mapping[Hashable, Any]:
    """Positions of an indicator's rows."""
    return dataset.indicators.groupby("indicator", observed=True).indices


def _seen(table: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    seen = table["year"] <= cutoff
    if "published" in table:
        seen &= table["published"] <= cutoff
    return _still_seen(table[seen], cutoff)


def _still_seen(table: pd.DataFrame, round_: int | pd.Series) -> pd.DataFrame:
    """Without what was replaced by then."""
    if "superseded" in table:
        table = table[~(table["superseded"] <= round_).fillna(False)].drop(columns="superseded")
    return table.reset_index(drop=True)


def _months_seen(monthly: pd.DataFrame, cutoff: int, month: int) -> pd.DataFrame:
    running = (monthly["year"] == cutoff + 1) & (monthly["month"] <= month) & (monthly["published"] <= cutoff + 1)
    past = (monthly["year"] <= cutoff) & (monthly["published"] <= cutoff)
    return _still_seen(monthly[past | running], cutoff + running[past | running])


def _with_months(yearly: pd.DataFrame, monthly: pd.DataFrame) -> pd.DataFrame:
    both = pd.concat([yearly, monthly], ignore_index=True).astype({"month": "Int64", "basis": "category"})
    return both[[column for column in TABLES["movements"].columns if column in both]]


# --- reading --------------------------------------------------------------------------------------------------------


def load_dataset(folder: Path | str = KAZAKHSTAN) -> Dataset:
    """Read and validate a dataset folder.

    Raises DatasetError that lists every fault found.

    >>> kazakhstan = load_dataset()
    >>> int(kazakhstan.as_of(2020).movements["year"].max())
    2020
    """
    dataset, _ = read_dataset(folder)
    return dataset


def read_dataset(folder: Path | str) -> tuple[Dataset, list[str]]:
    """The dataset, and notes on what is no fault but worth knowing (unknown indicators, other resources)."""
    folder = Path(folder)
    descriptor = read_descriptor(folder)
    faults, checked = list(descriptor.faults), {}
    for resource in descriptor.resources:
        try:
            checked[resource.name] = check_table(read_file(resource.path), TABLES[resource.name])
        except (OSError, ValueError) as error:
            faults.append(_unreadable(resource, error))
    gaps = {resource.name: list(resource.gaps) for resource in descriptor.resources}
    revisions = {resource.name: list(resource.revisions) for resource in descriptor.resources}
    faults += [fault for one in checked.values() for fault in one.faults] + rule_faults(checked, gaps, revisions)
    faults += _no_moves([checked[name].frame for name in ("flows", "movements") if name in checked])
    if faults:
        raise DatasetError(str(folder), faults)
    tables = {name: one.frame for name, one in checked.items()}
    return _assembled(descriptor, tables), [*descriptor.notes, *_indicator_notes(tables["indicators"])]


def read_saved(folder: Path) -> Dataset:
    """What `save_dataset` has written, whose tables were checked before: only their hashes are looked at.

    Raises DatasetError where the folder is not as it was written.
    """
    descriptor = read_descriptor(folder)
    if descriptor.faults:
        raise DatasetError(str(folder), list(descriptor.faults))
    tables = {resource.name: read_file(resource.path) for resource in descriptor.resources}
    return _assembled(descriptor, {name: _as_checked(name, table) for name, table in tables.items()})


def _as_checked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table.astype({column: TABLES[name].columns[str(column)].dtype for column in table.columns})


def _no_moves(tables: list[pd.DataFrame]) -> list[str]:
    if not any(len(table) for table in tables):
        return ["flows, movements: no rows; one of them must have some"] if tables else []
    if all("month" in table and table["month"].notna().all() for table in tables if len(table)):
        return ["movements: only months; there must be figures of whole years too, or flows"]
    return []


def read_file(path: Path) -> pd.DataFrame:
    """The table as it stands in the file; text where it is CSV. Rows without any cell are not there.

    Raises ValueError (pandas' and Python's own errors among them) or OSError where it cannot be read.
    """
    if path.suffix in (".parquet", ".pq"):
        return pd.read_parquet(path).reset_index(drop=True)
    raw = pd.read_csv(
        path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig", skip_blank_lines=False
    )
    if not isinstance(raw.index, pd.RangeIndex):
        raise ValueError("its rows have more cells than its header")
    return raw.dropna(how="all")


def _unreadable(resource: Resource, error: Exception) -> str:
    reason = str(error).splitlines()[0]
    return f"{resource.name}: '{resource.path.name}' cannot be read ({reason}); must be CSV in UTF-8 or Parquet"


def _indicator_notes(indicators: pd.DataFrame) -> list[str]:
    unknown = sorted(set(indicators["indicator"].unique()) - set(INDICATORS))
    return [
        f"indicators: '{name}' is not in the indicator dictionary and is not used{nearest(name, INDICATORS)}"
        for name in unknown
    ]


# --- assembling -----------------------------------------------------------------------------------------------------


def _assembled(descriptor: Descriptor, tables: dict[str, pd.DataFrame]) -> Dataset:
    filled = {name: filled_table(name, tables[name]) if name in tables else _empty(name) for name in TABLES}
    filled["movements"], filled["monthly_movements"] = _periods(filled["movements"])
    gaps = tuple({"table": resource.name, **gap} for resource in descriptor.resources for gap in resource.gaps)
    revisions = tuple(
        {"table": resource.name, **one} for resource in descriptor.resources for one in resource.revisions
    )
    words = (descriptor.name, descriptor.title, descriptor.licenses, descriptor.sources, _sha256(descriptor.resources))
    told = {"gaps": gaps, "revisions": revisions, "releases": descriptor.releases}
    return Dataset(*words, **filled, **told)  # pyright: ignore[reportArgumentType] all fields


def _periods(movements: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures of whole years, without the column `month`, and of months."""
    months = movements["month"] if "month" in movements else pd.Series(pd.NA, movements.index, dtype="Int64")
    yearly = movements[months.isna()].drop(columns="month", errors="ignore")
    monthly = movements[months.notna()].assign(month=months.dropna().astype("int64"))
    return yearly.reset_index(drop=True), monthly.reset_index(drop=True)


def filled_table(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Optional columns where they are left out: `published` by the publication lag, `basis` official."""
    if name == "superseded":
        columns = {column: rule.dtype for column, rule in TABLES[name].columns.items()}
        return table.reindex(columns=list(columns)).astype(columns).reset_index(drop=True)
    table = table.copy()
    if name in ("indicators", "flows", "movements", "statements"):
        lag = table["indicator"].map(_lag).astype("int64") if name == "indicators" else 0
        published = (table["year"] + lag).astype("int64")
        given = table["published"] if "published" in table else pd.Series(pd.NA, index=table.index, dtype="Int64")
        table["published"] = given.fillna(published).astype("int64")
        given = table["basis"] if "basis" in table else pd.Series(None, index=table.index, dtype="str")
        table["basis"] = given.fillna("official").astype("category")
    for column in table.columns.intersection(["year", "persons"]):
        table[column] = table[column].astype("int64")
    if name != "regions":
        for column in table.columns.intersection([*REGION_COLUMNS, "indicator", "source", "measure", "scope"]):
            table[column] = table[column].astype("str")
    return table.reset_index(drop=True)


def _lag(indicator: str) -> int:
    return INDICATORS[indicator].publication_lag if indicator in INDICATORS else UNKNOWN_LAG


@lru_cache
def _empty(name: str) -> pd.DataFrame:
    """The table without rows, in the types a table with rows has."""
    columns = {column: pd.Series(dtype=_EMPTY_TYPES[rule.dtype]) for column, rule in TABLES[name].columns.items()}
    return pd.DataFrame(columns)


_EMPTY_TYPES = {"Int64": "int64", "float64": "float64", "boolean": "boolean", "str": "str"}


def _sha256(resources: Iterable[Resource]) -> str:
    """Of the tables' bytes, in the order of their names; the descriptor's words do not count."""
    digest = hashlib.sha256()
    for resource in sorted(resources, key=lambda resource: resource.name):
        digest.update(resource.name.encode() + b"\0" + resource.path.read_bytes())
    return digest.hexdigest()


# --- writing --------------------------------------------------------------------------------------------------------


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write the dataset as a folder of the same format, in Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    resources = []
    for name, table in dataset.tables().items():
        path = folder / f"{name}.parquet"
        table.astype(dict.fromkeys(table.select_dtypes("category"), "str")).to_parquet(path, index=False)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        resource = {"name": name, "path": path.name, "hash": f"sha256:{digest}"}
        named = {"gaps": _of_table(dataset.gaps, name), "revisions": _of_table(dataset.revisions, name)}
        resources.append(resource | {key: entries for key, entries in named.items() if entries})
    descriptor = {
        "name": dataset.name,
        "title": dataset.title,
        "licenses": list(dataset.licenses),
        "sources": list(dataset.origins),
        "releases": list(dataset.releases),
        "resources": resources,
    }
    # A data package has a license or none, never an empty list of them.
    descriptor = {key: value for key, value in descriptor.items() if value}
    (folder / FILE).write_text(json.dumps(descriptor, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _of_table(named: Iterable[dict], table: str) -> list[dict]:
    return [{key: value for key, value in one.items() if key != "table"} for one in named if one["table"] == table]
