"""Every fault of a request is answered in one form, with what would be right."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.errors import ErrorResponse

JSON = {"content-type": "application/json"}


def fault(answer) -> dict:
    """The answer's error, in the one form."""
    assert answer.headers["content-type"] == "application/json"
    ErrorResponse.model_validate_json(answer.content)
    told = answer.json()
    assert list(told) == ["error"]
    assert list(told["error"]) == ["code", "message", "details"]
    assert all(list(detail) == ["field", "value", "expected"] for detail in told["error"]["details"])
    assert "\n" not in told["error"]["message"]
    return told["error"]


REGIONS = "one of KZ-10 … KZ-79 (20)"
FIELDS = "one of target, regions, horizons"


@pytest.mark.parametrize(
    ("request_", "code", "field", "value", "expected"),
    [
        pytest.param({"regions": ["Moscow"]}, "unknown_region", "regions", "Moscow", REGIONS, id="region"),
        pytest.param(
            {"regions": ["Astana"]},
            "unknown_region",
            "regions",
            "Astana",
            f"{REGIONS}; did you mean 'KZ-71'?",
            id="name",
        ),
        pytest.param(
            {"regions": ["алматы"]}, "unknown_region", "regions", "алматы", f"{REGIONS}; did you mean 'KZ-75'?", id="ru"
        ),
        pytest.param(
            {"target": "in_flow"},
            "unknown_target",
            "target",
            "in_flow",
            "one of net_migration, inflow, out_migration; did you mean 'inflow'?",
            id="target",
        ),
        pytest.param(
            {"target": "flow"},
            "unknown_target",
            "target",
            "flow",
            "POST /flows, which answers flows from region to region",
            id="flow_is_elsewhere",
        ),
        pytest.param({"horizons": [9]}, "unknown_horizon", "horizons", 9, "one of 1, 2", id="horizon"),
        pytest.param(
            {"region": "x"}, "unknown_field", "region", "x", f"{FIELDS}; did you mean 'regions'?", id="near_field"
        ),
        pytest.param({"year": 2025}, "unknown_field", "year", 2025, FIELDS, id="far_field"),
        pytest.param({"horizons": ["1"]}, "wrong_type", "horizons", "1", "a whole number", id="text_for_number"),
        pytest.param({"horizons": [1.0]}, "wrong_type", "horizons", 1.0, "a whole number", id="fraction"),
        pytest.param({"horizons": [True]}, "wrong_type", "horizons", True, "a whole number", id="true_is_no_number"),
        pytest.param({"horizons": 1}, "wrong_type", "horizons", 1, "a list, or null for all", id="no_list"),
        pytest.param({"regions": [71]}, "wrong_type", "regions", 71, "a text", id="number_for_text"),
        pytest.param({"target": None}, "wrong_type", "target", None, "a text", id="null_target"),
        pytest.param([], "wrong_type", "body", "a list", "a JSON object, as {}", id="list_for_object"),
        pytest.param(
            {"regions": []},
            "empty_list",
            "regions",
            "a list",
            "at least one; leave the field out for all",
            id="nothing_asked",
        ),
    ],
)
def test_a_request_that_cannot_be_answered_is_told_what_would_be_right(client, request_, code, field, value, expected):
    answer = client.post("/forecast", json=request_)

    assert answer.status_code == 422
    error = fault(answer)
    assert error["code"] == code
    assert error["details"] == [{"field": field, "value": value, "expected": expected}]


def test_all_faults_are_told_at_once(client):
    request = {"target": "flows", "regions": ["KZ-71", "KZ-99", 5], "horizons": [1, 9], "draws": 10}

    error = fault(client.post("/forecast", json=request))

    assert error["code"] == "invalid_request"
    told = [(detail["field"], detail["value"]) for detail in error["details"]]
    assert told == [("target", "flows"), ("regions", "KZ-99"), ("regions", 5), ("horizons", 9), ("draws", 10)]


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted(client):
    error = fault(client.post("/forecast", json={f"field{number}": 1 for number in range(60)}))

    assert len(error["details"]) == 50
    assert error["message"].startswith("60 faults")


