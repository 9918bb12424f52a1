"""No body makes a model read or write more than what was reserved for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from centralized_ml_api.local.admission.body_rules import build_passed_on
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.admission.needs import (
    MEDIA_TOKENS,
    TEMPLATE_TOKENS,
    TOOL_TEMPLATE_TOKENS,
    TokenNeed,
    measure_bytes,
    measure_need,
)
from centralized_ml_api.local.admission.terms import EntryTerms

CHAT = EntryTerms(has_tokens=True)
CAPPED = EntryTerms(max_output_tokens=50, limit_key="max_completion_tokens")
COMPLETIONS = EntryTerms(path="/v1/completions")
RESPONSES = EntryTerms(path="/v1/responses")
MESSAGES = EntryTerms(path="/v1/messages")
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


def measure(entry: EntryTerms, **document: Any) -> TokenNeed:
    return measure_need(100, document, entry)


@pytest.mark.parametrize(
    ("entry", "document", "written", "members"),
    [
        (CHAT, {}, 4096, {"max_tokens": 4096}),
        (CHAT, {"max_tokens": 9}, 9, {}),
        (CHAT, {"max_completion_tokens": 9}, 9, {"max_tokens": 9}),
        (CHAT, {"max_completion_tokens": 9, "max_tokens": None}, 9, {"max_tokens": 9}),
        (CHAT, {"max_completion_tokens": -1}, 4096, {"max_completion_tokens": 4096, "max_tokens": 4096}),
        (CHAT, {"max_completion_tokens": 9, "max_tokens": 90}, 90, {}),
        (CHAT, {"max_tokens": None}, 4096, {"max_tokens": 4096}),
        (CHAT, {"max_tokens": -1}, 4096, {"max_tokens": 4096}),
        (CHAT, {"max_tokens": "9"}, 4096, {"max_tokens": 4096}),
        (CHAT, {"max_tokens": True}, 4096, {"max_tokens": 4096}),
        (CHAT, {"n_predict": 90}, 4096, {"max_tokens": 4096}),
        (CHAT, {"n_predict": -1, "max_tokens": 9}, 4096, {"n_predict": 4096}),
        (CHAT, {"n": 3, "max_tokens": 9}, 27, {}),
        (CAPPED, {}, 50, {"max_completion_tokens": 50}),
        (CAPPED, {"max_tokens": 51}, 50, {"max_tokens": 50}),
        (CAPPED, {"max_tokens": 9}, 9, {}),  # OpenAI reads it, and refuses both together
        (COMPLETIONS, {"prompt": "a", "max_tokens": 9, "best_of": 4, "n": 2}, 36, {}),
        (COMPLETIONS, {"prompt": ["a", "b"], "max_tokens": 9, "n": 2}, 36, {}),
        (COMPLETIONS, {"prompt": [1, 2, 3], "max_tokens": 9}, 9, {}),
        (RESPONSES, {"input": "a"}, 4096, {"max_output_tokens": 4096}),
        (MESSAGES, {"max_tokens": 9}, 9, {}),
        (EntryTerms(path="/v1/embeddings"), {"input": "a"}, 0, {}),
        (EntryTerms(context=2048, answer_tokens=512), {}, 512, {"max_tokens": 512}),
        (EntryTerms(context=2048), {"max_tokens": 9999}, 2048, {}),
    ],
)
def test_an_answer_is_as_long_as_its_body_says_or_is_made_to_say(
    entry: EntryTerms, document: dict[str, Any], written: int, members: dict[str, int]
) -> None:
    need = measure(entry, **document)
    assert (need.written, need.members) == (written, members)


@pytest.mark.parametrize(
    ("entry", "document", "read"),
    [
        (CHAT, HELLO, 100 + TEMPLATE_TOKENS),
        (CHAT, {**HELLO, "tools": [{"type": "function"}]}, 100 + TEMPLATE_TOKENS + TOOL_TEMPLATE_TOKENS),
        (CHAT, {"messages": [{"content": [{"type": "image_url"}]}]}, 100 + TEMPLATE_TOKENS + MEDIA_TOKENS),
        (
            RESPONSES,
            {"input": [{"content": [{"type": "input_image"}] * 2}]},
            100 + TEMPLATE_TOKENS + 2 * MEDIA_TOKENS,
        ),
        (EntryTerms(context=128), HELLO, 128),
        (
            MESSAGES,
            {
                "messages": [
                    {"content": [{"type": "document", "source": {"type": "text", "data": "x"}}]},
                    {"content": [{"type": "tool_use", "input": {"type": "file", "file_id": "a"}}]},
                ]
            },
            100 + TEMPLATE_TOKENS,
        ),
        (
            MESSAGES,
            {
                "messages": [
                    {"type": "document", "source": {"type": "content", "content": [{"type": "image"}]}}
                ]
            },
            100 + TEMPLATE_TOKENS + MEDIA_TOKENS,
        ),
        (
            MESSAGES,
            {"tools": [{"name": "f", "input_schema": {}}, {"type": "custom", "name": "g"}]},
            100 + TEMPLATE_TOKENS + TOOL_TEMPLATE_TOKENS,
        ),
    ],
)
def test_a_prompt_has_at_most_a_token_a_byte_and_what_is_added(
    entry: EntryTerms, document: dict[str, Any], read: int
) -> None:
    assert measure(entry, **document).read == read


@pytest.mark.parametrize(
    ("entry", "document", "name"),
    [
        (RESPONSES, {"previous_response_id": "resp_1"}, "previous_response_id"),
        (RESPONSES, {"prompt": {"id": "p"}}, "prompt"),
        (RESPONSES, {"tools": [{"type": "web_search"}]}, "web_search"),
        (RESPONSES, {"input": [{"type": "item_reference", "id": "a"}]}, "item_reference"),
        (RESPONSES, {"input": [{"content": [{"type": "input_file", "file_id": "f"}]}]}, "file_id"),
        (CHAT, {"web_search_options": {"a": 1}}, "web_search_options"),
        (MESSAGES, {"mcp_servers": [{"url": "a"}]}, "mcp_servers"),
        (MESSAGES, {"tools": [{"type": "web_search_20250305"}]}, "web_search_20250305"),
        (CHAT, {"service_tier": "priority"}, "service_tier"),
        (CHAT, {"n": "3"}, "n"),
        (CHAT, {"messages": [{"content": [{"type": "file", "file": {"file_data": "x"}}]}]}, "file"),
        (CHAT, {"messages": [{"content": [{"type": "video_url"}]}]}, "video_url"),
        (RESPONSES, {"input": [{"content": [{"type": "input_file", "file_data": "x"}]}]}, "input_file"),
        (
            MESSAGES,
            {"messages": [{"content": [{"type": "document", "source": {"type": "base64"}}]}]},
            "document",
        ),
        (CHAT, {"tools": [{"type": "openrouter:web_search"}]}, "openrouter:web_search"),
        (CHAT, {"tools": [{"google_search": {}}]}, "google_search"),
        (CHAT, {"plugins": [{"id": "web"}]}, "plugins"),
        (CHAT, {"search_parameters": {"mode": "on"}}, "search_parameters"),
        (CHAT, {"models": ["a"]}, "models"),
    ],
)
def test_what_nothing_bounds_is_refused_by_name(
    entry: EntryTerms, document: dict[str, Any], name: str
) -> None:
    with pytest.raises(BodyError, match=f"'{name}'"):
        measure(entry, **document)


def test_where_there_are_no_tokens_bytes_are_counted() -> None:
    assert measure_bytes(403, EntryTerms()) == TokenNeed(100, 4096)
    assert measure_bytes(400, EntryTerms(max_output_tokens=9)) == TokenNeed(100, 9)


@pytest.mark.parametrize(("document", "images"), [({}, 1), ({"n": 4}, 4), ({"n": None}, 1)])
def test_each_image_counts(document: dict[str, Any], images: int) -> None:
    entry = EntryTerms(path="/v1/images/generations", max_output_tokens=9)
    assert measure_bytes(400, entry, document) == TokenNeed(100, 9 * images)


def test_the_number_of_images_is_a_number() -> None:
    with pytest.raises(BodyError, match="'n'"):
        measure_bytes(400, EntryTerms(path="/v1/images/generations"), {"n": "4"})


def test_a_prompt_of_a_completion_may_be_an_object_of_anything() -> None:
    assert measure(COMPLETIONS, prompt="x", max_tokens=1).written == 1
    assert json.dumps(dict(measure(CHAT).members)) == '{"max_tokens": 4096}'


def test_a_body_that_says_all_that_bounds_it_is_not_sent_back() -> None:
    entry = EntryTerms(has_tokens=True)
    for said, passed_on in (({"max_tokens": 9}, None), ({}, b'{"max_tokens":4096,"messages":[]}')):
        body = read_json_object(json.dumps({**said, "messages": []}, separators=(",", ":")).encode())
        bounds = measure_need(9, body.document, entry).members
        assert build_passed_on(body, entry, bounds) == passed_on
