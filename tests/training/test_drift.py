"""New figures beside those that a model was trained on."""

import numpy as np
import pandas as pd
import pytest

from tests.tables import dataset_of, net_country
from training.data_differences import differences
from training.drift import drift, rarity, regional_drift, stability_index
from training.drift_command import drift_metrics, drift_report
from training.drift_page import drift_page

CODES = [f"R{number:02d}" for number in range(12)]
CUTOFF = 2019


def country(wage_of_2020: float = 0.0, one_region: float = 0.0) -> dict[str, pd.DataFrame]:
    """Wages grow by 5 % a year, give or take 2 % in a region; in 2020 by so much more."""
    tables, rng = net_country(CODES, range(2004, 2021)), np.random.default_rng(1)
    growth = 0.05 + 0.02 * rng.standard_normal((17, len(CODES)))
    growth[-1] += wage_of_2020
    growth[-1, 0] += one_region
    wages = 1000 * np.exp(growth.cumsum(axis=0))
    rows = [(code, 2004 + i, "average_wage", wages[i, j]) for i in range(17) for j, code in enumerate(CODES)]
    tables["indicators"] = pd.concat([tables["indicators"], pd.DataFrame(rows, columns=tables["indicators"].columns)])
    return tables


@pytest.fixture(scope="module")
def usual():
    return dataset_of(**country())


def test_years_like_the_others_do_not_drift(usual):
    found = drift(usual, usual, CUTOFF)

    assert set(found["series"]) == {"net_migration", "average_wage", "population"}
    assert not found["drifts"].any()


def test_a_year_unlike_all_others_drifts_in_its_series_alone(usual):
    found = drift(dataset_of(**country(wage_of_2020=0.2)), usual, CUTOFF).set_index("series")

    assert found.index[found["drifts"]].tolist() == ["average_wage"]
    wages = found.loc["average_wage"]
    assert wages["median_change"] == pytest.approx(0.25, abs=0.02)
    assert wages["psi"] > wages["psi_limit"]
    assert (wages["n"], wages["outside"]) == (12, 12)


def test_a_region_beyond_its_own_past_is_named(usual):
    found = regional_drift(dataset_of(**country(one_region=0.3)), usual, CUTOFF)

    assert found.iloc[0][["series", "region", "year"]].tolist() == ["average_wage", "R00", 2020]


def test_nothing_new_is_nothing_to_compare(usual):
    assert len(drift(usual, usual, 2020)) == len(regional_drift(usual, usual, 2020)) == 0


def test_few_years_are_never_rare():
    assert np.isnan(rarity(pd.DataFrame(np.zeros((3, 6))), np.ones(6)))


def test_chance_exceeds_the_limit_of_psi_rarely():
    rng = np.random.default_rng(3)
    found = [stability_index(rng.standard_normal(300), rng.standard_normal(20)) for _ in range(200)]

    assert np.mean([index > limit for index, limit in found]) < 0.12


def test_revised_new_and_missing_values_are_told(usual):
    tables = country()
    movements = tables["movements"].query("region != 'R11'")
    movements.loc[movements.index[0], "persons"] += 100
    tables |= {"movements": movements, "indicators": tables["indicators"].query("indicator != 'average_wage'")}
    tables = {name: rows[rows["region"] != "R11"] for name, rows in tables.items()}

    found = differences(dataset_of(**tables), usual)

    (revised,) = found.revised.to_dict("records")
    assert (revised["region"], revised["year"], revised["now"] - revised["before"]) == ("R00", 2004, 100)
    assert (found.missing_regions, found.missing_indicators) == (("R11",), ("average_wage",))
    assert found.gone == {"indicators": 17 * 13, "movements": 17}


def test_report_page_and_metrics_tell_what_drifts(usual, trained):
    new = dataset_of(**country(wage_of_2020=0.2))
    found = drift(new, usual, CUTOFF), regional_drift(new, usual, CUTOFF), differences(new, usual)

    page = drift_page(new, trained[0].manifest, *found)

    assert "1 of 3 series drift." in page
    assert "src=" not in page
    assert drift_metrics(*found)["series_drifting"] == 1
    assert "average_wage 2020: median change +0.2" in drift_report(*found)
    assert "12 values revised" in drift_report(*found)
