"""A dataset grows by releases: what is new is added, what was revised is kept beside it, and nothing is half done."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from features.dataset import Dataset, DatasetError, load_dataset, save_dataset
from features.flows import flow_history
from features.releases import replacing
from features.releases.growing import Growth, grow
from features.releases.release import Release, ReleaseError
from features.targets import records
from tests.tables import population_of, regions_of, table, write_folder

FLOWS = table("""
    origin  destination  year  persons  published  basis
    North   South        2021  700      2021       official
    South   North        2021  400      2021       official
    North   South        2022  710      2022       estimated
    South   North        2022  390      2022       official
""")


@pytest.fixture
def folder(tmp_path) -> Path:
    return make_folder(tmp_path / "data")


def make_folder(folder: Path, suffix: str = "csv", flows: pd.DataFrame = FLOWS) -> Path:
    indicators = population_of(["North", "South"], range(2021, 2025))
    return write_folder(folder, suffix, regions=regions_of("North", "South"), indicators=indicators, flows=flows)


def release(text: str, published: int = 2023, name: str = "second", **words) -> Release:
    return Release(name, published, {"flows": table(text)}, **words)


REVISION = """
    origin  destination  year  persons
    North   South        2021  705
    South   North        2021  400
    North   South        2022  650
    South   North        2022  390
    North   South        2023  720
    South   North        2023  380
