"""`qonys import moves`: from a table of persons to a dataset in which there are none."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.dataset import load_dataset, save_dataset
from tests.tables import population_of, regions_of, write_folder
from training.__main__ import main

CODES = ["N", "S", "C"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder with files of moves of 2023, and the tables that a new dataset needs."""
    monkeypatch.chdir(tmp_path)
    regions_of(*CODES).to_csv("regions.csv", index=False)
    population_of(CODES, range(2022, 2025)).to_csv("population.csv", index=False)
    rng = np.random.default_rng(0)
    origin = rng.integers(0, 3, 2_000)
    rows = {
        "IIN": [f"PERSON{number:06}" for number in range(2_000)],
        "FROM": np.array(CODES)[origin],
        "TO": np.array(CODES)[(origin + rng.integers(1, 3, 2_000)) % 3],
        "DAY": np.datetime64("2023-01-01") + rng.integers(0, 365, 2_000),
        "SEX": rng.choice(["ж", "м"], 2_000),
    }
    moves = pd.DataFrame(rows)
    moves.to_csv("moves.csv", index=False)
    pd.concat([moves, moves.head(20)]).to_csv("repeated.csv", index=False)
    moves.assign(TO="Mars").to_csv("nowhere.csv", index=False)
    return tmp_path


COLUMNS = ["--columns", "origin=FROM,destination=TO,date=DAY,person=IIN,sex=SEX"]
NEW = ["--new", "data", "--regions", "regions.csv", "--population", "population.csv"]


def qonys(monkeypatch, capsys, *words: str) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    monkeypatch.setattr(sys, "argv", ["qonys", "import", "moves", *words])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out + told.err


def test_a_dataset_is_made_of_moves_and_revised_by_them(here, monkeypatch, capsys):
    made, first = qonys(monkeypatch, capsys, "repeated.csv", *COLUMNS, *NEW)
    pd.read_csv("moves.csv").iloc[50:].to_csv("fewer.csv", index=False)
    again, second = qonys(monkeypatch, capsys, "fewer.csv", *COLUMNS, "--into", "data")

    assert (made, again) == (0, 0)
    assert "rows: 2,020 read = 2,000 accepted + 20 set aside in rejects.csv" in first
    assert "  20: the same move is there before" in first
    assert "flows: 6 added" in first
    assert "flows: 6 revised" in second
    assert "revised, the largest differences first:" in second
    dataset = load_dataset(here / "data")
    assert dataset.flows["persons"].sum() == 1_950
    assert [one["name"] for one in dataset.releases] == ["moves 2023", "moves 2023"]


def test_no_person_gets_anywhere_but_into_the_rejects(here, monkeypatch, capsys):
    _, told = qonys(monkeypatch, capsys, "repeated.csv", *COLUMNS, *NEW, "--by", "sex", "--counts", "by_sex.csv")
    save_dataset(load_dataset(here / "data"), here / "bundle")

    written = [path for path in here.rglob("*") if path.is_file() and b"PERSON" in path.read_bytes()]
    assert {path.name for path in written} == {"moves.csv", "repeated.csv", "nowhere.csv", "rejects.csv"}
    assert "PERSON" not in told
    assert pd.read_csv("by_sex.csv").columns.tolist() == ["origin", "destination", "year", "sex", "persons"]
    assert {*load_dataset(here / "data").flows} == {
        "origin",
        "destination",
        "year",
        "persons",
        "published",
        "basis",
        "source",
    }


def test_what_is_withheld_is_told_and_stands_in_the_descriptor(here, monkeypatch, capsys):
    _, told = qonys(monkeypatch, capsys, "moves.csv", *COLUMNS, *NEW, "--suppress-below", "340")

    assert "withheld: " in told
    assert "flows of fewer than 340 persons" in told
    dataset = load_dataset(here / "data")
    assert dataset.flows["persons"].min() >= 340
    assert dataset.releases[0]["suppressed_below"] == {"flows": 340, "movements": 340}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["nowhere.csv", *COLUMNS, *NEW], "2,000 of 2,000 rows are set aside", id="too_many_rejects"),
        pytest.param(["moves.csv", *NEW], "column 'origin' (origin) is not there", id="columns_not_named"),
        pytest.param(["moves.csv", *COLUMNS], "--into, --new: one of them must be given", id="no_dataset"),
        pytest.param(["moves.csv", *COLUMNS, "--new", "data"], "--regions: must be given with --new", id="no_regions"),
        pytest.param(
            ["moves.csv", *COLUMNS, "--into", "here"], "not there; a dataset folder must have", id="no_folder"
        ),
        pytest.param(
            ["moves.csv", *COLUMNS, *NEW, "--rejects", "data/r.csv"], "lies in the dataset folder", id="rejects_inside"
        ),
        pytest.param(["moves.csv", "--columns", "FROM", *NEW], "must be like origin=FROM", id="columns_unreadable"),
        pytest.param(["moves.csv", *COLUMNS, *NEW, "--by", "height"], "--by height: must be", id="by_something_else"),
    ],
)
def test_a_users_mistake_is_one_message_and_changes_nothing(here, monkeypatch, capsys, words, told):
    code, output = qonys(monkeypatch, capsys, *words)

    assert code == 2
    assert told in output
    assert "Traceback" not in output
    assert not (here / "data").exists()


def test_a_release_that_breaks_the_dataset_leaves_it_as_it_was(here, monkeypatch, capsys):
    years = pd.DataFrame({"origin": ["N"], "destination": ["S"], "year": [2020], "persons": [5]})
    folder = write_folder(
        here / "old",
        regions=regions_of(*CODES),
        indicators=population_of(CODES, range(2020, 2024)),
        flows=years,
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    code, told = qonys(monkeypatch, capsys, "moves.csv", *COLUMNS, "--into", "old")

    assert code == 2
    assert "years 2021, 2022 missing inside the series" in told
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
