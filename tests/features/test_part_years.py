"""The months of a running year say how its level stands beside the year before."""

import pandas as pd
import pytest

from features.dataset import Dataset
from features.part_years import PartYear, monthly_level, part_year_level
from tests.tables import dataset_of, flows_country, kazakhstan, net_country, population_of, regions_of, table

CODES = ["Capital", "North"]
YEARS = table("""
    region   year  month  measure     scope           persons
    Capital  2020  -      arrivals    within_country  900
    North    2020  -      arrivals    within_country  300
    Capital  2020  -      departures  within_country  500
    North    2020  -      departures  within_country  700
""")


def arrivals(region: str, year: int, *persons: int | None, first: int = 1) -> pd.DataFrame:
    """Monthly arrivals from the month `first` on; None where a month is not given."""
    rows = [
        (region, year, month, "arrivals", "within_country", count)
        for month, count in enumerate(persons, first)
        if count is not None
    ]
    return pd.DataFrame(rows, columns=YEARS.columns)


CAPITAL_2020, NORTH_2020 = arrivals("Capital", 2020, *[75] * 12), arrivals("North", 2020, *[20, 30] * 6)
LAST_YEAR = pd.concat([CAPITAL_2020, NORTH_2020])
RUNNING = pd.concat([arrivals("Capital", 2021, 80, 90, 100), arrivals("North", 2021, 30, 40, 50)])
DEPARTURES = pd.concat([LAST_YEAR.query("month < 4"), RUNNING]).assign(measure="departures")


def country(*months: pd.DataFrame) -> Dataset:
    movements = pd.concat([YEARS, *months]).astype({"month": "Int64"})
    population = population_of(CODES, range(2020, 2021))
    return dataset_of(regions=regions_of(*CODES), indicators=population, movements=movements)


# --- the level by month ---------------------------------------------------------------------------------------------


def test_a_month_is_the_sum_of_all_regions():
    level = monthly_level(country(LAST_YEAR, RUNNING), "inflow")

    assert level.index.names == ["year", "month"]
    assert level[2020].tolist() == [95, 105] * 6
    assert level[2021].to_dict() == {1: 110, 2: 130, 3: 150}


def test_out_migration_counts_departures():
    level = monthly_level(country(LAST_YEAR, DEPARTURES), "out_migration")

    assert level[2020].tolist() == [95, 105, 95]


@pytest.mark.parametrize(
    ("months", "known"),
    [
        pytest.param(arrivals("North", 2021, 30, 40), [1, 2], id="stops_early"),
        pytest.param(arrivals("North", 2021, 30, 40, first=2), [2, 3], id="starts_late"),
        pytest.param(arrivals("North", 2021), [], id="not_there"),
    ],
)
def test_a_month_in_which_a_region_is_missing_has_no_level(months, known):
    level = monthly_level(country(LAST_YEAR, arrivals("Capital", 2021, 80, 90, 100), months), "inflow")

    assert [month for year, month in level.index if year == 2021] == known


@pytest.mark.parametrize(
    "dataset",
    [
        pytest.param(country(), id="years_alone"),
        pytest.param(dataset_of(**flows_country(CODES, range(2018, 2021))), id="flows_alone"),
        pytest.param(dataset_of(**net_country(CODES, range(2018, 2021))), id="balances_alone"),
        pytest.param(country(LAST_YEAR).as_of(2019, month=3), id="no_year_yet"),
        pytest.param(country(LAST_YEAR.assign(scope="all")), id="months_of_another_scope"),
        pytest.param(country(LAST_YEAR.assign(year=2019, persons=1)), id="months_before_the_first_year"),
    ],
)
def test_no_months_of_the_record_no_level(dataset):
    level = monthly_level(dataset, "inflow")

    assert level.empty
    assert level.index.names == ["year", "month"]
    assert part_year_level(dataset.as_of(2020, month=3)) is None


# --- the running year -----------------------------------------------------------------------------------------------


def test_the_running_year_is_compared_with_the_same_months_of_the_year_before():
    told = part_year_level(country(LAST_YEAR, RUNNING).as_of(2020, month=2))

    assert told == PartYear(months=2, moves=240, moves_before=200, year_before=1200)
    assert told.ratio == 1.2


def test_departures_have_a_level_too():
    told = part_year_level(country(LAST_YEAR, DEPARTURES).as_of(2020, month=1), "out_migration")

    assert told == PartYear(months=1, moves=110, moves_before=95, year_before=1200)


@pytest.mark.parametrize(
    ("months", "asked", "compared"),
    [
        pytest.param([LAST_YEAR, RUNNING], 12, 3, id="as_far_as_there_are_months"),
        pytest.param([LAST_YEAR.query("month < 3"), RUNNING], 3, 2, id="as_far_as_the_year_before_has_them"),
    ],
)
def test_only_months_of_both_years_are_compared(months, asked, compared):
    told = part_year_level(country(*months).as_of(2020, month=asked))

    assert told is not None
    assert told.months == compared


@pytest.mark.parametrize(
    ("known", "target"),
    [
        pytest.param(country(LAST_YEAR, RUNNING), "inflow", id="no_vintage"),
        pytest.param(country(LAST_YEAR, RUNNING).as_of(2020), "inflow", id="no_month_asked"),
        pytest.param(country(LAST_YEAR).as_of(2020, month=5), "inflow", id="no_month_there"),
        pytest.param(country(RUNNING).as_of(2020, month=3), "inflow", id="no_months_of_the_year_before"),
        pytest.param(country(LAST_YEAR, RUNNING).as_of(2020, month=3), "out_migration", id="another_measure"),
        pytest.param(
            country(LAST_YEAR, RUNNING.query("month > 1")).as_of(2020, month=3), "inflow", id="january_is_not_there"
        ),
        pytest.param(
            country(LAST_YEAR, RUNNING.query("region == 'North'")).as_of(2020, month=3), "inflow", id="one_region_alone"
        ),
        pytest.param(country(LAST_YEAR, RUNNING).as_of(2021, month=3), "inflow", id="two_years_after_the_last"),
        pytest.param(kazakhstan().as_of(2023, month=8), "inflow", id="kazakhstan_whose_months_start_in_2024"),
    ],
)
def test_nothing_to_compare_with_is_no_level(known, target):
    assert part_year_level(known, target) is None


def test_nobody_moved_in_the_year_before_is_nothing_to_compare_with():
    still = LAST_YEAR.query("month < 12").assign(persons=0)

    assert part_year_level(country(still, RUNNING).as_of(2020, month=3)) is None


def test_the_level_does_not_see_beyond_the_month():
    dataset = country(LAST_YEAR, RUNNING)
    later = country(LAST_YEAR, RUNNING.assign(persons=RUNNING["persons"].where(RUNNING["month"] < 3, 9999)))

    assert part_year_level(dataset.as_of(2020, month=2)) == part_year_level(later.as_of(2020, month=2))


def test_twice_as_many_moves_everywhere_leave_the_ratio():
    one, double = (part_year_level(dataset_of(**multiplied(factor)).as_of(2020, month=3)) for factor in (1, 2))

    assert one is not None
    assert double is not None
    assert double.moves == 2 * one.moves
    assert double.ratio == one.ratio


def multiplied(factor: int) -> dict[str, pd.DataFrame]:
    movements = pd.concat([YEARS, LAST_YEAR, RUNNING]).astype({"month": "Int64"})
    return {
        "regions": regions_of(*CODES),
        "indicators": population_of(CODES, range(2020, 2021)),
        "movements": movements.assign(persons=movements["persons"] * factor),
    }
