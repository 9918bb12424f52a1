"""How values and suggestions are worded."""

from __future__ import annotations

import pytest

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
