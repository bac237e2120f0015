"""What a dataset states of moves, as sums of cells of one table of accounts."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.evidence import (
    DERIVED_ERROR,
    OFFICIAL_ERROR,
    PART_YEAR_ERROR,
    Evidence,
    EvidenceError,
    evidence,
)
from tests.tables import dataset_of, population_of, regions_of, table

# Accounts of the country below: North, then the two parts of South, East and West, then abroad.
SPLIT = pd.DataFrame({"year": [2020, 2020], "predecessor": ["S", "S"], "successor": ["SE", "SW"]})


def country(movements: str | pd.DataFrame = "", statements: str | pd.DataFrame = "", **tables: pd.DataFrame) -> Dataset:
    """North and South; South is split into East and West in 2020. Every region has 100,000 inhabitants."""
    people = [population_of(["N"], range(2018, 2023)), population_of(["S"], range(2018, 2020))]
    people += [population_of(["SE", "SW"], range(2020, 2023), 50_000)]
    given = {"movements": movements, "statements": statements}
    told = {name: table(rows) if isinstance(rows, str) else rows for name, rows in given.items() if len(rows)}
    defaults = {
        "regions": regions_of("N", "S", "SE", "SW"),
        "indicators": pd.concat(people, ignore_index=True),
        "boundary_changes": SPLIT,
    }
    return dataset_of(**(defaults | told | tables))


BALANCES = """
    region year measure scope persons
    N      2019 net     all   -300
    S      2019 net     all    300
    N      2020 net     all   -100
    SE     2020 net     all     40
    SW     2020 net     all     60
