"""Dataset: the tables of a dataset folder, and what of them was known at a cutoff. The only reader of raw files."""

import hashlib
import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import pandas as pd

from features import contracts
from features.boundaries import unit_of_region
from features.contracts import TABLES, DatasetError, check_table
from features.indicators import INDICATORS, UNKNOWN_LAG

KAZAKHSTAN = Path(__file__).parent / "kazakhstan"
"""The embedded default dataset."""

REQUIRED = ("regions", "indicators")
YEARLY = ("indicators", "flows", "movements", "population_by_age")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Validated tables, one row per key; tables that the folder does not have are empty.

    Invariants: every row of `indicators`, `flows`, `movements` has `published`, `basis`; with `cutoff` set, no value is
    of a later year or was published later. Frames are not to be changed in place.
    """

    name: str
    title: str
    sources: tuple[str, ...]
    sha256: str
    regions: pd.DataFrame
    indicators: pd.DataFrame
    flows: pd.DataFrame
    movements: pd.DataFrame
    pairs: pd.DataFrame
    population_by_age: pd.DataFrame
    boundary_changes: pd.DataFrame
    gaps: tuple[dict, ...] = ()
    cutoff: int | None = None
    _known: dict[int, "Dataset"] = field(default_factory=dict, repr=False)
    _whole: "Dataset | None" = field(default=None, repr=False)

    def as_of(self, cutoff: int) -> "Dataset":
        """The vintage that was known at the cutoff: nothing of a later year, nothing published later.

        Boundaries are kept whole: they say in which units values are compared, and hold no value. Asked twice for a
        cutoff, it gives the same object, so that what is computed from it can be kept.
        """
        if self.cutoff is not None and cutoff >= self.cutoff:
            return self
        whole = self._whole or self
        if cutoff not in whole._known:
            seen = {name: _seen(getattr(whole, name), cutoff) for name in YEARLY}
            whole._known[cutoff] = replace(whole, **seen, cutoff=cutoff, _known={}, _whole=whole)
        return whole._known[cutoff]

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that have rows, by name."""
        tables = {name: getattr(self, name) for name in TABLES}
        return {name: table for name, table in tables.items() if len(table)}

    def indicator(self, name: str) -> pd.DataFrame:
        """Values of one indicator: year × region."""
        rows = self.indicators[self.indicators["indicator"] == name]
        return rows.pivot(index="year", columns="region", values="value")


