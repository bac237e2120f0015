"""What is new in a release beside a table: rows to add, values to replace, values that were known before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.boundaries import BASIS_ORDER
from features.contracts import TABLES
from features.dataset import filled_table
from features.fault_words import capped
from features.releases.release import Release
from features.superseded import KEY, VALUE

SAME = 1e-9
"""Values that differ by no more than this share are one figure, written with more or fewer digits."""

OPEN = 9999
"""`superseded` of a row that nothing has replaced."""

COUNTS = ("added", "unchanged", "revised", "withdrawn", "outranked")


@dataclass(frozen=True, eq=False)
class Comparison:
    """A table as the release leaves it.

    superseded: its rows of the table `superseded`. revised: key columns, old, new, difference, old_basis, basis; new is
    empty where a row was withdrawn. counts: by COUNTS; outranked rows are of a weaker basis than what is there.
    """

    table: pd.DataFrame
    superseded: pd.DataFrame
    revised: pd.DataFrame
    counts: dict[str, int]


def compare_fixed(name: str, table: pd.DataFrame, rows: pd.DataFrame) -> tuple[Comparison, list[str]]:
    """For tables without values that can be revised: new keys are added, a key that is there must say the same.

    The faults are the differences.
    """
    key = list(TABLES[name].key)
    table, rows = (_with_key(name, one) for one in (table, rows))
    beside = rows.merge(table.assign(there=True), on=key, how="left", suffixes=("", "_old"), validate="one_to_one")
    there = beside["there"].notna()
    faults = [
        f"{name}: {', '.join(str(row[part]) for part in key)}: {column} is '{row[f'{column}_old']}', in the release "
        f"'{row[column]}'; a release cannot change it, so one of the two must be corrected"
        for column in rows.columns.difference(key).intersection(table.columns)
        for row in beside[there & _differ(beside[column], beside[f"{column}_old"])].to_dict("records")
    ]
    both = pd.concat([table, rows[~there.to_numpy()].sort_values(key)], ignore_index=True)
    counts = dict.fromkeys(COUNTS, 0) | {"added": int((~there).sum()), "unchanged": int(there.sum())}
    return Comparison(both, pd.DataFrame(), pd.DataFrame(), counts), capped(faults, f"{name}: differences")


def _with_key(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """With empty columns for parts of the key that are left out."""
    types = {column: TABLES[name].columns[column].dtype for column in TABLES[name].key}
    missing = {column: pd.Series(None, table.index, types[column]) for column in types if column not in table}
    return table.assign(**missing)


def _differ(new: pd.Series, old: pd.Series) -> pd.Series:
    """Where both are given and are not the same."""
    return (new != old).fillna(False).astype("bool") & new.notna() & old.notna()


# --- values that are revised ----------------------------------------------------------------------------------------


def compare_values(
    name: str, table: pd.DataFrame, superseded: pd.DataFrame, rows: pd.DataFrame, release: Release
) -> Comparison:
    """Against what was known in the release's round, which need not be the last one.

    Every value has a time in which it is known, from `published` until `superseded`. A release ends the time of the
    value that was known in its round, and begins one that lasts as long as the other would have.
    """
    versions, rows = _versions(name, table, superseded), _new_rows(name, rows, release)
    versions["round"] = versions["year"].clip(lower=release.published)
    known = versions[(versions["published"] <= versions["round"]) & (versions["round"] < versions["superseded"])]
    beside = _beside(rows, known, versions, list(TABLES[name].key))
    kind = _kinds(beside)
    gone = _absent(known, rows, list(TABLES[name].key), release.complete.get(name))
    revised, added = beside[kind == "revised"], beside[kind == "added"]
    ended = versions["version"].isin([*revised["version"], *gone["version"]])
    versions["superseded"] = versions["superseded"].mask(ended, versions["round"])
    versions["release"] = versions["release"].mask(ended, release.name)
    after = pd.concat([versions, _begun(revised, added)], ignore_index=True)
    counts = {what: int((kind == what).sum()) for what in COUNTS} | {"withdrawn": len(gone)}
    return Comparison(_table(name, after), _superseded(name, after), _told(name, revised, gone), counts)


def _versions(name: str, table: pd.DataFrame, superseded: pd.DataFrame) -> pd.DataFrame:
    """Every value that is or was known, with its `version`, a number, and `place`, the row it has in the table."""
    now = filled_table(name, _with_key(name, table)).rename(columns={VALUE[name]: "value"})
    now = now.assign(superseded=OPEN, place=np.arange(len(now), dtype="float64"))
    both = _typed(name, pd.concat([now, superseded[superseded["table"] == name]], ignore_index=True))
    return both.assign(version=np.arange(len(both)))


def _typed(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """With the columns of a version, in types that do not depend on the rows."""
    text = dict.fromkeys(["region", "origin", "destination", "measure", "scope", "indicator"], "str")
    numbers = {"year": "int64", "month": "Int64"}
    types = {column: (text | numbers)[column] for column in TABLES[name].key}
    types |= {"value": "float64", "published": "int64", "superseded": "int64", "basis": "str", "source": "str"}
    types |= {"release": "str", "place": "float64"}
    return rows.reindex(columns=list(types)).astype(types)


def _new_rows(name: str, rows: pd.DataFrame, release: Release) -> pd.DataFrame:
    """The release's rows as versions; what does not say when it became known did so in the release's round."""
    own, first = rows.get("published"), rows["year"].clip(lower=release.published)
    rows = filled_table(name, _with_key(name, rows.assign(published=first if own is None else own.fillna(first))))
    rows = _typed(name, rows.rename(columns={VALUE[name]: "value"}).assign(superseded=OPEN, place=np.nan))
    return rows.assign(round=rows["year"].clip(lower=release.published)).drop(columns=["release", "place"])


def _beside(rows: pd.DataFrame, known: pd.DataFrame, versions: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The release's rows with what was known of their key (…_old), and the first value that became known later."""
    beside = rows.merge(known.drop(columns="round"), on=key, how="left", suffixes=("", "_old"), validate="one_to_one")
    lasting = versions[versions["superseded"] > versions["published"]]
    later = lasting[lasting["published"] > lasting["round"]].sort_values("published").drop_duplicates(key)
    later = later[[*key, "value", "basis", "published"]]
    beside = beside.merge(later, on=key, how="left", suffixes=("", "_later"), validate="one_to_one")
    before = versions.loc[versions["published"] <= versions["round"], key].drop_duplicates().assign(had_one=True)
    return beside.merge(before, on=key, how="left", validate="one_to_one")