"""


@pytest.fixture(scope="module")
def told() -> Evidence:
    return evidence(country(BALANCES))


def counted(told: Evidence, year: int, *figure: str) -> str:
    """The cells that a figure (region, other, measure, scope) counts: + and −, a row of the table a line."""
    signs = {1.0: "+", -1.0: "-", 0.0: "."}
    return "\n".join("".join(signs[cell] for cell in row) for row in told.cells(year, *figure))


@pytest.mark.parametrize(
    ("figure", "cells"),
    [
        pytest.param(("N", "", "arrivals", "between_regions"), "....\n+...\n+...\n....", id="arrivals"),
        pytest.param(("N", "", "departures", "between_regions"), ".++.\n....\n....\n....", id="departures"),
        pytest.param(("N", "", "arrivals", "within_country"), "+...\n+...\n+...\n....", id="with_moves_inside"),
        pytest.param(("N", "", "arrivals", "abroad"), "....\n....\n....\n+...", id="immigrants"),
        pytest.param(("N", "", "departures", "abroad"), "...+\n....\n....\n....", id="emigrants"),
        pytest.param(("N", "", "arrivals", "all"), "+...\n+...\n+...\n+...", id="all_arrivals"),
        pytest.param(("N", "", "net", "all"), ".---\n+...\n+...\n+...", id="net_of_all"),
        pytest.param(("N", "", "net", "within_country"), ".--.\n+...\n+...\n....", id="net_within_country"),
        pytest.param(("SE", "N", "arrivals", "between_regions"), ".+..\n....\n....\n....", id="pair_arrivals"),
        pytest.param(("SE", "N", "departures", "between_regions"), "....\n+...\n....\n....", id="pair_departures"),
        pytest.param(("", "", "arrivals", "between_regions"), ".++.\n+.+.\n++..\n....", id="country_between"),
        pytest.param(("", "", "arrivals", "within_country"), "+++.\n+++.\n+++.\n....", id="country_within"),
        pytest.param(("", "", "departures", "abroad"), "...+\n...+\n...+\n....", id="country_emigrants"),
    ],
)
def test_cells_that_a_figure_counts(told, figure, cells):
    assert counted(told, 2020, *figure) == cells


@pytest.mark.parametrize(
    ("figure", "cells"),
    [
        pytest.param(("S", "", "arrivals", "between_regions"), ".++.\n....\n....\n....", id="to_all_its_parts"),
        pytest.param(("S", "", "departures", "between_regions"), "....\n+...\n+...\n....", id="from_all_its_parts"),
        pytest.param(("S", "", "arrivals", "within_country"), ".++.\n.++.\n.++.\n....", id="between_parts_is_inside"),
        pytest.param(("S", "", "net", "all"), ".++.\n-..-\n-..-\n.++.", id="net_without_moves_between_parts"),
        pytest.param(("", "", "arrivals", "between_regions"), ".++.\n+...\n+...\n....", id="country_of_the_time"),
    ],
)
def test_a_region_that_was_split_later_is_the_sum_of_its_parts(told, figure, cells):
    assert told.parts == ("N", "SE", "SW")
    assert told.standing == {2019: ("N", "S"), 2020: ("N", "SE", "SW")}
    assert counted(told, 2019, *figure) == cells


def test_regions_that_were_joined_are_counted_apart():
    joined = pd.DataFrame({"year": [2020, 2020], "predecessor": ["A", "B"], "successor": ["AB", "AB"]})
    people = [population_of(["C"], range(2019, 2021)), population_of(["A", "B"], range(2019, 2020))]
    told = evidence(
        dataset_of(
            regions=regions_of("A", "B", "AB", "C"),
            indicators=pd.concat([*people, population_of(["AB"], range(2020, 2021), 200_000)], ignore_index=True),
            boundary_changes=joined,
            movements=table("""
                region year measure scope persons
                A      2019 net     all    10
                B      2019 net     all    20
                C      2019 net     all   -30
                AB     2020 net     all    50
                C      2020 net     all   -50
            """),
        )
    )

    assert told.parts == ("A", "B", "C")
    assert counted(told, 2020, "AB", "", "arrivals", "between_regions") == "....\n....\n++..\n...."


# --- errors ---------------------------------------------------------------------------------------------------------


def error_of(told: Evidence, region: str, year: int) -> float:
    rows = told.rows
    return float(rows.loc[(rows["region"] == region) & (rows["year"] == year), "error"].iloc[0])


def test_official_figures_are_taken_at_their_word_and_derived_ones_by_population():
    told = evidence(
        country("""
            region year measure scope persons basis
            N      2019 net     all   -300    official
            S      2019 net     all    300    derived
        """)
    )

    assert error_of(told, "N", 2019) == OFFICIAL_ERROR
    assert error_of(told, "S", 2019) == DERIVED_ERROR * 100_000


def statements(rows: str) -> pd.DataFrame:
    told = evidence(country(BALANCES, rows)).rows
    return told[told["source"].str.startswith("press")].reset_index(drop=True)


def test_a_part_of_a_year_is_brought_to_the_year_by_equal_months_where_no_months_are_recorded():
    told = statements("""
        region other year first_month last_month measure  scope           persons error source
        N      -     2020 1           3          arrivals between_regions 500     -     press
        N      -     2020 1           12         arrivals between_regions 1900    8     press_of_the_year
    """)

    assert told["told"].tolist() == [500, 1_900]
    assert told["persons"].tolist() == [2_000, 1_900]
    assert told.loc[0, "error"] == pytest.approx(np.hypot(4 * OFFICIAL_ERROR, PART_YEAR_ERROR * 2_000))
    assert told.loc[1, "error"] == 8


def test_a_part_of_a_year_is_brought_to_the_year_by_the_seasons_of_recorded_months():
    """Half of the moves of 2020 are in its first quarter."""
    months = pd.DataFrame({"month": range(1, 13), "persons": [300] * 3 + [100] * 9})
    regions = pd.DataFrame(
        {"region": ["N", "SE", "SW"], "year": 2020, "measure": "arrivals", "scope": "within_country"}
    )
    monthly = regions.merge(months, how="cross")
    balances = table(BALANCES).assign(month=None)

    told = evidence(
        country(
            movements=pd.concat([balances, monthly], ignore_index=True).astype({"month": "Int64"}),
            statements=table("""
                region year first_month last_month measure  scope           persons source
                N      2020 1           3          arrivals between_regions 500     press
            """),
        )
    ).rows

    assert told.loc[told["source"] == "press", "persons"].iloc[0] == pytest.approx(1_000)


def test_seasons_of_a_balance_are_less_sure_than_those_of_arrivals():
    told = statements("""
        region year first_month last_month measure  scope           persons source
        N      2020 1           6          arrivals between_regions 500     press_arrivals
        N      2020 1           6          net      between_regions 500     press_net
    """).set_index("measure")

    assert told.loc["net", "error"] > 2 * told.loc["arrivals", "error"]


# --- balances by population -----------------------------------------------------------------------------------------


def by_population() -> Dataset:
    """Two regions; births − deaths are 1,000 in A and 500 in B, and A loses 400 people to B."""
    rows = [("A", 2020, 50_000), ("A", 2021, 50_600), ("B", 2020, 40_000), ("B", 2021, 40_900)]
    people = pd.DataFrame(rows, columns=["region", "year", "value"]).assign(indicator="population")
    natural = pd.DataFrame(
        {
            "region": ["A", "A", "B", "B"],
            "year": 2020,
            "indicator": ["births", "deaths"] * 2,
            "value": [1_500, 500, 900, 400],
        }
    )
    return dataset_of(
        regions=regions_of("A", "B"),
        indicators=pd.concat([people, natural], ignore_index=True),
        movements=table("""
            region year measure scope persons
            A      2021 net     all   -300
            B      2021 net     all    300
        """),
    )


def test_where_no_balance_is_given_it_follows_from_population_births_and_deaths():
    told = evidence(by_population(), since=2020).rows.set_index(["region", "year"])

    assert told["persons"].to_dict() == {("A", 2020): -400, ("B", 2020): 400, ("A", 2021): -300, ("B", 2021): 300}
    assert told.loc[("A", 2020), "error"] == DERIVED_ERROR * 50_000


def test_a_record_begins_where_every_balance_is_official_unless_asked_for_earlier():
    assert evidence(by_population()).years == [2021]
    assert evidence(by_population(), since=2000).years == [2020, 2021]


# --- years ----------------------------------------------------------------------------------------------------------


def test_a_year_without_a_figure_of_every_region_is_left_out():
    told = evidence(
        country("""
            region year measure scope persons
            N      2019 net     all   -300
            S      2019 net     all    300
            N      2020 net     all   -100
            SE     2020 net     all     40
        """)
    )

    assert told.years == [2019]


def test_arrivals_alone_do_not_tell_a_year_even_beside_a_figure_of_a_pair():
    told = evidence(
        country(
            """
            region year measure  scope           persons
            N      2019 net      all             -300
            S      2019 net      all              300
            N      2020 arrivals between_regions 1000
            SE     2020 arrivals between_regions 1000
            SW     2020 arrivals between_regions 1000
            """,
            """
            region other year first_month last_month measure  scope           persons source
            SE     N     2020 1           12         arrivals between_regions 400     press
            """,
        )
    )

    assert told.years == [2019]


def test_arrivals_and_departures_say_what_their_net_would_repeat():
    told = evidence(
        country("""
            region year measure    scope           persons
            N      2019 arrivals   between_regions  500
            N      2019 departures between_regions  800
            N      2019 net        between_regions -300
            S      2019 net        between_regions  300
        """)
    )

    assert sorted(told.rows["measure"]) == ["arrivals", "departures", "net"]


def test_too_few_figures_are_one_clear_error():
    with pytest.raises(EvidenceError, match="no year has a balance, or arrivals and departures, of every region"):
        evidence(
            country("""
                region year measure scope persons
                N      2019 net     all   -300
            """)
        )


# --- flows ----------------------------------------------------------------------------------------------------------

FLOWS = """
    origin destination year persons basis
    N      S           2019 700     official
    S      N           2019 400     official
    N      SE          2020 300     official
    SE     N           2020 200     official
    SE     SW          2020 90      official
