"""Every fault of a request is answered in one form, with what would be right."""

import gzip
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.api import ForecastRequest
from serving.errors import ErrorResponse, RequestError
from serving.flows import FlowsRequest
from serving.openapi import ADVICE
from serving.reading import asked_of
from serving.responses import known_of

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
        pytest.param(b'{"target": "inflow", "target": "inflow"}', 400, "malformed_json", id="twice"),
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


@pytest.mark.parametrize("body", ["{}".encode("utf-16"), "{}".encode("utf-16-le"), "{}".encode("utf-8-sig")])
def test_another_coding_than_utf_8_is_told(client, body):
    message = fault(client.post("/forecast", content=body, headers=JSON))["message"]

    assert message == "the body is not JSON: it must be UTF-8 without a byte order mark"


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("content-type", "application/json; charset=utf-16", "unsupported_charset"),
        ("content-type", 'application/json; a=b; Charset="latin1"', "unsupported_charset"),
        ("content-encoding", "gzip", "unsupported_encoding"),
    ],
)
def test_a_body_that_is_packed_or_coded_otherwise_is_told_so_by_its_header(client, header, value, code):
    answer = client.post("/forecast", content=gzip.compress(b"{}"), headers=JSON | {header: value})

    assert answer.status_code == 415
    error = fault(answer)
    assert error["code"] == code
    assert (error["details"][0]["field"], error["details"][0]["value"]) == (header, value)


@pytest.mark.parametrize("told", ['application/json; charset="UTF-8"', "application/JSON ;charset=utf-8"])
def test_what_says_that_it_is_utf_8_is_read(client, told):
    headers = {"content-type": told, "content-encoding": "identity"}

    assert client.post("/forecast", content=b"{}", headers=headers).status_code == 200


def test_a_tag_in_any_line_is_found(client):
    tag = client.get("/regions").headers["etag"]

    for lines in ([tag, '"other"'], ['"other"', tag]):
        told = [("if-none-match", line) for line in lines]
        assert client.get("/regions", headers=told).status_code == 304


@pytest.mark.parametrize(("method", "path"), [("POST", "/forecast%0a"), ("GET", "/%0a"), ("GET", "/healthz%0A")])
def test_a_path_with_a_line_break_is_another_path(client, method, path):
    answer = client.request(method, path, json={})

    assert answer.status_code == 404
    assert fault(answer)["code"] == "unknown_route"


ROWS = [
    pytest.param(
        "/labour",
        {
            "jobs": [
                {"region": "KZ-71", "year": 2030, "jobs": 5, "source": "s"},
                {"region": "KZ-99", "year": 1, "job": 5},
            ]
        },
        [
            ("jobs[1].jobs", None),
            ("jobs[1].source", None),
            ("jobs[1].job", 5),
            ("jobs[1].region", "KZ-99"),
            ("jobs[1].year", 1),
        ],
        id="jobs",
    ),
    pytest.param("/labour", {"jobs": {"KZ-71": 5}}, [("jobs", "an object")], id="no_rows"),
    pytest.param(
        "/scenario",
        {"changes": [{"region": "KZ-99", "indicator": "average_wage", "change": "more", "form": 2025}]},
        [("changes[0].form", 2025), ("changes[0].region", "KZ-99"), ("changes[0].change", "more")],
        id="changes",
    ),
    pytest.param(
        "/scenario",
        {"changes": [{"region": "KZ-61", "indicator": "average_wage", "change": "+15 %", "from": 2026, "to": 2025}]},
        [("changes[0].from", 2026)],
        id="years",
    ),
    pytest.param(
        "/scenario",
        {"changes": [{"region": "KZ-61"}]},
        [("changes[0].indicator", None), ("changes[0].change", None)],
        id="lacking",
    ),
    pytest.param(
        "/served-population",
        {
            "case": {"city": {"region": "KZ-71", "name": 5}, "component": [{"kind": "registered", "persons": -5}]},
            "to": 1,
        },
        [("case.city.name", 5), ("case.city.date", None), ("case.component[0].persons", -5)],
        id="case",
    ),
    pytest.param("/served-population", {"case": 5}, [("case", 5)], id="no_case"),
    pytest.param("/served-population", {"to": 1}, [("to", 1)], id="to"),
]


@pytest.mark.parametrize(("path", "request_", "told"), ROWS)
def test_a_fault_in_a_row_is_told_by_its_place_and_value(client, path, request_, told):
    answer = client.post(path, json=request_)

    assert answer.status_code == 422
    details = fault(answer)["details"]
    assert [(one["field"], one["value"]) for one in details][: len(told)] == told
    assert all(one["expected"] for one in details)


def test_a_word_that_is_none_of_a_few_is_told_these(client):
    error = fault(client.post("/projection", json={"level": "hihg"}))

    assert error["message"] == "level must be one of low, medium, high; did you mean 'high'?"
    assert error["details"][0]["expected"] == "one of low, medium, high; did you mean 'high'?"


VALUES = [None, 0, 1.5, "", "x" * 300, [None], {}]


def test_no_fault_is_told_in_the_words_of_the_library(bundle):
    known, told = known_of(bundle), []
    for model in (ForecastRequest, FlowsRequest, *(asked for _, _, asked in ADVICE.values())):
        for field in model.model_fields:
            for value in VALUES:
                try:
                    asked_of(json.dumps({field: value}).encode(), model, known)
                except RequestError as refused:
                    told += [(field, value, one.expected) for one in refused.error.details]

    assert len(told) > 50
    assert [one for one in told if re.search("should|Value error|a valid ", one[2])] == []


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
