"""Counter-magnets: what diverts people from a city, inside of what was seen."""

import pytest

from models.scenario import answer
from models.scenario_package import ScenarioError, package_of
from models.scenario_search import Diversion, rounded, words_of
from tests.models.attracted_country import AHEAD, small_forecast, small_model
from training.counter_magnets import counter_magnets


def test_single_levers_are_ranked_and_the_smallest_package_reaches_the_target():
    found = counter_magnets(small_model(), small_forecast(), "A", 5, trials=12)

    assert "A" not in set(found.levers["region"])
    assert found.levers["persons_per_percent"].is_monotonic_decreasing
    assert (found.levers["persons"] > 0).all()
    assert (found.levers["lower"] <= found.levers["upper"]).all()
    assert found.reached
    assert all(one.status != "outside" for one in found.package.applicability)
    assert len(found.package.package.changes) == 1


def test_a_target_out_of_reach_is_told_with_what_can_be_reached():
    found = counter_magnets(small_model(), small_forecast(), "A", 10_000, trials=5)

    assert not found.reached
    assert found.levers["change_for_target"].isna().all()
    assert 0 < found.most < 10_000


def test_quick_evaluation_is_the_mean_of_the_answer():
    model, forecast = small_model(), small_forecast()
    diversion = Diversion.of(model, forecast, "A")
    lever = diversion.levers[0]
    needed = diversion.needed(lever, 2.0)

    assert needed is not None
    assert diversion.persons({lever: needed}) == pytest.approx(2.0, abs=1e-6)
    assert diversion.persons({}) == pytest.approx(0.0, abs=1e-9)
    share = rounded(diversion.largest(lever))
    package = package_of({"change": words_of({lever: share})}, model, AHEAD)
    fewer = -answer(model, forecast, package).changes["inflow"][:, :, 0].mean()
    assert diversion.persons({lever: share}) == pytest.approx(fewer, rel=0.05)


def test_an_unknown_city_is_refused():
    with pytest.raises(ScenarioError, match="city 'Z': unknown; must be one of A, B"):
        counter_magnets(small_model(), small_forecast(), "Z", 10, trials=1)
