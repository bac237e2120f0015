"""Moves: a table with one row per move, counted, with every row that is no good set aside. The only file with DuckDB.

Persons are known here alone, in a temporary database that is removed: what leaves are counts, and the rejects file.
"""

import datetime as dt
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from features.releases.move_files import MoveFile, MovesError, column_fault, open_moves, schema

NEEDED = ("origin", "destination", "date")
OPTIONAL = ("id", "person", "age_group", "sex")

MEMORY = "1200MB"
"""What DuckDB may hold; the rest goes to its temporary folder."""

TOLD = 1_000_000
"""Rows after which progress is told again."""

DATES = ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
FIRST_YEAR = 1900

SEXES = {
    "female": ("female", "f", "ж", "жен", "женский", "женщина", "әйел"),
    "male": ("male", "m", "м", "муж", "мужской", "мужчина", "ер"),
}

Progress = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Moves:
    """Accepted moves, counted.

    counts: origin, destination, year, month, persons. groups: origin, destination, year, the columns asked for,
    persons; None where none were. reasons: rejected rows by reason; a row may have several. until: the last day that
    was taken for possible. last: the day of the last accepted move.

    Invariants: accepted + rejected = read; counts sum to accepted.
    """

    counts: pd.DataFrame
    groups: pd.DataFrame | None
    read: int
    rejected: int
    reasons: pd.Series
    until: dt.date
    last: dt.date | None

    @property
    def accepted(self) -> int:
        return self.read - self.rejected


def read_moves(
    files: Sequence[Path],
    regions: pd.DataFrame,
    rejects: Path,
    columns: Mapping[str, str] | None = None,
    by: Sequence[str] = (),
    until: dt.date | None = None,
    keep_identical: bool = False,
    memory: str = MEMORY,
    progress: Progress = str,
) -> Moves:
    """Count the moves of files and write the rejects file: row, cells, and all reasons of each row set aside.

    columns: names in the files of origin, destination, date, and where there is one, id (of the move), person,
    age_group, sex. Of rows with the same id all but the first are rejected; without an id, of those with the same
    person, origin, destination and date; without both, of those that are the same in every column, unless
    `keep_identical`. regions: as in a dataset; a move names them by code or by any name.

    Raises MovesError that lists every file and column that is not there.
    """
    opened = [open_moves(file) for file in files]
    roles = _roles(opened, columns or {}, by)
    with _database(memory) as database:
        identity = _identity(roles, keep_identical)
        read = sum(_load(database, i, file, roles, identity, progress) for i, file in enumerate(opened))
        progress("looking for duplicates")
        _find_duplicates(database, identity)
        progress("judging rows")
        _match_regions(database, regions)
        _judge(database, roles, until or dt.date.today())
        progress("counting")
        _write_rejects(database, roles, [str(file) for file in files], rejects)
        return _counted(database, by, read, until or dt.date.today())


def _roles(files: Sequence[MoveFile], columns: Mapping[str, str], by: Sequence[str]) -> dict[str, str]:
    """Column by role."""
    unknown = [role for role in [*columns, *by] if role not in (*NEEDED, *OPTIONAL)]
    roles = {role: columns.get(role, role) for role in (*NEEDED, *OPTIONAL) if role in (*NEEDED, *columns, *by)}
    faults = [f"columns: no role '{role}'; known: {', '.join((*NEEDED, *OPTIONAL))}" for role in unknown]
    faults += [fault for file in files for role in roles if (fault := column_fault(file, role, roles[role]))]
    faults += [] if files else ["no file of moves; at least one must be given"]
    if faults:
        raise MovesError("\n".join(faults))
    return roles


@contextmanager
def _database(memory: str):
    """A database on disk, so that what is larger than memory fits; removed in the end."""
    with tempfile.TemporaryDirectory(prefix="qonys-moves-") as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "temp_directory": f"{folder}/spill",
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
        }
        with duckdb.connect(f"{folder}/moves.duckdb", config=settings) as database:
            yield database


# --- loading --------------------------------------------------------------------------------------------------------

_BLANK = "' ' || chr(9) || chr(160)"


def _load(
    database: duckdb.DuckDBPyConnection,
    number: int,
    file: MoveFile,
    roles: dict[str, str],
    identity: str,
    progress: Progress,
) -> int:
    """Into the table `moves`, as text; how many rows were read."""
    columns = [*roles.values(), *(file.columns if identity == "whole" else ())]
    read = 0

    def counted():
        nonlocal read
        for batch in file.batches(columns):
            if (read + len(batch)) // TOLD > read // TOLD:
                progress(f"{file.path.name}: {read + len(batch):,} rows")
            read += len(batch)
            yield batch

    batches = pa.RecordBatchReader.from_batches(schema(columns), counted())
    cells = "".join(f", c{i} AS {role}" for i, role in enumerate(roles))
    whole = ", ".join(f"c{i}" for i in range(len(roles), len(columns)))
    whole = f", CASE WHEN text IS NULL THEN concat_ws(chr(31), {whole}) END AS whole" if whole else ""
    database.register("batches", batches)
    try:
        verb = "INSERT INTO moves" if number else "CREATE TABLE moves AS"
        database.execute(f"{verb} SELECT {number}::SMALLINT AS file, row, text {cells} {whole} FROM batches")
    except duckdb.Error as error:
        raise MovesError(f"{file.path}: cannot be read to its end ({str(error).splitlines()[0]})") from None
    finally:
        database.unregister("batches")
    return read


