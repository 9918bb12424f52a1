"""Which class of the schema describes a path of the file: for suggestions, expectations and examples."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, get_args

from centralized_ml_api.config.schema import Config, Local, LocalServing, Written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.config.schema.written import WrittenField


@functools.cache
def engines() -> Mapping[str, type[LocalServing]]:
    """Returns the classes of local engines by the value of `engine`."""
    found = {}
    for member in get_args(get_args(Local)[0]):
        kind, tag = get_args(member)
        found[tag.tag] = kind
    return found


def keys_of(kind: type[Written]) -> Mapping[str, WrittenField]:
    """Returns the fields of a class by their key in the file."""
    hashed: Any = kind  # to mypy, a class whose instances have a hash has none itself
    return _keys_of(hashed)


def kind_at(document: Document, path: NodePath) -> type[Written] | None:
    """Returns the class that describes the object at `path`, or None where objects have free keys."""
    kind: type[Written] | None = Config
    for length, step in enumerate(path, start=1):
        if kind is None or isinstance(step, int):
            continue
        field = keys_of(kind).get(step)
        kind = _kind_within(field.annotation, document, path[:length]) if field else None
    return kind


def field_at(document: Document, path: NodePath) -> WrittenField | None:
    """Returns the field whose value, or an item of whose array, is at `path`; None for the whole document."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    if not path:
        return None
    kind = kind_at(document, path[:-1])
    return keys_of(kind).get(str(path[-1])) if kind else None


def has_form(field: WrittenField, text: str) -> bool:
    """Returns whether a string field takes the text, as far as its pattern and its format say."""
    hints: dict[str, Any] = dict(field.json_schema_extra)
    hints |= hints.get("items", {})
    patterns = [hints.get("pattern"), *field.patterns]
    return "format" not in hints and all(re.search(pattern, text) for pattern in patterns if pattern)


@functools.cache
def _keys_of(kind: Any) -> Mapping[str, WrittenField]:
    fields: Mapping[str, WrittenField] = kind.fields_by_name()
    return {field.key: field for field in fields.values()}


def _kind_within(annotation: Any, document: Document, path: NodePath) -> type[Written] | None:
    kinds = _written_within(annotation)
    if len(kinds) > 1:  # only `local` has several kinds of objects
        local = document.value_at(path)
        return engines().get(str(local.get("engine"))) if isinstance(local, dict) else None
    return kinds[0] if kinds else None


@functools.cache
def _written_within(annotation: Any) -> tuple[type[Written], ...]:
    if isinstance(annotation, type) and issubclass(annotation, Written):
        return (annotation,)
    return tuple(kind for part in get_args(annotation) for kind in _written_within(part))


def nested_kinds(fields: Mapping[str, WrittenField]) -> dict[str, type[Written]]:
    """Returns the fields that hold objects of a single class, with that class."""
    found = {key: _written_within(field.annotation) for key, field in fields.items()}
    return {key: kinds[0] for key, kinds in found.items() if len(kinds) == 1}
