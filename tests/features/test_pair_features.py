"""Pair features are what they are named after, and hold only what was known of regions at the cutoff."""

import numpy as np
import pandas as pd
import pytest

from features.pair_features import OWN_RADIUS_KM, Pairs, blocks_of_pairs, geography, pairs_at, region_table, regions_of
from tests.tables import dataset_of, flows_country, population_of, table
from tests.tables import regions_of as places

CODES = ["A", "B", "C", "D", "E"]
PERSONS = {"A": 100_000.0, "B": 50_000.0, "C": 20_000.0, "D": 400_000.0, "E": 10_000.0}


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    tables = flows_country(CODES, range(2014, 2019))
    tables["regions"] = tables["regions"].assign(longitude=[0.0, 1.0, 2.5, 4.7, 20.0])
    dataset = dataset_of(
        **tables,
        pairs=table("""
            origin destination contiguous
            A      B           true
            B      A           true
            B      C           true
            C      B           true
        """),
    )
    told = region_table(dataset, 2016).assign(log_population=[np.log(PERSONS[code]) for code in CODES])
    return Pairs(told, geography(dataset, tuple(CODES)))


def feature(pairs: Pairs, name: str, origin: str, destination: str) -> float:
    ends = np.array([CODES.index(origin)]), np.array([CODES.index(destination)])
    return float(pairs.features(*ends, (name,))[0, 0])


def km(pairs: Pairs, one: str, other: str) -> float:
    return float(pairs.geography.distance_km[CODES.index(one), CODES.index(other)])


# --- regions --------------------------------------------------------------------------------------------------------


def test_an_indicator_is_known_only_once_it_is_published():
    indicators = table("""
        region year indicator   value published
        North  2018 population  1000  2018
        South  2018 population  1000  2018
        North  2017 average_pay 200   2018
        South  2017 average_pay 100   2018
        North  2018 average_pay 900   2019
        South  2018 average_pay 100   2019
    """)
    tables = flows_country(["North", "South"], range(2016, 2019)) | {"indicators": indicators}

    pay = region_table(dataset_of(**tables), 2018)["average_pay"]

    assert pay["North"] - pay["South"] == pytest.approx(np.log(2))


def test_an_indicator_is_forgotten_after_three_years():
    tables = flows_country(["North", "South"], range(2010, 2019))
    late = (tables["indicators"]["indicator"] == "average_wage") & (tables["indicators"]["year"] > 2012)
    dataset = dataset_of(**tables | {"indicators": tables["indicators"][~late]})

    assert region_table(dataset, 2014)["average_wage"].notna().all()
    assert region_table(dataset, 2015)["average_wage"].isna().all()


def test_sums_are_seen_per_head():
    tables = flows_country(["North", "South"], range(2017, 2019))
    jobs = table("""
        region year indicator  value
        North  2017 employment 60000
        South  2017 employment 10000
        North  2017 population 200000
        South  2017 population 50000
        North  2018 population 210000
        South  2018 population 52000
    """)

    employment = region_table(dataset_of(**tables | {"indicators": jobs}), 2018)["employment"]

    assert employment["North"] - employment["South"] == pytest.approx(np.log(0.3 / 0.2))


def test_a_region_that_was_split_stands_until_its_parts_are_counted():
    people = pd.concat(
        [population_of(["S", "N"], range(2014, 2018)), population_of(["N", "T", "C"], range(2018, 2020))]
    )
    changes = pd.DataFrame({"year": [2018, 2018], "predecessor": ["S", "S"], "successor": ["T", "C"]})
    flows = table("""
        origin destination year persons
        S      N           2017 50
        T      N           2018 30
    """)
    dataset = dataset_of(regions=places("S", "N", "T", "C"), indicators=people, flows=flows, boundary_changes=changes)

    assert regions_of(dataset, 2017) == ("N", "S")
    assert regions_of(dataset, 2019) == ("C", "N", "T")


