"""Every field of the OpenAPI document has an example, and it is of the field's type."""

import json

from serving.openapi import document

TYPES = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def fields() -> list[tuple[str, dict]]:
    schemas = json.loads(document())["components"]["schemas"]
    return [
        (f"{name}.{field}", told)
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
    ]


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


def test_every_field_has_an_example():
    lacking = [name for name, told in fields() if "examples" not in told and '"$ref"' not in json.dumps(told)]

    assert lacking == []


def test_every_example_is_of_its_fields_type():
    wrong = [(name, one) for name, told in fields() for one in told.get("examples", []) if not fits(one, told)]

    assert wrong == []


def test_what_answers_without_a_key_says_so():
    told = json.loads(document())

    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert told["security"] == [{}, {"key": []}]
    assert told["paths"]["/admin/reload"]["post"]["security"] == [{"key": []}]
    assert told["paths"]["/readyz"]["get"]["security"] == []


def test_each_fault_that_any_request_may_meet_is_described():
    for path, operations in json.loads(document())["paths"].items():
        for operation in operations.values():
            if "/admin" in path:
                assert {"401", "403", "409", "429"} <= set(operation["responses"])
            elif "parameters" in operation:
                assert {"304", "401", "414", "429", "431", "500"} <= set(operation["responses"])
