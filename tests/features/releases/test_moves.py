"""A table of moves is counted; a row that is no good is set aside with all its reasons; small cells are withheld."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.dataset import filled_table
from features.part_years import part_year_level
from features.releases.comparing import compare_values
from features.releases.move_figures import MoveFigures, moves_release
from features.releases.move_files import MovesError
from features.releases.moves import Moves, read_moves
from features.releases.release import Release
from features.targets import records
from tests.tables import dataset_of, population_of, regions_of, table

UNTIL = dt.date(2024, 12, 31)
REGIONS = table("""
    region  name    name_ru  valid_from  valid_to
    N       North   Север    -           -
    S       South   Юг       -           -
    C       Capital Столица  2022        -
    E       East    Восток   -           2021
    X       North   -        -           -
""")
PLACES = ["N", "S", "C"]


def read(folder: Path, text: str, name: str = "moves.csv", **words) -> tuple[Moves, pd.DataFrame]:
    """The moves of a CSV file, and its rejects by row."""
    (folder / name).write_text(text, "utf-8")
    return read_files(folder, [folder / name], **words)


def read_files(folder: Path, files: list[Path], **words) -> tuple[Moves, pd.DataFrame]:
    words = {"until": UNTIL, "columns": {"id": "id"}, "regions": REGIONS} | words
    moves = read_moves(files, rejects=folder / "rejects.csv", **words)
    return moves, pd.read_csv(folder / "rejects.csv", dtype="str").astype({"row": "int64"}).set_index("row")


# --- rows that are no good ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        pytest.param("1,N,S,2024-01-05", ["same move is there before"], id="same_id"),
        pytest.param("2,N,N,2024-01-05", ["origin and destination are the same"], id="same_region"),
        pytest.param("2,S,Юг,2024-01-05", ["origin and destination are the same"], id="same_region_by_name"),
        pytest.param("2,N,Mars,2024-01-05", ["destination is no region"], id="unknown_region"),
        pytest.param("2,North,S,2024-01-05", ["origin is the name of several regions"], id="ambiguous"),
        pytest.param("2,C,S,2021-12-31", ["origin was no region at the date"], id="before_there_was_one"),
        pytest.param("2,S,E,2022-01-01", ["destination was no region at the date"], id="after_it_ended"),
        pytest.param("2,N,S,2023-02-29", ["date is no date"], id="no_day"),
        pytest.param("2,N,S,yesterday", ["date is no date"], id="no_date"),
        pytest.param("2,N,S,1899-12-31", ["date is before 1900"], id="long_ago"),
        pytest.param("2,N,S,2025-01-01", ["date is after 2024-12-31"], id="future"),
        pytest.param(",N,S,2024-01-05", ["id is empty"], id="no_id"),
        pytest.param("2, ,S,2024-01-05", ["origin is empty"], id="blank"),
        pytest.param("2,N,S", ["cannot be read"], id="a_cell_too_few"),
        pytest.param("2,N,S,2024-01-05,", ["cannot be read"], id="a_cell_too_many"),
        pytest.param('2,"N,S,2024-01-05', ["cannot be read"], id="open_quote"),
        pytest.param("1,Mars,,1800-01-01", ["destination is empty", "origin is no", "before 1900", "same"], id="all"),
    ],
)
def test_a_row_is_set_aside_with_all_its_reasons(tmp_path, row, reasons):
    moves, rejects = read(tmp_path, f"id,origin,destination,date\n1,N,S,2024-01-05\n{row}\n3,S,N,2024-02-01\n")

    told = rejects.loc[3, "reasons"].split(" | ")
    assert [sum(reason in one for one in told) for reason in reasons] == [1] * len(reasons)
    assert len(told) == len(reasons)
    assert (moves.read, moves.accepted, moves.rejected) == (3, 2, 1)


def test_a_reject_can_be_found_again(tmp_path):
    _, rejects = read(tmp_path, "id,origin,destination,date\n1,N,S,2024-01-05\n\n1,N,S,2024-01-05\nbroken\n")

    assert rejects.loc[4, ["origin", "destination", "date", "id"]].tolist() == ["N", "S", "2024-01-05", "1"]
    assert rejects.loc[4, "same_as"] == f"{tmp_path / 'moves.csv'}: 2"
    assert rejects.loc[5, "text"] == "broken"


@pytest.mark.parametrize(
    ("columns", "words", "again"),
    [
        pytest.param({"id": "id"}, {}, [3], id="by_id"),
        pytest.param({"person": "who"}, {}, [3, 4], id="by_person"),
        pytest.param({}, {}, [3], id="by_all_columns"),
        pytest.param({}, {"keep_identical": True}, [], id="not_at_all"),
    ],
)
def test_duplicates(tmp_path, columns, words, again):
    rows = ["1,a,N,S,2024-01-05", "1,a,N,S,2024-01-05", "2,a,N,S,2024-01-05", "3,a,N,S,2024-01-06"]
    text = "\n".join(["id,who,origin,destination,date", *rows])

    _, rejects = read(tmp_path, text, columns=columns, **words)

    assert rejects.index.tolist() == again


def test_regions_are_named_by_code_or_any_name_and_days_in_two_ways(tmp_path):
    text = "\ufeffid;from;to;day\n1; n ;ЮГ;05.01.2024\n2;Capital;S;2024-01-05 10:30:00\n"

    moves, _ = read(tmp_path, text, columns={"id": "id", "origin": "from", "destination": "to", "date": "day"})

    assert moves.counts.values.tolist() == [["C", "S", 2024, 1, 1], ["N", "S", 2024, 1, 1]]


def test_parquet_is_read_as_csv_is_and_duplicates_are_found_across_files(tmp_path):
    rows = pd.DataFrame({"id": [1, 9], "origin": ["N", "S"], "destination": ["S", "N"]})
    rows.assign(date=pd.to_datetime(["2024-01-05", "2024-03-01"])).to_parquet(tmp_path / "b.parquet")
    (tmp_path / "a.csv").write_text("id,origin,destination,date\n1,N,S,2024-01-05\n", "utf-8")

    moves, rejects = read_files(tmp_path, [tmp_path / "a.csv", tmp_path / "b.parquet"])

    assert moves.counts["persons"].tolist() == [1, 1]
    assert rejects[["file", "same_as"]].values.tolist() == [[str(tmp_path / "b.parquet"), f"{tmp_path / 'a.csv'}: 2"]]


def test_what_is_no_utf8_spoils_one_row(tmp_path):
    (tmp_path / "moves.csv").write_bytes(b"id,origin,destination,date\n1,\xff,S,2024-01-05\r\n2,N,S,2024-01-05\r\n")

    moves, rejects = read_files(tmp_path, [tmp_path / "moves.csv"])

    assert moves.accepted == 1
    assert rejects.index.tolist() == [2]


def test_files_and_columns_that_are_not_there_are_told_at_once(tmp_path):
    (tmp_path / "moves.csv").write_text("id,from,to,date\n", "utf-8")

    with pytest.raises(MovesError) as told:
        read_files(tmp_path, [tmp_path / "moves.csv"], columns={"origin": "fro", "id": "ID"})

    assert "column 'fro' (origin) is not there; its columns: id, from, to, date; did you mean 'from'?" in str(
        told.value
    )
    assert "column 'ID' (id) is not there" in str(told.value)
    with pytest.raises(MovesError, match="not there; must be a CSV or Parquet file"):
        read_files(tmp_path, [tmp_path / "none.csv"])


PLANTED = {
    "same move": lambda row: ["0", *row[1:]],
    "same region": lambda row: [row[0], row[2], row[2], row[3]],
    "no region": lambda row: [row[0], "Atlantis", *row[2:]],
    "no date": lambda row: [*row[:3], "2023-13-01"],
    "after": lambda row: [*row[:3], "2031-01-01"],
    "before 1900": lambda row: [*row[:3], "1066-10-14"],
    "empty": lambda row: [*row[:2], "", row[3]],
    "cannot be read": lambda row: row[:3],
    "closed quotes": lambda row: [f'"{row[0]}', *row[1:]],
    "at the date": lambda row: [row[0], "C", "S", "2020-01-01"],
}


def test_a_thousand_planted_faults_are_all_found_with_their_reasons(tmp_path):
    rng = np.random.default_rng(1)
    rows = made_up(50_000, rng)
    planted = dict(
        zip(rng.choice(np.arange(1, 50_000), 1_000, replace=False).tolist(), list(PLANTED) * 100, strict=True)
    )
    for place, fault in planted.items():
        rows[place] = PLANTED[fault](rows[place])

    moves, rejects = read(tmp_path, "id,origin,destination,date\n" + "\n".join(map(",".join, rows)))

    assert set(rejects.index) == {place + 2 for place in planted}
    assert [place for place, fault in planted.items() if fault not in rejects.loc[place + 2, "reasons"]] == []
    assert (moves.read, moves.rejected, int(moves.counts["persons"].sum())) == (50_000, 1_000, 49_000)


def made_up(rows: int, rng: np.random.Generator, years: tuple[int, ...] = (2022, 2023)) -> list[list[str]]:
    origin = rng.integers(0, 3, rows)
    destination = (origin + rng.integers(1, 3, rows)) % 3
    days = np.datetime64(f"{years[0]}-01-01") + rng.integers(0, 365 * len(years), rows)
    ends = zip(np.array(PLACES)[origin], np.array(PLACES)[destination], days.astype("str"), strict=True)
    return [[str(number), *map(str, one)] for number, one in enumerate(ends)]


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "2", "3", ""]),
            st.sampled_from([*PLACES, "Mars", ""]),
            st.sampled_from([*PLACES, "Юг", '"']),
            st.sampled_from(["2024-01-05", "2022-05-06", "2024-02-30", "x,y"]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_row_is_either_counted_or_set_aside(tmp_path_factory, rows):
    text = "id,origin,destination,date\n" + "\n".join(map(",".join, rows))

    moves, rejects = read(tmp_path_factory.mktemp("moves"), text)

    assert moves.accepted + moves.rejected == moves.read == len(rows)
    assert moves.counts["persons"].sum() == moves.accepted
    assert len(rejects) == moves.rejected
    assert rejects["reasons"].notna().all()


# --- figures --------------------------------------------------------------------------------------------------------


def counted(rows: str, until: str = "2024-12-31", groups: pd.DataFrame | None = None) -> Moves:
    """Moves of a table (origin, destination, months, persons): as many in each month, like 2022-01..12."""
    told = []
    for row in table(rows).itertuples():
        first, _, last = str(row.months).partition("..")
        year, month = map(int, first.split("-"))
        told += [(row.origin, row.destination, year, one, row.persons) for one in range(month, int(last or month) + 1)]
    counts = pd.DataFrame(told, columns=["origin", "destination", "year", "month", "persons"])
    total = int(counts["persons"].sum())
    return Moves(counts, groups, total, 0, pd.Series(dtype="int64"), dt.date.fromisoformat(until), None)


TWO_YEARS = """
    origin destination months      persons
    N      S           2022-01..12 10
    S      N           2022-01..12 20
    N      C           2022-03     3
    N      S           2023-01..4  11
    S      C           2023-01..4  30