def _kinds(beside: pd.DataFrame) -> pd.Series:
    there, rank = beside["version"].notna(), _rank(beside["basis"])
    same = _same(beside, "_old") | (~there & _same(beside, "_later"))
    weaker = there & ~same & (rank > _rank(beside["basis_old"]))
    kinds = np.select([same, weaker, there], ["unchanged", "outranked", "revised"], "added")
    return pd.Series(kinds, beside.index)


def _same(beside: pd.DataFrame, which: str) -> pd.Series:
    near = (beside["value"] - beside[f"value{which}"]).abs() <= SAME * beside["value"].abs()
    return near & (beside["basis"] == beside[f"basis{which}"])


def _rank(basis: pd.Series) -> pd.Series:
    """0 for official; higher for weaker."""
    return basis.map({basis: rank for rank, basis in enumerate(BASIS_ORDER)}).astype("float64")


def _absent(known: pd.DataFrame, rows: pd.DataFrame, key: list[str], complete: tuple[str, ...] | None) -> pd.DataFrame:
    """What was known and the release, which tells its part in full, has not; not what its basis may not replace."""
    if complete is None:
        return known.iloc[:0]
    part, rank = list(complete), _rank(rows["basis"])
    told = rows.assign(told=rank).groupby(part, dropna=False)["told"].max().reset_index()
    known = known.merge(told, on=part, validate="many_to_one")
    known = known.merge(rows[key].assign(there=True), on=key, how="left", validate="one_to_one")
    return known[known["there"].isna() & (known["told"] <= _rank(known["basis"]))]


def _begun(revised: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    """The versions that begin with the release."""
    revised = revised.assign(published=revised["round"], superseded=revised["superseded_old"])
    # What comes back after it was withdrawn becomes known again with the release.
    published = added["published"].where(added["had_one"].isna() & added["published_later"].isna(), added["round"])
    until = added["published_later"].fillna(OPEN)
    both = pd.concat([revised, added.assign(published=published, superseded=until)])
    return both.astype({"published": "int64", "superseded": "int64"})


def _table(name: str, versions: pd.DataFrame) -> pd.DataFrame:
    """What nothing has replaced: rows that were there before in their place, new ones after them."""
    rows = versions[versions["superseded"] == OPEN].sort_values(["place", *TABLES[name].key], ignore_index=True)
    rows = rows.rename(columns={"value": VALUE[name]})
    rows = rows if name == "indicators" else rows.astype({VALUE[name]: "int64"})
    empty = [column for column in ("month", "source") if column in rows and rows[column].isna().all()]
    return rows[[column for column in TABLES[name].columns if column in rows and column not in empty]]


def _superseded(name: str, versions: pd.DataFrame) -> pd.DataFrame:
    old = versions[versions["superseded"] != OPEN].assign(table=name)
    return filled_table("superseded", old).drop_duplicates(ignore_index=True)


def _told(name: str, revised: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    columns = [column for column in KEY if column in TABLES[name].key]
    replaced = revised.rename(columns={"value_old": "old", "value": "new", "basis_old": "old_basis"})
    gone = gone.rename(columns={"value": "old", "basis": "old_basis"}).assign(new=np.nan, basis="")
    told = pd.concat([replaced, gone])[[*columns, "old", "new", "old_basis", "basis"]]
    told.insert(len(columns) + 2, "difference", told["new"].fillna(0) - told["old"])
    return told.reset_index(drop=True)
