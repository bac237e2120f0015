"""Scenarios: nothing changed is the baseline, better pay holds and draws people, nobody gets lost."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scenario import MEASURES, answer
from models.scenario_flows import changed_flows
from models.scenario_model import ScenarioModel
from models.scenario_package import ScenarioError, package_of, read_package
from models.scenario_tables import diverted, flow_effects, region_effects
from tests.models.attracted_country import AHEAD, CODES, small_forecast, small_model


def wage(region: str, change: str, **years: int) -> dict:
    return {"region": region, "indicator": "average_wage", "change": change, **years}


def answered(*changes: dict, **words):
    model, forecast = small_model(), small_forecast()
    return answer(model, forecast, package_of({"change": list(changes)}, model, AHEAD), **words)


def test_nothing_changed_is_the_baseline_to_the_bit():
    for told in (answered(), answered(wage("A", "+0 %"))):
        assert all((told.changes[measure] == 0).all() for measure in MEASURES)
        assert (told.mean_changes == 0).all()
        table = region_effects(told).pivot_table(
            index=["measure", "region", "year", "quantile"], columns="kind", values="value"
        )
        assert (table.loc[list(MEASURES), "baseline"] == table.loc[list(MEASURES), "scenario"]).all()


@settings(max_examples=15, deadline=None)
@given(region=st.sampled_from(CODES), percent=st.integers(1, 60))
def test_a_raised_wage_holds_and_draws_in_every_draw(region: str, percent: int):
    told = answered(wage(region, f"+{percent} %"), allow_extrapolation=True)
    here = told.regions.index(region)

    assert (told.changes["out_migration"][:, :, here] <= 0).all()
    assert (told.changes["inflow"][:, :, here] >= 0).all()
    assert (told.changes["inflow"].sum(axis=-1) == told.changes["out_migration"].sum(axis=-1)).all()
    assert (told.changes["net_migration"].sum(axis=-1) == 0).all()
    assert (told.baseline["inflow"] + told.changes["inflow"] >= 0).all()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_flows_stay_whole_and_never_fall_below_zero(data: st.DataObject):
    regions = data.draw(st.integers(2, 5))
    origin, destination = np.nonzero(~np.eye(regions, dtype=bool))
    flows = np.array(data.draw(st.lists(st.integers(0, 20), min_size=len(origin), max_size=len(origin))))[None, None]
    pull = np.array(data.draw(st.lists(st.floats(-3, 3), min_size=regions, max_size=regions)))[None, None]

    change = changed_flows(flows, origin, destination, pull)[0, 0]

    assert (flows[0, 0] + change >= 0).all()
    for here in range(regions):
        row = origin == here
        total = flows[0, 0, row].sum()
        assert (total + change[row].sum()) == pytest.approx(total * np.exp(-pull[0, 0, here]), abs=0.5 + 1e-6)


def test_only_the_named_years_change():
    told = answered(wage("B", "-5 %", **{"from": 2019}))

    assert (told.changes["inflow"][:, 0] == 0).all()
    assert told.changes["inflow"][:, 1, 1].mean() < 0


def test_slices_of_pairs_give_the_same_answer(monkeypatch: pytest.MonkeyPatch):
    whole = answered(wage("C", "+10 %"))
    monkeypatch.setattr("models.scenario.CELLS", 1000)
    sliced = answered(wage("C", "+10 %"))

    assert (whole.changes["net_migration"] == sliced.changes["net_migration"]).all()
    assert (whole.largest_changes == sliced.largest_changes).all()


def test_who_no_longer_comes_is_somewhere_else():
    told = answered(wage("A", "+20 %"), allow_extrapolation=True)
    lost = diverted(told, "B")

    pairs = told.destination == told.regions.index("B")
    assert lost["persons"].sum() == pytest.approx(-np.minimum(told.mean_changes[:, pairs], 0).sum())
    assert lost.loc[lost["origin"] == "A", "instead"].eq("stays").all()
    assert lost.loc[lost["origin"] == "C", "instead"].eq("A").all()
    assert set(flow_effects(told)["label"]) == {"assumed"}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param([wage("A", "+99999999999 %")], r"must be \+10000 % or less", id="beyond_numbers"),
        pytest.param([wage("A", "9" * 5000 + " %")], r"change '9+\.\.\.9+ %': must be like", id="endless"),
        pytest.param([wage("A", "+1 %")] * 1001, "has 1001 rows; must have 1000 or fewer", id="too_many"),
    ],
)
def test_what_no_model_can_answer_is_refused_even_as_extrapolation(changes, fault):
    with pytest.raises(ScenarioError, match=fault):
        answered(*changes, allow_extrapolation=True)


def test_no_more_leave_than_can(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("models.scenario.MOST_LEAVING", 2.0)
    with pytest.raises(ScenarioError, match=r"A: in a draw \d.* times as many .* leave; must be at most 2"):
        answered(wage("A", "-90 %"), allow_extrapolation=True)


def test_a_year_that_is_null_is_left_out():
    entry = {"region": "A", "indicator": "average_wage", "change": "+1 %", "from": None, "to": None}

    (told,) = answered(entry).package.changes

    assert (told.first, told.last) == (AHEAD[0], AHEAD[-1])


def test_every_fault_of_a_package_is_told_at_once(tmp_path):
    path = tmp_path / "package.toml"
    path.write_text("""
        [[change]]
        region = "Z"
        indicator = "average_wages"
        change = "more"
        [[change]]
        region = "A"
        indicator = "average_wage"
        change = "+5"
        [[change]]
        region = "A"
        indicator = "births"
        change = "+5 %"
        from = 2030
        [[change]]
        region = "B"
        indicator = "average_wage"
        change = "+5 %"
        [[change]]
        region = "B"
        indicator = "average_wage"
        change = "+1 %"
        to = 2018
    """)

    with pytest.raises(ScenarioError) as error:
        read_package(path, small_model(), AHEAD)

    for fault in (
        "change 1: region 'Z': unknown",
        "change 1: indicator 'average_wages': unknown; did you mean 'average_wage'?",
        "change 1: change 'more': must be like '+15 %'",
        "change 2: change '+5': average_wage changes by a part",
        "change 3: indicator 'births': the model has no effect for it; it has for average_wage",
        "change 3: from 2030: not a year of the forecast; must be from 2018 to 2019",
        "change 5: B average_wage: is changed twice in 2018",
    ):
        assert fault in str(error.value)


def test_what_is_not_known_is_null_in_a_model_that_is_kept():
    model = replace(small_model(), raw=np.full_like(small_model().raw, np.nan))

    texts = model.to_texts()
    again = ScenarioModel.from_texts(texts)

    assert "NaN" not in texts["scenario_model"]
    assert json.loads(texts["scenario_model"])["raw"][0][0] is None
    for name in ("raw", "seen", "values", "effects", "covariance", "drawn"):
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    assert again.indicators == model.indicators