"""
HERE = REGIONS[REGIONS["region"].isin(PLACES)]


def test_whole_years_become_flows_and_the_running_year_months():
    made = moves_release(counted(TWO_YEARS, "2023-05-20"), HERE, "register")

    flows = made.release.tables["flows"]
    assert flows[["origin", "destination", "year", "persons"]].values.tolist() == [
        ["N", "C", 2022, 3],
        ["N", "S", 2022, 120],
        ["S", "N", 2022, 240],
    ]
    months = made.release.tables["movements"].dropna(subset="month")
    assert sorted(months.loc[months["year"] == 2023, "month"].unique()) == [1, 2, 3, 4]
    assert made.release.published == 2022
    assert set(flows["source"]) == {"register"}


@pytest.mark.parametrize(
    ("rows", "until", "told"),
    [
        pytest.param(
            "2022-01..12", "2022-12-30", {(2022, month) for month in range(1, 12)}, id="the_last_month_goes_on"
        ),
        pytest.param("2022-02..5", "2022-05-31", {(2022, month) for month in range(2, 6)}, id="months_start_late"),
    ],
)
def test_a_month_that_is_not_over_is_not_told(rows, until, told):
    made = moves_release(counted(f"origin destination months persons\nN S {rows} 5", until), HERE, "register")

    months = made.release.tables["movements"]
    assert set(zip(months["year"], months["month"], strict=True)) == told
    assert "flows" not in made.release.tables


def test_a_year_with_missing_months_is_left_out_and_told():
    rows = TWO_YEARS + "    N      S           2021-06..12 10\n"

    made = moves_release(counted(rows, "2023-05-20"), HERE, "register")

    assert made.left_out[["year", "moves"]].values.tolist() == [[2021, 70]]
    assert made.release.tables["flows"]["year"].min() == 2022


def test_an_imported_folder_is_a_good_dataset_whose_months_tell_the_running_year(tmp_path):
    made = moves_release(counted(TWO_YEARS, "2023-05-20"), HERE, "register")
    dataset = dataset_of(**tables_of(made))

    part = part_year_level(dataset.as_of(2022, month=4))

    assert part is not None
    assert (part.moves, part.moves_before, part.year_before) == (4 * 41, 4 * 30 + 3, 363)
    net = records(dataset, "net_migration")
    assert net[0] == "between_regions"
    assert dict(zip(net[1]["region"], net[1]["persons"], strict=True)) == {"N": 117, "S": -120, "C": 3}


def tables_of(made: MoveFigures) -> dict[str, pd.DataFrame]:
    places = regions_of(*PLACES)
    return {"regions": places, "indicators": population_of(PLACES, range(2022, 2025))} | made.release.tables


def test_a_corrected_register_revises_flows_and_months_together():
    first = moves_release(counted(TWO_YEARS), HERE, "first").release
    corrected = moves_release(counted("\n".join(TWO_YEARS.splitlines()[:4])), HERE, "corrected").release

    assert counts_of_growth("flows", first.tables["flows"], corrected)["withdrawn"] == 1
    assert counts_of_growth("movements", first.tables["movements"], corrected)["revised"] == 8


def test_records_of_moves_take_the_place_of_estimated_flows():
    estimates = table("""
        origin destination year persons basis
        N      S           2022 100     estimated
        C      S           2022 7       estimated
        N      S           2021 90      estimated
    """)
    register = moves_release(counted(TWO_YEARS), HERE, "register").release

    counts = counts_of_growth("flows", estimates, register)

    assert (counts["added"], counts["revised"], counts["withdrawn"]) == (2, 1, 1)


def counts_of_growth(name: str, before: pd.DataFrame, release: Release) -> dict[str, int]:
    nothing = filled_table("superseded", pd.DataFrame({"table": []}))
    return compare_values(name, before, nothing, release.tables[name], release).counts


# --- disclosure -----------------------------------------------------------------------------------------------------


SMALL = """
    origin destination months      persons
    N      S           2022-01..12 10
    S      N           2022-01..12 20
    S      C           2022-01..12 20
    C      S           2022-03     3
    C      N           2022-01..12 10
