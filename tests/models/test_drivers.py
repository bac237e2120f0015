"""Drivers: contributions add up, differences say where they come from, and it is said how far they can be relied on."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from models.attraction_index import indices_of
from models.attraction_panel import panel_of
from models.drivers import Drivers, DriversError, drivers_of
from models.drivers_game import contributions_to_sums
from models.drivers_skill import skill_added
from models.drivers_stability import stability
from models.forecast import Forecast
from tests.models.attracted_country import CUTOFF, country, small, small_forecast
from tests.tables import dataset_of


@cache
def small_drivers() -> Drivers:
    return drivers_of(small(), CUTOFF, small_forecast())


@cache
def longer() -> Dataset:
    return dataset_of(**country(pull=1.5, hold=0.5, years=range(2000, 2018)))


def changed_after(cutoff: int) -> Dataset:
    """The longer country with other flows and figures after a cutoff."""
    tables = country(pull=1.5, hold=0.5, years=range(2000, 2018))
    tables["flows"].loc[tables["flows"]["year"] > cutoff, "persons"] *= 7
    tables["indicators"].loc[tables["indicators"]["year"] > cutoff + 1, "value"] *= 3
    return dataset_of(**tables)


def test_contributions_sum_to_the_rate_against_the_mean():
    told = small_drivers()

    for table, keys in (
        (told.regions, ["model", "measure", "region"]),
        (told.corridors, ["model", "origin", "destination"]),
    ):
        groups = table.groupby(keys)
        ratio = np.log(groups["rate_per_1000"].first() / groups["reference_per_1000"].first())
        assert list(groups["contribution"].sum()) == pytest.approx(list(ratio), abs=1e-12)
    assert set(told.regions["model"]) == {"gravity", "boosted"}
    assert set(told.regions["group"]) == {"demography", "distance", "pay", "history"}
    assert set(told.corridors["label"]) == {"associated"}


def test_shapley_values_are_fair():
    rng = np.random.default_rng(0)
    parts, end = rng.normal(size=(3, 12)), np.repeat(np.arange(4), 3)
    parts[2] = 0.0

    values = contributions_to_sums(parts, end, 4)

    total = np.log(np.bincount(end, np.exp(parts.sum(axis=0)), 4)) - np.log(3)
    assert values.sum(axis=0) == pytest.approx(total)
    assert values[2] == pytest.approx(np.zeros(4))
    swapped = contributions_to_sums(parts[[1, 0, 2]], end, 4)
    assert swapped[[1, 0, 2]] == pytest.approx(values)


def test_differences_make_up_the_contribution_of_their_group():
    told = small_drivers()
    rows = told.of_corridor("A", "C")
    pay = rows.loc[(rows["model"] == "gravity") & (rows["group"] == "pay"), "contribution"].item()
    differs = told.differences("A", "C").set_index("indicator")

    assert differs["contribution"].sum() == pytest.approx(pay)
    values = small().indicator("average_wage").loc[CUTOFF]
    assert differs.loc["average_wage", "origin_value"] == values["A"]
    assert differs.loc["average_wage", "ratio"] == pytest.approx(values["C"] / values["A"])


def test_tables_bring_back_the_same():
    told = small_drivers()

    again = Drivers.from_tables(told.tables())

    pd.testing.assert_frame_equal(again.of_region("B"), told.of_region("B"))
    with pytest.raises(DriversError, match="region 'Z': no drivers are told of; known: A, B"):
        told.of_region("Z")


def test_an_effect_that_was_put_in_is_stable_and_noise_is_not_clear():
    panel = panel_of(small(), CUTOFF)
    table = stability(panel, indices_of(panel)).set_index(["term", "end", "form"])
    clear = small_drivers().elasticities.set_index(["term", "end", "form"])["clear"]

    pay = table.loc[("pay", "destination", "joint")].to_dict()
    assert pay["stable"]
    assert pay["share_positive"] == 1
    assert bool(clear.loc[("pay", "destination", "joint")])


def test_skill_sees_nothing_after_its_cutoffs_and_says_what_it_means():
    indices = indices_of(panel_of(longer(), 2017))
    table = skill_added(longer(), 2017, indices).set_index("driver")

    assert set(table["target"]) == {"out_migration"}
    assert set(table["says"]) <= {"adds nothing", "lowers the error", "raises the error"}
    inside = (table["lower"] <= 0) & (table["upper"] >= 0)
    assert (inside == (table["says"] == "adds nothing")).all()
    earlier = skill_added(longer(), 2015, indices)
    assert (earlier["cutoffs"] == table["cutoffs"].iloc[0] - 2).all()
    pd.testing.assert_frame_equal(skill_added(changed_after(2015), 2015, indices), earlier)


def test_without_indicators_one_error_says_so():
    tables = country()
    wages = tables["indicators"]["indicator"] == "average_wage"
    tables["indicators"] = tables["indicators"][~wages]

    with pytest.raises(DriversError, match="no indicator that may attract people is known"):
        drivers_of(dataset_of(**tables), CUTOFF, small_forecast())


def test_without_flows_one_error_says_so():
    with pytest.raises(DriversError, match="no flows are forecast, recorded or estimated"):
        drivers_of(small(), CUTOFF, Forecast(CUTOFF, {}))
