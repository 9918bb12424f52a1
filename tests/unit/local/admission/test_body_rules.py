"""Whatever stands in place of a part of a body, the call is refused in words or passed on."""

from __future__ import annotations

import contextlib
import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.admission.body_rules import build_passed_on
from centralized_ml_api.local.admission.json_body import BodyError, JsonBody
from centralized_ml_api.local.admission.prompts import RecentPrompts
from centralized_ml_api.local.admission.terms import LLAMA_CPP, EntryTerms
from centralized_ml_api.plan.apis import CHAT, COMPLETIONS, MESSAGES, RESPONSES

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = tuple[str | int, ...]

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string", "pattern": "^a$", "enum": ["a"]}, "b": {"$ref": "#/$defs/x"}},
    "$defs": {"x": {"anyOf": [{"type": "null"}, {"maxLength": 1}]}},
}
FUNCTION = {"name": "f", "description": "d", "parameters": SCHEMA}
TEXT = {"type": "text", "text": "a"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}

BODIES: dict[str, dict[str, Any]] = {
    CHAT.paths[0]: {
        "messages": [
            {"role": "system", "content": [TEXT]},
            {"role": "user", "content": "a", "name": "n"},
            {"role": "assistant", "content": None, "reasoning_content": "r", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "a", "content": "x"},
        ],
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        "stream_options": {"include_usage": True},
        "chat_template_kwargs": {"enable_thinking": False},
        "logit_bias": {"1": 1},
        "stop": ["a"],
        "samplers": ["top_k"],
        "max_tokens": 1,
    },
    COMPLETIONS.paths[0]: {"prompt": ["a", [1]], "json_schema": SCHEMA, "n": 1, "best_of": 1, "stop": "a"},
    RESPONSES.paths[0]: {
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
            {"type": "reasoning", "summary": [{"text": "a"}], "content": [{"text": "a"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "x"},
        ],
        "tools": [{"type": "function", **FUNCTION}],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "f"}],
        },
        "text": {"format": {"type": "json_schema", "name": "a", "schema": {}}},
        "reasoning": {"effort": "low"},
    },
    MESSAGES.paths[0]: {
        "system": [TEXT],
        "messages": [
            {"role": "user", "content": "a"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t"},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {"a": [1]}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [TEXT]}]},
        ],
        "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}],
        "tool_choice": {"type": "tool", "name": "f"},
        "thinking": {"type": "enabled", "budget_tokens": 5},
        "stop_sequences": ["a"],
        "max_tokens": 1,
    },
}
"""A body with all kinds of parts, by the path that takes it."""

FEW: list[Any] = [None, True, [], {"type": {}}]
MANY: list[Any] = [
    *(0, -1, 2**70, 1e308, "", "a", {}, [[]], [None], ["a"], [1], [{}], {"type": []}, {"a": None}),
    *(TEXT, {"type": "function"}, {"$ref": "#"}, {"$ref": []}, {"name": []}, {"format": []}, "tool"),
]
"""What may stand in a place instead."""


def list_places(value: Any, place: PLACE = ()) -> Iterator[PLACE]:
    """The place of every value inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        yield from list_places(inner, (*place, key))


def put(document: dict[str, Any], place: PLACE, odd: Any) -> dict[str, Any]:
    """The document with another value in a place."""
    changed = deepcopy(document)
    outer: Any = changed
    for key in place[:-1]:
        outer = outer[key]
    outer[place[-1]] = odd
    return changed


def decide(path: str, document: dict[str, Any]) -> bytes | None:
    """What the server gets of a body, after all that is asked of it before."""
    entry = EntryTerms(
        places=4, body_rules=LLAMA_CPP, slots=4, context=2048, max_output_tokens=100, path=path
    )
    passed_on = build_passed_on(JsonBody(json.dumps(document), document), entry)
    RecentPrompts().measure("m", entry, document)
    return passed_on


@pytest.mark.parametrize("path", BODIES)
def test_a_body_with_all_kinds_of_parts_is_passed_on(path: str) -> None:
    assert decide(path, BODIES[path])


@pytest.mark.parametrize("odds", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"])
@pytest.mark.parametrize("path", BODIES)
def test_no_value_in_any_place_is_met_by_anything_but_words(path: str, odds: list[Any]) -> None:
    for place in list_places(BODIES[path]):
        for odd in odds:
            with contextlib.suppress(BodyError):
                json.loads(decide(path, put(BODIES[path], place, odd)) or "null")
