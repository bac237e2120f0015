"""The embedded data say what the Bureau published, and nothing more."""

import hashlib
import json

import pytest

from features.boundaries import present_parts, unit_of_region
from features.dataset import KAZAKHSTAN
from features.indicators import INDICATORS
from features.targets import target_history
from tests import tables


@pytest.fixture(scope="module")
def kazakhstan():
    return tables.kazakhstan()


@pytest.fixture(scope="module")
def balances(kazakhstan):
    movements = kazakhstan.movements
    return movements[(movements["measure"] == "net") & (movements["scope"] == "all")]


def test_twenty_regions_of_today_have_names_in_three_languages(kazakhstan):
    unit = unit_of_region(kazakhstan.regions["region"], kazakhstan.boundary_changes)
    present = kazakhstan.regions[kazakhstan.regions["region"].isin(present_parts(kazakhstan, unit)["region"])]

    assert len(present) == 20
    assert present[["name", "name_ru", "name_kk"]].notna().all(axis=None)
    assert present[["name", "name_ru", "name_kk"]].nunique().tolist() == [20, 20, 20]
    assert set(present.loc[present["kind"] == "city", "name"]) == {"Astana", "Almaty", "Shymkent"}


def test_regions_lie_in_kazakhstan(kazakhstan):
    assert kazakhstan.regions["latitude"].between(40.5, 55.5).all()
    assert kazakhstan.regions["longitude"].between(46, 87.5).all()


def test_every_value_has_a_basis_and_a_source(kazakhstan):
    for table in (kazakhstan.indicators, kazakhstan.movements, kazakhstan.monthly_movements):
        assert table["basis"].isin(["official", "derived", "estimated"]).all()
        assert table["source"].str.startswith("BNS").all()


@pytest.mark.parametrize("year", [2000, 2001, 2008])
def test_no_balance_is_given_where_none_can_be_told(balances, year):
    assert year not in set(balances["year"])


def test_balances_are_official_from_2013_and_derived_before(balances):
    assert set(balances.loc[balances["year"] >= 2013, "basis"]) == {"official"}
    assert set(balances.loc[balances["year"] < 2013, "basis"]) == {"derived"}
    assert set(balances["year"]) == {*range(2002, 2008), *range(2009, 2025)}


@pytest.mark.parametrize(("year", "national"), [(2013, -279), (2024, 16_550)])
def test_regional_balances_sum_to_the_published_national_one(balances, year, national):
    assert balances.loc[balances["year"] == year, "persons"].sum() == national


@pytest.mark.parametrize("year", [2022, 2023, 2024])
def test_internal_balances_cancel(kazakhstan, year):
    movements = kazakhstan.movements
    internal = movements[(movements["scope"] == "within_country") & (movements["year"] == year)]

    assert len(internal[internal["measure"] == "net"]) == 20
    assert internal.loc[internal["measure"] == "net", "persons"].sum() == 0


def test_the_months_of_2024_add_up_to_the_year_in_every_region_and_cancel_in_every_month(kazakhstan):
    months = kazakhstan.monthly_movements
    movements = kazakhstan.movements
    year = movements[(movements["scope"] == "within_country") & (movements["year"] == 2024)]

    assert len(months) == 20 * 12 * 3
    key = ["region", "measure"]
    assert months.groupby(key)["persons"].sum().to_dict() == year.groupby(key)["persons"].sum().to_dict()
    assert months.loc[months["measure"] == "arrivals", "persons"].sum() == 1_510_337
    nets = months[months["measure"] == "net"].groupby("month")["persons"].sum()
    assert nets.to_dict() == dict.fromkeys(range(1, 13), 0)


def test_since_2002_there_are_sixteen_units_and_their_balances_sum_to_the_regions(kazakhstan, balances):
    history = target_history(kazakhstan, "net_migration")

    assert len(history.regions) == 16
    assert history.scope == "all"
    national = history.persons.sum(axis=1, min_count=16).dropna()
    assert national.to_dict() == balances.groupby("year")["persons"].sum().astype(float).to_dict()


def test_units_have_a_population_in_every_year(kazakhstan):
    history = target_history(kazakhstan, "net_migration")

    assert history.population.loc[2002:2024].notna().all(axis=None)
    assert 19e6 < history.population.loc[2023].sum() < 20.2e6


def test_publication_years_follow_the_lag(kazakhstan):
    indicators = kazakhstan.indicators
    lag = indicators["indicator"].map(lambda name: INDICATORS[name].publication_lag)

    assert (indicators["published"] == indicators["year"] + lag).all()
    for movements in (kazakhstan.movements, kazakhstan.monthly_movements):
        assert (movements["published"] == movements["year"]).all()


def test_every_file_has_the_hash_that_the_descriptor_gives():
    descriptor = json.loads((KAZAKHSTAN / "datapackage.json").read_text("utf-8"))

    for resource in descriptor["resources"]:
        found = hashlib.sha256((KAZAKHSTAN / resource["path"]).read_bytes()).hexdigest()
        assert resource["hash"] == f"sha256:{found}"


def test_every_pair_of_todays_regions_has_a_distance_in_both_directions(kazakhstan):
    pairs = kazakhstan.pairs.set_index(["origin", "destination"])

    assert len(pairs) == 20 * 19
    assert (pairs["distance_km"] > 0).all()
    swapped = pairs.swaplevel().reindex(pairs.index)
    assert (pairs == swapped).all(axis=None)
