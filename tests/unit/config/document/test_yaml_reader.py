"""YAML means what JSON would: its own traps are texts or are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.config.document import SourceText
from centralized_ml_api.config.document.yaml_reader import read_yaml
from centralized_ml_api.errors import ConfigError

WORDS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85\xa0"), max_size=8
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> Any:
    return read_yaml(SourceText("f.yaml", text))


@given(PLAIN)
@settings(max_examples=150, deadline=None)
def test_json_is_yaml_and_means_the_same(value: Any) -> None:
    assert read(json.dumps(value)).value == value


@given(st.dictionaries(WORDS, st.lists(WORDS, max_size=3), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_places_are_where_the_parser_of_yaml_finds_the_same(value: dict[str, list[str]]) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_style='"', width=1000)
    document = read(text)
    assert document.value == value
    for path, (start, end) in document.keys.items():
        assert yaml.safe_load(text[start:end]) == path[-1]
    for path, (start, end) in document.values.items():
        if len(path) == 2:
            assert yaml.safe_load(text[start:end]) == value[path[0]][path[1]]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("1:30", "1:30"),
        ("2026-12-01", "2026-12-01"),
        ("0x1F", "0x1F"),
        ("010", "010"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("True", "True"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("3", 3),
        ("-3.5e2", -350.0),
        ('"3"', "3"),
        ("'true'", "true"),
    ],
)
def test_a_plain_scalar_means_what_it_means_in_json_and_else_is_text(written: str, value: Any) -> None:
    found = read(f"key: {written}\n").value["key"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "identity", "found"),
    [
        ("a: &x 1\nb: *x", "C008", "the anchor &x"),
        ("a: *x", "C008", "the alias *x"),
        ("a: !!str 1", "C008", "the tag tag:yaml.org,2002:str"),
        ("a: !thing {}", "C008", "the tag !thing"),
        ("1: a", "C008", "the key 1"),
        ("true: a", "C008", "the key true"),
        ("? [a]\n: 1", "C008", "a key that is not a string"),
        ("a: 1e999", "C008", "1e999…"),
        ("--- 1\n--- 2\n", "C005", "a second document"),
        ("# nothing", "C003", ""),
        ("[" * 150, "C007", ""),
    ],
)
def test_what_json_cannot_say_is_refused(text: str, identity: str, found: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text)
    (problem,) = raised.value.problems
    assert (problem.id, problem.found) == (identity, found)


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused_with_one_problem(text: str) -> None:
    try:
        document = read(text)
    except ConfigError as error:
        (problem,) = error.problems
        assert problem.location.line <= len(text.splitlines()) + 1  # a text may be good as well
    else:
        assert () in document.values


def test_a_forbidden_character_is_found_where_it_stands_after_characters_of_several_bytes() -> None:
    with pytest.raises(ConfigError) as raised:
        read('{\n  "\xe9\U00010000": "\x7f"\n}')
    (problem,) = raised.value.problems
    assert (problem.location.line, problem.location.column) == (2, 10)


def test_equal_keys_are_a_problem() -> None:
    (problem,) = read("a: 1\nb: 2\na: 3\n").problems
    assert (problem.id, problem.location.line, problem.found) == ("C006", 3, '"a", first on line 1')
