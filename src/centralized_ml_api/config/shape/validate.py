"""Compares a document with the schema; every difference becomes a problem."""

from __future__ import annotations

from itertools import islice
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from centralized_ml_api.config.collect import MOST_PROBLEMS
from centralized_ml_api.config.fields import field_at
from centralized_ml_api.config.schema import Config
from centralized_ml_api.config.shape.read import UnsureError, read_object
from centralized_ml_api.config.shape.rules import WRONG_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.errors import Problem


def validate_shape(document: Document) -> tuple[Config | None, list[Problem]]:
    """Returns the typed config, or None, and the problems of its shape. Pure.

    A `null` is a problem even where the schema allows None: pydantic takes it for a key that is left out,
    but its writer may have meant anything.
    """
    problems = [*islice(_nulls(document), MOST_PROBLEMS)]
    try:
        config = read_object(Config, document.value)
    except UnsureError:
        return _ask_pydantic(document, problems)
    return (None if problems else config), problems


def _ask_pydantic(document: Document, problems: list[Problem]) -> tuple[Config | None, list[Problem]]:
    """Returns the same, of a document that is wrong or unusual."""
    from pydantic import ValidationError  # noqa: PLC0415  # only what is wrong pays for it

    from centralized_ml_api.config.shape.problems import problem_of  # noqa: PLC0415
    from centralized_ml_api.config.shape.pydantic_models import build_config_model, take_back  # noqa: PLC0415

    try:
        config = take_back(build_config_model().model_validate(document.value))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        found = (problem for detail in errors if (problem := problem_of(document, detail)))
        return None, [*problems, *islice(found, MOST_PROBLEMS)]
    return (None if problems else config), problems


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
