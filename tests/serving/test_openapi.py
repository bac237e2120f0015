"""The OpenAPI document describes every route, every answer and every fault."""

import json

import pytest
from starlette.testclient import TestClient

from serving.keys import keys_of
from serving.openapi import document as written
from serving.routes import create_app
from serving.rules import Rules
from serving.settings import Settings

ALL = json.loads(written())["paths"]


@pytest.fixture(scope="module")
def document(client) -> dict:
    return client.get("/openapi.json").json()


def resolved(document: dict, node: dict) -> dict:
    while "$ref" in node:
        found = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def references(node) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [found for inner in node.values() for found in references(inner)]
    return [found for inner in node for found in references(inner)] if isinstance(node, list) else []


def test_every_path_that_answers_is_described(document):
    answered = {path for path in create_app().named if "{" not in path}

    assert set(document["paths"]) == answered


def test_what_is_not_described_is_not_answered(client):
    assert client.get("/schema.json").status_code == 404


def test_every_method_that_is_described_is_taken(client, document):
    for path, operations in document["paths"].items():
        for method in operations:
            wanted = 403 if path.startswith("/admin") else 200
            assert client.request(method.upper(), path, json={}).status_code == wanted
        if "get" in operations:
            assert client.head(path).status_code == 200


def test_every_reference_leads_somewhere(document):
    for reference in references(document):
        resolved(document, {"$ref": reference})


@pytest.mark.parametrize("path", ["/forecast", "/flows", "/scenario", "/projection", "/labour", "/model"])
def test_posting_tells_its_request_its_answer_and_its_faults(document, path):
    told = document["paths"][path]["post"]

    assert told["requestBody"]["required"]
    for status in ("200", "400", "404", "405", "413", "415", "422", "500"):
        answer = resolved(document, told["responses"][status])
        schema = answer["content"]["application/json"]["schema"]["$ref"]
        assert (schema == "#/components/schemas/ErrorResponse") == (status != "200")


def test_every_field_says_what_it_is(document):
    for name, schema in document["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            assert "description" in told, f"{name}.{field}"


def test_an_answer_has_the_fields_that_are_described(client, document):
    forecast = client.post("/forecast", json={"regions": ["KZ-71"], "horizons": [1]}).json()
    schemas = document["components"]["schemas"]

    assert set(forecast) == set(schemas["ForecastResponse"]["properties"])
    assert set(forecast["forecasts"][0]) == set(schemas["RegionForecast"]["properties"])
    assert set(forecast["forecasts"][0]["coverage_measured"]) == set(schemas["Coverage"]["properties"])
    levels = schemas["RegionForecast"]["properties"]["quantiles"]["required"]
    assert set(forecast["forecasts"][0]["quantiles"]) == set(levels)


def test_where_bentoml_keeps_its_document_there_is_the_same(client, document):
    assert client.get("/docs.json").json() == document


FAULTY = [
    pytest.param(405, "DELETE", {}, {}, id="method"),
    pytest.param(414, "", {}, {"params": {"q": "x" * 9000}}, id="url"),
    pytest.param(431, "", {}, {"headers": {f"x-{number}": "1" for number in range(120)}}, id="headers"),
    pytest.param(401, "", {"keys": keys_of(f"page:read:{'0' * 64}")[0]}, {}, id="key"),
    pytest.param(429, "", {"rate": 1}, {}, id="rate"),
    pytest.param(503, "", {}, {}, id="no_model"),
]


@pytest.mark.parametrize(("status", "method", "settings", "request_"), FAULTY)
def test_a_fault_is_described_where_it_is_met_and_only_there(status, method, settings, request_):
    """Of a service without a model, which answers 503 where a model is needed."""
    app = create_app()
    app.state.rules = Rules(Settings(**settings))
    asking = TestClient(app)
    for path, operations in ALL.items():
        for taken, told in operations.items():
            asked = {"json": {}} if taken == "post" else {}
            answers = [asking.request(method or taken.upper(), path, **asked, **request_) for _ in range(2)]
            if answers[-1].status_code == status:
                assert str(status) in told["responses"], path
            # Without a model that comes first; where administration is off too.
            elif answers[-1].status_code not in (403, 503) and status != 503:
                assert str(status) not in told["responses"], path
