"""Compares a document with the model; every difference becomes a problem."""

from __future__ import annotations

from itertools import islice
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from centralized_ml_api.config.checks.document import wrong_type
from centralized_ml_api.config.collect import MOST_PROBLEMS
from centralized_ml_api.config.fields import field_at
from centralized_ml_api.config.schema import Config
from centralized_ml_api.config.shape.problems import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.errors import Problem


def validate_shape(document: Document) -> tuple[Config | None, list[Problem]]:
    """The typed config, or None and the problems of its shape.

    A `null` is a problem even where the model allows None.
    """
    problems = [*islice(_nulls(document), MOST_PROBLEMS)]
    try:
        config = Config.model_validate(document.value)
    except ValidationError as error:
        found = (problem_of(document, one) for one in error.errors(include_url=False, include_input=False))
        return None, [*problems, *islice((problem for problem in found if problem), MOST_PROBLEMS)]
    return (None if problems else config), problems


def _nulls(document: Document) -> Iterator[Problem]:
    """The optional keys that are set to `null`: for the model not given, for its writer maybe anything."""
    for path in _optional_nulls(document.value, ()):
        field = field_at(document, path)
        if field and NoneType in get_args(field.annotation):
            yield wrong_type.RULE.problem(
                document.value_location(path),
                found="nothing (null)",
                expected="a value",
                fix="remove the key",
            )


def _optional_nulls(value: Any, path: NodePath) -> Iterator[NodePath]:
    if isinstance(value, dict):
        members: Any = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        return
    for key, item in members:
        if item is None and isinstance(key, str):
            yield (*path, key)
        elif not _is_sample(path, key):
            yield from _optional_nulls(item, (*path, key))


def _is_sample(path: NodePath, key: str | int) -> bool:
    return key == "sample" and len(path) == len(("models", 0))
