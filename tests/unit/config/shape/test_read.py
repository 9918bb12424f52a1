"""What is read without pydantic is what pydantic would have taken, and the same; all else is left to it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.schema import Config, KeySource, Local, LocalServing, ModelEntry, Team, Written
from centralized_ml_api.config.shape.pydantic_models import build_model, take_back
from centralized_ml_api.config.shape.read import UnsureError, read_object, read_value
from support.schema_kinds import list_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ROOT = Path(__file__).resolve().parents[4]
NUMBERS = (True, False, 0, -1, 1, 1.0, 0.5, -0.0, 128, 10**6 + 1, 10**30, 10**400, math.inf, math.nan)
STRINGS = (
    "",
    "x",
    " ",
    "\t",
    "x\n",
    "ml.g5.2xlarge",
    "é",
    "\u2028",
    "\x1c",
    "\ud800",
    "1",
    "true",
    "10m",
    "a/b",
)
OTHERS: tuple[Any, ...] = (
    None,
    [],
    {},
    [None],
    [1],
    ["x", 1],
    ["x"],
    {"x": 1},
    {"x": "y"},
    {"1x": "y"},
    {1: "y"},
    ("x",),
    b"x",
)


KINDS = sorted(list_kinds(), key=lambda kind: kind.__name__)


def bounds_of(annotated: Any) -> Iterator[Any]:
    """The numbers at and beside the limits of a type, and strings and arrays of those lengths."""
    for said in getattr(annotated, "__metadata__", ()):
        for limit in (said.ge, said.gt, said.le) if hasattr(said, "ge") else ():
            if limit is not None:
                yield from (limit - 1, limit - 0.001, limit, float(limit), limit + 0.001, limit + 1)
        for length in (said.min_length, said.max_length) if hasattr(said, "ge") else ():
            if length is not None:
                for count in (max(length - 1, 0), length, length + 1):
                    yield from ("x" * count, ["x"] * count, [{"weights": "w"}] * count)
    for part in (getattr(annotated, "__origin__", None), *getattr(annotated, "__args__", ())):
        if part is not None:
            yield from bounds_of(part)


def build_values(kind: type[Written]) -> Iterator[Any]:
    """Objects of a class that are right but for one member, and values that are none."""
    right = {
        field.key: field.examples[0] if field.examples else {"type": "api"}
        for field in kind.fields_by_name().values()
        if field.is_required
    }
    yield right
    yield {**right, "no_such_key": 1}
    yield from (*NUMBERS, *STRINGS, *OTHERS)
    for key in right:
        yield {name: value for name, value in right.items() if name != key}
    for field in kind.fields_by_name().values():
        for value in (*NUMBERS, *STRINGS, *OTHERS, *(field.examples or ()), *bounds_of(field.annotated)):
            yield {**right, field.key: value}


def ask_pydantic(kind: type[Written], value: Any) -> Written | None:
    try:
        taken: Written = take_back(build_model(kind).model_validate(value))
    except ValidationError:
        return None
    return taken


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_read_is_what_pydantic_takes(kind: type[Written]) -> None:
    build_model(kind).model_rebuild()
    read = unsure = 0
    for value in build_values(kind):
        taken = ask_pydantic(kind, value)
        try:
            found = read_object(kind, value)
        except UnsureError:
            unsure += 1
            continue
        read += 1
        assert taken == found, value
        assert repr(taken) == repr(found), value  # 1 and 1.0 are equal
    assert read
    assert unsure


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_example_is_read_without_pydantic(kind: type[Written]) -> None:
    for field in kind.fields_by_name().values():
        for example in field.examples or ():
            read_value(field.annotated, example)


@pytest.mark.parametrize("name", [path.name for path in sorted((ROOT / "config").glob("*.json"))])
def test_the_configs_of_the_repository_are_read_without_pydantic(name: str) -> None:
    config = json.loads((ROOT / "config" / name).read_text())
    assert read_object(Config, config) == ask_pydantic(Config, config)


def test_what_is_unusual_and_right_is_taken_by_pydantic(project: Path, now: datetime) -> None:
    entry = {"name": "a", "made_by": "Ørsted\u00a0Lab", "integration": {"type": "api"}}
    local = {"engine": "url", "url": "http://gpu-box:8000/"}
    config = {"models": [{**entry, "local": local}]}
    with pytest.raises(UnsureError):
        read_object(Config, config)
    path = project / "config/unusual.json"
    path.write_text(json.dumps(config))
    (model,) = load_config(path, now=now).config.models
    assert isinstance(model, ModelEntry)
    assert model.made_by == "Ørsted\u00a0Lab"
    assert model.local == read_value(Local, local)


def test_an_object_never_changes_and_is_its_values() -> None:
    team = Team(name="red", burst=2)
    assert team == Team(burst=2, name="red") != Team(name="red")
    assert hash(team) == hash(Team(name="red", burst=2))
    assert team != KeySource()
    assert "name='red'" in repr(team)
    with pytest.raises(AttributeError, match="never changes"):
        team.name = "blue"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="never changes"):
        del team.name


def test_two_objects_share_no_default() -> None:
    first, second = Config(), Config()
    first.models.append(ModelEntry(name="a", integration=read_object(Config, {}).event))  # type: ignore[arg-type]
    assert second.models == Config().models == []


def test_a_constructor_takes_its_fields_and_no_other() -> None:
    with pytest.raises(TypeError, match="Team needs name"):
        Team()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="LocalServing has no engine"):
        LocalServing(engine="url")  # type: ignore[call-arg]