def _identity(roles: dict[str, str], keep_identical: bool) -> str:
    """What two rows have in common that are one move; empty where nothing is."""
    if "id" in roles:
        return f"nullif(trim(id, {_BLANK}), '')"
    if "person" in roles:
        return f"nullif(trim(person, {_BLANK}), '') || chr(31) || concat_ws(chr(31), origin, destination, date)"
    return "NULL::VARCHAR" if keep_identical else "whole"


# --- judging --------------------------------------------------------------------------------------------------------


def _find_duplicates(database: duckdb.DuckDBPyConnection, identity: str) -> None:
    """Table `again`: rows that were there before, and the first of them.

    Hashes are grouped first: ten million of them fit into memory where the texts would not.
    """
    database.execute(f"""
        CREATE TABLE shared AS
        SELECT hash({identity}) AS key FROM moves WHERE {identity} IS NOT NULL GROUP BY ALL HAVING count(*) > 1
    """)
    database.execute(f"""
        CREATE TABLE again AS
        SELECT file, row, first_value(file) OVER same AS first_file, first_value(row) OVER same AS first_row
        FROM moves WHERE {identity} IS NOT NULL AND hash({identity}) IN (SELECT key FROM shared)
        WINDOW same AS (PARTITION BY {identity} ORDER BY file, row)
        QUALIFY row_number() OVER same > 1
    """)


def _match_regions(database: duckdb.DuckDBPyConnection, regions: pd.DataFrame) -> None:
    """Table `places`: every word for a region in the moves, with the region it means."""
    words = [regions[column] for column in ("region", "name", "name_ru", "name_kk") if column in regions]
    names = pd.concat([pd.DataFrame({"word": column, "code": regions["region"]}) for column in words]).dropna()
    valid = regions.reindex(columns=["region", "valid_from", "valid_to"]).astype({"region": "object"})
    valid = valid.astype({"valid_from": "float64", "valid_to": "float64"})
    database.register("names", names.astype("object"))
    database.register("valid", valid)
    database.execute(f"""
        CREATE TABLE places AS
        WITH
            known AS (SELECT DISTINCT lower(trim(word, {_BLANK})) AS word, code, word = code AS exact FROM names),
            -- A code means its own region, whatever other regions are called.
            meant AS (SELECT word, code FROM known QUALIFY exact OR NOT bool_or(exact) OVER (PARTITION BY word)),
            seen AS (SELECT DISTINCT origin AS word FROM moves UNION SELECT DISTINCT destination FROM moves)
        SELECT
            seen.word, trim(seen.word, {_BLANK}) = '' AS blank,
            count(DISTINCT code) AS regions, any_value(code) AS code,
            coalesce(any_value(valid_from), 0) AS valid_from, coalesce(any_value(valid_to), 9999) AS valid_to
        FROM seen
        LEFT JOIN meant ON lower(trim(seen.word, {_BLANK})) = meant.word
        LEFT JOIN valid ON meant.code = valid.region
        WHERE seen.word IS NOT NULL GROUP BY seen.word
    """)
    database.unregister("names")
    database.unregister("valid")


def _judge(database: duckdb.DuckDBPyConnection, roles: dict[str, str], until: dt.date) -> None:
    """Table `judged`: row, meaning, and all reasons against it; no reasons where it is accepted."""
    faults = {
        "text IS NOT NULL": "the row cannot be read; it must have a cell for each column, and closed quotes, in UTF-8"
    }
    faults |= {f"text IS NULL AND {test}": reason for test, reason in _faults(roles, until).items()}
    wrong = " OR ".join(f"coalesce({test}, false)" for test in faults)
    cases = ", ".join(f"CASE WHEN {test} THEN '{reason}' END" for test, reason in faults.items())
    groups = "".join(f", {_GROUPS[role]} AS {role}_group" for role in ("age_group", "sex") if role in roles)
    dates = ", ".join(f"'{form}'" for form in DATES)
    database.execute(f"""
        CREATE TABLE judged AS
        SELECT file, row, start.code AS start, goal.code AS goal, day, first_file, first_row {groups},
            CASE WHEN {wrong} THEN list_filter([{cases}], lambda reason: reason IS NOT NULL) END AS reasons
        FROM (SELECT *, try_strptime(trim(date, {_BLANK}), [{dates}])::DATE AS day FROM moves) AS moves
        LEFT JOIN places AS start ON moves.origin = start.word
        LEFT JOIN places AS goal ON moves.destination = goal.word
        LEFT JOIN again USING (file, row)
    """)