"""


@pytest.fixture(scope="module")
def recorded() -> Evidence:
    return evidence(country(flows=table(FLOWS)))


def test_recorded_flows_between_parts_are_cells_that_are_known_and_a_pair_without_a_row_is_zero(recorded):
    np.testing.assert_array_equal(recorded.recorded[2020], [[np.nan, 300, 0], [200, np.nan, 90], [0, 0, np.nan]])
    assert recorded.wholly_recorded(2020)
    assert recorded.recorded_sums == {2019: 1_100, 2020: 590}
    assert not len(recorded.of(2020))


def test_recorded_flows_of_a_region_that_was_split_later_are_sums_of_cells(recorded):
    assert np.isnan(recorded.recorded[2019]).all()
    assert set(zip(recorded.of(2019)["other"], recorded.of(2019)["region"], strict=True)) == {("N", "S"), ("S", "N")}
    assert (recorded.of(2019)["error"] < OFFICIAL_ERROR).all()


def test_a_pair_without_a_row_is_zero_in_all_its_cells_where_its_region_was_split_later():
    told = evidence(country(flows=table(FLOWS).query("origin != 'S'")))

    np.testing.assert_array_equal(told.recorded[2019][1:, 0], [0, 0])
    assert np.isnan(told.recorded[2019][0]).all()


def test_estimated_flows_are_no_evidence_and_leave_other_pairs_open():
    estimated = table(FLOWS).assign(basis=["official", "estimated", "official", "estimated", "official"])

    told = evidence(country(BALANCES, flows=estimated))

    assert told.recorded[2020][0, 1] == 300
    assert np.isnan(told.recorded[2020][1, 0])
    assert np.isnan(told.recorded[2020][0, 2])
    assert told.recorded_sums == {2019: None, 2020: None}


def test_order_of_rows_does_not_matter():
    rows = table(BALANCES)

    one, other = (evidence(country(movements=some)) for some in (rows, rows.sample(frac=1, random_state=1)))

    pd.testing.assert_frame_equal(one.rows, other.rows)
