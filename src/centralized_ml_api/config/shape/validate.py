"""Compares a document with the schema; every difference becomes a problem."""

from __future__ import annotations

import os
from itertools import islice
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from centralized_ml_api.config.collect import MOST_PROBLEMS
from centralized_ml_api.config.fields import field_at
from centralized_ml_api.config.schema import Config
from centralized_ml_api.config.shape.problems import problem_of
from centralized_ml_api.config.shape.rules import WRONG_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.errors import Problem

_NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"


def validate_shape(document: Document) -> tuple[Config | None, list[Problem]]:
    """Returns the typed config, or None, and the problems of its shape. Pure.

    A `null` is a problem even where the schema allows None: pydantic takes it for a key that is left out,
    but its writer may have meant anything.
    """
    problems = [*islice(_nulls(document), MOST_PROBLEMS)]
    build_validator()
    try:
        config = Config.model_validate(document.value)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        found = (problem for detail in errors if (problem := problem_of(document, detail)))
        return None, [*problems, *islice(found, MOST_PROBLEMS)]
    return (None if problems else config), problems


def build_validator() -> None:
    """Builds what validates configs, once, without looking for plugins of pydantic.

    We use none, and to find them pydantic reads the metadata of every installed package. Only a variable of
    the environment prevents that; processes started later do not inherit it: a model's code may use plugins.
    Source: https://docs.pydantic.dev/latest/concepts/plugins/ (PYDANTIC_DISABLE_PLUGINS)
    """
    if Config.__pydantic_complete__ or _NO_PLUGINS in os.environ:
        return
    os.environ[_NO_PLUGINS] = "__all__"
    try:
        Config.model_rebuild()
    finally:
        del os.environ[_NO_PLUGINS]


def _nulls(document: Document) -> Iterator[Problem]:
    for path in _paths_of_nulls(document.value, ()):
        field = field_at(document, path) if isinstance(path[-1], str) else None
        if field and NoneType in get_args(field.annotation):
            yield WRONG_TYPE.problem(
                document.value_location(path),
                found="nothing (null)",
                expected="a value",
                fix="remove the key",
            )


def _paths_of_nulls(value: Any, path: NodePath) -> Iterator[NodePath]:
    """Yields the paths of the keys that are `null`, those inside a sample excepted."""
    if isinstance(value, dict):
        members: Any = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        return
    for key, item in members:
        is_sample = key == "sample" and len(path) == len(("models", 0))
        if item is None and isinstance(key, str):
            yield (*path, key)
        elif not is_sample:
            yield from _paths_of_nulls(item, (*path, key))
