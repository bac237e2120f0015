"""What a training on the embedded data, whose flows are estimated, knows of attraction and scenarios."""

import numpy as np
import pytest

from models.scenario import MEASURES, answer
from models.scenario_model import ScenarioModel, effect_draws
from models.scenario_package import package_of


@pytest.fixture(scope="module")
def model(trained) -> ScenarioModel:
    return trained[0].advice.scenario_model


@pytest.fixture(scope="module")
def answered(trained, model):
    """A package of one relative change, answered on the forecast of the training."""
    forecast = trained[0].forecast
    draws = forecast.flows.draws()
    years = [forecast.cutoff + horizon for horizon in forecast.flows.horizons]

    def answered(*changes: tuple[str, str, str]):
        words = [dict(zip(("region", "indicator", "change"), one, strict=True)) for one in changes]
        return answer(model, forecast, package_of({"change": words}, model, years), draws)

    return answered


def test_sizes_and_what_has_no_direction_are_no_drivers(model):
    known = set(model.indices.indicators)

    assert not {"population_average", "labour_force", "births", "deaths", "self_employed"} & known
    assert {"average_wage", "housing_commissioned", "doctors"} <= known


def test_what_estimated_flows_were_made_with_is_no_finding(trained):
    table = trained[0].advice.drivers.elasticities

    assert set(table["basis"]) == {"estimated"}
    assert set(table.loc[table["group"] == "distance", "label"]) == {"assumed"}
    assert set(table.loc[table["group"] == "pay", "label"]) == {"associated"}
    assert (table["standard_error"] > 0).all()


def test_draws_of_effects_keep_their_sign_and_the_model_survives_its_text(model):
    again = ScenarioModel.from_texts(model.to_texts())
    draws = effect_draws(again, 200)

    assert (draws >= 0).all()
    assert (draws == effect_draws(model, 200)).all()
    assert draws[:, again.indices.groups.index("output")].max() == 0
    assert again.indicators == model.indicators


def test_nothing_changed_is_the_forecast_to_the_bit(trained, answered):
    told = answered()

    for measure in MEASURES:
        target = trained[0].forecast.targets[measure]
        place = [target.regions.index(region) for region in told.regions]
        assert (told.baseline[measure] + told.changes[measure] == target.draws[:, :, place]).all()


@pytest.mark.parametrize("region", ["KZ-61", "KZ-71", "KZ-62"])
def test_a_raised_wage_holds_and_draws_in_every_draw(answered, region):
    told = answered((region, "average_wage", "+10 %"))
    here = told.regions.index(region)

    assert (told.changes["out_migration"][:, :, here] <= 0).all()
    assert (told.changes["inflow"][:, :, here] >= 0).all()
    assert np.median(told.changes["net_migration"][:, :, here]) > 0
    assert (told.changes["net_migration"].sum(axis=-1) == 0).all()
