"""Regions that are split, merged or renamed change where people are counted, not how many."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.boundaries import at_constant_boundaries, present_parts, split, unit_of_region
from features.dataset import Dataset
from features.targets import target_history
from tests.tables import dataset_of, flows_country, kazakhstan, net_country, population_of, regions_of, table

YEARS = range(2015, 2021)
SPLIT = table("""
    year  predecessor  successor
    2018  South        Turkistan
    2018  South        Shymkent
""")


def split_in_2018(tables: dict[str, pd.DataFrame], part: float) -> dict[str, pd.DataFrame]:
    """The same people, with those of South from 2018 on counted in two parts: Turkistan has `part` of them."""

    def divided(rows: pd.DataFrame, value: str) -> pd.DataFrame:
        touched = (rows["region"] == "South") & (rows["year"] >= 2018)
        turkistan = rows[touched].assign(region="Turkistan", **{value: (rows[value] * part).round()})
        shymkent = rows[touched].assign(region="Shymkent", **{value: rows[value] - turkistan[value]})
        return pd.concat([rows[~touched], turkistan, shymkent], ignore_index=True)

    return {
        "regions": pd.concat([tables["regions"], regions_of("Turkistan", "Shymkent")], ignore_index=True),
        "indicators": divided(tables["indicators"], "value"),
        "movements": divided(tables["movements"], "persons"),
        "boundary_changes": SPLIT,
    }


@settings(max_examples=10, deadline=None)
@given(part=st.floats(0.05, 0.95), seed=st.integers(0, 5))
def test_a_split_region_leaves_its_unit_its_neighbours_and_the_nation_unchanged(part, seed):
    tables = net_country(["North", "South", "West"], YEARS, seed)

    before = target_history(dataset_of(**tables), "net_migration")
    after = target_history(dataset_of(**split_in_2018(tables, part)), "net_migration")

    pd.testing.assert_frame_equal(after.persons, before.persons)
    pd.testing.assert_frame_equal(after.population, before.population)


def test_flows_of_a_split_region_leave_its_unit_and_its_neighbours_unchanged():
    tables = flows_country(["North", "South", "West"], YEARS)
    flows = tables["flows"]
    later = flows["year"] >= 2018
    halves = {"origin": "South", "destination": "South"}
    parts = pd.concat([flows[~later], *(divided_flows(flows[later], column, code) for column, code in halves.items())])
    untouched = flows[later & (flows["origin"] != "South") & (flows["destination"] != "South")]
    inside = pd.DataFrame([("Turkistan", "Shymkent", year, 999) for year in range(2018, 2021)], columns=flows.columns)
    population = tables["indicators"][tables["indicators"]["indicator"] == "population"]
    south = (population["region"] == "South") & (population["year"] >= 2018)
    indicators = [population[~south]] + [
        population[south].assign(region=code, value=population["value"] / 2) for code in ("Turkistan", "Shymkent")
    ]
    after = dataset_of(
        regions=pd.concat([tables["regions"], regions_of("Turkistan", "Shymkent")]),
        indicators=pd.concat(indicators),
        flows=pd.concat([parts, untouched, inside]),
        boundary_changes=SPLIT,
    )

    for target in ("inflow", "out_migration", "net_migration"):
        pd.testing.assert_frame_equal(
            target_history(after, target).persons, target_history(dataset_of(**tables), target).persons
        )


def divided_flows(flows: pd.DataFrame, column: str, code: str) -> pd.DataFrame:
    rows = flows[flows[column] == code]
    first = rows.assign(**{column: "Turkistan", "persons": rows["persons"] // 3})
    return pd.concat([first, rows.assign(**{column: "Shymkent", "persons": rows["persons"] - first["persons"]})])


def test_merged_regions_are_counted_together_from_the_start():
    movements = table("""
        region  year  measure  scope  persons
        East    2015  net      all    -100
        West    2015  net      all    40
        East    2016  net      all    -90
        West    2016  net      all    50
        Union   2017  net      all    -30
        Union   2018  net      all    -20
    """)
    population = pd.concat(
        [population_of(["East", "West"], range(2015, 2017)), population_of(["Union"], range(2017, 2019))]
    )
    changes = table("""
        year  predecessor  successor
        2017  East         Union
        2017  West         Union
    """)
    dataset = dataset_of(
        regions=regions_of("East", "West", "Union"),
        indicators=population,
        movements=movements,
        boundary_changes=changes,
    )

    assert target_history(dataset, "net_migration").persons["Union"].tolist() == [-60, -40, -30, -20]


def test_a_renamed_region_has_one_history():
    movements = table("""
        region     year  measure  scope  persons
        Guryev     2015  net      all    7
        Guryev     2016  net      all    8
        Atyrau     2017  net      all    9
    """)
    dataset = dataset_of(
        regions=regions_of("Guryev", "Atyrau"),
        indicators=pd.concat(
            [population_of(["Guryev"], range(2015, 2017)), population_of(["Atyrau"], range(2017, 2018))]
        ),
        movements=movements,
        boundary_changes=pd.DataFrame({"year": [2017], "predecessor": ["Guryev"], "successor": ["Atyrau"]}),
    )

    assert target_history(dataset, "net_migration").persons["Guryev"].tolist() == [7, 8, 9]


def test_a_unit_of_which_a_part_is_missing_is_missing():
    tables = split_in_2018(net_country(["North", "South"], YEARS), 0.4)
    movements = tables["movements"]
    last = (movements["region"] == "Shymkent") & (movements["year"] == 2020)

    persons = target_history(dataset_of(**tables | {"movements": movements[~last]}), "net_migration").persons

    assert persons["South"].notna().tolist() == [True] * 5 + [False]
    assert persons["North"].notna().all()


def test_parts_given_beside_their_predecessor_are_not_counted_twice():
    """Statistical offices recalculate the past for the regions of the day: it is there as a whole and in parts."""
    tables = net_country(["North", "South"], YEARS)
    after = split_in_2018(tables, 0.4)
    recalculated = pd.concat(
        [after["indicators"]]
        + [
            pd.DataFrame({"region": code, "year": [2016, 2017], "indicator": "population", "value": value})
            for code, value in (("Turkistan", 200_000.0), ("Shymkent", 300_000.0))
        ]
    )

    constant = at_constant_boundaries(dataset_of(**after | {"indicators": recalculated}), 2015)

    assert constant.indicator("population")["South"].tolist() == [500_000.0] * 6


def test_predecessor_given_beside_one_part_is_whole():
    tables = net_country(["North", "South"], YEARS)
    after = split_in_2018(tables, 0.4)
    one_part = pd.DataFrame(
        {"region": ["Turkistan"], "year": [2017], "indicator": ["population"], "value": [200_000.0]}
    )

    constant = at_constant_boundaries(
        dataset_of(**after | {"indicators": pd.concat([after["indicators"], one_part])}), 2015
    )

    assert constant.indicator("population")["South"].tolist() == [500_000.0] * 6


def with_wages(tables: dict[str, pd.DataFrame], **wages: float) -> Dataset:
    rows = [(code, 2019, "average_wage", wage) for code, wage in wages.items()]
    wage_rows = pd.DataFrame(rows, columns=["region", "year", "indicator", "value"])
    return dataset_of(**tables | {"indicators": pd.concat([tables["indicators"], wage_rows])})


def test_the_mean_of_a_unit_is_weighted_by_population():
    dataset = with_wages(split_in_2018(net_country(["North", "South"], YEARS), 0.4), Turkistan=100, Shymkent=200)

    wage = at_constant_boundaries(dataset, 2015).indicator("average_wage")

    assert wage.loc[2019, "South"] == pytest.approx(0.4 * 100 + 0.6 * 200)


def test_the_mean_of_a_unit_lies_between_its_parts_even_where_one_is_missing():
    """A mean of one part would be no mean of the unit."""
    dataset = with_wages(split_in_2018(net_country(["North", "South"], YEARS), 0.4), Turkistan=100, North=50)

    wage = at_constant_boundaries(dataset, 2015).indicator("average_wage")

    assert "South" not in wage or np.isnan(wage.loc[2019, "South"])
    assert wage.loc[2019, "North"] == 50


def test_the_mean_of_a_predecessor_is_its_own_where_parts_are_given_beside_it():
    tables = split_in_2018(net_country(["North", "South"], YEARS), 0.4)
    rows = pd.DataFrame(
        [("South", 2017, 150.0), ("Turkistan", 2017, 100.0), ("Shymkent", 2017, 200.0)],
        columns=["region", "year", "value"],
    ).assign(indicator="average_wage")

    dataset = dataset_of(**tables | {"indicators": pd.concat([tables["indicators"], rows])})

    assert at_constant_boundaries(dataset, 2015).indicator("average_wage").loc[2017, "South"] == pytest.approx(150)


def test_what_is_combined_from_parts_is_derived_and_known_when_its_last_part_is():
    tables = split_in_2018(net_country(["North", "South"], YEARS), 0.4)
    tables["movements"]["published"] = tables["movements"]["year"] + (tables["movements"]["region"] == "Shymkent")

    rows = at_constant_boundaries(dataset_of(**tables), 2015).movements.set_index(["region", "year"]).sort_index()

    assert rows.loc["South", "basis"].tolist() == ["official"] * 3 + ["derived"] * 3
    assert rows.loc["South", "published"].tolist() == [2015, 2016, 2017, 2019, 2020, 2021]
    assert set(rows.loc["North", "basis"]) == {"official"}


def test_nothing_is_merged_where_boundaries_are_already_constant():
    dataset = dataset_of(**split_in_2018(net_country(["North", "South"], YEARS), 0.4))

    assert at_constant_boundaries(dataset, 2018) is dataset


def test_boundaries_do_not_depend_on_the_order_of_changes():
    dataset = kazakhstan()
    changes = dataset.boundary_changes

    for seed in range(5):
        shuffled = changes.sample(frac=1, random_state=seed)
        pd.testing.assert_series_equal(
            unit_of_region(dataset.regions["region"], shuffled), unit_of_region(dataset.regions["region"], changes)
        )


# --- back to the regions of the day ---------------------------------------------------------------------------------


def test_present_parts_are_the_regions_of_the_last_count_with_their_shares():
    dataset = dataset_of(**split_in_2018(net_country(["North", "South"], YEARS), 0.4))
    unit = unit_of_region(dataset.regions["region"], dataset.boundary_changes, 2015)

    told = present_parts(dataset, unit).set_index("region")

    assert told["unit"].to_dict() == {"North": "North", "Shymkent": "South", "Turkistan": "South"}
    assert told["share"].to_dict() == pytest.approx({"North": 1.0, "Shymkent": 0.6, "Turkistan": 0.4})


PARTS = table("""
    region     unit   population  share
    North      North  500000      1.0
    Shymkent   South  300000      0.3
    Turkistan  South  600000      0.6
    Kentau     South  100000      0.1
