"""What the loader accepts, and what it says of a folder that breaks the contract."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.dataset import DatasetError, load_dataset, read_dataset
from tests.tables import dataset_of, flows_country, population_of, regions_of, table, write_folder

Tables = dict[str, pd.DataFrame]


def good_tables() -> Tables:
    return {
        "regions": table("""
            region  name    kind    latitude  longitude
            Capital Capital city    51.1      71.4
            North   North   region  54.8      69.1
            South   South   region  43.3      68.2
        """),
        "indicators": table("""
            region  year  indicator          value
            Capital 2018  population         1000000
            Capital 2019  population         1020000
            Capital 2020  population         1040000
            North   2018  population         500000
            North   2019  population         495000
            North   2020  population         490000
            South   2018  population         800000
            South   2019  population         810000
            South   2020  population         820000
            Capital 2020  unemployment_rate  4.8
        """),
        "flows": table("""
            origin  destination  year  persons
            North   Capital      2018  700
            South   Capital      2018  300
            North   Capital      2019  720
            South   Capital      2019  310
            North   Capital      2020  740
            South   Capital      2020  320
        """),
        "movements": table("""
            region  year  measure     scope            persons
            Capital 2020  arrivals    between_regions  1060
            Capital 2020  departures  between_regions  0
            Capital 2020  net         between_regions  1060
            North   2020  arrivals    between_regions  0
            North   2020  departures  between_regions  740
            North   2020  net         between_regions  -740
            South   2020  arrivals    between_regions  0
            South   2020  departures  between_regions  320
            South   2020  net         between_regions  -320
        """),
        "pairs": table("""
            origin  destination  distance_km  contiguous
            North   Capital      430          true
            Capital North        430          true
        """),
        "population_by_age": table("""
            region  year  sex     age_group  persons
            Capital 2020  female  0-4        50000
            Capital 2020  male    85+        2000
        """),
    }


def with_cell(name: str, row: int, column: str, value: object) -> Callable[[Tables], Tables]:
    """A table with one cell changed; rows are numbered as in the file, whose header is row 1."""

    def change(tables: Tables) -> Tables:
        frame = tables[name].astype("object")
        frame.loc[row - 2, column] = value
        return tables | {name: frame}

    return change


def with_row(name: str, *cells: object) -> Callable[[Tables], Tables]:
    def change(tables: Tables) -> Tables:
        frame = tables[name]
        return tables | {name: pd.concat([frame, pd.DataFrame([cells], columns=frame.columns)], ignore_index=True)}

    return change


def without_row(name: str, row: int) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {name: tables[name].drop(index=row - 2)}


def with_name(name: str, old: str, new: str) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {name: tables[name].rename(columns={old: new})}


def without_column(name: str, column: str) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {name: tables[name].drop(columns=column)}


def with_column(name: str, column: str, value: object) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {name: tables[name].assign(**{column: value})}


def changes_of(*rows: tuple[int, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["year", "predecessor", "successor"])


FAULTS = [
    pytest.param(
        with_cell("flows", 2, "destination", "Capitol"),
        ["flows: row 2", "destination 'Capitol'", "known: Capital … South (3)", "did you mean 'Capital'?"],
        id="unknown_destination",
    ),
    pytest.param(
        with_row("flows", "Nroth", "Capital", 2020, 5),
        ["flows: row 8", "origin 'Nroth'", "did you mean 'North'?"],
        id="unknown_origin",
    ),
    pytest.param(
        with_row("flows", "North", "Capital", 2019, 720),
        ["flows: row 8", "(North, Capital, 2019) is there twice", "origin + destination + year must be unique"],
        id="duplicate_flow",
    ),
    pytest.param(
        with_row("regions", "North", "Again", "region", 50.0, 60.0),
        ["regions: row 5", "(North) is there twice", "region must be unique"],
        id="duplicate_region",
    ),
    pytest.param(
        with_row("indicators", "Capital", 2020, "unemployment_rate", 5.1),
        ["indicators: row 12", "(Capital, 2020, unemployment_rate) is there twice"],
        id="duplicate_indicator",
    ),
    pytest.param(
        with_row("movements", "Capital", 2020, "net", "between_regions", 1060),
        ["movements: row 11", "(Capital, 2020, net, between_regions) is there twice"],
        id="duplicate_movement",
    ),
    pytest.param(
        with_cell("flows", 4, "year", "2O19"),
        ["flows: row 4", "year is '2O19'", "must be a whole number"],
        id="year_with_a_letter",
    ),
    pytest.param(
        with_cell("flows", 3, "persons", -300),
        ["flows: row 3", "persons is '-300'", "must be at least 0"],
        id="negative_persons",
    ),
    pytest.param(
        with_cell("movements", 6, "persons", -740),
        ["movements: row 6", "departures of North in 2020 is -740", "must be at least 0"],
        id="negative_departures",
    ),
    pytest.param(
        with_cell("flows", 3, "origin", "Capital"),
        ["flows: row 3", "origin and destination are both 'Capital'", "must be two regions"],
        id="origin_is_destination",
    ),
    pytest.param(
        without_row("indicators", 6),
        ["indicators: North, population", "year 2019 missing", "2018-2020"],
        id="missing_year_of_population",
    ),
    pytest.param(
        lambda tables: tables | {"flows": tables["flows"][tables["flows"]["year"] != 2019]},
        ["flows: all pairs", "year 2019 missing", "2018-2020"],
        id="missing_year_of_flows",
    ),
    pytest.param(
        with_cell("indicators", 5, "value", "many"),
        ["indicators: row 5", "value is 'many'", "must be a number"],
        id="text_for_a_number",
    ),
    pytest.param(
        with_cell("indicators", 5, "value", "Infinity"),
        ["indicators: row 5", "value is 'Infinity'", "must be a number"],
        id="infinity",
    ),
    pytest.param(
        with_cell("indicators", 5, "value", None),
        ["indicators: row 5", "value is empty", "must be given"],
        id="empty_population",
    ),
    pytest.param(
        with_cell("indicators", 5, "value", 0),
        ["indicators: row 5", "population of North in 2018 is 0", "must be from 1 to"],
        id="nobody_lives_there",
    ),
    pytest.param(
        with_cell("indicators", 11, "value", 104.8),
        ["indicators: row 11", "unemployment_rate of Capital in 2020 is 104.8", "from 0 to 100 %"],
        id="rate_above_100_percent",
    ),
    pytest.param(
        with_cell("population_by_age", 2, "year", 2010.5),
        ["population_by_age: row 2", "year is '2010.5'", "must be a whole number"],
        id="half_a_year",
    ),
    pytest.param(
        with_cell("indicators", 6, "year", "2O19"),
        ["indicators: row 6", "year is '2O19'", "must be a whole number"],
        id="year_of_population_with_a_letter",
    ),
    pytest.param(
        with_cell("flows", 4, "year", 20190),
        ["flows: row 4", "year is '20190'", "must be from 1800 to 2200"],
        id="year_of_a_flow_out_of_range",
    ),
    pytest.param(
        with_cell("indicators", 6, "region", "Nroth"),
        ["indicators: row 6", "unknown region 'Nroth'", "did you mean 'North'?"],
        id="unknown_region_in_population",
    ),
    pytest.param(
        with_cell("movements", 4, "measure", "Net"),
        ["movements: row 4", "measure is 'Net'", "one of arrivals, departures, net"],
        id="unknown_measure",
    ),
    pytest.param(
        with_cell("movements", 4, "persons", None),
        ["movements: row 4", "persons is empty", "must be given"],
        id="empty_net",
    ),
    pytest.param(
        with_cell("population_by_age", 2, "year", 20200),
        ["population_by_age: row 2", "year is '20200'", "must be from 1800 to 2200"],
        id="year_out_of_range",
    ),
    pytest.param(
        with_cell("population_by_age", 3, "age_group", "old"),
        ["population_by_age: row 3", "age_group is 'old'", "like 0-4 or 85+"],
        id="age_group_in_words",
    ),
    pytest.param(
        with_cell("population_by_age", 3, "age_group", "9-5"),
        ["population_by_age: row 3", "age_group is '9-5'", "the lower age first"],
        id="age_group_upside_down",
    ),
    pytest.param(
        with_column("flows", "published", [2018, 2018, 2018, 2019, 2020, 2021]),
        ["flows: row 4", "published is 2018, before its year", "must be 2019 or later"],
        id="published_before_its_year",
    ),
    pytest.param(
        with_cell("indicators", 11, "indicator", "unemploymnt_rate"),
        ["indicators: row 11", "'unemploymnt_rate' is not in the indicator dictionary", "must be 'unemployment_rate'"],
        id="misspelt_indicator",
    ),
    pytest.param(
        with_cell("indicators", 6, "indicator", "populaton"),
        ["indicators: row 6", "'populaton' is not in the indicator dictionary", "must be 'population'"],
        id="misspelt_population",
    ),
    pytest.param(
        with_name("pairs", "contiguous", "contigous"),
        ["pairs: unknown column 'contigous'", "did you mean 'contiguous'?"],
        id="misspelt_column",
    ),
    pytest.param(
        with_cell("movements", 4, "persons", 1061),
        ["movements: Capital, 2020, between_regions", "net is 1061", "arrivals − departures = 1060"],
        id="net_is_not_arrivals_less_departures",
    ),
    pytest.param(
        lambda tables: tables | {"movements": tables["movements"].query("measure == 'net' and region != 'South'")},
        ["movements: between_regions, 2020", "net sums to +320", "must be 0"],
        id="internal_nets_do_not_cancel",
    ),
    pytest.param(
        with_cell("movements", 2, "scope", "between_region"),
        ["movements: row 2", "scope is 'between_region'", "one of between_regions, within_country, abroad, all"],
        id="unknown_scope",
    ),
    pytest.param(
        with_cell("regions", 3, "kind", "province"),
        ["regions: row 3", "kind is 'province'", "one of city, region"],
        id="unknown_kind",
    ),
    pytest.param(
        with_cell("regions", 3, "latitude", 154.8),
        ["regions: row 3", "latitude is '154.8'", "from -90 to 90"],
        id="latitude_out_of_range",
    ),
    pytest.param(
        without_column("regions", "longitude"),
        ["regions: column 'longitude' is missing", "region, name, kind, latitude, longitude"],
        id="missing_column",
    ),
    pytest.param(
        with_cell("pairs", 2, "contiguous", "perhaps"),
        ["pairs: row 2", "contiguous is 'perhaps'", "must be true or false"],
        id="neither_true_nor_false",
    ),
    pytest.param(
        with_cell("pairs", 2, "distance_km", 43_000),
        ["pairs: row 2", "distance_km is '43000", "from 0 to 20100"],
        id="farther_than_the_earth_is_round",
    ),
    pytest.param(
        with_column("flows", "basis", ["official"] * 5 + ["guessed"]),
        ["flows: row 7", "basis is 'guessed'", "one of official, derived, estimated"],
        id="unknown_basis",
    ),
    pytest.param(
        lambda tables: tables | {"indicators": tables["indicators"].query("region != 'South'")},
        ["indicators: South", "population is missing in years 2018, 2019, 2020"],
        id="population_is_missing",
    ),
    pytest.param(
        lambda tables: tables | {"boundary_changes": changes_of((2019, "North", "North"))},
        ["boundary_changes: row 2", "'North' comes back after it ended"],
        id="its_own_successor",
    ),
    pytest.param(
        lambda tables: {name: frame for name, frame in tables.items() if name not in ("flows", "movements")},
        ["neither 'flows' nor 'movements' is there"],
        id="no_moves_at_all",
    ),
]


@pytest.mark.parametrize(("plant", "told"), FAULTS)
def test_one_fault_gives_exactly_one_line(tmp_path, plant, told):
    folder = write_folder(tmp_path, **plant(good_tables()))

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    assert len(caught.value.faults) == 1, caught.value
    assert_told(caught.value.faults[0], told)


def assert_told(fault: str, told: list[str]) -> None:
    missing = [words for words in told if words not in fault]
    assert not missing, f"{fault!r} does not say {missing}"


DESCRIPTOR_FAULTS = [
    pytest.param(
        {"path": "flow.csv"},
        ["resource 'flows'", "file 'flow.csv' is not there", "did you mean 'flows.csv'?"],
        id="no_such_file",
    ),
    pytest.param(
        {"path": "../flows.csv"}, ["resource 'flows'", "'../flows.csv' leads out of the folder"], id="out_of_the_folder"
    ),
    pytest.param({"path": "/etc/hostname"}, ["resource 'flows'", "leads out of the folder"], id="absolute_path"),
    pytest.param({"path": 7}, ["resource 'flows'", "path is 7", "name of a file"], id="path_is_a_number"),
    pytest.param(
        {"hash": "sha256:" + "0" * 64},
        ["flows: sha256 of 'flows.csv' is", "must be 000000000000"],
        id="another_hash",
    ),
    pytest.param({"hash": "md5:0"}, ["resource 'flows'", "hash is 'md5:0'", "sha256:…"], id="another_algorithm"),
    pytest.param(
        {"gaps": [{"years": [2019]}]},
        ["resource 'flows'", "gaps are", "{years: [2019], reason: why}"],
        id="gap_without_reason",
    ),
    pytest.param(
        {"gaps": "2019"}, ["resource 'flows'", "gaps are", "{years: [2019], reason: why}"], id="gaps_are_text"
    ),
    pytest.param(
        {"gaps": [{"years": 2019, "reason": "x"}]},
        ["resource 'flows'", "gaps are", "{years: [2019], reason: why}"],
        id="gap_of_a_bare_year",
    ),
]


@pytest.mark.parametrize(("changed", "told"), DESCRIPTOR_FAULTS)
def test_one_fault_in_the_descriptor_gives_exactly_one_line(tmp_path, changed, told):
    folder = write_folder(tmp_path / "data", **good_tables())
    (tmp_path / "flows.csv").write_bytes((folder / "flows.csv").read_bytes())
    change_resource(folder, "flows", changed)

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    assert len(caught.value.faults) == 1, caught.value
    assert_told(caught.value.faults[0], told)


def change_resource(folder: Path, name: str, changed: dict) -> None:
    path = folder / "datapackage.json"
    descriptor = json.loads(path.read_text("utf-8"))
    descriptor["resources"] = [entry | changed if entry["name"] == name else entry for entry in descriptor["resources"]]
    path.write_text(json.dumps(descriptor), "utf-8")


def test_all_faults_are_listed_at_once_and_none_is_made_up(tmp_path):
    planted = [
        (with_cell("flows", 2, "destination", "Capitol"), ["flows: row 2", "did you mean 'Capital'?"]),
        (with_cell("flows", 3, "persons", -300), ["flows: row 3", "'-300'", "at least 0"]),
        (with_cell("flows", 5, "origin", "Capital"), ["flows: row 5", "both 'Capital'", "two regions"]),
        (with_row("flows", "North", "Capital", 2020, 740), ["flows: row 8", "(North, Capital, 2020) is there twice"]),
        (with_cell("indicators", 8, "value", "many"), ["indicators: row 7", "'many'", "a number"]),
        (without_row("indicators", 6), ["indicators: North, population", "year 2019 missing"]),
        (with_cell("regions", 3, "kind", "province"), ["regions: row 3", "'province'", "city, region"]),
        (with_cell("regions", 4, "latitude", 154.8), ["regions: row 4", "'154.8'", "-90 to 90"]),
        (with_name("regions", "name", "nane"), ["regions: unknown column 'nane'", "did you mean 'name'?"]),
        (lambda tables: tables, ["regions: column 'name' is missing", "required: region, name"]),
        (with_cell("movements", 4, "persons", 1160), ["Capital, 2020", "1160", "arrivals − departures = 1060"]),
        (
            with_row("movements", "Capital", 2019, "net", "within_country", 9),
            ["within_country, 2019", "+9", "must be 0"],
        ),
        (without_column("population_by_age", "sex"), ["population_by_age: column 'sex' is missing"]),
        (with_cell("pairs", 3, "contiguous", "perhaps"), ["pairs: row 3", "'perhaps'", "true or false"]),
    ]
    tables = good_tables()
    for plant, _ in planted:
        tables = plant(tables)
    folder = write_folder(tmp_path, **tables)
    change_resource(folder, "pairs", {"hash": "sha256:" + "0" * 64})
    descriptor = json.loads((folder / "datapackage.json").read_text("utf-8"))
    descriptor["resources"].append({"name": "boundary_changes", "path": "boundaries.csv"})
    (folder / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    expected = [told for _, told in planted] + [["pairs: sha256"], ["'boundaries.csv' is not there"]]

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    faults = caught.value.faults
    unexplained = [fault for fault in faults if not any(all(words in fault for words in told) for told in expected)]
    assert [told for told in expected if not any(all(words in fault for words in told) for fault in faults)] == []
    assert unexplained == []
    assert len(faults) == len(expected) == 16
    assert str(caught.value).startswith(f"{folder}: 16 faults\n")


def test_a_hundred_faults_of_one_kind_are_counted_after_the_fiftieth(tmp_path):
    tables = good_tables()
    many = pd.DataFrame([("North", "Capital", 1900 + n, -n) for n in range(1, 119)], columns=tables["flows"].columns)
    folder = write_folder(tmp_path, **tables | {"flows": pd.concat([many, tables["flows"]])})

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    negative = [fault for fault in caught.value.faults if "persons" in fault and "at least 0" in fault]
    assert len(negative) == 50
    assert any("68 more" in fault for fault in caught.value.faults)


# --- what is no fault -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_good_folder_loads(tmp_path, suffix):
    dataset, notes = read_dataset(write_folder(tmp_path, suffix, **good_tables()))

    assert notes == []
    assert {name: len(frame) for name, frame in dataset.tables().items()} == {
        "regions": 3,
        "indicators": 10,
        "flows": 6,
        "movements": 9,
        "pairs": 2,
        "population_by_age": 2,
    }


def test_csv_and_parquet_hold_the_same_tables(tmp_path):
    csv = load_dataset(write_folder(tmp_path / "csv", "csv", **good_tables()))
    parquet = load_dataset(write_folder(tmp_path / "parquet", "parquet", **good_tables()))

    for name, frame in csv.tables().items():
        pd.testing.assert_frame_equal(frame, parquet.tables()[name])


def test_flows_alone_are_enough():
    dataset = dataset_of(**{name: good_tables()[name] for name in ("regions", "indicators", "flows")})

    assert list(dataset.tables()) == ["regions", "indicators", "flows"]


def test_movements_alone_are_enough():
    dataset = dataset_of(**{name: good_tables()[name] for name in ("regions", "indicators", "movements")})

    assert list(dataset.tables()) == ["regions", "indicators", "movements"]


@pytest.mark.parametrize(
    "as_bytes",
    [
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="byte_order_mark"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="windows_line_ends"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), id="both"),
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path, as_bytes):
    folder = write_folder(tmp_path, **good_tables())
    path = folder / "flows.csv"
    path.write_bytes(as_bytes(path.read_bytes()))
    change_resource(folder, "flows", {"hash": None})

    assert load_dataset(folder).flows["persons"].sum() == 3090


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    folder = write_folder(tmp_path, **good_tables())
    path = folder / "regions.csv"
    path.write_bytes(path.read_bytes().replace(b"South,South", "South,Юг".encode("cp1251")))
    change_resource(folder, "regions", {"hash": None})

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    assert len(caught.value.faults) == 1
    assert_told(caught.value.faults[0], ["regions: 'regions.csv' cannot be read", "CSV in UTF-8 or Parquet"])


@pytest.mark.parametrize("folder_state", ["empty_folder", "no_folder", "not_json", "a_list", "resources_are_text"])
def test_a_folder_without_a_readable_descriptor_is_named(tmp_path, folder_state):
    texts = {"not_json": "{", "a_list": "[]", "resources_are_text": '{"name": "x", "resources": "flows"}'}
    if folder_state in texts:
        (tmp_path / "datapackage.json").write_text(texts[folder_state])

    with pytest.raises(DatasetError, match=r"datapackage\.json"):
        load_dataset(tmp_path if folder_state != "no_folder" else tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        pytest.param(["true", "false"], [True, False], id="lower"),
        pytest.param(["True", "False"], [True, False], id="python"),
        pytest.param(["TRUE", "FALSE"], [True, False], id="spreadsheet"),
        pytest.param(["1", "0"], [True, False], id="digits"),
        pytest.param([True, False], [True, False], id="typed"),
        pytest.param([1, 0], [True, False], id="numbers"),
        pytest.param(["true", None], [True, pd.NA], id="empty"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_contiguous_may_be_spelt_in_several_ways(tmp_path, suffix, said, meant):
    tables = good_tables() | {"pairs": good_tables()["pairs"].assign(contiguous=said)}

    dataset = load_dataset(write_folder(tmp_path, suffix, **tables))

    assert dataset.pairs["contiguous"].tolist() == meant


def test_whole_numbers_may_carry_a_point_zero():
    tables = good_tables()
    tables["flows"] = tables["flows"].astype({"year": "float64", "persons": "float64"})

    assert dataset_of(**tables).flows.dtypes[["year", "persons"]].tolist() == [np.dtype("int64")] * 2


def test_a_gap_with_a_reason_is_no_fault():
    tables = good_tables()
    tables["flows"] = tables["flows"][tables["flows"]["year"] != 2019]

    dataset = dataset_of(gaps={"flows": [{"years": [2019], "reason": "census year"}]}, **tables)

    assert sorted(dataset.flows["year"].unique()) == [2018, 2020]


@pytest.mark.parametrize(
    ("indicator", "told"),
    [
        pytest.param("youth_neet_share", ["not used", "did you mean 'youth_neet_rate'?"], id="rather_like_one_in_it"),
        pytest.param("hospital_beds", ["not used"], id="like_none_in_it"),
        pytest.param("employment_rate", ["not used"], id="like_one_that_means_something_else"),
    ],
)
def test_an_indicator_that_is_not_in_the_dictionary_is_noted(tmp_path, indicator, told):
    tables = with_row("indicators", "Capital", 2020, indicator, 4.8)(good_tables())

    _, notes = read_dataset(write_folder(tmp_path, **tables))

    assert len(notes) == 1
    assert_told(notes[0], [f"'{indicator}'", *told])


@pytest.mark.parametrize("said", [[True, False], [True, None]], ids=["all_given", "some_empty"])
@pytest.mark.parametrize(
    ("name", "column", "wanted"),
    [
        pytest.param("flows", "persons", "a whole number", id="persons"),
        pytest.param("indicators", "value", "a number", id="value"),
        pytest.param("flows", "year", "a whole number", id="year"),
    ],
)
def test_true_is_no_number(tmp_path, name, column, wanted, said):
    frame = good_tables()[name]
    frame = pd.concat([frame.iloc[:2].assign(**{column: said})])
    folder = write_folder(tmp_path, "parquet", **good_tables() | {name: frame})

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    assert f"{name}: row 2: {column} is 'True'; must be {wanted}" in caught.value.faults


def test_a_file_beside_the_tables_is_noted(tmp_path):
    folder = write_folder(tmp_path, **good_tables())
    descriptor = json.loads((folder / "datapackage.json").read_text("utf-8"))
    descriptor["resources"].append({"name": "readme", "path": "readme.md"})
    (folder / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")

    _, notes = read_dataset(folder)

    assert len(notes) == 1
    assert "'readme' is not a table" in notes[0]


def test_a_misspelt_table_is_a_fault(tmp_path):
    folder = write_folder(tmp_path, **good_tables())
    change_resource(folder, "pairs", {"name": "pair"})

    with pytest.raises(DatasetError, match=r"resource 'pair' is not a table .*did you mean 'pairs'\?"):
        load_dataset(folder)


def test_rows_are_counted_with_the_header(tmp_path):
    tables = flows_country(["A", "B", "C"], range(2015, 2018))
    tables["flows"].loc[11, "persons"] = -1
    folder = write_folder(tmp_path, **tables)
    line = next(n for n, text in enumerate((folder / "flows.csv").read_text().splitlines(), 1) if text.endswith(",-1"))

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    assert f"flows: row {line}:" in caught.value.faults[0]


def test_only_population_must_be_without_gaps_where_moves_are_used():
    """Moves of a year before the first population are let pass: rates start later than moves."""
    tables = {
        "regions": regions_of("A", "B"),
        "indicators": population_of(["A", "B"], range(2016, 2019)),
        "flows": table("""
            origin destination year persons
            A      B           2015 10
            A      B           2016 10
            A      B           2017 10
        """),
    }

    assert len(dataset_of(**tables).flows) == 3


def test_empty_lines_are_passed_over_and_counted(tmp_path):
    folder = write_folder(tmp_path, **good_tables())
    path = folder / "flows.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "", ",,,", *lines[1:2], lines[2].replace("300", "-300"), *lines[3:], "", ""]))
    change_resource(folder, "flows", {"hash": None})

    with pytest.raises(DatasetError) as caught:
        load_dataset(folder)

    assert caught.value.faults == ["flows: row 5: persons is '-300'; must be at least 0"]


def test_a_row_with_more_cells_than_the_header_is_named(tmp_path):
    folder = write_folder(tmp_path, **good_tables())
    path = folder / "flows.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(f"{row},9" for row in rows)]))
    change_resource(folder, "flows", {"hash": None})

    with pytest.raises(DatasetError, match=r"flows: 'flows.csv' cannot be read \(its rows have more cells"):
        load_dataset(folder)


def test_every_fault_of_a_row_is_told(tmp_path):
    tables = good_tables()
    for plant in (with_cell("regions", 3, "latitude", "north"), with_cell("regions", 3, "longitude", 720)):
        tables = plant(tables)

    with pytest.raises(DatasetError) as caught:
        load_dataset(write_folder(tmp_path, **tables))

    assert caught.value.faults == [
        "regions: row 3: latitude is 'north'; must be a number",
        "regions: row 3: longitude is '720.0'; must be from -180 to 180",
    ]


@pytest.mark.parametrize("name", ["regions", "indicators", "flows", "movements", "pairs", "population_by_age"])
def test_a_table_without_rows_loads_or_is_told(tmp_path, name):
    folder = write_folder(tmp_path, **good_tables() | {name: good_tables()[name].iloc[:0]})

    if name in ("regions", "indicators"):
        with pytest.raises(DatasetError):
            load_dataset(folder)
    else:
        assert name not in load_dataset(folder).tables()


@pytest.mark.parametrize("key", ["sources", "licenses"])
@pytest.mark.parametrize(
    "said",
    [pytest.param("BNS", id="text"), pytest.param(["BNS"], id="list_of_text"), pytest.param({}, id="object")],
)
def test_sources_and_licenses_in_another_form_are_told(tmp_path, key, said):
    folder = write_folder(tmp_path, **good_tables())
    descriptor = json.loads((folder / "datapackage.json").read_text("utf-8"))
    (folder / "datapackage.json").write_text(json.dumps(descriptor | {key: said}), "utf-8")

    with pytest.raises(DatasetError, match=f"'{key}' must be a list of"):
        load_dataset(folder)


def test_a_region_that_comes_back_needs_another_code(tmp_path):
    changes = changes_of((2018, "South", "North"), (2019, "North", "Capital"), (2020, "Capital", "South"))

    with pytest.raises(DatasetError, match="'South' comes back after it ended; must be another region code"):
        load_dataset(write_folder(tmp_path, **good_tables() | {"boundary_changes": changes}))
