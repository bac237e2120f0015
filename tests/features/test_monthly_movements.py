"""Monthly figures stand beside yearly ones: checked like them, known by month, seen by nothing that counts years."""

import json

import pandas as pd
import pytest

from features.boundaries import at_constant_boundaries
from features.contracts import DatasetError
from features.dataset import Dataset, load_dataset, save_dataset
from features.targets import records, target_history
from tests.tables import dataset_of, kazakhstan, population_of, regions_of, table, write_folder

CODES = ["Capital", "North"]
YEARS = table("""
    region   year  month  measure     scope            persons
    Capital  2019  -      arrivals    between_regions  600
    Capital  2019  -      departures  between_regions  120
    Capital  2019  -      net         between_regions  480
    North    2019  -      arrivals    between_regions  120
    North    2019  -      departures  between_regions  600
    North    2019  -      net         between_regions  -480
    Capital  2020  -      arrivals    between_regions  660
    Capital  2020  -      departures  between_regions  120
    Capital  2020  -      net         between_regions  540
    North    2020  -      arrivals    between_regions  120
    North    2020  -      departures  between_regions  660
    North    2020  -      net         between_regions  -540
""")


def months_of(year: int, months: range, moved_to_capital: int) -> pd.DataFrame:
    """The same in every month: 10 persons move to North."""
    counts = {"Capital": (moved_to_capital, 10), "North": (10, moved_to_capital)}
    rows = [
        (region, year, month, measure, "between_regions", persons)
        for region, (arrivals, departures) in counts.items()
        for month in months
        for measure, persons in (("arrivals", arrivals), ("departures", departures), ("net", arrivals - departures))
    ]
    return pd.DataFrame(rows, columns=YEARS.columns)


MONTHS = pd.concat([months_of(2020, range(1, 13), 55), months_of(2021, range(1, 5), 60)])
MOVEMENTS = pd.concat([YEARS, MONTHS], ignore_index=True).astype({"month": "Int64"})


def tables(movements: pd.DataFrame = MOVEMENTS) -> dict[str, pd.DataFrame]:
    population = population_of(CODES, range(2019, 2021))
    return {"regions": regions_of(*CODES), "indicators": population, "movements": movements}


def changed(column: str, value: object, **row: object) -> pd.DataFrame:
    """The movements with one cell, of the one row that is named, changed."""
    picked = cells(MOVEMENTS, row)
    assert picked.sum() == 1
    movements = MOVEMENTS.astype({column: "object"})
    movements.loc[picked, column] = value
    return movements


def without(**row: object) -> pd.DataFrame:
    return MOVEMENTS[~cells(MOVEMENTS, row)]


def cells(movements: pd.DataFrame, row: dict) -> pd.Series:
    picked = pd.Series(True, movements.index)
    for column, value in row.items():
        picked &= movements[column].isna() if value is None else (movements[column] == value).fillna(False)
    return picked


MAY = {"region": "North", "year": 2020, "month": 5}
TWICE = MOVEMENTS[cells(MOVEMENTS, {**MAY, "measure": "net"})]
TWICE_A_YEAR = MOVEMENTS[cells(MOVEMENTS, {**MAY, "month": None, "measure": "net"})]

# --- the contract ---------------------------------------------------------------------------------------------------

FAULTS = [
    pytest.param(
        changed("month", 13, **MAY, measure="net"),
        ["month is '13'; must be from 1 to 12"],
        id="thirteenth_month",
    ),
    pytest.param(
        changed("month", "May", **MAY, measure="net"),
        ["month is 'May'; must be a whole number"],
        id="month_in_words",
    ),
    pytest.param(
        pd.concat([MOVEMENTS, TWICE]),
        ["(North, 2020, 5, net, between_regions) is there twice; region + year + month + measure +"],
        id="a_month_twice",
    ),
    pytest.param(
        pd.concat([MOVEMENTS, TWICE_A_YEAR]),
        ["(North, 2020, net, between_regions) is there twice; region + year + month + measure +"],
        id="a_year_twice",
    ),
    pytest.param(
        changed("persons", -55, **MAY, measure="departures"),
        ["departures of North in 2020-05 is -55; must be at least 0"],
        id="negative_count",
    ),
    pytest.param(
        changed("persons", -46, **MAY, measure="net"),
        ["movements: North, 2020-05, between_regions: net is -46; must be arrivals − departures = -45"],
        id="net_is_not_arrivals_less_departures",
    ),
    pytest.param(
        without(**MAY, measure="arrivals"),
        ["movements: North, 2020, arrivals, between_regions: month 5 missing inside the series 1-12"],
        id="a_hole",
    ),
    pytest.param(
        changed("persons", 661, region="North", year=2020, month=None, measure="departures").query("measure != 'net'"),
        ["North, 2020, departures, between_regions: the 12 months sum to 660; must be the year's 661"],
        id="months_are_not_the_year",
    ),
    pytest.param(
        changed("persons", -51, region="North", year=2021, month=2, measure="net").query("measure == 'net'"),
        ["movements: between_regions, 2021-02: net sums to -1 over the regions; must be 0"],
        id="nets_of_a_running_year_do_not_cancel",
    ),
    pytest.param(
        MOVEMENTS[MOVEMENTS["month"].notna()],
        ["movements: only months; there must be figures of whole years too"],
        id="months_alone",
    ),
]


