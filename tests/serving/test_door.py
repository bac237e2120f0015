"""What holds for every request: its name, its line in the log, its headers, and the form of what fails inside."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from models.bundle import Bundle
from serving.answers import answers_of
from serving.requests_log import ACCESS, JsonLines
from serving.routes import create_app
from tests.serving.test_errors import fault


@pytest.fixture
def app(flow_bundle: Bundle):
    app = create_app()
    app.state.answers = answers_of(flow_bundle)
    return app


@pytest.fixture
def lines(monkeypatch) -> Iterator[Callable[[], list[str]]]:
    """Of the log, whether or not a service of this process writes it."""
    told = io.StringIO()
    listening = logging.StreamHandler(told)
    listening.setFormatter(JsonLines())
    logger = logging.getLogger("qonys")
    logger.addHandler(listening)
    monkeypatch.setattr(ACCESS, "stream", told)
    yield lambda: told.getvalue().splitlines()
    logger.removeHandler(listening)


class Broken:
    """Answers, or metrics, that fail."""

    tag = ""

    def __getattr__(self, name: str):
        raise ZeroDivisionError(name)


def test_a_failure_inside_is_told_in_the_one_form_and_logged(app, lines):
    app.state.answers = Broken()

    answer = TestClient(app).post("/forecast", json={}, headers={"X-Request-ID": "mine"})

    assert answer.status_code == 500
    assert fault(answer)["code"] == "internal_error"
    assert answer.headers["x-request-id"] == "mine"
    told = next(line for line in map(json.loads, lines()) if "traceback" in line)
    assert told["id"] == "mine"
    assert "ZeroDivisionError" in told["traceback"]
    assert "ZeroDivisionError" not in answer.text


def test_a_failure_of_the_door_itself_hangs_nobody(app):
    app.state.rules = Broken()

    answer = TestClient(app, raise_server_exceptions=False).post("/forecast", json={})

    assert answer.status_code == 500
    assert fault(answer)["code"] == "internal_error"


@pytest.mark.parametrize("given", ["a", "0f1aa680-5079/4d4d", "x" * 128])
def test_a_request_keeps_its_name(client, given):
    assert client.get("/regions", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 129, '"}{"', "é"])
def test_a_request_without_a_name_that_can_stand_in_a_log_gets_one(client, given):
    headers = {} if given is None else {"X-Request-ID": given.encode("latin-1")}

    made = {client.get("/regions", headers=headers).headers["x-request-id"] for _ in range(2)}

    assert len(made) == 2
    assert all(len(name) == 16 for name in made)


@pytest.mark.parametrize("path", ["/forecast", "/nowhere", "/readyz", "/metrics"])
def test_every_answer_has_the_headers_that_guard_browsers(client, path):
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_each_request_is_one_line_of_the_log(app, lines):
    asked = TestClient(app).post("/forecast", json={"target": "inflow"}, headers={"X-Request-ID": "one"})
    TestClient(app).get("/%0A%22{", headers={"X-Request-ID": "two"})

    first, second = (json.loads(line) for line in lines())
    assert set(first) == {
        *("time", "level", "log", "id", "method", "path", "status", "code", "ms", "bytes", "target", "key", "client")
    }
    assert (first["id"], first["path"], first["status"], first["target"]) == ("one", "/forecast", 200, "inflow")
    assert first["bytes"] == len(asked.content)
    assert 0 < first["ms"] < 60_000
    assert (second["id"], second["status"], second["code"]) == ("two", 404, "unknown_route")


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        pytest.param("/regions?" + "x" * 9_000, {}, 414, "url_too_long", id="url"),
        pytest.param("/regions", {"X-Large": "x" * 33_000}, 431, "headers_too_large", id="large_header"),
        pytest.param("/regions", {f"X-{n}": "x" for n in range(120)}, 431, "headers_too_large", id="many_headers"),
    ],
)
def test_a_request_larger_than_any_is_refused(client, path, headers, status, code):
    answer = client.get(path, headers=headers)

    assert answer.status_code == status
    assert fault(answer)["code"] == code


# --- metrics --------------------------------------------------------------------------------------------------------


def counted(client: TestClient) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("qonys_")}


def requests(endpoint: str, outcome: str, target: str = "none") -> str:
    return f'qonys_requests_total{{endpoint="{endpoint}",outcome="{outcome}",target="{target}"}}'


def test_requests_are_counted_by_endpoint_target_and_outcome(client):
    before = counted(client)
    client.post("/forecast", json={"target": "inflow"})
    client.post("/forecast", json={"target": "unheard"})
    client.get("/regions", headers={"If-None-Match": client.get("/regions").headers["etag"]})

    after = counted(client)

    for name in (
        requests("/forecast", "ok", "inflow"),
        requests("/forecast", "unknown_target"),
        requests("/regions", "not_modified"),
        'qonys_request_seconds_count{endpoint="/regions"}',
    ):
        assert after[name] > before.get(name, 0), name


def test_a_log_that_cannot_be_written_does_not_take_the_answer(app, monkeypatch):
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(ACCESS, "stream", gone)

    assert TestClient(app).post("/forecast", json={}).status_code == 200


def test_paths_that_nobody_knows_are_one_endpoint(client):
    before = set(counted(client)) | {requests("other", "unknown_route")}
    for number in range(20):
        client.get(f"/wp-admin/{number}")

    added = set(counted(client)) - before

    assert not [name for name in added if "wp-admin" in name]
    assert counted(client)[requests("other", "unknown_route")] >= 20


def test_a_metric_that_fails_does_not_take_the_answer(app, monkeypatch):
    app.state.rules.metrics = Broken()

    answer = TestClient(app, raise_server_exceptions=False).post("/forecast", json={})

    assert answer.status_code == 200


# --- what is had already --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("POST", "/forecast", {"target": "inflow"}),
        ("POST", "/flows", {"top": 2}),
        ("GET", "/regions", None),
        ("GET", "/model", None),
        ("HEAD", "/model", None),
    ],
)
def test_an_answer_that_is_had_is_not_sent_again(client, method, path, asked):
    first = client.request(method, path, json=asked)
    again = client.request(method, path, json=asked, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})

    assert first.status_code == 200
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"] == "private, no-cache"


def test_another_request_has_another_tag(client):
    asked = [("/forecast", {}), ("/forecast", {"target": "inflow"}), ("/flows", {"top": 1}), ("/flows", {"top": 2})]

    tags = {client.post(path, json=body).headers["etag"] for path, body in asked}

    assert len(tags) == len(asked)


def test_a_fault_has_no_tag(client):
    assert "etag" not in client.post("/forecast", json={"target": "unheard"}).headers


def test_without_a_model_the_service_says_so(lines):
    client = TestClient(create_app())

    refused = [client.post("/forecast", json={}), client.get("/model"), client.get("/readyz")]

    assert [(one.status_code, fault(one)["code"]) for one in refused] == [(503, "no_model")] * 3
    assert all(one.headers["retry-after"] == "5" for one in refused)
    assert client.get("/openapi.json").status_code == 200