def test_a_list_longer_than_any_dataset_is_refused_whole(client):
    error = fault(client.post("/forecast", json={"regions": ["KZ-71"] * 20_000}))

    assert error["code"] == "long_list"
    assert len(error["details"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"", 400, "empty_body", id="empty"),
        pytest.param(b" \n", 400, "empty_body", id="blank"),
        pytest.param(b'{"target": ', 400, "malformed_json", id="cut"),
        pytest.param(b'{"horizons": [NaN]}', 400, "malformed_json", id="nan"),
        pytest.param(b'{"horizons": [-Infinity]}', 400, "malformed_json", id="infinity"),
        pytest.param(b'{"horizons": [1e999]}', 422, "wrong_type", id="overflowing_number"),
        pytest.param(b'{"horizons": [' + b"9" * 5000 + b"]}", 400, "malformed_json", id="endless_number"),
        pytest.param(b"[" * 100_000, 400, "malformed_json", id="endless_nesting"),
        pytest.param(b'{"regions": ["\xff"]}', 400, "malformed_json", id="not_utf8"),
        pytest.param(b'{"regions": ["\\ud800"]}', 422, "unknown_region", id="half_a_character"),
        pytest.param(b"{}" + b" " * 1_000_000, 413, "body_too_large", id="too_large"),
    ],
)
@pytest.mark.parametrize("path", ["/forecast"])
def test_a_body_that_is_no_request_is_refused(client, path, body, status, code):
    answer = client.post(path, content=body, headers=JSON)

    assert answer.status_code == status
    assert fault(answer)["code"] == code


@pytest.mark.parametrize("path", ["/forecast", "/regions", "/model"])
@pytest.mark.parametrize(
    "content_type", ["application/vnd.bentoml+pickle", "application/x-www-form-urlencoded", "text/plain", ""]
)
def test_only_json_is_accepted_and_never_a_pickle(client, path, content_type):
    answer = client.post(path, content=b"\x80\x05N.", headers={"content-type": content_type})

    assert answer.status_code == 415
    assert fault(answer)["details"] == [
        {"field": "content-type", "value": content_type, "expected": "application/json"}
    ]


@pytest.mark.parametrize("path", ["/regions", "/model"])
def test_what_takes_no_field_says_so(client, path):
    error = fault(client.post(path, json={"target": "inflow"}))

    assert error["details"] == [{"field": "target", "value": "inflow", "expected": "no field; send {}"}]


@pytest.mark.parametrize(
    ("path", "nearest"),
    [("/forcast", "; did you mean '/forecast'?"), ("/forecast/", "; did you mean '/forecast'?"), ("/2025", "")],
)
def test_an_unknown_path_is_told_the_nearest(client, path, nearest):
    answer = client.get(path)

    assert answer.status_code == 404
    error = fault(answer)
    assert error["code"] == "unknown_route"
    listed, _, hint = error["details"][0]["expected"].partition(")")
    assert listed.startswith("one of /forecast … /metrics (")
    assert hint == nearest


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/forecast", "POST"),
        ("DELETE", "/forecast", "POST"),
        ("OPTIONS", "/regions", "GET, HEAD, POST"),
        ("PUT", "/", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("FLY", "/model", "GET, HEAD, POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client, method, path, allowed):
    answer = client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert fault(answer)["code"] == "method_not_allowed"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
requests = st.fixed_dictionaries({}, optional={"target": anything, "regions": anything, "horizons": anything})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request_=anything | requests)
def test_no_request_is_answered_with_a_fault_of_ours(client, request_):
    answer = client.post("/forecast", content=json.dumps(request_), headers=JSON)

    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        fault(answer)


@given(body=st.binary(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_answered_with_a_fault_of_ours(client, body):
    assert client.post("/forecast", content=body, headers=JSON).status_code in (200, 400, 422)