@pytest.mark.parametrize(("movements", "told"), FAULTS)
def test_one_fault_gives_exactly_one_line(tmp_path, movements, told):
    with pytest.raises(DatasetError) as caught:
        load_dataset(write_folder(tmp_path, **tables(movements)))

    assert len(caught.value.faults) == 1, caught.value
    assert all(words in caught.value.faults[0] for words in told), caught.value


@pytest.mark.parametrize(
    "movements",
    [
        pytest.param(MOVEMENTS, id="a_whole_year_and_a_running_one"),
        pytest.param(MOVEMENTS.sample(frac=1, random_state=3), id="in_any_order"),
        pytest.param(
            MOVEMENTS.query("year < 2021 and not (year == 2020 and month < 4)"), id="a_series_that_starts_late"
        ),
        pytest.param(without(year=2020, month=12), id="a_series_that_stops_early"),
        pytest.param(without(region="North", year=2021), id="a_running_year_of_one_region"),
        pytest.param(without(year=2020, month=None), id="twelve_months_without_their_year"),
    ],
)
def test_months_may_be_given(movements):
    assert len(dataset_of(**tables(movements)).tables()["movements"]) == len(movements)


REVISED = changed("persons", 661, region="North", year=2020, month=None, measure="departures").query("measure != 'net'")


@pytest.mark.parametrize(
    ("key", "movements"),
    [pytest.param("revisions", REVISED, id="revision"), pytest.param("gaps", without(**MAY), id="gap")],
)
@pytest.mark.parametrize(
    ("about", "let_pass"),
    [
        pytest.param({"years": [2020]}, True, id="the_year"),
        pytest.param({"years": [2020], "region": "North"}, True, id="the_region"),
        pytest.param({"years": [2020], "region": "Capital"}, False, id="another_region"),
        pytest.param({"years": [2021]}, False, id="another_year"),
    ],
)
def test_what_the_descriptor_names_with_a_reason_is_no_fault(tmp_path, key, movements, about, let_pass):
    folder = write_folder(tmp_path, **tables(movements))
    path = folder / "datapackage.json"
    descriptor = json.loads(path.read_text("utf-8"))
    descriptor["resources"][2][key] = [about | {"reason": "late slips"}]
    path.write_text(json.dumps(descriptor), "utf-8")

    if let_pass:
        dataset = load_dataset(folder)
        assert getattr(dataset, key) == ({"table": "movements", **about, "reason": "late slips"},)
    else:
        with pytest.raises(DatasetError):
            load_dataset(folder)


# --- years are years ------------------------------------------------------------------------------------------------


def without_months() -> Dataset:
    return dataset_of(**tables(YEARS.drop(columns="month")))


@pytest.mark.parametrize("target", ["inflow", "out_migration", "net_migration"])
def test_months_change_no_yearly_record(target):
    with_months = dataset_of(**tables())

    pd.testing.assert_frame_equal(records(with_months, target)[1], records(without_months(), target)[1])
    pd.testing.assert_frame_equal(
        target_history(with_months, target).persons, target_history(without_months(), target).persons
    )


def test_a_running_year_needs_no_population():
    assert dataset_of(**tables()).monthly_movements["year"].max() == 2021


def test_an_empty_column_of_months_is_a_table_of_years():
    pd.testing.assert_frame_equal(dataset_of(**tables(YEARS)).tables()["movements"], without_months().movements)


