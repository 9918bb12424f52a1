"""JSON as people write it: the values of the standard library, and where each of them stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.config.document import SourceText
from centralized_ml_api.config.document.json_reader import read_json
from centralized_ml_api.errors import ConfigError

WHOLE_CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | WHOLE_CHARACTERS,
    lambda inner: st.lists(inner) | st.dictionaries(WHOLE_CHARACTERS, inner),
    max_leaves=20,
)
# Two parts, so that several cores share them; one of them is enough before a commit.
PARTS = [0, pytest.param(1, marks=pytest.mark.slow)]

SPACE = st.sampled_from(["", " ", "\n", "\t", "\r\n", " // said\n", "/* * / \n */"])


def read(text: str) -> Any:
    return read_json(SourceText("f.json", text))


@pytest.mark.parametrize("_part", PARTS)
@given(value=JSON, style=st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}]))
@settings(max_examples=100, deadline=None)
def test_what_the_standard_library_writes_is_read_back(_part: int, value: Any, style: dict[str, Any]) -> None:
    text = json.dumps(value, **style)
    assert read(text).value == value


@pytest.mark.parametrize("_part", PARTS)
@given(value=JSON)
@settings(max_examples=75, deadline=None)
def test_the_text_at_a_value_s_place_is_that_value(_part: int, value: Any) -> None:
    text = json.dumps(value, indent=2)
    document = read(text)
    for path, (start, end) in document.values.items():
        expected = value
        for step in path:
            expected = expected[step]
        assert json.loads(text[start:end]) == expected
    for path, (start, end) in document.keys.items():
        assert json.loads(text[start:end]) == path[-1]


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_either_read_as_json_says_or_refused_with_one_problem_inside_it(text: str) -> None:
    try:
        value = read(text).value
    except ConfigError as error:
        (problem,) = error.problems
        assert problem.location.line <= text.count("\n") + 1
        return
    if not any(mark in text for mark in ("//", "/*", ",")):
        assert value == json.loads(text)


@settings(deadline=None)
@given(st.lists(SPACE, min_size=9, max_size=9))
def test_spaces_comments_and_a_last_comma_may_stand_between_any_tokens(between: list[str]) -> None:
    tokens = ["{", '"a"', ":", "[", "1", ",", "]", ",", "}"]
    text = "".join(space + token for space, token in zip(between, tokens, strict=True))
    assert read(text).value == {"a": [1]}


def test_both_of_two_equal_keys_are_named() -> None:
    (problem,) = read('{"a": 1,\n "b": 2,\n "a": 3}').problems
    assert (problem.id, problem.location.line, problem.location.column) == ("C006", 3, 2)
    assert "line 1" in problem.found


@pytest.mark.parametrize(
    ("text", "identity", "column", "found"),
    [
        ("[1 2]", "C004", 4, "2"),
        ("[1,,2]", "C004", 4, ","),
        ("[,]", "C004", 2, ","),
        ("{,}", "C004", 2, ","),
        ("[", "C004", 1, "the end of the file"),
        ('{"a"', "C004", 4, "the end of the file"),
        ('{"a":', "C004", 5, "the end of the file"),
        ('["a', "C004", 2, "a string without end"),
        ('["\x01"]', "C004", 3, "the control character U+0001 in a string"),
        ('["\\q"]', "C004", 3, "\\\\q"),
        ("[01]", "C004", 2, "01"),
        ("[.5]", "C004", 2, ".5"),
        ("[1.]", "C004", 2, "1."),
        ("[+1]", "C004", 2, "+1"),
        ("[0x1F]", "C004", 2, "0x1F"),
        ("[] []", "C004", 4, "["),
        ("[] /* open", "C004", 4, "a comment without end"),
        ("[NaN]", "C008", 2, "NaN"),
        ("[-Infinity]", "C008", 2, "-Infinity"),
        ("[1e999]", "C008", 2, "1e999"),
        ("[" + "9" * 5000 + "]", "C008", 2, "9" * 39 + "…"),
        ('["\\ud800"]', "C008", 2, "half a character (a lone surrogate)"),
        ("[" * 100_000, "C007", 101, ""),
        (" \n\t", "C003", 1, ""),
    ],
)
def test_what_is_no_json_is_refused_at_its_place(text: str, identity: str, column: int, found: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text)
    (problem,) = raised.value.problems
    assert (problem.id, problem.location.column, problem.found) == (identity, column, found)
