"""Flows are a sparse panel: the pivot of the table, without the pairs that never had a flow."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.flows import (
    FlowHistory,
    carried,
    contiguous,
    distance_km,
    flow_history,
    great_circle_km,
    has_flows,
    pair_contiguous,
    pair_distance_km,
    sums_by,
)
from tests.tables import dataset_of, flows_country, net_country, population_of, regions_of, table

CODES = ["A", "B", "C", "D"]
YEARS = range(2015, 2021)
FLOWS = table("""
    origin   destination  year  persons
    North    Capital      2019  700
    South    Capital      2019  300
    North    Capital      2020  650
    Capital  North        2020  100
    North    South        2020  20
""")


def example(flows: pd.DataFrame = FLOWS, **tables) -> Dataset:
    codes = sorted({*flows["origin"], *flows["destination"]})
    years = range(int(flows["year"].min()), int(flows["year"].max()) + 1)
    return dataset_of(regions=regions_of(*codes), indicators=population_of(codes, years), flows=flows, **tables)


def named(history: FlowHistory, values: np.ndarray) -> dict[tuple[str, str], float]:
    """Values of pairs (pair), by origin and destination."""
    ends = zip(history.origin, history.destination, strict=True)
    pairs = [(history.regions[origin], history.regions[destination]) for origin, destination in ends]
    return dict(zip(pairs, values.tolist(), strict=True))


def withheld(tables: dict[str, pd.DataFrame], below: int) -> dict[str, pd.DataFrame]:
    return tables | {"flows": tables["flows"][tables["flows"]["persons"] >= below]}


# --- the panel ------------------------------------------------------------------------------------------------------


def test_a_pair_that_is_absent_in_a_year_with_flows_is_zero():
    history = flow_history(example())

    assert named(history, history.year(2019)) == {
        ("Capital", "North"): 0,
        ("North", "Capital"): 700,
        ("North", "South"): 0,
        ("South", "Capital"): 300,
    }


@pytest.mark.parametrize("below", [pytest.param(0, id="every_pair"), pytest.param(300, id="withheld")])
def test_the_panel_is_the_pivot_of_the_table(below):
    tables = withheld(flows_country(CODES, YEARS), below)

    history = flow_history(dataset_of(**tables))

    pivot = tables["flows"].pivot(index="year", columns=["origin", "destination"], values="persons").fillna(0)
    assert list(named(history, history.persons[0])) == sorted(pivot.columns)
    np.testing.assert_array_equal(history.persons, pivot.sort_index(axis=1))
    assert history.years.tolist() == list(YEARS)


def test_the_order_of_rows_does_not_matter():
    one, other = (flow_history(example(rows)) for rows in (FLOWS, FLOWS.sample(frac=1, random_state=3)))

    assert one.regions == other.regions == ("Capital", "North", "South")
    assert (np.diff(one.key) > 0).all()
    for name in ("origin", "destination", "persons", "basis"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_year_without_flows_is_no_year_of_zeros():
    flows = flows_country(CODES, YEARS)["flows"].query("year != 2017")
    gap = {"years": [2017], "reason": "not collected"}
    history = flow_history(dataset_of({"flows": [gap]}, **flows_country(CODES, YEARS) | {"flows": flows}))

    assert history.recorded.tolist() == [True, True, False, True, True, True]
    assert np.isnan(history.year(2017)).all()
    assert np.isnan(history.year(2021)).all()
    assert history.known.shape == (5, 12)
    assert np.isfinite(history.known).all()


@pytest.mark.parametrize(
    ("below", "threshold"),
    [
        pytest.param(0, 1, id="every_pair_has_a_flow_in_every_year"),
        pytest.param(300, 300, id="some_pairs_have_none"),
    ],
)
def test_a_source_withholds_only_where_pairs_have_no_flow(below, threshold):
    tables = withheld(flows_country(CODES, YEARS), below)
    smallest = tables["flows"]["persons"].min()

    assert flow_history(dataset_of(**tables)).threshold == (smallest if below else 1)
    assert smallest >= threshold


def test_a_source_that_tells_zeros_withholds_nothing():
    flows = flows_country(CODES, YEARS)["flows"]
    never = (flows["origin"] == "A") & (flows["destination"] == "B")
    told = flows.assign(persons=flows["persons"].where(~never, 0))

    assert flow_history(dataset_of(**flows_country(CODES, YEARS) | {"flows": told})).threshold == 1


def test_the_reverse_of_a_pair_is_its_way_back():
    history = flow_history(example())
    pairs = list(named(history, history.persons[0]))

    found = {pair: pairs[back] if back >= 0 else None for pair, back in zip(pairs, history.reverse, strict=True)}

    assert found == {
        ("Capital", "North"): ("North", "Capital"),
        ("North", "Capital"): ("Capital", "North"),
        ("North", "South"): None,
        ("South", "Capital"): None,
    }


def test_a_pair_without_a_row_in_the_last_year_is_as_weak_as_that_year():
    basis = pd.Series(["official", "official", "official", "derived", "official"])
    history = flow_history(example(FLOWS.assign(basis=basis)))

    assert named(history, history.basis) == {
        ("Capital", "North"): "derived",
        ("North", "Capital"): "official",
        ("North", "South"): "official",
        ("South", "Capital"): "derived",
    }


def test_sums_over_one_end_are_the_whole():
    history = flow_history(dataset_of(**flows_country(CODES, YEARS)))

    out, into = (sums_by(end, history.persons, 4) for end in (history.origin, history.destination))

    np.testing.assert_allclose(out.sum(axis=1), history.persons.sum(axis=1))
    np.testing.assert_allclose(into.sum(axis=1), history.persons.sum(axis=1))


def test_a_dataset_without_flows_has_no_history():
    dataset = dataset_of(**net_country(CODES, YEARS))

    assert not has_flows(dataset)
    with pytest.raises(ValueError, match="example: has no flows"):
        flow_history(dataset)


# --- between vintages -----------------------------------------------------------------------------------------------


def test_values_are_carried_by_name_where_other_regions_are_known():
    """South is known from 2019 on; Capital → North from 2020 on."""
    early = flow_history(example(FLOWS.query("year == 2019")))
    late = flow_history(example(FLOWS.query("year == 2020")))

    assert named(late, carried(early.year(2019), early, late)) == {
        ("Capital", "North"): 0,
        ("North", "Capital"): 700,
        ("North", "South"): 0,
    }
    assert named(early, carried(late.year(2020), late, early)) == {("North", "Capital"): 650, ("South", "Capital"): 0}


def test_carrying_to_a_wider_history_loses_nobody():
    dataset = dataset_of(**withheld(flows_country(CODES, YEARS), 300))
    then, now = flow_history(dataset.as_of(2016)), flow_history(dataset)

    there = carried(then.persons, then, now)

    np.testing.assert_array_equal(there.sum(axis=1), then.persons.sum(axis=1))
    np.testing.assert_array_equal(carried(there, now, then), then.persons)


# --- pairs ----------------------------------------------------------------------------------------------------------

PAIRS = table("""
    origin  destination  distance_km  contiguous
    North   Capital      190          true
    North   South        -            false
