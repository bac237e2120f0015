"""Illustration: schemas whose fields all have an example; where a field holds a schema, made of that one's."""

from collections.abc import Mapping
from typing import Any

from serving.examples import EXAMPLES, OTHERWISE

Schema = Mapping[str, Any]


def illustrated(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """By name. Raises KeyError for a field of which nothing tells an example."""
    return {name: _with_fields(name, schema, schemas) for name, schema in schemas.items()}


def _with_fields(name: str, told: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """Also of what is described where it stands, in place of a reference."""
    if "anyOf" in told:
        return {**told, "anyOf": [_with_fields(one.get("title", name), one, schemas) for one in told["anyOf"]]}
    if "properties" not in told:
        return told
    fields = {
        field: {"examples": [_example(name, field, one, schemas)], **_with_fields("", one, schemas)}
        for field, one in told["properties"].items()
    }
    return {**told, "properties": fields}


def _example(name: str, field: str, told: Schema, schemas: Mapping[str, Schema]) -> Any:
    if "examples" in told:
        return told["examples"][0]
    if f"{name}.{field}" in OTHERWISE:
        return OTHERWISE[f"{name}.{field}"]
    if "const" in told or "enum" in told:
        return told["const"] if "const" in told else told["enum"][0]
    made = _made(told, schemas)
    return EXAMPLES[field] if made is None else made


def _made(told: Schema, schemas: Mapping[str, Schema]) -> Any:
    """Of what other schemas tell; None where it is none of them."""
    if "$ref" in told:
        name = told["$ref"].rpartition("/")[2]
        fields = schemas[name]["properties"].items()
        return {field: _example(name, field, one, schemas) for field, one in fields}
    if "items" in told:
        one = _made(told["items"], schemas)
        return None if one is None else [one]
    found = (_made(one, schemas) for one in told.get("anyOf", ()))
    return next((one for one in found if one is not None), None)