def _faults(roles: dict[str, str], until: dt.date) -> dict[str, str]:
    """Reason by the test that finds it."""
    faults = {f"coalesce(trim({role}, {_BLANK}), '') = ''": f"{role} is empty; must be given" for role in roles}
    for role, place in (("origin", "start"), ("destination", "goal")):
        faults |= {
            f"{place}.regions = 0 AND NOT {place}.blank": f"{role} is no region; must be a code or name of one",
            f"{place}.regions > 1": f"{role} is the name of several regions; must be a code",
            f"{place}.regions = 1 AND NOT year(day) BETWEEN {place}.valid_from AND {place}.valid_to": (
                f"{role} was no region at the date; must be one that was (valid_from, valid_to)"
            ),
        }
    faults |= {
        "start.regions = 1 AND goal.regions = 1 AND start.code = goal.code": (
            "origin and destination are the same region; must be two"
        ),
        f"day IS NULL AND trim(date, {_BLANK}) <> ''": "date is no date; must be like 2024-12-31 or 31.12.2024",
        f"year(day) < {FIRST_YEAR}": f"date is before {FIRST_YEAR}; must be later",
        f"day > DATE '{until}'": f"date is after {until}; must be that day or before",
        "first_row IS NOT NULL": "the same move is there before; must be there once",
    }
    groups = {
        "age_group": "age_group is none; must be like 0-4 or 85+",
        "sex": f"sex is none; must be {' or '.join(SEXES)}",
    }
    named = {role: reason for role, reason in groups.items() if role in roles}
    return faults | {f"trim({role}, {_BLANK}) <> '' AND {_GROUPS[role]} IS NULL": told for role, told in named.items()}


_GROUPS = {
    "age_group": rf"nullif(regexp_extract(trim(age_group, {_BLANK}), '^(\d+-\d+|\d+\+)$'), '')",
    "sex": f"CASE lower(trim(sex, {_BLANK})) "
    + " ".join(f"WHEN '{word}' THEN '{sex}'" for sex, words in SEXES.items() for word in words)
    + " END",
}


# --- what comes of it -----------------------------------------------------------------------------------------------


def _write_rejects(database: duckdb.DuckDBPyConnection, roles: dict[str, str], files: list[str], rejects: Path) -> None:
    """Whole or not at all."""
    rejects.parent.mkdir(parents=True, exist_ok=True)
    unfinished = rejects.with_name(f".{rejects.name}.{os.getpid()}")
    database.register("names", pd.DataFrame({"file": range(len(files)), "name": files}).astype({"name": "object"}))
    database.execute(f"""
        COPY (
            SELECT names.name AS file, row, {", ".join(roles)}, text,
                CASE WHEN first_row IS NOT NULL THEN concat(first.name, ': ', first_row) END AS same_as,
                array_to_string(reasons, ' | ') AS reasons
            FROM moves JOIN judged USING (file, row) JOIN names USING (file)
            LEFT JOIN names AS first ON first_file = first.file
            WHERE reasons IS NOT NULL ORDER BY moves.file, row
        ) TO '{str(unfinished).replace("'", "''")}' (HEADER, DELIMITER ',')
    """)
    database.unregister("names")
    os.replace(unfinished, rejects)


def _counted(database: duckdb.DuckDBPyConnection, by: Sequence[str], read: int, until: dt.date) -> Moves:
    counts = _frame(
        database,
        "SELECT start AS origin, goal AS destination, year(day) AS year, month(day) AS month, count(*) AS persons "
        "FROM judged WHERE reasons IS NULL GROUP BY ALL ORDER BY ALL",
    )
    groups = ", ".join(f"{role}_group AS {role}" for role in by)
    counted = f"SELECT start AS origin, goal AS destination, year(day) AS year, {groups}, count(*) AS persons "
    grouped = _frame(database, f"{counted} FROM judged WHERE reasons IS NULL GROUP BY ALL ORDER BY ALL") if by else None
    told = _frame(
        database,
        "SELECT reason, count(*) AS rows FROM (SELECT unnest(reasons) AS reason FROM judged) GROUP BY ALL "
        "ORDER BY rows DESC, reason",
    )
    rejected, last = database.execute(
        "SELECT count(*) FILTER (reasons IS NOT NULL), max(day) FILTER (reasons IS NULL) FROM judged"
    ).fetchall()[0]
    if int(counts["persons"].sum()) + rejected != read:
        raise MovesError(f"{read:,} rows were read, {rejected:,} rejected and {counts['persons'].sum():,} counted")
    return Moves(counts, grouped, read, int(rejected), told.set_index("reason")["rows"], until, last)


def _frame(database: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    frame = database.execute(query).df()
    numbers = dict.fromkeys(frame.columns.intersection(["year", "month", "persons", "rows"]), "int64")
    return frame.astype(dict.fromkeys(frame.columns.difference(list(numbers)), "str") | numbers)
