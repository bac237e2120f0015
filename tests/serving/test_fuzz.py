"""Requests made from the OpenAPI document, such as it allows and such as it does not: each answer is as it says.

QONYS_FUZZ_CASES says how many, 200 by default; with 2,000 it takes about a minute.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from models.bundle import Bundle
from serving.answers import answers_of
from serving.openapi import document
from serving.routes import BENTOML, create_app

CASES = int(os.environ.get("QONYS_FUZZ_CASES", "200"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
"""Not whether whatever the document allows is answered: a text is a region only if the bundle knows it."""
OPERATIONS = [
    (method, path)
    for path, methods in json.loads(document())["paths"].items()
    for method in methods
    if path not in BENTOML
]


@pytest.fixture(scope="module")
def asked(bundle: Bundle) -> Iterator[tuple[BaseSchema, ASGIClient]]:
    """The document with known words, and who asks."""
    app = create_app()
    app.state.answers = answers_of(bundle)
    told = json.loads(document())
    for name, schema in told["components"]["schemas"].items():
        told["components"]["schemas"][name] = with_words(schema, words_of(bundle))
    schema = schemathesis.openapi.from_dict(told)
    schema.app = app  # pyright: ignore[reportAttributeAccessIssue]
    with get_client(app) as client:  # pyright: ignore[reportArgumentType]
        yield schema, client


def words_of(bundle: Bundle) -> dict[str, list[Any]]:
    """Values that a request can have, by the name of its field."""
    regions = sorted(bundle.forecast.targets["net_migration"].regions)
    indicators = list(bundle.advice.need_scenario_model().indicators)
    years = [bundle.manifest.cutoff + horizon for horizon in (1, 2, 9)]
    region_fields = dict.fromkeys(
        ("region", "regions", "origin", "origins", "destination", "destinations", "city"), regions
    )
    return region_fields | {
        "target": list(bundle.forecast.targets),
        "horizons": list(bundle.manifest.horizons),
        "indicator": indicators,
        "change": ["+15 %", "-99 %", "+0 %", "-2", "1e9 %"],
        **dict.fromkeys(("from", "to", "year", "years"), years),
    }


def with_words(schema: dict[str, Any], words: dict[str, list[Any]]) -> dict[str, Any]:
    """Of texts and numbers made at random none would be a region: the known ones are made too."""
    fields = schema.get("properties", {})
    return (
        schema | {"properties": {name: _worded(field, words.get(name)) for name, field in fields.items()}}
        if fields
        else schema
    )


def _worded(field: dict[str, Any], words: list[Any] | None) -> dict[str, Any]:
    if words is None:
        return field
    if field.get("type") in ("string", "integer", "number"):
        return {"anyOf": [{"enum": words}, {"type": field["type"]}]}
    told = dict(field)
    if "anyOf" in field:
        told["anyOf"] = [_worded(one, words) for one in field["anyOf"]]
    if "items" in field:
        told["items"] = _worded(field["items"], words)
    return told


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_the_document_says(asked, method, path):
    schema, client = asked
    operation = schema[path][method.upper()]
    modes = [GenerationMode.POSITIVE] + [GenerationMode.NEGATIVE] * (method == "post")

    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]))
    @settings(
        max_examples=max(1, CASES // len(OPERATIONS)),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def ask(case: schemathesis.Case) -> None:
        case.validate_response(case.call(session=client), checks=CHECKS)

    ask()
