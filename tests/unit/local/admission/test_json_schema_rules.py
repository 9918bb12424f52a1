"""JSON schemas: those of SDKs pass, those that cost llama.cpp without bound do not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from centralized_ml_api.local.admission.json_schema_rules import check_json_schema


class _Step(BaseModel):
    text: str
    followed_by: list[_Step] = []


class _Answer(BaseModel):
    steps: list[_Step]
    count: int | None
    kind: dict[str, float]


def _messages(schema: Any) -> list[str]:
    return [violation.message for violation in check_json_schema("s", schema)]


def _nest(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        _Answer.model_json_schema(),
        _nest(16),
        {"enum": list(range(100))},
        {"type": "object", "properties": {f"p{i}": {"type": "string"} for i in range(499)}},
        {"type": "array", "maxItems": 2000, "minItems": 0},
        {"items": [{"$ref": "#/items/1"}, {"type": "string"}]},
        {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"const": 1}}},
        {
            "properties": {
                "enum": {"enum": ["a"]},
                "pattern": {"pattern": "^a$"},
                "maxItems": {"type": "null"},
            }
        },
    ],
)
def test_a_schema_of_an_sdk_passes(schema: Any) -> None:
    assert _messages(schema) == []


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("x", "'s' must be a JSON schema: an object."),
        ({"description": "x" * 32_768}, "has 32,787 characters; this model takes at most 32,768."),
        (_nest(17), "nests 17 schemas; this model takes at most 16."),
        (
            {"properties": {f"p{i}": {"enum": ["a"]} for i in range(250)}},
            "has 501 parts (schemas, properties and enum values); this model takes at most 500.",
        ),
        ({"enum": [0] * 101}, "has a value of 101 forms (enum, anyOf, oneOf); this model takes at most 100."),
        ({"items": {"maxItems": 2001}}, "'s.items.maxItems' must be an integer from 0 to 2,000."),
        ({"minLength": -1}, "'s.minLength' must be an integer from 0 to 2,000."),
        ({"minLength": "1"}, "'s.minLength' must be an integer from 0 to 2,000."),
        (
            {"prefixItems": [{"maxLength": 2000}] * 6},
            "has counts (maxItems, maxLength, …) of 12,000 together",
        ),
        (
            {"properties": {"a": {"pattern": "^(a?){9}$"}}},
            "'s.properties.a.pattern' repeats what may be empty.",
        ),
        ({"pattern": 1}, "'s.pattern' must be a string."),
        ({"enum": 1}, "'s.enum' must be a list."),
        ({"$ref": "#"}, "'s' refers to itself in a circle: put an object or a list between."),
        ({"allOf": [{"$ref": "#"}]}, "refers to itself in a circle"),
        (
            {
                "$ref": "#/$defs/a",
                "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"oneOf": [{"$ref": "#/$defs/a"}]}},
            },
            "refers to itself in a circle",
        ),
        ({"items": {"$ref": "https://example.com"}}, "'s.items.$ref' must lead to a schema in this one"),
        ({"$ref": "#/$defs/a"}, "'s.$ref' must lead to a schema in this one"),
        ({"$ref": "#/items/99999999999", "items": []}, "'s.$ref' must lead to a schema in this one"),
        (
            {"$ref": "#/examples/0", "examples": [{"pattern": "(a?){99}"}]},
            "must lead to a schema in this one",
        ),
        ({"$ref": 1}, "'s.$ref' must lead to a schema in this one"),
    ],
)
def test_what_costs_too_much_is_refused(schema: Any, message: str) -> None:
    assert any(message in found for found in _messages(schema)), _messages(schema)


def test_forms_multiply_through_references() -> None:
    doubled = {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(60)}
    schema = {"$ref": "#/$defs/a0", "$defs": {**doubled, "a60": {"type": "string"}}}
    (message,) = _messages(schema)
    assert f"has a value of {2**60:,} forms" in message
