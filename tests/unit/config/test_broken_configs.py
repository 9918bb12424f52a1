"""Thousands of configs, each broken in one known way: every one is refused, at a place inside the file."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centralized_ml_api.config.document.json_reader import read_json
from centralized_ml_api.config.document.source import SourceText
from centralized_ml_api.config.fields import keys_of, kind_at
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from centralized_ml_api.config.document import Document, Steps

GARBAGE = ["}", "]", '"', "@", "'", ":", "{", "[", "\\", "nul", "01"]
REQUIRED = frozenset(
    {"models", "name", "integration", "type", "code", "permissions", "timeout", "engine", "run"}
)
FREE_FORM = frozenset({"sample", "environment"})


def steps_of(document: Document) -> list[Steps]:
    """The places whose meaning the format fixes: not those inside of samples and environments."""
    return [steps for steps in document.values if steps and not FREE_FORM & set(steps[:-1])]


def at(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def is_required(steps: Steps) -> bool:
    """Whether the format demands the key; `models` of a team is optional."""
    return steps[-1] in REQUIRED and steps[-3:-2] != ("teams",)


def other_type(value: Any, choice: int) -> Any:
    """A value that no key takes which takes this one."""
    every: list[Any] = [None, [[]], {"x": {}}, True]
    wrong = [one for one in every if type(one) is not type(value)]
    return wrong[choice % len(wrong)]


@st.composite
def broken_files(draw: st.DrawFn, good_text: str) -> tuple[str, str]:
    """A good config with one part deleted, renamed, doubled or of another type, or with its text damaged.

    Gives the text and the suffix of the file; JSON is YAML too, if its text is whole.
    """
    value = copy.deepcopy(json.loads(good_text))
    document = read_json(SourceText("good.json", good_text))
    places = steps_of(document)
    keyed = [steps for steps in places if isinstance(steps[-1], str)]
    match draw(st.sampled_from(["delete", "rename", "double", "retype", "insert", "truncate", "range"])):
        case "delete":
            steps = draw(st.sampled_from([one for one in keyed if is_required(one)]))
            del at(value, steps[:-1])[steps[-1]]
        case "rename":
            steps = draw(st.sampled_from(keyed))
            kind = kind_at(document, steps[:-1])
            known = keys_of(kind) if kind else {}
            name = draw(st.text(min_size=1, max_size=12).filter(lambda text: text not in known))
            at(value, steps[:-1])[name] = at(value, steps[:-1]).pop(steps[-1])
        case "double":
            steps = draw(st.sampled_from(keyed))
            start, _ = document.keys[steps]
            return f"{good_text[:start]}{json.dumps(steps[-1])}: 1, {good_text[start:]}", ".json"
        case "retype":
            steps = draw(st.sampled_from([one for one in places if one[-1] != "sample"]))
            at(value, steps[:-1])[steps[-1]] = other_type(at(value, steps), draw(st.integers(0, 3)))
        case "range":
            whole = [one for one in keyed if type(at(value, one)) is int]
            steps = draw(st.sampled_from(whole))
            at(value, steps[:-1])[steps[-1]] = draw(st.integers(max_value=0) | st.integers(min_value=10**10))
        case "insert":
            place = draw(st.sampled_from(sorted(start for start, _ in document.values.values())))
            return good_text[:place] + draw(st.sampled_from(GARBAGE)) + good_text[place:], ".json"
        case "truncate":
            return good_text[: draw(st.integers(0, len(good_text.rstrip()) - 1))], ".json"
    text = json.dumps(value, indent=draw(st.sampled_from([None, 2])), ensure_ascii=draw(st.booleans()))
    return text, draw(st.sampled_from([".json", ".json", ".yaml"]))


@pytest.mark.parametrize("_part", range(4))  # four parts, so that several cores share them
@given(data=st.data())
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_broken_config_is_refused_with_a_place_inside_the_file(
    _part: int,
    data: st.DataObject,
    good_text: str,
    project: Path,
    now: datetime,
) -> None:
    text, suffix = data.draw(broken_files(good_text))
    path = project / f"config/broken{suffix}"
    path.write_bytes(text.encode())
    with pytest.raises(ConfigError) as raised:
        load_config(path, now=now)
    lines = text.split("\n")
    assert any(problem.severity == "error" for problem in raised.value.problems)
    assert raised.value.exit_status == 2
    for problem in raised.value.problems:
        place = problem.place
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= max(len(lines[place.line - 1]), 1)
        assert place.column - 1 + place.length <= max(len(lines[place.line - 1]), 1)
