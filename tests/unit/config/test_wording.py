"""How values and suggestions are worded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.wording import listed, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def test_a_word_that_begins_one_known_word_alone_means_that() -> None:
    known = ["input_per_million", "output_per_million", "max_body_mib", "max_output_tokens", "inputs"]
    assert nearest("output", known) == "output_per_million"
    assert nearest("max", known) is None
    assert nearest("input", known) == "inputs", "a similar word is nearer"


def test_words_are_enumerated() -> None:
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]


def test_long_values_are_cut() -> None:
    assert quoted("x" * 200) == '"' + "x" * 78 + "…"


def test_of_very_many_known_words_only_the_first_are_compared() -> None:
    def names() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"model-{number}"

    assert nearest("model_7", names()) == "model-7"
