"""The classes of the schema, found in the types of their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.schema import Config, Written

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_kinds(annotation: Any) -> Iterator[type[Written]]:
    """Yields the classes of objects within an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Written):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from find_kinds(part)


def list_kinds(kind: type[Written] = Config) -> set[type[Written]]:
    """Every class of the schema."""
    inner = {each for field in kind.fields_by_name().values() for each in find_kinds(field.annotation)}
    return {kind, *(below for each in inner for below in list_kinds(each))}
