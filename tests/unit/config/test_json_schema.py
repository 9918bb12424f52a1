"""The JSON Schema for editors agrees with what is accepted and explains every key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from centralized_ml_api.config.json_schema import build_schema, load_schema_text, render_schema
from centralized_ml_api.config.starter import render_starter

VALIDATOR = jsonschema.Draft202012Validator(build_schema())
BROKEN = Path(__file__).parent / "broken"
SEEN_BY_A_SCHEMA = [
    "C010", "C011", "C012", "C013", "C013-engine", "C014", "C015", "C015-variable", "C101", "C103",
    "C105", "C106", "C111", "C112", "C201", "C205", "C206", "C305",
    "C013-provider", "C016", "C801", "C802", "C805",
]  # fmt: skip


def test_the_committed_schema_is_the_generated_one() -> None:
    assert load_schema_text() == render_schema(), "models.schema.json is stale: run `make docs`"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(build_schema())


def test_good_configs_are_valid(good: dict[str, Any]) -> None:
    VALIDATOR.validate(good)
    VALIDATOR.validate({"$schema": "./models.schema.json", "models": []})
    local = {"engine": "url", "url": "http://127.0.0.1:9/x"}
    VALIDATOR.validate({"models": [{"name": "chat", "integration": {"type": "api"}, "local": local}]})


@pytest.mark.parametrize("name", SEEN_BY_A_SCHEMA)
def test_an_editor_sees_what_a_schema_can_say(name: str) -> None:
    assert not VALIDATOR.is_valid(json.loads((BROKEN / f"{name}.json").read_text()))


def test_every_key_is_explained_and_every_value_but_objects_has_an_example() -> None:
    schema = build_schema()
    for kind in [schema, *schema["$defs"].values()]:
        for key, described in kind["properties"].items():
            assert described.get("description") or "$ref" in described, key
            assert described.get("examples") or "$ref" in described, key


def test_examples_are_valid() -> None:
    schema = build_schema()
    for kind in [schema, *schema["$defs"].values()]:
        for described in kind["properties"].values():
            validator = VALIDATOR.evolve(schema=described)
            for example in described.get("examples", []):
                validator.validate(example)


def test_the_starter_is_valid_too() -> None:
    assert "$schema" in build_schema()
    assert render_starter(yaml=False) != render_starter(yaml=True)