""")
DIFFERENTIAL = pd.Series({"Shymkent": 900.0, "Turkistan": -1000.0, "Kentau": 100.0})


def split_draws(count: int) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(1).normal([-500.0, 2000.0], [300.0, 1000.0], (count, 2, 2))
    return draws, split(draws, ["North", "South"], PARTS, DIFFERENTIAL, np.random.default_rng(2))


def test_parts_sum_to_their_unit_in_every_draw():
    units, parts = split_draws(50)

    np.testing.assert_allclose(parts[:, :, 1:].sum(axis=2), units[:, :, 1])


def test_a_unit_of_one_region_is_that_region():
    units, parts = split_draws(50)

    np.testing.assert_array_equal(parts[:, :, 0], units[:, :, 0])


def test_a_part_has_its_share_of_the_units_people_and_of_its_variance():
    units, parts = split_draws(40_000)
    share = np.array([0.3, 0.6, 0.1])

    mean, variance = parts[:, :, 1:].mean(axis=0), parts[:, :, 1:].var(axis=0)
    np.testing.assert_allclose(mean, np.tile(share * 2000 + DIFFERENTIAL.to_numpy(), (2, 1)), atol=20)
    np.testing.assert_allclose(variance, np.outer(units[:, :, 1].var(axis=0), share), rtol=0.03)
