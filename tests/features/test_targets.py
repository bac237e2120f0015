"""What is forecast, and how its history follows from flows or movements."""

import numpy as np
import pandas as pd
import pytest

from features.targets import first_year, recorded_targets, records, target_history
from tests.tables import dataset_of, flows_country, net_country, population_of, regions_of, table

CODES = ["Capital", "North", "South"]
REGIONS = {"regions": regions_of(*CODES), "indicators": population_of(CODES, range(2019, 2022), 200_000)}
FLOWS = table("""
    origin   destination  year  persons
    North    Capital      2020  700
    South    Capital      2020  300
    Capital  North        2020  100
    North    Capital      2021  650
""")


def test_inflow_sums_over_origins():
    inflow = target_history(dataset_of(**REGIONS, flows=FLOWS), "inflow").persons

    assert inflow.loc[2020].to_dict() == {"Capital": 1000, "North": 100, "South": 0}


def test_out_migration_sums_over_destinations():
    out_migration = target_history(dataset_of(**REGIONS, flows=FLOWS), "out_migration").persons

    assert out_migration.loc[2020].to_dict() == {"Capital": 100, "North": 700, "South": 300}


def test_net_migration_is_inflow_less_out_migration():
    net = target_history(dataset_of(**REGIONS, flows=FLOWS), "net_migration").persons

    assert net.loc[2020].to_dict() == {"Capital": 900, "North": -600, "South": -300}
    assert net.sum(axis=1).tolist() == [0, 0]


def test_a_pair_that_is_absent_in_a_year_with_flows_is_zero():
    inflow = target_history(dataset_of(**REGIONS, flows=FLOWS), "inflow").persons

    assert inflow.loc[2021].to_dict() == {"Capital": 650, "North": 0, "South": 0}


def test_rates_are_per_1000_inhabitants_on_1_january():
    rate = target_history(dataset_of(**REGIONS, flows=FLOWS), "inflow").rate

    assert rate.loc[2020, "Capital"] == 1000 * 1000 / 200_000


def test_a_year_that_is_named_as_a_gap_is_a_row_of_nothing():
    flows = FLOWS.assign(year=FLOWS["year"].replace({2020: 2019}))
    dataset = dataset_of(gaps={"flows": [{"years": [2020], "reason": "census"}]}, **REGIONS, flows=flows)

    inflow = target_history(dataset, "inflow").persons

    assert inflow.index.tolist() == [2019, 2020, 2021]
    assert inflow.loc[2020].isna().all()


@pytest.mark.parametrize("target", ["inflow", "out_migration", "net_migration"])
def test_histories_do_not_depend_on_the_order_of_rows(target):
    tables = flows_country(["A", "B", "C"], range(2015, 2020))
    shuffled = {name: frame.sample(frac=1, random_state=4) for name, frame in tables.items()}

    pd.testing.assert_frame_equal(
        target_history(dataset_of(**shuffled), target).persons, target_history(dataset_of(**tables), target).persons
    )


# --- movements ------------------------------------------------------------------------------------------------------

MOVEMENTS = table("""
    region   year  measure     scope            persons
    Capital  2020  arrivals    between_regions  50
    Capital  2020  departures  between_regions  20
    North    2020  arrivals    between_regions  20
    North    2020  departures  between_regions  50
    Capital  2020  arrivals    within_country   90
    Capital  2020  departures  within_country   60
    Capital  2020  net         all              -5
""")


def in_scopes(*scopes: str) -> pd.DataFrame:
    return MOVEMENTS[MOVEMENTS["scope"].isin(scopes)]


@pytest.mark.parametrize(
    ("target", "scopes", "served", "capital"),
    [
        pytest.param("net_migration", ["between_regions", "all"], "all", -5, id="the_widest_for_the_balance"),
        pytest.param("net_migration", ["between_regions"], "between_regions", 30, id="a_balance_of_counts"),
        pytest.param(
            "inflow", ["between_regions", "within_country"], "between_regions", 50, id="the_narrowest_for_counts"
        ),
        pytest.param("inflow", ["within_country", "all"], "within_country", 90, id="counts_with_moves_inside"),
        pytest.param("out_migration", ["within_country"], "within_country", 60, id="departures"),
    ],
)
def test_scope(target, scopes, served, capital):
    history = target_history(dataset_of(**REGIONS, movements=in_scopes(*scopes)), target)

    assert history.scope == served
    assert history.persons.loc[2020, "Capital"] == capital
    assert history.balanced == (served != "all")


def test_flows_come_before_movements_but_a_balance_with_abroad_before_flows():
    dataset = dataset_of(**REGIONS, flows=FLOWS, movements=in_scopes("within_country", "all"))

    assert target_history(dataset, "inflow").scope == "between_regions"
    assert target_history(dataset, "inflow").persons.loc[2020, "Capital"] == 1000
    assert target_history(dataset, "net_migration").scope == "all"
    assert target_history(dataset, "net_migration").persons.loc[2020, "Capital"] == -5


def test_targets_that_are_not_recorded_are_not_named():
    assert recorded_targets(dataset_of(**net_country(["A", "B"], range(2018, 2020)))) == ["net_migration"]
    assert recorded_targets(dataset_of(**REGIONS, flows=FLOWS)) == ["net_migration", "inflow", "out_migration"]
    assert recorded_targets(dataset_of(**net_country(["A", "B"], range(2018, 2020))).as_of(2000)) == []


def test_the_basis_of_a_sum_of_flows_is_its_weakest():
    flows = FLOWS.assign(basis=["official", "estimated", "official", "official"])

    _, rows = records(dataset_of(**REGIONS, flows=flows), "inflow")

    assert dict(zip(rows["year"], rows["basis"], strict=True)) == {2020: "estimated", 2021: "official"}


def test_the_basis_of_a_difference_is_the_weaker_of_the_two():
    movements = in_scopes("between_regions").assign(basis=["official", "estimated", "official", "official"])

    _, rows = records(dataset_of(**REGIONS, movements=movements), "net_migration")

    assert dict(zip(rows["region"], rows["basis"], strict=True)) == {"Capital": "estimated", "North": "official"}


def test_the_history_starts_with_the_first_value():
    dataset = dataset_of(**REGIONS, flows=FLOWS)

    assert first_year(dataset, "inflow") == 2020
    assert np.isfinite(target_history(dataset, "inflow").population.loc[2019]).all()
