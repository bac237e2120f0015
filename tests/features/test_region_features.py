"""What a model sees of a region at a cutoff."""

import numpy as np
import pandas as pd
import pytest

from features.region_features import region_features
from features.targets import target_history
from tests.tables import dataset_of, kazakhstan, net_country, table

YEARS = range(2012, 2021)


def with_indicator(name: str, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    tables = net_country(["North", "South"], YEARS)
    return tables | {"indicators": pd.concat([tables["indicators"], rows.assign(indicator=name)])}


def test_own_history_is_the_rate_and_how_it_moved():
    dataset = kazakhstan()
    rate = target_history(dataset, "net_migration").rate["KZ-71"]

    astana = region_features(dataset, "net_migration", 2020).loc["KZ-71"]

    assert astana["rate"] == rate[2020]
    assert astana["rate_lag1"] == rate[2019]
    assert astana["rate_lag2"] == rate[2018]
    assert astana["rate_change"] == rate[2020] - rate[2019]
    assert astana["mean_3"] == pytest.approx(rate.loc[2018:2020].mean())
    assert astana["mean_all"] == pytest.approx(rate.loc[:2020].mean())
    assert astana["city"] == 1.0


def test_an_indicator_is_seen_against_the_mean_of_the_regions():
    rows = table("""
        region year value
        North  2020 8.0
        South  2020 5.0
    """)
    features = region_features(dataset_of(**with_indicator("unemployment_rate", rows)), "net_migration", 2020)

    assert features["unemployment_rate"].to_dict() == {"North": 1.5, "South": -1.5}
    assert features["unemployment_rate_change"].isna().all()


def test_an_amount_is_seen_as_a_log_ratio_per_inhabitant():
    rows = table("""
        region year value     published
        North  2019 1000000   2020
        South  2019 4000000   2020
    """)
    features = region_features(dataset_of(**with_indicator("grp", rows)), "net_migration", 2020)

    assert features["grp"].to_dict() == pytest.approx({"North": -np.log(2), "South": np.log(2)})


@pytest.mark.parametrize(
    ("cutoff", "known"),
    [
        pytest.param(2015, True, id="in_the_year"),
        pytest.param(2017, True, id="two_years_later"),
        pytest.param(2018, False, id="too_old"),
    ],
)
def test_an_old_value_is_left_out(cutoff, known):
    rows = table("""
        region year value
        North  2015 8.0
        South  2015 5.0
    """)
    features = region_features(dataset_of(**with_indicator("unemployment_rate", rows)), "net_migration", cutoff)

    assert features["unemployment_rate"].notna().all() == known


def test_features_of_a_cutoff_are_those_of_its_vintage():
    dataset = kazakhstan()

    pd.testing.assert_frame_equal(
        region_features(dataset, "net_migration", 2015), region_features(dataset.as_of(2015), "net_migration", 2015)
    )


def test_doubling_every_amount_changes_only_size():
    tables = net_country(["North", "South", "West"], YEARS)
    doubled = tables | {
        "indicators": tables["indicators"].assign(value=tables["indicators"]["value"] * 2),
        "movements": tables["movements"].assign(persons=tables["movements"]["persons"] * 2),
    }

    once = region_features(dataset_of(**tables), "net_migration", 2020)
    twice = region_features(dataset_of(**doubled), "net_migration", 2020)

    pd.testing.assert_frame_equal(twice.drop(columns="log_population"), once.drop(columns="log_population"))
    np.testing.assert_allclose(twice["log_population"], once["log_population"] + np.log(2))


def test_no_feature_is_of_growth_that_holds_the_moves_themselves():
    features = region_features(kazakhstan(), "net_migration", 2020)

    assert not {"population", "population_average", "births", "population_change"} & set(features.columns)
