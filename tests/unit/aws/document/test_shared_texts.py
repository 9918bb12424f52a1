"""Texts that a large document repeats are kept once."""

from __future__ import annotations

from typing import Any

from centralized_ml_api.aws.document.shared_texts import (
    PLAIN_CHARACTERS,
    is_large,
    repeated_texts,
    replace_texts,
)

LONG = "#set($a=1)" * 20
OTHER = "#set($b=1)" * 20


def operation(**templates: str) -> dict[str, Any]:
    return {"responses": {"200": {"responseTemplates": templates}}}


def test_a_document_is_large_from_one_character_above_the_limit() -> None:
    assert not is_large("x" * (PLAIN_CHARACTERS - 2)), "the quotes count"
    assert is_large("x" * (PLAIN_CHARACTERS - 1))


def test_only_long_templates_that_occur_twice_are_kept_once() -> None:
    document = {
        "paths": [operation(json=LONG, text=OTHER), operation(json=LONG, text="x")],
        "requestTemplates": {"json": "x", "text": "y" * 100, "html": "y" * 100},
        "title": LONG,
        "summary": OTHER,
    }
    (key,) = repeated_texts(document)
    assert repeated_texts(document) == {key: LONG}
    assert len(key) == 8


def test_a_changed_text_has_another_key() -> None:
    keys = [list(repeated_texts([operation(json=text)] * 2)) for text in (LONG, OTHER)]
    assert keys[0] != keys[1]


def test_templates_of_101_characters_are_worth_it() -> None:
    for length, kept in ((100, 0), (101, 1)):
        assert len(repeated_texts([operation(json="x" * length)] * 2)) == kept


def test_found_templates_are_replaced_and_nothing_else() -> None:
    document = {"a": [operation(json=LONG, text=OTHER)], "title": LONG, "requestTemplates": {"json": LONG}}
    reference = {"Fn::FindInMap": ["Texts", "a", "Text"]}
    assert replace_texts(document, {LONG: reference}.get) == {
        "a": [{"responses": {"200": {"responseTemplates": {"json": reference, "text": OTHER}}}}],
        "title": LONG,
        "requestTemplates": {"json": reference},
    }
