"""Figures that cannot all be right are found, with their size."""

from dataclasses import replace

import pandas as pd
import pytest

from features.accounts import BalancedRecord, balanced_record
from features.contradictions import MONTHS, RECORD, RESIDUAL, SOURCES, SUMS, contradictions
from features.dataset import Dataset, filled_table
from tests.tables import dataset_of, kazakhstan, small_country, table


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """In the embedded data, with a record of the last two years."""
    return contradictions(balanced_record(kazakhstan(), since=2023, draws=4), kazakhstan())


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(**small_country())


@pytest.fixture(scope="module")
def record(dataset) -> BalancedRecord:
    """Of the figures that agree with each other, to which others are added."""
    return balanced_record(dataset, draws=2)


def with_statements(dataset: Dataset, text: str) -> Dataset:
    added = filled_table("statements", table(text))
    return replace(dataset, statements=pd.concat([dataset.statements, added], ignore_index=True))


def test_nine_months_of_2025_do_not_agree_with_the_year(found):
    rows = found[(found["year"] == 2025) & (found["months"] == "1-9")].set_index("region")

    assert rows.loc["KZ-75", ["stated", "other_stated"]].tolist() == [27_800, 12_110]
    assert rows.loc["KZ-19", ["stated", "other_stated"]].tolist() == [8_000, 33_126]
    assert "The other months would have lost 15,690." in rows.loc["KZ-75", "sentence"]
    assert set(rows.index) == {"KZ-19", "KZ-75"}


def test_the_largest_come_first_and_each_has_its_sources(found):
    assert found["persons"].is_monotonic_decreasing
    assert (found["persons"] > 0).all()
    assert (found[["source", "other_source", "sentence"]] != "").all(axis=None)


def test_a_figure_that_contradicts_another_is_not_told_again_of_the_record(found):
    rows = found[found["kind"] != RESIDUAL]

    assert not rows.duplicated(["year", "region", "months", "source"]).any()


def test_a_country_without_contradictions_has_none(record, dataset):
    assert contradictions(record, dataset).empty


def test_a_residual_is_a_contradiction(record, dataset):
    counted = replace(dataset, indicators=filled_table("indicators", small_country({"North": 1234})["indicators"]))

    (row,) = contradictions(record, counted).to_dict("records")

    assert (row["kind"], row["region"], row["year"], row["persons"]) == (RESIDUAL, "North", 2019, 1234)
    assert "1,234 persons more on 1 January 2020" in row["sentence"]


@pytest.mark.parametrize(
    ("statements", "kind", "region"),
    [
        pytest.param(
            """
            region other year first_month last_month measure  scope           persons source
            North  -     2019 1           12         arrivals between_regions 900     Herald
            North  -     2019 1           12         arrivals between_regions 2134    Courier
            """,
            SOURCES,
            "North",
            id="two_sources",
        ),
        pytest.param(
            """
            region other year first_month last_month measure    scope           persons source
            North  South 2019 1           12         arrivals   between_regions 900     Herald
            South  North 2019 1           12         departures between_regions 2134    Courier
            """,
            SOURCES,
            "North",
            id="both_ends_of_a_flow",
        ),
        pytest.param(
            """
            region  other year first_month last_month measure  scope           persons source
            Capital -     2019 1           11         arrivals between_regions 13234   Herald
            Capital -     2019 1           12         arrivals between_regions 12000   Courier
            """,
            SOURCES,
            "Capital",
            id="a_part_larger_than_the_whole",
        ),
        pytest.param(
            """
            region  other year first_month last_month measure scope           persons source
            North   -     2019 1           6          net     between_regions -500    Herald
            South   -     2019 1           6          net     between_regions -300    Herald
            Capital -     2019 1           6          net     between_regions 2034    Herald
            """,
            SUMS,
            "",
            id="balances_do_not_cancel",
        ),
        pytest.param(
            """
            region  other year first_month last_month measure  scope  persons source
            -       -     2019 1           12         arrivals abroad 1534    Herald
            """,
            SOURCES,
            "",
            id="arrivals_from_abroad",
        ),
    ],
)
def test_planted_contradictions_are_found_with_their_size(record, dataset, statements, kind, region):
    found = contradictions(record, with_statements(dataset, statements))

    planted = found[found["persons"] == 1234]
    assert (kind, region) in set(zip(planted["kind"], planted["region"], strict=True))


def test_regions_and_country_are_compared(record, dataset):
    country = dataset.statements
    more = (country["year"] == 2019) & (country["measure"] == "arrivals")
    country = country.assign(persons=country["persons"] + 1234 * more)

    (row,) = contradictions(record, replace(dataset, statements=country)).to_dict("records")

    assert (row["kind"], row["region"], row["measure"], row["persons"]) == (SUMS, "", "net", 1234)


def test_months_that_do_not_add_to_the_year(record, dataset):
    year = dataset.movements.query("region == 'North' and year == 2019")
    months = pd.concat([year.assign(month=month, persons=0) for month in range(1, 12)])
    last = year.assign(month=12, persons=year["persons"] + 1234)
    dataset = replace(dataset, monthly_movements=pd.concat([months, last], ignore_index=True))

    found = contradictions(record, dataset)

    assert found.loc[found["persons"] == 1234, ["kind", "region"]].to_numpy().tolist() == [[MONTHS, "North"]]


def test_a_figure_that_the_record_does_not_come_near(dataset):
    text = """
        region other   year first_month last_month measure  scope           persons error source
        North  -       2019 1           12         arrivals between_regions 900     1     Herald
        North  Capital 2019 1           12         arrivals between_regions 1500    200   Courier
    """
    dataset = with_statements(dataset, text)

    (row,) = contradictions(balanced_record(dataset, draws=2), dataset).to_dict("records")

    assert (row["kind"], row["region"], row["other"], row["stated"]) == (RECORD, "North", "Capital", 1500)
    assert row["found"] <= 900
    assert row["persons"] == 1500 - row["found"]