def _seen(table: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    seen = table["year"] <= cutoff
    if "published" in table:
        seen &= table["published"] <= cutoff
    return table[seen].reset_index(drop=True)


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
    descriptor = _descriptor(folder)
    raw, faults, notes = _read_resources(folder, descriptor)
    tables, bad = {}, {}
    for name, frame in raw.items():
        tables[name], table_faults, bad[name] = check_table(frame, TABLES[name])
        faults += table_faults
    gaps = {resource.get("name"): _gaps(resource, faults) for resource in descriptor["resources"]}
    faults += _cross_table_faults(tables, bad, gaps)
    if faults:
        raise DatasetError(str(folder), faults)
    notes += _indicator_notes(tables["indicators"])
    return _assembled(folder, descriptor, tables, gaps), notes


def _descriptor(folder: Path) -> dict:
    path = folder / "datapackage.json"
    if not path.is_file():
        raise DatasetError(str(folder), ["datapackage.json: not there; a dataset folder must have this descriptor"])
    try:
        descriptor = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(str(folder), [f"datapackage.json: {error}; must be JSON in UTF-8"]) from None
    resources = descriptor.get("resources") if isinstance(descriptor, dict) else None
    if not isinstance(resources, list) or not all(isinstance(entry, dict) for entry in resources):
        raise DatasetError(str(folder), ["datapackage.json: 'resources' must be a list of {name, path}"])
    return descriptor


def _read_resources(folder: Path, descriptor: dict) -> tuple[dict[str, pd.DataFrame], list[str], list[str]]:
    raw, faults, notes = {}, [], []
    if not isinstance(descriptor.get("name"), str):
        faults.append("datapackage.json: 'name' is missing; must be a short text")
    named = [str(resource.get("name")) for resource in descriptor["resources"]]
    for resource, name in zip(descriptor["resources"], named, strict=True):
        if name not in TABLES:
            hint = contracts.nearest(name, set(TABLES) - set(named))
            known = ", ".join(TABLES)
            told = f"datapackage.json: resource '{name}' is not a table of the format ({known}){hint}"
            (faults if hint else notes).append(told)
        elif named.count(name) > 1 and name in raw:
            faults.append(f"datapackage.json: resource '{name}' is there twice; names must be unique")
        else:
            table, table_faults = _read_table(folder, resource, name)
            faults += table_faults
            raw |= {} if table is None else {name: table}
    for name in REQUIRED:
        if name not in named:
            faults.append(f"datapackage.json: resource '{name}' is missing; required: {', '.join(REQUIRED)}")
    if "flows" not in named and "movements" not in named:
        faults.append("datapackage.json: neither 'flows' nor 'movements' is there; one of them must be")
    return raw, faults, notes


def _read_table(folder: Path, resource: dict, name: str) -> tuple[pd.DataFrame | None, list[str]]:
    given = resource.get("path")
    if not isinstance(given, str):
        return None, [f"datapackage.json: resource '{name}': path is {given!r}; must be the name of a file"]
    path = folder / given
    if not path.resolve().is_relative_to(folder.resolve()):
        return None, [f"datapackage.json: resource '{name}': path '{given}' leads out of the folder; must lie in it"]
    if not path.is_file():
        there = sorted(file.name for file in folder.iterdir() if file.is_file())
        return None, [
            f"datapackage.json: resource '{name}': file '{given}' is not there{contracts.nearest(given, there)}"
        ]
    faults = _hash_faults(path, resource.get("hash"), name)
    try:
        return _read_file(path), faults
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        return None, [*faults, f"{name}: '{given}' cannot be read ({reason}); must be CSV in UTF-8 or Parquet"]


def _read_file(path: Path) -> pd.DataFrame:
    if path.suffix in (".parquet", ".pq"):
        return pd.read_parquet(path).reset_index(drop=True)
    return pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")


def _hash_faults(path: Path, given: object, name: str) -> list[str]:
    if given is None:
        return []
    algorithm, _, wanted = str(given).rpartition(":")
    if algorithm != "sha256":
        return [f"datapackage.json: resource '{name}': hash is '{given}'; must be 'sha256:…'"]
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found == wanted.lower():
        return []
    return [f"{name}: sha256 of '{path.name}' is {found[:12]}…; must be {wanted[:12]}… as the descriptor says"]


def _gaps(resource: dict, faults: list[str]) -> list[dict]:
    gaps = resource.get("gaps", [])
    wrong = [gap for gap in gaps if not (isinstance(gap, dict) and gap.get("years") and gap.get("reason"))]
    if wrong:
        faults.append(f"datapackage.json: resource '{resource.get('name')}': a gap must have 'years' and 'reason'")
    return [gap for gap in gaps if gap not in wrong]


# --- rules across tables --------------------------------------------------------------------------------------------


def _cross_table_faults(tables: dict, bad: dict, gaps: dict) -> list[str]:
    """Rules are applied to rows without a fault of their own; where keys alone matter, to all rows."""
    whole = {name: _has_required(tables.get(name), name) for name in TABLES}
    good = {name: table.drop(index=bad[name]) for name, table in tables.items()}
    faults = contracts.check_regions_known(tables) if "regions" in tables else []
    if whole["indicators"]:
        faults += contracts.check_indicator_bounds(good["indicators"])
        population = tables["indicators"][tables["indicators"]["indicator"] == "population"]
        faults += contracts.check_no_missing_year(
            "indicators", population, ["region", "indicator"], gaps.get("indicators", [])
        )
    if whole["movements"]:
        movements, series = good["movements"], ["region", "measure", "scope"]
        faults += contracts.check_counts_not_negative(movements)
        faults += contracts.check_no_missing_year("movements", tables["movements"], series, gaps.get("movements", []))
        faults += contracts.check_net_is_arrivals_less_departures(movements)
        untouched = movements[~movements["year"].isin(tables["movements"].loc[bad["movements"], "year"])]
        faults += contracts.check_internal_balance(untouched)
    if whole["flows"]:
        faults += contracts.check_flow_years(tables["flows"], gaps.get("flows", []))
    faults += _boundary_faults(tables, whole)
    return faults


def _has_required(table: pd.DataFrame | None, name: str) -> bool:
    if table is None:
        return False
    return all(column in table for column, rule in TABLES[name].schema.columns.items() if rule.required)


def _boundary_faults(tables: dict, whole: dict) -> list[str]:
    if not (whole["regions"] and whole["indicators"]):
        return []
    changes = tables["boundary_changes"] if whole["boundary_changes"] else _empty("boundary_changes")
    unit = unit_of_region(tables["regions"]["region"].dropna(), changes)
    population = tables["indicators"][tables["indicators"]["indicator"] == "population"]
    used = [_in_units(tables[name], column, unit) for name, column in _USES if whole[name]]
    if not used:
        return []
    return contracts.check_population_present(_in_units(population, "region", unit), pd.concat(used))


_USES = (("movements", "region"), ("flows", "origin"), ("flows", "destination"))


def _in_units(table: pd.DataFrame, column: str, unit: pd.Series) -> pd.DataFrame:
    keys = table[[column, "year"]].dropna().drop_duplicates()
    return pd.DataFrame({"region": keys[column].map(unit), "year": keys["year"]}).dropna()


def _indicator_notes(indicators: pd.DataFrame) -> list[str]:
    unknown = sorted(set(indicators["indicator"].unique()) - set(INDICATORS))
    return [
        f"indicators: '{name}' is not in the indicator dictionary and is not used{contracts.nearest(name, INDICATORS)}"
        for name in unknown
    ]


# --- assembling -----------------------------------------------------------------------------------------------------


def _assembled(folder: Path, descriptor: dict, tables: dict, gaps: dict) -> Dataset:
    filled = {name: _filled(name, tables[name]) if name in tables else _empty(name) for name in TABLES}
    return Dataset(
        name=descriptor["name"],
        title=descriptor.get("title", descriptor["name"]),
        sources=tuple(source.get("title", "") for source in descriptor.get("sources", [])),
        sha256=_sha256(folder, descriptor),
        gaps=tuple({"table": name, **gap} for name, found in gaps.items() for gap in found),
        **filled,
    )


def _filled(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Optional columns where they are left out: `published` by the publication lag, `basis` official."""
    table = table.copy()
    if name in ("indicators", "flows", "movements"):
        lag = table["indicator"].map(_lag) if name == "indicators" else 0
        published = (table["year"] + lag).astype("int64")
        given = table["published"] if "published" in table else pd.Series(pd.NA, index=table.index, dtype="Int64")
        table["published"] = given.fillna(published).astype("int64")
        given = table["basis"] if "basis" in table else pd.Series(None, index=table.index, dtype="str")
        table["basis"] = given.fillna("official").astype("category")
    for column in table.columns.intersection(["year", "persons"]):
        table[column] = table[column].astype("int64")
    if name != "regions":
        for column in table.columns.intersection(
            [*contracts.REGION_COLUMNS, "indicator", "source", "measure", "scope"]
        ):
            table[column] = table[column].astype("str")
    return table.reset_index(drop=True)


def _lag(indicator: str) -> int:
    return INDICATORS[indicator].publication_lag if indicator in INDICATORS else UNKNOWN_LAG


def _empty(name: str) -> pd.DataFrame:
    """The table without rows, in the types a table with rows has."""
    columns = {
        column: pd.Series(dtype=_EMPTY_TYPES[contracts.type_name(rule)])
        for column, rule in TABLES[name].schema.columns.items()
    }
    return pd.DataFrame(columns)


_EMPTY_TYPES = {"Int64": "int64", "float64": "float64", "boolean": "boolean", "str": "str"}


def _sha256(folder: Path, descriptor: dict) -> str:
    """Of the tables' bytes, in the order of their names; the descriptor's words do not count."""
    digest = hashlib.sha256()
    for resource in sorted(descriptor["resources"], key=lambda resource: str(resource.get("name"))):
        if resource.get("name") in TABLES:
            digest.update(str(resource["name"]).encode() + b"\0")
            digest.update((folder / resource["path"]).read_bytes())
    return digest.hexdigest()


# --- writing --------------------------------------------------------------------------------------------------------


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write the dataset as a folder of the same format, in Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    resources = []
    for name, table in dataset.tables().items():
        path = folder / f"{name}.parquet"
        table.astype({column: "str" for column in table.select_dtypes("category")}).to_parquet(path, index=False)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        gaps = [
            {key: value for key, value in gap.items() if key != "table"} for gap in dataset.gaps if gap["table"] == name
        ]
        resources.append(
            {"name": name, "path": path.name, "hash": f"sha256:{digest}"} | ({"gaps": gaps} if gaps else {})
        )
    descriptor = {
        "name": dataset.name,
        "title": dataset.title,
        "sources": [{"title": title} for title in dataset.sources],
        "resources": resources,
    }
    (folder / "datapackage.json").write_text(json.dumps(descriptor, indent=2, ensure_ascii=False) + "\n", "utf-8")


TABLE_FIELDS = tuple(field.name for field in fields(Dataset) if field.name in TABLES)
