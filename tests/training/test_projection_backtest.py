"""The backtest of projections holds what came against what was said, and against two references."""

import pandas as pd
import pytest

from tests.projections import vital_country
from training.projection_backtest import ProjectionBacktest, projection_backtest


def test_scores_are_mean_errors_and_the_part_inside():
    rows = pd.DataFrame(
        {
            "region": ["A", "B"],
            "start": [90.0, 90.0],
            "observed": [100.0, 200.0],
            "projected": [110.0, 190.0],
            "lower": [95.0, 150.0],
            "upper": [120.0, 195.0],
            "constant_growth": [100.0, 100.0],
            "no_migration": [50.0, 200.0],
        }
    )

    scores = ProjectionBacktest(2009, 2024, rows).scores()

    assert scores == pytest.approx(
        {"projected": 0.075, "constant_growth": 0.25, "no_migration": 0.25, "coverage_80": 0.5}
    )


@pytest.fixture(scope="module")
def tested():
    return projection_backtest(vital_country(flows=False), 2015, 2020)


def test_it_starts_from_what_was_known_and_is_held_against_what_came(tested):
    assert tested.rows["region"].tolist() == ["Capital", "North", "South"]
    assert (tested.rows["observed"] == 500_000).all()
    # 500,000 + 2 % − 0.8 %, and the balance of 2015
    net = vital_country(flows=False).movements.query("year == 2015").set_index("region")["persons"]
    assert tested.rows["start"].tolist() == (506_000 + net).tolist()
    assert (tested.rows["lower"] < tested.rows["projected"]).all()
    assert (tested.rows["projected"] < tested.rows["upper"]).all()


def test_without_migration_every_region_grows_by_its_births(tested):
    assert (tested.rows["no_migration"] > tested.rows["start"]).all()


def test_the_table_names_cutoff_year_and_errors(tested):
    table = tested.table()

    assert set(table["cutoff"]) == {2015}
    assert (table["error_projected"] == table["projected"] / table["observed"] - 1).all()
