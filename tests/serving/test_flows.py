"""Flows over HTTP: what is answered of each pair is what the bundle's forecaster says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from features.dataset import Dataset
from models.bundle import Bundle
from serving.answers import answers_of
from serving.api import ModelResponse
from serving.flows import FlowsRequest, FlowsResponse
from serving.routes import create_app
from tests.serving.test_errors import fault


def ask(client, **request):
    answer = client.post("/flows", json=request)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ends(answer) -> list[tuple[str, str, int]]:
    return [(one["origin"], one["destination"], one["horizon"]) for one in answer["flows"]]


def medians(answer, horizon: int) -> list[int]:
    return [one["quantiles"]["0.5"] for one in answer["flows"] if one["horizon"] == horizon]


def told_with(bundle: Bundle, dataset: Dataset | None = None, **changes) -> TestClient:
    """The routes on a bundle whose flows are changed."""
    assert bundle.forecast.flows is not None
    changed = replace(bundle, dataset=dataset or bundle.dataset)
    changed.__dict__["forecast"] = replace(bundle.forecast, flows=replace(bundle.forecast.flows, **changes))
    app = create_app()
    app.state.answers = answers_of(changed)
    return TestClient(app)


# --- what is answered -----------------------------------------------------------------------------------------------


def test_every_number_is_the_forecasters(flow_client, flow_bundle):
    said = flow_bundle.forecast.flow_table()

    answered = {
        (one["origin"], one["destination"], one["year"], one["horizon"], float(level), one["model"], one["basis"]): n
        for one in ask(flow_client)["flows"]
        for level, n in one["quantiles"].items()
    }

    keys = said[["origin", "destination", "year", "horizon", "quantile", "model", "basis"]]
    assert answered == dict(zip(keys.itertuples(index=False, name=None), said["value"], strict=True))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({}, id="all"),
        pytest.param({"origins": ["R2"], "destinations": ["R1", "R3"], "horizons": [2]}, id="some"),
        pytest.param({"origins": ["R1"], "destinations": ["R1"]}, id="none_within_a_region"),
    ],
)
def test_the_bytes_are_those_of_the_documented_model(flow_client, request_):
    answer = flow_client.post("/flows", json=request_)

    assert answer.headers["content-type"] == "application/json"
    assert FlowsResponse.model_validate_json(answer.content).model_dump_json().encode() == answer.content


def test_names_and_models_are_quoted(flow_bundle):
    client = told_with(flow_bundle, models={1: 'the "best", at 100 %', 2: "persistence"})

    assert ask(client, horizons=[1], top=1)["flows"][0]["model"] == 'the "best", at 100 %'


def test_flows_are_sorted_by_year_then_size(flow_client):
    answer = ask(flow_client)

    horizons = [one["horizon"] for one in answer["flows"]]
    assert horizons == [1] * 20 + [2] * 20
    assert medians(answer, 1) == sorted(medians(answer, 1), reverse=True)


def test_flows_of_one_size_are_sorted_by_origin_then_destination(flow_bundle):
    same = np.full_like(flow_bundle.forecast.flows.quantiles, 5)

    answer = ask(told_with(flow_bundle, quantiles=same), destinations=["R3", "R2"], origins=["R4", "R1"])

    assert ends(answer)[:4] == [("R1", "R2", 1), ("R1", "R3", 1), ("R4", "R2", 1), ("R4", "R3", 1)]


@pytest.mark.parametrize(
    ("request_", "pairs"),
    [
        pytest.param({"origins": ["R2"]}, {("R2", to) for to in ("R1", "R3", "R4", "R5")}, id="origin"),
        pytest.param({"destinations": ["R2"]}, {(of, "R2") for of in ("R1", "R3", "R4", "R5")}, id="destination"),
        pytest.param(
            {"origins": ["R2", "R3", "R2"], "destinations": ["R1", "R3"]},
            {("R2", "R1"), ("R2", "R3"), ("R3", "R1")},
            id="both",
        ),
        pytest.param({"origins": ["R2"], "destinations": ["R2"]}, set(), id="within_a_region"),
    ],
)
def test_the_pairs_that_are_asked_for_are_answered_once(flow_client, request_, pairs):
    answer = ask(flow_client, **request_, horizons=[1, 1])

    assert sorted(ends(answer)) == sorted((*pair, 1) for pair in pairs)
    assert answer["total"] == len(pairs)


def test_top_leaves_the_largest_of_each_year(flow_client):
    whole = ask(flow_client, destinations=["R1"])
    top = ask(flow_client, destinations=["R1"], top=2)

    assert top["flows"] == [one for horizon in (0, 4) for one in whole["flows"][horizon : horizon + 2]]
    assert top["total"] == whole["total"] == 8
    assert ask(flow_client, destinations=["R1"], top=10**30) == whole


def test_evidence_is_told_once_for_each_year(flow_client, flow_bundle):
    served = ask(flow_client, origins=["R1"], horizons=[2])["served"]

    decision = flow_bundle.manifest.decision("flow", 2)
    assert [(one["horizon"], one["model"], one["why"]) for one in served] == [(2, decision.model, decision.reason)]
    assert served[0]["skill"] == {"value": decision.skill, "against": "persistence", "cutoffs": decision.cutoffs}
    assert served[0]["coverage_measured"]["80"] == decision.coverage_80


def test_an_answer_says_what_it_means_that_a_pair_is_not_listed(flow_client):
    assert ask(flow_client)["note"].endswith("pairs that are not listed are zero in every future.")


def test_what_a_source_withholds_is_told(flow_bundle):
    rows = flow_bundle.dataset.flows
    withheld = replace(flow_bundle.dataset, flows=rows[rows["persons"] >= 1_000], _known={})
    least = withheld.flows["persons"].min()

    note = ask(told_with(flow_bundle, withheld))["note"]

    assert note.endswith(f"zero in every future, or below the {least:,} persons from which the source tells a flow.")


def test_the_model_page_lists_what_forecast_answers_and_tells_the_evidence_of_flows(flow_client):
    answer = flow_client.get("/model")

    told = ModelResponse.model_validate_json(answer.content)
    assert "flow" not in told.targets
    assert told.flows
    assert "flow" in {decision.target for decision in told.decisions}
    assert "flow" in {score.target for score in told.scorecard}


def test_sums_of_flows_are_answered_by_forecast(flow_client):
    for target in ("inflow", "out_migration", "net_migration"):
        answer = flow_client.post("/forecast", json={"target": target, "regions": ["R1"], "horizons": [1]})

        assert answer.json()["scope"] == "between_regions"


# --- what is refused ------------------------------------------------------------------------------------------------

REGIONS = "one of R1, R2, R3, R4, R5"


@pytest.mark.parametrize(
    ("request_", "code", "field", "value", "expected"),
    [
        pytest.param({"origins": ["Q9"]}, "unknown_region", "origins", "Q9", REGIONS, id="origin"),
        pytest.param(
            {"destinations": ["r1"]},
            "unknown_region",
            "destinations",
            "r1",
            f"{REGIONS}; did you mean 'R1'?",
            id="destination",
        ),
        pytest.param({"horizons": [3]}, "unknown_horizon", "horizons", 3, "one of 1, 2", id="horizon"),
        pytest.param({"top": 0}, "too_small", "top", 0, "1 or more", id="none"),
        pytest.param({"top": "5"}, "wrong_type", "top", "5", "a whole number", id="text_for_number"),
        pytest.param(
            {"origin": ["R1"]},
            "unknown_field",
            "origin",
            "a list",
            "one of origins, destinations, horizons, top; did you mean 'origins'?",
            id="near_field",
        ),
    ],
)
def test_a_request_that_cannot_be_answered_is_told_what_would_be_right(
    flow_client, request_, code, field, value, expected
):
    answer = flow_client.post("/flows", json=request_)

    assert answer.status_code == 422
    error = fault(answer)
    assert error["code"] == code
    assert error["details"] == [{"field": field, "value": value, "expected": expected}]


def test_an_answer_that_would_be_too_long_is_refused_with_its_length(flow_client, monkeypatch):
    monkeypatch.setattr("serving.flows.MOST_FLOWS", 10)

    error = fault(flow_client.post("/flows", json={"horizons": [1]}))

    assert error["code"] == "too_many"
    assert error["message"] == "20 flows would be answered"
    assert "at most 10 flows" in error["details"][0]["expected"]
    assert len(ask(flow_client, top=5)["flows"]) == 10


def test_flows_too_many_to_be_held_are_written_alike(flow_bundle, monkeypatch):
    held = answers_of(flow_bundle).recorded_flows().answer(FlowsRequest(top=7))
    monkeypatch.setattr("serving.flows.MOST_WRITTEN", 0)

    assert answers_of(flow_bundle).recorded_flows().answer(FlowsRequest(top=7)) == held


def test_estimated_flows_say_that_they_are_estimated(client):
    """The embedded data record no flows."""
    told = client.post("/flows", json={"destinations": ["KZ-71"], "top": 3}).json()

    assert {flow["basis"] for flow in told["flows"]} == {"estimated"}
    assert told["note"].startswith("No flows are recorded")
    for served in told["served"]:
        assert (served["model"], served["provisional"], served["skill"]["value"]) == ("balanced_record", True, None)
        assert "cannot be measured" in served["why"]
    inflow = client.post("/forecast", json={"target": "inflow", "regions": ["KZ-71"]}).json()
    assert {one["basis"] for one in inflow["forecasts"]} == {"estimated"}


def test_a_bundle_without_flows_says_what_it_has_and_what_would_be_needed(bundle):
    app = create_app()
    app.state.answers = answers_of(replace(bundle, forecaster=replace(bundle.forecaster, estimated=None), kept=None))

    answer = TestClient(app).post("/flows", json={"origins": ["KZ-71"]})

    assert answer.status_code == 422
    error = fault(answer)
    assert error["code"] == "no_flows"
    assert error["message"].endswith("/forecast answers net_migration")
    assert "a table `flows` (origin, destination, year, persons)" in error["details"][0]["expected"]


anything = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.sampled_from(["R1", "R5", 1, 3, None]))
requests = st.fixed_dictionaries({}, optional=dict.fromkeys(["origins", "destinations", "horizons", "top"], anything))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request_=requests)
def test_no_request_is_answered_with_a_fault_of_ours(flow_client, request_):
    answer = flow_client.post("/flows", json=request_)

    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        fault(answer)
