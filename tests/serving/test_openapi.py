"""The OpenAPI document describes every route, every answer and every fault."""

import pytest


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


def test_every_path_that_answers_is_described(client, document):
    paths = {"/schema.json", *(path for path in client.get("/schema.json").json()["paths"] if "{" not in path)}
    paths |= {"/healthz", "/livez", "/readyz", "/metrics"}

    assert set(document["paths"]) == paths - {"/schema.json"}


def test_every_method_that_is_described_is_taken(client, document):
    for path, operations in document["paths"].items():
        for method in operations:
            wanted = 403 if path.startswith("/admin") else 200
            assert client.request(method.upper(), path, json={}).status_code == wanted


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