def test_a_region_without_flows_is_a_region():
    tables = flows_country(["A", "B"], range(2016, 2019))
    people = pd.concat([tables["indicators"], population_of(["New"], range(2017, 2019))])
    dataset = dataset_of(**tables | {"indicators": people, "regions": places("A", "B", "New")})

    assert regions_of(dataset, 2018) == ("A", "B", "New")
    assert regions_of(dataset, 2016) == ("A", "B")


# --- pairs ----------------------------------------------------------------------------------------------------------


def test_intervening_opportunities_are_the_people_nearer_than_the_destination(pairs):
    assert np.exp(feature(pairs, "opportunities_from_origin", "A", "D")) == pytest.approx(70_001, rel=1e-4)
    assert np.exp(feature(pairs, "opportunities_from_destination", "A", "D")) == pytest.approx(70_001, rel=1e-4)
    assert feature(pairs, "opportunities_from_origin", "A", "B") == 0


def test_radiation_is_the_published_formula(pairs):
    m, n, s = PERSONS["A"], PERSONS["D"], PERSONS["B"] + PERSONS["C"]

    radiation = np.exp(feature(pairs, "radiation_from_origin", "A", "D"))

    assert radiation == pytest.approx(m * n / ((m + s) * (m + n + s)), rel=1e-4)


def test_competing_destinations_are_all_others_over_their_distance(pairs):
    others = sum(PERSONS[code] / (km(pairs, "D", code) + OWN_RADIUS_KM) for code in "BCE")

    assert np.exp(feature(pairs, "competing_destinations", "A", "D")) == pytest.approx(others, rel=1e-4)
    assert np.exp(feature(pairs, "competing_origins", "D", "A")) == pytest.approx(others, rel=1e-4)


def test_huff_parts_of_an_origin_sum_to_one(pairs):
    parts = [np.exp(feature(pairs, "huff_from_origin", "A", code)) for code in "BCDE"]

    assert sum(parts) == pytest.approx(1, rel=1e-5)


def test_rank_counts_nearer_regions(pairs):
    assert [feature(pairs, "rank_from_origin", "A", code) for code in "BCDE"] == [1, 2, 3, 4]
    assert feature(pairs, "rank_from_destination", "A", "E") == 4


def test_borders_are_counted_on_the_shortest_way(pairs):
    assert [feature(pairs, "borders", "A", code) for code in "BCD"] == [1, 2, 9]
    assert feature(pairs, "contiguous", "A", "B") == 1
    assert feature(pairs, "contiguous", "A", "C") == 0


def test_people_around_are_those_of_other_regions(pairs):
    assert feature(pairs, "origin_population_within_50km", "A", "B") == 0
    assert np.exp(feature(pairs, "origin_population_within_100km", "A", "D")) == pytest.approx(50_001, rel=1e-4)


def test_higher_pay_somewhere_changes_only_what_is_said_of_pay_there(pairs):
    raised = pairs.table.copy()
    raised.loc["B", "average_wage"] += np.log(1.1)
    every = np.divmod(np.arange(25), 5)

    before = pairs.features(*every, pairs.columns)
    after = Pairs(raised, pairs.geography).features(*every, pairs.columns)

    pair, column = np.nonzero(before != after)
    assert {pairs.columns[place] for place in column} == {
        "origin_average_wage",
        "destination_average_wage",
        "difference_average_wage",
    }
    assert all("B" in (CODES[one // 5], CODES[one % 5]) for one in pair)


def test_an_indicator_that_is_not_there_is_not_known(pairs):
    assert np.isnan(feature(pairs, "destination_unemployment_rate", "A", "B"))


def test_blocks_hold_every_pair_once_row_by_row():
    blocks = list(blocks_of_pairs(7, pairs=20))

    assert len(blocks) == 4
    assert np.concatenate([origin * 7 + destination for origin, destination in blocks]).tolist() == list(range(49))


def test_pairs_of_a_cutoff_are_those_of_its_regions():
    dataset = dataset_of(**flows_country(CODES, range(2014, 2019)))

    pairs = pairs_at(dataset, 2016)

    assert pairs.geography.regions == tuple(pairs.table.index) == regions_of(dataset, 2016)
