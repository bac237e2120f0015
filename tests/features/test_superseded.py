"""What the table of replaced values must look like."""

import pandas as pd
import pytest

from features.contracts import TABLES
from features.superseded import superseded_faults
from features.table_check import check_table
from tests.tables import table

COLUMNS = "table region origin destination year measure scope indicator value published superseded basis"
GOOD = [
    "flows      -     North South 2020 -   -   -            700 2020 2022 official",
    "flows      -     North South 2020 -   -   -            705 2022 2023 official",
    "movements  North -     -     2020 net all -            -50 2020 2021 official",
    "indicators North -     -     2020 -   -   average_wage 1.5 2020 2021 derived",
]


def faults(*rows: str) -> list[str]:
    checked = check_table(table("\n".join([COLUMNS, *rows])).convert_dtypes(), TABLES["superseded"])
    return [*checked.faults, *superseded_faults({"superseded": checked})]


def test_values_that_followed_each_other_are_good():
    assert faults(*GOOD) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        pytest.param(
            "flows - North - 2020 - - - 7 2020 2021 official",
            "destination is empty; must be given for flows",
            id="no_key",
        ),
        pytest.param(
            "flows East North South 2019 - - - 7 2020 2021 official",
            "region is 'East'; must be empty for flows",
            id="key_of_another_table",
        ),
        pytest.param(
            "flows - South North 2020 - - - 7.5 2020 2021 official", "value is 7.5; must be a whole number", id="half"
        ),
        pytest.param(
            "flows - South North 2020 - - - 7 2022 2021 official",
            "superseded is 2021, before it was published; must be 2022 or later",
            id="backwards",
        ),
        pytest.param(
            "flows - North South 2020 - - - 7 2021 2023 official",
            "published is 2021, while another value of the same key was known until 2022",
            id="two_at_once",
        ),
        pytest.param(
            "pairs - North South 2020 - - - 7 2021 2023 official",
            "table is 'pairs'; must be one of indicators, flows, movements",
            id="table_without_values",
        ),
    ],
)
def test_a_row_that_cannot_be_is_told(row, told):
    found = faults(*GOOD, row)

    assert any(told in fault for fault in found), found


def test_a_correction_in_the_round_of_the_value_overlaps_nothing():
    assert faults(*GOOD, "flows - North South 2020 - - - 699 2020 2020 official") == []


def test_nothing_is_asked_of_an_empty_table():
    assert (
        superseded_faults({"superseded": check_table(pd.DataFrame(columns=COLUMNS.split()), TABLES["superseded"])})
        == []
    )
