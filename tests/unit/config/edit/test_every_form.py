"""Whatever the form of a file: an edit says what was asked, and everything else stays byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from centralized_ml_api.config.document import Document, NodePath, SourceText
from centralized_ml_api.config.document.load import read_document
from centralized_ml_api.config.edit import add_entry, set_value

WORDS = st.text("abz -:#'\"/,{}[]é0", min_size=1, max_size=6)
LINES = st.text("ab \n", min_size=1, max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | WORDS | LINES
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)
NEW = WORDS | st.dictionaries(WORDS, SCALARS, min_size=1, max_size=2)

# Several parts, so that several cores share them; one of them is enough before a commit.
PARTS = [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 6))]


@st.composite
def json_texts(draw: st.DrawFn, value: Any) -> str:
    """The value as JSON in some form, with comments and trailing commas."""
    text = json.dumps(value, indent=draw(st.sampled_from([None, 1, 2, 4, "\t"])), ensure_ascii=False)
    after = {"{": ["/* in */"], "[": ["/* [ */"], ",": ["// c, }\n", "/* ] */"], ":": ["/*:*/"]}
    pieces = []
    for token in _tokens(text):
        pieces.append(token)
        if token in after and draw(st.integers(0, 3)) == 0:
            pieces.append(draw(st.sampled_from(after[token])))
    return draw(st.sampled_from(["", "// first\n"])) + "".join(pieces) + draw(st.sampled_from(["", "\n"]))


@st.composite
def yaml_texts(draw: st.DrawFn, value: Any) -> str:
    """The value as YAML: blocks, flow or both, indented or not."""
    flow = draw(st.sampled_from([False, False, None, True]))
    text: str = yaml.dump(
        value,
        Dumper=_dumper(draw(st.sampled_from([None, None, "|", ">", "'", '"']))),
        default_flow_style=flow,
        indent=draw(st.integers(2, 4)),
        sort_keys=False,
        allow_unicode=True,
    )
    return draw(st.sampled_from(["", "# first\n"])) + text + draw(st.sampled_from(["", "# last\n"]))


def _dumper(style: str | None) -> type[yaml.SafeDumper]:
    """Writes texts in that style: quoted, or as blocks of lines."""

    class Dumper(yaml.SafeDumper):
        pass

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    return Dumper


def _tokens(text: str) -> list[str]:
    """Texts whole, everything else one character at a time."""
    tokens, rest = [], text
    while rest:
        size = json.JSONDecoder().raw_decode(rest)[1] if rest[0] == '"' else 1
        tokens.append(rest[:size])
        rest = rest[size:]
    return tokens


@st.composite
def documents(draw: st.DrawFn, value: Any) -> Document:
    file, texts = draw(st.sampled_from([("f.json", json_texts), ("f.yaml", yaml_texts)]))
    text = draw(texts(value))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    document = read_document(SourceText(file, text))
    assume(document.value == value)  # YAML folds some texts at line ends
    return document


def common_beginning(first: str, second: str) -> int:
    """How many characters are the same at the start."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(first), len(second)))


def changed_middles(old: str, new: str) -> tuple[str, str]:
    """What is between the beginning and the end that two texts have in common."""
    start = common_beginning(old, new)
    end = common_beginning(old[start:][::-1], new[start:][::-1])
    return old[start : len(old) - end], new[start : len(new) - end]


def assert_only_inserted(old: str, new: str) -> None:
    """Nothing was taken away: at most a comma and one more run of characters were put in."""
    before, after = changed_middles(old, new)
    assert before in after, "an edit took something away"
    added = after.replace(before, "", 1) if before else after
    assert len(new) == len(old) + len(added)


def meaning(document: Document, text: str) -> str:
    """With the order of keys."""
    return json.dumps(read_document(SourceText(document.source.file, text)).value)


@pytest.mark.parametrize("_part", PARTS)
@given(value=OBJECTS, data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_value_is_replaced_and_what_stands_around_it_stays(
    _part: int, value: dict[str, Any], data: st.DataObject
) -> None:
    document = data.draw(documents(value))
    scalars = [path for path in document.values if not isinstance(document.value_at(path), (dict, list))]
    assume(scalars)
    path: NodePath = data.draw(st.sampled_from(scalars))
    start, end = document.values[path]
    assume(start < end)
    new = set_value(document, path, "2030-06-01T18:00:00Z")
    assert new.startswith(document.text[:start])
    assert new.endswith(document.text[end:])
    parent: Any = document.value_at(path[:-1])
    parent[path[-1]] = "2030-06-01T18:00:00Z"
    assert meaning(document, new) == json.dumps(document.value)


@pytest.mark.parametrize("_part", PARTS)
@given(value=OBJECTS, member=NEW, data=st.data())
@settings(max_examples=35, deadline=None)
def test_a_key_is_added_and_nothing_is_taken_away(
    _part: int, value: dict[str, Any], member: Any, data: st.DataObject
) -> None:
    document = data.draw(documents(value))
    objects = [path for path in document.values if isinstance(document.value_at(path), dict)]
    path: NodePath = data.draw(st.sampled_from([found for found in objects if document.value_at(found)]))
    new = set_value(document, (*path, "ends"), member)
    assert_only_inserted(document.text, new)
    document.value_at(path)["ends"] = member
    assert meaning(document, new) == json.dumps(document.value)


@pytest.mark.parametrize("_part", PARTS)
@given(rest=OBJECTS, models=st.lists(OBJECTS, max_size=2), entry=OBJECTS, data=st.data())
@settings(max_examples=35, deadline=None)
def test_an_entry_is_the_last_one(
    _part: int, rest: dict[str, Any], models: list[Any], entry: dict[str, Any], data: st.DataObject
) -> None:
    document = data.draw(documents({**rest, "models": models, "z": 1}))
    new = add_entry(document, entry)
    if models:
        assert_only_inserted(document.text, new)
    assert meaning(document, new) == json.dumps({**rest, "models": [*models, entry], "z": 1})
