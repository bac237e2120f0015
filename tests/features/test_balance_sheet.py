"""Double entry: the sheet closes to the person, and says why something is left over."""

from dataclasses import replace

import pandas as pd
import pytest

from features.accounts import BalancedRecord, balanced_record
from features.balance_sheet import NOT_COUNTED, REBASED, REVISION, UNEXPLAINED, balance_sheet
from features.dataset import Dataset, filled_table
from tests.tables import dataset_of, flows_country, kazakhstan, small_country


@pytest.fixture(scope="module")
def sheet() -> pd.DataFrame:
    """Of the embedded data, all years."""
    return balance_sheet(balanced_record(kazakhstan(), draws=4), kazakhstan())


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(**small_country())


@pytest.fixture(scope="module")
def record(dataset) -> BalancedRecord:
    return balanced_record(dataset, draws=2)


def test_the_sheet_closes_to_the_person(sheet):
    made = (
        sheet["population"]
        + (sheet["births"] - sheet["deaths"])
        + (sheet["arrivals"] - sheet["departures"])
        + (sheet["from_abroad"] - sheet["to_abroad"])
        + sheet["residual"]
    )

    assert len(sheet) == 208
    assert (made == sheet["population_next"]).all()


def test_what_leaves_one_region_arrives_in_another(sheet):
    years = sheet.groupby("year")[["arrivals", "departures"]].sum()

    assert (years["arrivals"] == years["departures"]).all()


def test_intervals_hold_the_sums_they_are_of(sheet):
    for measure in ("arrivals", "departures", "from_abroad", "to_abroad", "inside"):
        assert (sheet[f"{measure}_lower"] <= sheet[f"{measure}_upper"]).all()
    assert set(sheet["basis"]) == {"estimated"}
    assert sheet["source"].str.contains("BNS 6584").all()


def test_land_that_joined_a_city_is_found_with_both_regions(sheet):
    told = sheet[sheet["year"] == 2014].set_index("region")[["residual", "reason"]]
    told = told[told["residual"] != 0]

    assert told.loc["KZ-75"].tolist() == [93_930, "counted over from Almaty region (until 2022)"]
    assert told.loc["KZ-19o"].tolist() == [-93_930, "counted over to Almaty"]
    assert len(told) == 2


def test_a_census_and_later_revisions_are_told_apart(sheet):
    reasons = sheet[sheet["residual"] != 0].groupby("year")["reason"].agg(set)

    assert reasons[2021] == {REBASED}
    assert reasons[2022] == reasons[2024] == {REVISION}


def test_a_region_whose_people_are_given_in_parts_is_their_sum(sheet):
    south = sheet.set_index(["region", "year"]).loc[("KZ-51", 2017)]
    parts = kazakhstan().indicator("population").loc[2017, ["KZ-61", "KZ-79"]]

    assert south["population"] == parts.sum()
    assert south["residual"] == 0


@pytest.mark.parametrize(
    ("residuals", "told"),
    [
        pytest.param({"North": 1234}, {"North": (1234, UNEXPLAINED)}, id="unexplained"),
        pytest.param({"North": -20}, {"North": (-20, REVISION)}, id="small"),
        pytest.param(
            {"North": -5000, "Capital": 5010},
            {"North": (-5000, "counted over to Capital"), "Capital": (5010, "counted over from North")},
            id="transfer",
        ),
        pytest.param(
            {"North": 900, "South": 3000, "Capital": -700},
            {"North": (900, REBASED), "South": (3000, REBASED), "Capital": (-700, REBASED)},
            id="re_based",
        ),
    ],
)
def test_reasons_are_found_from_the_figures(record, dataset, residuals, told):
    counted = replace(dataset, indicators=filled_table("indicators", small_country(residuals)["indicators"]))

    rows = balance_sheet(record, counted).query("residual != 0")

    assert {row.region: (row.residual, row.reason) for row in rows.itertuples()} == told
    assert set(rows["year"]) == {2019}


def test_without_births_there_is_no_residual_and_it_says_why(record, dataset):
    rows = dataset.indicators
    unknown = (rows["indicator"] == "births") & (rows["region"] == "North") & (rows["year"] == 2020)

    sheet = balance_sheet(record, replace(dataset, indicators=rows[~unknown])).set_index(["region", "year"])

    assert sheet.loc[("North", 2020), "reason"] == "not known: births of 2020"
    assert pd.isna(sheet.loc[("North", 2020), "residual"])
    assert sheet.loc[("South", 2020), "residual"] == 0


def test_moves_that_no_figure_tells_are_empty():
    tables = flows_country(["A", "B", "C"], range(2019, 2021))
    people = tables["indicators"].query("indicator == 'population'")
    natural = [people.assign(indicator=name, value=value) for name, value in (("births", 2000), ("deaths", 1000))]
    dataset = dataset_of(**tables | {"indicators": pd.concat([people, *natural])})

    sheet = balance_sheet(balanced_record(dataset, draws=2), dataset)

    assert sheet[["from_abroad", "to_abroad", "inside"]].isna().all(axis=None)
    assert set(sheet["basis"]) == {"official"}
    assert set(sheet.query("year == 2019")["reason"]) == {NOT_COUNTED}
