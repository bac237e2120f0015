"""Everything in the OpenAPI document is described and has an example, of its type and as its description says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from models.served_population_case import case_of
from serving.examples import EXAMPLES, OTHERWISE
from serving.openapi import ANSWERS, document

SCHEMAS = json.loads(document())["components"]["schemas"]
TYPES = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def fields() -> Iterator[tuple[str, dict]]:
    """Also of what is described where it stands, in place of a reference."""
    for name, schema in SCHEMAS.items():
        for field, told in schema.get("properties", {}).items():
            yield f"{name}.{field}", told
            for inner in told.get("anyOf", []):
                yield from ((f"{name}.{field}.{one}", of_it) for one, of_it in inner.get("properties", {}).items())


def fits(value, told: dict) -> bool:
    if "anyOf" in told:
        return any(fits(value, one) for one in told["anyOf"])
    if "enum" in told or "const" in told:
        return value in told.get("enum", [told.get("const")])
    if "type" not in told:
        return True
    if not isinstance(value, TYPES[told["type"]]) or (isinstance(value, bool) and told["type"] != "boolean"):
        return False
    if isinstance(value, dict) and isinstance(inner := told.get("additionalProperties"), dict):
        return all(fits(one, inner) for one in value.values())
    return all(fits(one, told["items"]) for one in value) if isinstance(value, list) and "items" in told else True


def whole(name: str) -> dict[str, Any]:
    """A schema's example, of those of its fields."""
    return {field: told["examples"][0] for field, told in SCHEMAS[name].get("properties", {}).items()}


def parts(value: Any) -> Iterator[dict]:
    """Every object in a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def test_everything_is_described_and_has_an_example():
    assert [name for name, schema in SCHEMAS.items() if not schema.get("description")] == []
    assert [name for name, told in fields() if not told.get("description") or not told.get("examples")] == []


def test_no_example_is_of_what_is_no_field():
    names = {name.partition(".")[2] for name, _ in fields()} | {name.rpartition(".")[2] for name, _ in fields()}

    assert set(OTHERWISE) <= {name for name, _ in fields()}
    assert set(EXAMPLES) <= names


def test_every_example_is_of_its_fields_type():
    wrong = [(name, one) for name, told in fields() for one in told.get("examples", []) if not fits(one, told)]

    assert wrong == []


@pytest.mark.parametrize("model", ANSWERS)
def test_the_example_of_an_answer_is_such_an_answer(model):
    model.model_validate(whole(model.__name__))


def test_an_example_lies_where_its_description_says():
    told = {name: (of_it["description"], of_it["examples"][0]) for name, of_it in fields()}
    numbers = {name: one for name, one in told.items() if isinstance(one[1], int | float)}
    shares = [name for name, (text, one) in numbers.items() if re.search(r"\b0-1\b", text) and not 0 <= one <= 1]
    below = [name for name, (text, one) in numbers.items() if "0 or below" in text and one > 0]
    above = [name for name, (text, one) in numbers.items() if re.search("0 or above|above 0$", text) and one < 0]
    persons = [name for name, (text, one) in numbers.items() if re.search("[Pp]ersons", text) and abs(one) < 1]

    assert (shares, below, above, persons) == ([], [], [], [])


def test_numbers_of_an_example_agree_with_each_other():
    for model in ANSWERS:
        for one in parts(whole(model.__name__)):
            levels = [one[level] for level in sorted(one) if level[:2] == "0."]
            assert levels == sorted(levels)
            for low, high in (("lower", "upper"), ("skill_low", "skill_high"), ("smallest", "largest")):
                assert low not in one or one[low] < one[high]
            for middle in ("relative_change", "persons", "skill"):
                low, high = ("skill_low", "skill_high") if middle == "skill" else ("lower", "upper")
                assert not {low, middle, high} <= set(one) or one[low] <= one[middle] <= one[high]
            if {"baseline", "scenario", "difference"} <= set(one):
                assert one["scenario"]["0.5"] - one["baseline"]["0.5"] == one["difference"]["0.5"]


def test_what_follows_from_other_numbers_of_an_example_does():
    gap, row, year = whole("Difference"), whole("LedgerRow"), whole("PopulationYear")
    labour, effect, score = whole("LabourYear"), whole("RegionEffect"), whole("VintageScore")
    middle = {name: year[name]["0.5"] for name in ("population", "children", "working_age", "pension_age")}

    assert gap["difference"] == gap["destination_value"] - gap["origin_value"]
    assert gap["ratio"] == pytest.approx(gap["destination_value"] / gap["origin_value"], abs=0.01)
    assert row["residual"] == pytest.approx((row["reconciled"] - row["stated"]) / row["error"])
    assert middle["population"] == middle["children"] + middle["working_age"] + middle["pension_age"]
    dependants = middle["children"] + middle["pension_age"]
    assert year["dependency"]["0.5"] == pytest.approx(100 * dependants / middle["working_age"], abs=0.1)
    assert labour["gap"]["0.5"] == labour["jobs"] - labour["supply"]["0.5"]
    assert labour["closing_migration"]["0.5"] == pytest.approx(labour["gap"]["0.5"] / labour["participation"], abs=50)
    balance = effect["inflow"]["difference"]["0.5"] - effect["out_migration"]["difference"]["0.5"]
    assert effect["net_migration"]["difference"]["0.5"] == balance
    assert score["mean_error"] == score["abs_error"] / score["n"]
    assert score["skill"] == pytest.approx(1 - score["abs_error"] / score["error_persistence"], abs=0.001)
    assert whole("PastValue")["year"] <= whole("HistoryResponse")["cutoff"] < whole("RegionForecast")["year"]


def test_the_case_of_an_example_is_a_case():
    case_of(OTHERWISE["ServedRequest.case"])


def test_a_body_has_an_example_that_is_answered(client):
    for path, operations in json.loads(document())["paths"].items():
        for method, told in operations.items():
            if "requestBody" in told:
                body = told["requestBody"]["content"]["application/json"]["example"]
                status = client.request(method.upper(), path, json=body).status_code
                assert status == (403 if path.startswith("/admin") else 200), path


def test_what_answers_without_a_key_says_so():
    told = json.loads(document())

    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert told["security"] == [{}, {"key": []}]
    assert told["paths"]["/admin/reload"]["post"]["security"] == [{"key": []}]
    assert told["paths"]["/readyz"]["get"]["security"] == []