"""


def test_small_flows_cannot_be_computed_from_what_is_told():
    made = moves_release(counted(SMALL), HERE, "register", suppress_below=5)
    flows, movements = made.release.tables["flows"], made.release.tables["movements"]

    assert (made.withheld.cells, made.withheld.persons) == (1, 3)
    assert flows["persons"].min() >= 5
    for end, measure in (("origin", "departures"), ("destination", "arrivals")):
        shown = flows.groupby(end)["persons"].sum()
        told = (
            movements[movements["measure"] == measure].groupby(["region", movements["month"].isna()])["persons"].sum()
        )
        assert (told.unstack()[True] == shown.reindex(PLACES, fill_value=0).sort_index()).all()
        assert (told.unstack()[False] == told.unstack()[True]).all()
    assert dataset_of(**tables_of(made)).flows["persons"].sum() == flows["persons"].sum()


def test_a_year_in_which_a_month_is_small_tells_no_months():
    rows = SMALL + "    N      C           2022-03     9\n    C      N           2022-04     2\n"
    small_month = rows.replace("S      C           2022-01..12 20", "S      C           2022-01..12 1")

    made = moves_release(counted(small_month), HERE, "register", suppress_below=5)

    assert made.withheld.months == (2022,)
    assert made.release.tables["movements"]["month"].isna().all()
    assert moves_release(counted(rows), HERE, "register", suppress_below=5).withheld.months == ()


def test_months_of_a_running_year_are_not_told_where_small_cells_are_withheld():
    made = moves_release(counted(TWO_YEARS, "2023-05-20"), HERE, "register", suppress_below=5)

    assert set(made.release.tables["movements"]["year"]) == {2022}
    assert made.left_out["year"].tolist() == [2023]


def test_groups_of_a_pair_are_told_together_or_not_at_all():
    groups = table("""
        origin destination year sex    persons
        N      S           2022 female 60
        N      S           2022 male   60
        S      N           2022 female 237
        S      N           2022 male   3
        C      S           2022 female 3
    """)
    made = moves_release(counted(SMALL, groups=groups), HERE, "register", suppress_below=5)

    assert made.groups is not None
    assert made.groups.values.tolist() == [["N", "S", 2022, "female", 60], ["N", "S", 2022, "male", 60]]
    assert made.withheld_groups == 2


def test_without_a_threshold_nothing_is_withheld():
    made = moves_release(counted(SMALL), HERE, "register")

    assert made.withheld.cells == 0
    assert made.release.tables["flows"]["persons"].min() == 3
    assert made.release.suppressed_below == {}