"""


def flows_of(dataset: Dataset) -> dict[tuple[str, int], int]:
    return {(str(row.origin), int(row.year)): int(row.persons) for row in dataset.flows.itertuples()}


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- what a release changes -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Revised:
    """A folder before and after the release REVISION."""

    folder: Path
    before: dict[int, dict]
    growth: Growth


@pytest.fixture(scope="module")
def revised(tmp_path_factory) -> Revised:
    folder = make_folder(tmp_path_factory.mktemp("revised") / "data")
    before = load_dataset(folder)
    vintages = {cutoff: flows_of(before.as_of(cutoff)) for cutoff in (2021, 2022)}
    return Revised(folder, vintages, grow(folder, release(REVISION)))


def test_new_figures_are_added_and_differing_ones_replaced(revised):
    counts = {"added": 2, "unchanged": 2, "revised": 2, "withdrawn": 0, "outranked": 0}
    assert revised.growth.counts.loc["flows"].to_dict() == counts
    assert flows_of(load_dataset(revised.folder)) == {
        ("North", 2021): 705,
        ("South", 2021): 400,
        ("North", 2022): 650,
        ("South", 2022): 390,
        ("North", 2023): 720,
        ("South", 2023): 380,
    }


def test_growth_tells_what_was_revised_the_largest_difference_first(revised):
    columns = ["table", "origin", "year", "old", "new", "difference", "old_basis", "basis", "release"]
    assert revised.growth.revised[columns].values.tolist() == [
        ["flows", "North", 2022, 710, 650, -60, "estimated", "official", "second"],
        ["flows", "North", 2021, 700, 705, 5, "official", "official", "second"],
    ]


def test_a_vintage_shows_the_old_value_before_the_revision_and_the_new_one_after(revised):
    dataset = load_dataset(revised.folder)

    assert {cutoff: flows_of(dataset.as_of(cutoff)) for cutoff in (2021, 2022)} == revised.before
    assert flows_of(dataset.as_of(2023)) == flows_of(dataset)


def test_vintages_of_flows_and_of_targets_are_of_their_time(revised):
    dataset = load_dataset(revised.folder)

    assert flow_history(dataset.as_of(2022)).persons.sum(axis=1).tolist() == [1100, 1100]
    assert flow_history(dataset.as_of(2023)).persons.sum(axis=1).tolist() == [1105, 1040, 1100]
    inflow = records(dataset.as_of(2022), "inflow")[1]
    assert inflow[inflow["region"] == "South"]["persons"].tolist() == [700, 710]


def test_a_grown_dataset_survives_being_saved(revised, tmp_path):
    dataset = load_dataset(revised.folder)

    save_dataset(dataset, tmp_path)

    saved = load_dataset(tmp_path)
    assert flows_of(saved.as_of(2022)) == revised.before[2022]
    assert saved.releases == dataset.releases


def test_the_same_release_twice_changes_nothing(revised):
    once = bytes_of(revised.folder)

    growth = grow(revised.folder, release(REVISION))

    assert bytes_of(revised.folder) == once
    assert growth.known
    assert growth.counts.loc["flows", "unchanged"] == 6


def test_a_revision_in_the_round_of_the_value_itself_was_never_seen_otherwise(folder):
    grow(folder, release("origin destination year persons\nNorth South 2021 705", published=2021))
    dataset = load_dataset(folder)

    assert flows_of(dataset.as_of(2021))["North", 2021] == 705
    assert dataset.superseded[["value", "published", "superseded"]].values.tolist() == [[700, 2021, 2021]]


def test_records_take_the_place_of_estimates_cell_by_cell_and_estimates_never_of_records(folder):
    grow(folder, release("origin destination year persons basis\nNorth South 2022 710 official", name="record"))
    late = """
        origin destination year persons basis
        North  South       2022 999     estimated
        South  North       2022 999     derived
        North  South       2023 720     estimated
    """
    growth = grow(folder, release(late, published=2024, name="estimates"))

    flows = load_dataset(folder).flows
    assert flows[flows["year"] >= 2022][["persons", "basis"]].values.tolist() == [
        [710, "official"],
        [390, "official"],
        [720, "estimated"],
    ]
    assert growth.counts.loc["flows", ["added", "outranked"]].tolist() == [1, 2]
    assert load_dataset(folder).as_of(2022).flows["basis"].tolist().count("estimated") == 1


def test_a_release_older_than_what_is_there_goes_to_its_own_time(folder):
    grow(folder, release("origin destination year persons\nNorth South 2021 730", published=2024, name="newest"))

    grow(folder, release("origin destination year persons\nNorth South 2021 720", published=2022, name="older"))

    dataset = load_dataset(folder)
    assert {cutoff: flows_of(dataset.as_of(cutoff))["North", 2021] for cutoff in range(2021, 2025)} == {
        2021: 700,
        2022: 720,
        2023: 720,
        2024: 730,
    }


def test_what_a_complete_release_has_not_is_withdrawn_from_its_round_on(folder):
    told = release("origin destination year persons\nNorth South 2021 700", complete={"flows": ("year",)})

    growth = grow(folder, told)

    assert growth.counts.loc["flows", ["unchanged", "withdrawn"]].tolist() == [1, 1]
    dataset = load_dataset(folder)
    assert ("South", 2021) not in flows_of(dataset)
    assert flows_of(dataset.as_of(2022))["South", 2021] == 400
    assert ("South", 2022) in flows_of(dataset)


def test_months_and_years_of_movements_are_revised_apart(tmp_path):
    movements = table("""
        region year month measure  scope          persons
        North  2022 -     arrivals within_country 240
        North  2022 1     arrivals within_country 20
        North  2022 2     arrivals within_country 21
        North  2023 1     arrivals within_country 22
    """)
    folder = write_folder(
        tmp_path / "data",
        regions=regions_of("North"),
        indicators=population_of(["North"], range(2022, 2025)),
        movements=movements.astype({"month": "Int64"}),
    )
    later = table("""
        region year month measure  scope          persons
        North  2022 2     arrivals within_country 25
        North  2023 1     arrivals within_country 23
        North  2023 -     arrivals within_country 250
    """)

    grow(folder, Release("later", 2023, {"movements": later.astype({"month": "Int64"})}))

    dataset = load_dataset(folder)
    seen = {cutoff: dataset.as_of(cutoff).monthly_movements["persons"].tolist() for cutoff in (2022, 2023)}
    assert seen == {2022: [20, 21], 2023: [20, 25, 23]}
    assert sorted(dataset.as_of(2022, month=1).monthly_movements["persons"]) == [20, 21, 23]
    assert dataset.as_of(2023).movements["persons"].tolist() == [240, 250]


# --- the folder -----------------------------------------------------------------------------------------------------


def test_a_correction_is_not_undone_by_the_first_release_again(folder):
    grow(folder, release(REVISION))
    grow(folder, release(REVISION.replace("705", "706"), name="corrected"))

    assert grow(folder, release(REVISION)).known
    assert flows_of(load_dataset(folder))["North", 2021] == 706


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_keeps_its_file_format_and_the_descriptor_its_words(tmp_path, suffix):
    folder = make_folder(tmp_path / "data", suffix)

    grow(folder, release(REVISION))

    told = json.loads((folder / "datapackage.json").read_text("utf-8"))
    assert told["title"] == "Example"
    assert {entry["name"]: Path(entry["path"]).suffix for entry in told["resources"]} == {
        "regions": f".{suffix}",
        "indicators": f".{suffix}",
        "flows": f".{suffix}",
        "superseded": ".csv",
    }
    assert {path.name for path in folder.iterdir()} == {"datapackage.json", *(one["path"] for one in told["resources"])}
    assert [(one["name"], one["published"]) for one in told["releases"]] == [("second", 2023)]


def test_a_folder_is_made_of_a_release_that_has_everything(tmp_path):
    tables = {
        "regions": regions_of("North", "South"),
        "indicators": population_of(["North", "South"], range(2021, 2024)),
    }
    whole = Release("first", 2023, tables | {"flows": table(REVISION)})

    grow(tmp_path / "New land", whole, new=True)

    assert load_dataset(tmp_path / "New land").name == "new-land"
    with pytest.raises(ReleaseError, match="is a dataset already"):
        grow(tmp_path / "New land", whole, new=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("North East 2023 5", "unknown destination 'East'", id="unknown_region"),
        pytest.param("North South 2025 5", "missing", id="a_year_is_missing"),
        pytest.param("North South 2023 many", "must be a whole number", id="no_number"),
    ],
)
def test_a_release_that_would_break_the_dataset_leaves_it_as_it_was(folder, text, told):
    before = bytes_of(folder)

    with pytest.raises(DatasetError, match=told):
        grow(folder, release(f"origin destination year persons\n{text}", published=2025))

    assert bytes_of(folder) == before


def test_a_release_does_not_change_regions(folder):
    renamed = regions_of("North", "South").assign(name=["Up", "South"])

    with pytest.raises(DatasetError, match="regions: North: name is 'North', in the release 'Up'"):
        grow(folder, Release("renamed", 2023, {"regions": renamed}))


# --- crashes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def unread(monkeypatch):
    """What is written is known to be good, and not read again at every moment."""
    monkeypatch.setattr(replacing, "load_dataset", str)


def put(folder: Path) -> None:
    tables = {"flows": table(REVISION), "superseded": FLOWS.assign(table="flows")}
    replacing.replace_tables(replacing.read_folder(folder), tables, {"name": "second"})


def old_folder(folder: Path) -> Path:
    return write_folder(folder, regions=regions_of("North", "South"), flows=FLOWS)


def new_folder(folder: Path) -> Path:
    put(old_folder(folder))
    return folder


def named_bytes(folder: Path) -> dict[str, bytes]:
    """The descriptor and the files that it names."""
    told = json.loads((folder / "datapackage.json").read_text("utf-8"))
    files = ["datapackage.json", *(entry["path"] for entry in told["resources"])]
    return {file: (folder / file).read_bytes() for file in files}


class PowerGoneError(Exception):
    pass


def failing(operation, left: list[int], fail):
    """The operation, until none is left; then it fails, once."""

    def run(*args, **kwargs):
        left[0] -= 1
        if left[0] == -1:
            fail()
        return operation(*args, **kwargs)

    return run


def power_gone() -> None:
    raise PowerGoneError


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def break_disk(setattr_, moment: int, fail) -> None:
    left = [moment]
    for name in ("replace", "fsync", "link", "unlink"):
        setattr_(os, name, failing(getattr(os, name), left, fail))


def test_a_disk_that_fails_at_any_moment_leaves_the_old_dataset_or_the_new_one(tmp_path, monkeypatch, unread):
    new, outcomes = named_bytes(new_folder(tmp_path / "new")), []
    for moment in range(40):
        folder = old_folder(tmp_path / f"data{moment}")
        before = bytes_of(folder)
        with monkeypatch.context() as broken:
            break_disk(broken.setattr, moment, power_gone)
            try:
                put(folder)
            except PowerGoneError:
                outcomes.append(named_bytes(folder) == new)
                assert outcomes[-1] or bytes_of(folder) == before
            else:
                break
    assert len(outcomes) > 8
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {False, True}


KILLED = """
    import os, sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_growing import break_disk, kill, old_folder, put, replacing

    replacing.load_dataset = lambda folder: None
    for moment in range({moments}):
        folder = old_folder(Path({folder!r}) / str(moment))
        if not os.fork():
            break_disk(setattr, moment, kill)
            put(folder)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


def test_an_import_killed_at_any_moment_leaves_the_old_dataset_or_the_new_one(tmp_path, unread):
    old, new = named_bytes(old_folder(tmp_path / "old")), named_bytes(new_folder(tmp_path / "new"))
    script = textwrap.dedent(KILLED).format(tests=str(Path(__file__).parent), moments=11, folder=str(tmp_path))

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=True)

    assert done.stdout.split() == [str(-signal.SIGKILL)] * 11
    left = [named_bytes(tmp_path / str(moment)) for moment in range(11)]
    assert [one for one in left if one not in (old, new)] == []
    assert left[0] == old
    assert left[-1] == new


def test_after_a_crash_the_import_is_done_again(folder, revised):
    (folder / "flows-0123456789ab.csv").write_text("half", "utf-8")
    (folder / ".unfinished-1").mkdir()

    grow(folder, release(REVISION))

    assert bytes_of(folder) == bytes_of(revised.folder)
    assert not (folder / ".unfinished-1").exists()