""")


def test_distances_are_as_told_else_over_the_great_circle():
    dataset = example(pairs=PAIRS)
    history = flow_history(dataset)

    told = named(history, pair_distance_km(dataset, history))

    straight = great_circle_km(*map(np.array, (45.0, 0.0, 45.0, 1.0)))
    assert told[("North", "Capital")] == 190
    assert told[("Capital", "North")] == pytest.approx(straight)
    assert told[("North", "South")] == pytest.approx(straight)


def test_a_border_that_is_not_told_is_none():
    dataset = example(pairs=PAIRS)
    history = flow_history(dataset)

    assert [pair for pair, border in named(history, pair_contiguous(dataset, history)).items() if border] == [
        ("North", "Capital")
    ]


@pytest.mark.parametrize("pairs", [pytest.param({}, id="no_table"), pytest.param({"pairs": PAIRS}, id="some_told")])
def test_what_pairs_tell_of_a_history_is_that_of_the_whole_matrix(pairs):
    dataset = example(**pairs)
    history = flow_history(dataset)
    ends = history.origin, history.destination

    np.testing.assert_allclose(pair_distance_km(dataset, history), distance_km(dataset, history.regions)[ends])
    np.testing.assert_array_equal(pair_contiguous(dataset, history), contiguous(dataset, history.regions)[ends])


# --- boundaries -----------------------------------------------------------------------------------------------------


def test_flows_of_a_split_region_are_those_of_its_unit():
    flows = table("""
        origin     destination  year  persons
        South      North        2017  500
        North      South        2017  400
        Turkistan  North        2018  300
        Shymkent   North        2018  210
        North      Shymkent     2018  420
        Turkistan  Shymkent     2018  999
    """)
    codes = ["North", "Shymkent", "South", "Turkistan"]
    changes = table("""
        year  predecessor  successor
        2018  South        Turkistan
        2018  South        Shymkent
    """)
    population = pd.concat(
        [
            population_of(["North"], range(2017, 2019)),
            population_of(["South"], range(2017, 2018)),
            population_of(["Shymkent", "Turkistan"], range(2018, 2019)),
        ]
    )

    history = flow_history(
        dataset_of(regions=regions_of(*codes), indicators=population, flows=flows, boundary_changes=changes)
    )

    assert named(history, history.year(2017)) == {("North", "South"): 400, ("South", "North"): 500}
    assert named(history, history.year(2018)) == {("North", "South"): 420, ("South", "North"): 510}


def test_threads_that_ask_for_a_vintage_at_once_get_the_same_flows():
    for _ in range(20):
        dataset = dataset_of(**flows_country(CODES, YEARS))
        with ThreadPoolExecutor(4) as pool:
            vintages = list(pool.map(lambda _, data=dataset: data.as_of(2018), range(8)))
            histories = list(pool.map(flow_history, vintages))

        assert all(vintage is vintages[0] for vintage in vintages)
        assert all(history.regions == tuple(CODES) for history in histories)
