"""Bounds the JSON schemas that llama.cpp turns into grammars. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from centralized_ml_api.local.admission.pattern_rules import check_pattern
from centralized_ml_api.local.admission.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_CHARACTERS = 32_768
SCHEMA_DEPTH = 16
"""Schemas inside one another."""

SCHEMA_PARTS = 500
"""Schemas, properties and `enum` values in one schema, all together."""

SCHEMA_FORMS = 100
"""Values of `enum` and schemas of `anyOf` among which one value is chosen, also through references."""

COUNT = 2_000
COUNTS = 10_000
"""The largest `maxItems`, `maxLength` and the like, and the most in all: each is written out."""

_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_UPPER = ("maxItems", "maxLength", "maxProperties")
_ONE = (
    "items",
    "additionalProperties",
    "not",
    "contains",
    "propertyNames",
    "additionalItems",
    "if",
    "then",
    "else",
)
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SAME_PLACE = ("anyOf", "oneOf", "allOf")

Named = tuple[str, Any, int]
"""A schema inside another one: its path, its value, and how deep it is."""


def without_large_counts(value: Any) -> Any:
    """Returns a schema without upper bounds that are too large to be written out, for answers it only guides.

    Agents send such bounds with their tools. The value is nested by no more than recursion can follow.
    """
    if isinstance(value, list):
        return [*map(without_large_counts, value)]
    if not isinstance(value, dict):
        return value
    return {
        name: without_large_counts(inner)
        for name, inner in value.items()
        if not (name in _UPPER and isinstance(inner, int) and inner > COUNT)
    }


def without_descriptions(value: Any) -> Any:
    """Returns a value without the texts that its `description` members have.

    The value is nested by no more than recursion can follow.
    """
    if isinstance(value, list):
        return [*map(without_descriptions, value)]
    if not isinstance(value, dict):
        return value
    return {
        name: without_descriptions(inner)
        for name, inner in value.items()
        if not (name == "description" and isinstance(inner, str))
    }


def check_json_schema(field: str, schema: Any) -> Iterator[Violation]:
    """Yields what makes a schema too costly, or what llama.cpp would answer with an error of its own.

    The schema has been checked to be nested by no more than Python's own recursion can follow.
    """
    if not isinstance(schema, dict | bool):
        yield Violation(field, f"'{field}' must be a JSON schema: an object.")
        return
    characters = len(json.dumps(schema))
    if characters > SCHEMA_CHARACTERS:
        yield _too_large(field, f"has {characters:,} characters", f"{SCHEMA_CHARACTERS:,}")
        return
    parts = list(_walk(field, schema))
    depth = max((part[2] for part in parts), default=0)
    if depth > SCHEMA_DEPTH:
        yield _too_large(field, f"nests {depth} schemas", f"{SCHEMA_DEPTH}")
    count = len(parts) + sum(_count_enum(part) for _, part, _ in parts)
    if count > SCHEMA_PARTS:
        yield _too_large(
            field, f"has {count:,} parts (schemas, properties and enum values)", f"{SCHEMA_PARTS}"
        )
        return
    for path, part, _ in parts:
        yield from _check_part(path, part)
    total = sum(_count_repeats(part) for _, part, _ in parts)
    if total > COUNTS:
        yield _too_large(field, f"has counts (maxItems, maxLength, …) of {total:,} together", f"{COUNTS:,}")
    yield from _check_references(field, schema, parts)


def _check_part(path: str, part: Any) -> Iterator[Violation]:
    if not isinstance(part, dict):
        return
    for name in _COUNTS:
        count = part.get(name)
        if count is not None and not (isinstance(count, int) and 0 <= count <= COUNT):
            where = f"{path}.{name}"
            yield Violation(where, f"'{where}' must be an integer from 0 to {COUNT:,}.")
    pattern = part.get("pattern")
    if isinstance(pattern, str):
        yield from check_pattern(f"{path}.pattern", pattern)
    elif pattern is not None:
        yield Violation(f"{path}.pattern", f"'{path}.pattern' must be a string.")
    if "enum" in part and not isinstance(part["enum"], list):
        yield Violation(f"{path}.enum", f"'{path}.enum' must be a list.")


def _walk(path: str, schema: Any, depth: int = 0) -> Iterator[Named]:
    """Yields the schema and every schema inside it."""
    yield path, schema, depth
    if isinstance(schema, dict):
        for inner_path, inner in _inside(path, schema):
            yield from _walk(inner_path, inner, depth + 1)


def _inside(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _ONE:
        if isinstance(schema.get(name), dict):
            yield f"{path}.{name}", schema[name]
    for name in _LISTS:
        if isinstance(schema.get(name), list):
            yield from ((f"{path}.{name}[{index}]", inner) for index, inner in enumerate(schema[name]))
    for name in _NAMED:
        if isinstance(schema.get(name), dict):
            yield from ((f"{path}.{name}.{key}", inner) for key, inner in schema[name].items())


def _count_repeats(part: Any) -> int:
    counts = [part.get(name) for name in _COUNTS] if isinstance(part, dict) else []
    return max((count for count in counts if isinstance(count, int)), default=0)


def _count_enum(part: Any) -> int:
    values = part.get("enum") if isinstance(part, dict) else None
    return len(values) if isinstance(values, list) else 0


def _check_references(field: str, root: Any, parts: list[Named]) -> Iterator[Violation]:
    """Yields references that lead nowhere or out of the schema, and too many forms of one value.

    llama.cpp tries all forms that a value may have for each word of its vocabulary.
    """
    schemas = {id(part) for _, part, _ in parts}
    forms: dict[int, int] = {}
    targets: dict[int, list[int]] = {}
    for path, part, _ in parts:
        if not isinstance(part, dict):
            continue
        choices = [inner for name in _SAME_PLACE if isinstance(part.get(name), list) for inner in part[name]]
        if "$ref" in part:
            target = _resolve(root, part["$ref"])
            if target is None or id(target) not in schemas:
                where = f"{path}.$ref"
                yield Violation(
                    where, f"'{where}' must lead to a schema in this one, such as '#/$defs/name'."
                )
                return
            choices.append(target)
        targets[id(part)] = [id(choice) for choice in choices if isinstance(choice, dict)]
        forms[id(part)] = max(1, _count_enum(part))
    if not _add_up_forms(forms, targets):
        yield Violation(field, f"'{field}' refers to itself in a circle: put an object or a list between.")
    elif max(forms.values(), default=1) > SCHEMA_FORMS:
        yield _too_large(
            field, f"has a value of {max(forms.values()):,} forms (enum, anyOf, oneOf)", f"{SCHEMA_FORMS}"
        )


def _resolve(root: Any, reference: Any) -> dict[str, Any] | None:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    place = root
    for step in unquote(reference[1:]).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(place, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(place):
            place = place[int(name[:9])]
        elif isinstance(place, dict) and name in place:
            place = place[name]
        else:
            return None
    return place if isinstance(place, dict) else None


def _add_up_forms(forms: dict[int, int], targets: dict[int, list[int]]) -> bool:
    """Adds to the forms of each schema those of the schemas that it leads to; returns False in a circle."""
    left = dict(targets)
    while left:
        ready = [place for place, choices in left.items() if not any(choice in left for choice in choices)]
        if not ready:
            return False
        for place in ready:
            forms[place] = max(forms[place], sum(forms[choice] for choice in left.pop(place)))
    return True


def _too_large(field: str, found: str, limit: str) -> Violation:
    return Violation(field, f"The JSON schema in '{field}' {found}; this model takes at most {limit}.")
