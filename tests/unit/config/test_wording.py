"""How values and suggestions are worded."""

from __future__ import annotations

import pytest

from centralized_ml_api.config.document import json_path
from centralized_ml_api.config.shape.location import document_path
from centralized_ml_api.config.wording import listed, nearest, quoted


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("intance", "instance"),
        ("Instance", "instance"),
        ("model-id", "model_id"),
        ("colour", None),
        ("", None),
    ],
)
def test_the_nearest_word_is_what_was_probably_meant(word: str, meant: str | None) -> None:
    assert nearest(word, ["instance", "model_id", "name"]) == meant


def test_words_are_enumerated() -> None:
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]


def test_long_values_are_cut() -> None:
    assert quoted("x" * 200) == '"' + "x" * 78 + "…"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "$"),
        (("models", 1, "instance"), "$.models[1].instance"),
        (("$schema",), '$["$schema"]'),
        (("a b", "é", ""), '$["a b"]["é"][""]'),
    ],
)
def test_a_path_is_a_json_path(path: tuple[str | int, ...], text: str) -> None:
    assert json_path(path) == text


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        (("models", 0, "local", "url", "url"), ("models", 0, "local", "url")),
        (("models", 0, "local"), ("models", 0, "local")),
        (("event", "teams", 3, "team", "name"), ("event", "teams", 3, "name")),
        (
            ("endpoints", 1, "integration", "properties", "permissions", "scoped", "actions", 0),
            ("endpoints", 1, "integration", "properties", "permissions", "actions", 0),
        ),
    ],
)
def test_the_tags_of_unions_are_not_steps(loc: tuple[str | int, ...], path: tuple[str | int, ...]) -> None:
    assert document_path(loc) == path