def test_months_of_a_split_region_are_counted_in_its_unit_where_every_part_is_there():
    movements = table("""
        region     year  month  measure   scope           persons
        South      2020  -      arrivals  within_country  240
        Turkistan  2021  1      arrivals  within_country  12
        Shymkent   2021  1      arrivals  within_country  9
        Turkistan  2021  2      arrivals  within_country  11
    """)
    dataset = dataset_of(
        regions=regions_of("South", "Turkistan", "Shymkent"),
        indicators=population_of(["South"], range(2020, 2021)),
        movements=movements,
        boundary_changes=table("""
            year  predecessor  successor
            2021  South        Turkistan
            2021  South        Shymkent
        """),
    )

    rows = at_constant_boundaries(dataset, 2020).monthly_movements

    assert rows[["region", "year", "month", "persons", "basis"]].to_numpy().tolist() == [
        ["South", 2021, 1, 21, "derived"]
    ]


# --- what is known of a running year --------------------------------------------------------------------------------


def months_known(dataset: Dataset) -> set[tuple[int, int]]:
    return set(zip(dataset.monthly_movements["year"], dataset.monthly_movements["month"], strict=True))


def test_a_cutoff_holds_no_month_of_the_year_after():
    dataset = dataset_of(**tables())

    assert months_known(dataset.as_of(2019)) == set()
    assert months_known(dataset.as_of(2020)) == {(2020, month) for month in range(1, 13)}


def test_months_of_the_running_year_are_known_up_to_the_month_that_is_asked():
    known = dataset_of(**tables()).as_of(2019, month=7)

    assert months_known(known) == {(2020, month) for month in range(1, 8)}
    assert (known.cutoff, known.month) == (2019, 7)
    assert known.movements["year"].max() == 2019


def test_a_month_that_was_published_later_is_hidden():
    late = MOVEMENTS.assign(published=MOVEMENTS["year"])
    late.loc[cells(late, {"year": 2020, "month": 2}), "published"] = 2021
    dataset = dataset_of(**tables(late))

    assert (2020, 2) not in months_known(dataset.as_of(2019, month=3))
    assert (2020, 2) not in months_known(dataset.as_of(2020))
    assert (2020, 2) not in months_known(dataset.as_of(2020, month=3))
    assert (2020, 2) in months_known(dataset.as_of(2021))


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        pytest.param((2020, 3), (2019, 5), id="later"),
        pytest.param((2019, 9), (2019, 5), id="a_later_month"),
        pytest.param((2019, 5), (2019, 5), id="the_same"),
        pytest.param((2019, 2), (2019, 2), id="an_earlier_month"),
        pytest.param((2019, 0), (2019, 0), id="no_month"),
        pytest.param((2018, 4), (2018, 4), id="an_earlier_year"),
    ],
)
def test_a_vintage_never_widens(asked, given):
    dataset = dataset_of(**tables())
    vintage = dataset.as_of(2019, month=5)

    assert vintage.as_of(*asked) is dataset.as_of(*given)
    assert months_known(vintage.as_of(*asked)) <= months_known(vintage)


@pytest.mark.parametrize("month", [0, 2])
def test_another_future_changes_no_vintage(month):
    future = MOVEMENTS["year"] > 2020
    hidden = future & (MOVEMENTS["month"] > month)
    other = MOVEMENTS.assign(persons=MOVEMENTS["persons"].where(~hidden, MOVEMENTS["persons"] * 7))

    known, known_other = (dataset_of(**tables(one)).as_of(2020, month) for one in (MOVEMENTS, other))

    for name, frame in known.tables().items():
        pd.testing.assert_frame_equal(known_other.tables()[name], frame)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_vintage_with_months_is_saved_and_read_back(tmp_path, suffix):
    known = load_dataset(write_folder(tmp_path / "given", suffix, **tables())).as_of(2020, month=3)

    save_dataset(known, tmp_path / "saved")

    again = load_dataset(tmp_path / "saved").as_of(2020, month=3)
    pd.testing.assert_frame_equal(again.movements, known.movements)
    pd.testing.assert_frame_equal(again.monthly_movements, known.monthly_movements)


def test_the_embedded_months_of_2024_are_known_after_2023_only_where_they_are_asked_for():
    assert months_known(kazakhstan().as_of(2023)) == set()
    assert months_known(kazakhstan().as_of(2023, month=8)) == {(2024, month) for month in range(1, 9)}
