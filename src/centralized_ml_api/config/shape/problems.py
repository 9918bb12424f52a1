"""One error of pydantic -> one problem in the words of the format."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from centralized_ml_api.config.checks.document import (
    bad_form,
    missing_key,
    not_one_of,
    out_of_range,
    unknown_key,
    wrong_type,
)
from centralized_ml_api.config.fields import engines, field_at, has_form, keys_of, kind_at, nested_kinds
from centralized_ml_api.config.shape.location import document_path, is_union, of_key
from centralized_ml_api.config.wording import kind_of, listed, nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic_core import ErrorDetails

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.errors import Problem

_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_UNION_TYPES = {
    "teams": 'a name, or an object with a "name"',
    "permissions": 'an array of IAM actions, or {"actions": […], "resources": […]}',
    "local": 'an object with an "engine"',
}
_BOUNDS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "min_length": "at least {} item",
    "max_length": "at most {} items",
}
_TRUTHS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def problem_of(document: Document, error: ErrorDetails) -> Problem | None:
    """The problem, or None where another one already says it (a missing key that is there, but misspelt)."""
    kind = error["type"]
    path, is_key = of_key(document, document_path(error["loc"]))
    if kind in _OF_DISCRIMINATOR:
        path = (*path, "engine")
    if kind in _SAID_BY:
        return _SAID_BY[kind](document, path)
    if kind in _TYPES:
        return _wrong_type(document, path, _TYPES[kind])
    if kind == "string_pattern_mismatch":
        return _bad_key(document, path) if is_key else _bad_form(document, path)
    return _out_of_range(document, path, error.get("ctx", {}))


def _missing(document: Document, path: NodePath) -> Problem | None:
    parent, key = path[:-1], str(path[-1])
    if _misspelt(document, parent, key):
        return None
    location = replace(document.key_location(parent), path=f"{document.key_location(parent).path}.{key}")
    field = field_at(document, path)
    what = field.description if field and field.description else listed(map(quoted, engines()))
    example = field.examples[0] if field and field.examples else None
    return missing_key.RULE.problem(
        location,
        expected=f"the key {quoted(key)}: {what}",
        fix=f"add {quoted(key)}: {quoted(example)}" if example is not None else f"add {quoted(key)}",
    )


def _misspelt(document: Document, parent: NodePath, key: str) -> bool:
    kind = kind_at(document, parent)
    known = keys_of(kind) if kind else {}
    return any(nearest(other, known) == key for other in _value(document, parent) if other not in known)


def _unknown(document: Document, path: NodePath) -> Problem:
    location = document.key_location(path)
    found = quoted(path[-1])
    kind = kind_at(document, path[:-1])
    known = keys_of(kind) if kind else {}
    free = [key for key in known if key not in _value(document, path[:-1])]
    meant = nearest(str(path[-1]), free)
    if meant:
        return unknown_key.RULE.problem(location, found=found, expected=quoted(meant), fix=write(meant))
    homes = [key for key, inner in nested_kinds(known).items() if path[-1] in keys_of(inner)]
    return unknown_key.RULE.problem(
        location,
        found=found,
        expected=f"one of the keys {listed(known)}" if known else "",
        fix=f"move it into {quoted(homes[0])}" if homes else "remove it",
    )


def _no_literal(document: Document, path: NodePath) -> Problem:
    field = field_at(document, path)
    return _not_one_of(document, path, list(_words_of(field.annotation)) if field else ())


def _words_of(annotation: Any) -> Iterator[str]:
    """Those of a `Literal`, also where it may be left out: then it is one side of a union with None."""
    if isinstance(annotation, str):
        yield annotation
    for inner in get_args(annotation):
        yield from _words_of(inner)


def _no_engine(document: Document, path: NodePath) -> Problem:
    return _not_one_of(document, path, engines())


def _not_one_of(document: Document, path: NodePath, words: Iterable[str]) -> Problem:
    value = _value(document, path)
    expected = listed(quoted(word) for word in words)
    if not isinstance(value, str):
        return _wrong_type(document, path, expected)
    return not_one_of.RULE.problem(
        document.value_location(path),
        found=quoted(value),
        expected=expected,
        fix=write(nearest(value, words)),
    )


def _wrong_type(document: Document, path: NodePath, expected: str) -> Problem:
    value = _value(document, path)
    if is_union(path):
        expected = _UNION_TYPES[next(str(step) for step in reversed(path) if isinstance(step, str))]
    return wrong_type.RULE.problem(
        document.value_location(path),
        found=kind_of(value) if value is None else f"{quoted(value)} ({kind_of(value)})",
        expected=expected,
        fix=(expected == "text" and _example_instead(document, path)) or _conversion(value, expected),
    )


def _example_instead(document: Document, path: NodePath) -> str:
    """An example of the text that the field takes, where the value in quotes would not be one."""
    value, in_array = _value(document, path), isinstance(path[-1], int)
    field = field_at(document, path[:-1] if in_array else path)
    if value is None or field is None or not field.examples or has_form(field, quoted(value)):
        return ""
    example = field.examples[0][0] if in_array else field.examples[0]
    return f"write text such as {quoted(example)}"


def _conversion(value: Any, expected: str) -> str:
    """How to write the value so that it has the type, where that is plain."""
    if value is None:
        return "remove the key, or give it a value"
    if isinstance(value, str):
        return _conversion_of_text(value, expected)
    if expected == "text" and isinstance(value, (bool, int, float)):
        return f'write "{quoted(value)}"'
    if expected == "a whole number" and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    return ""


def _conversion_of_text(text: str, expected: str) -> str:
    if expected == "true or false" and text.lower() in _TRUTHS:
        return f"write {_TRUTHS[text.lower()]}"
    if expected in {"a whole number", "a number"} and _NUMBER.fullmatch(text.strip()):
        return f"write {text.strip()} without quotes"
    return f"write [{quoted(text)}]" if expected == "an array" else ""


def _out_of_range(document: Document, path: NodePath, context: dict[str, Any]) -> Problem:
    value = _value(document, path)
    bound = next(name for name in _BOUNDS if name in context)
    limit = context[bound]
    return out_of_range.RULE.problem(
        document.value_location(path),
        found=f"{len(value)} items" if isinstance(value, list) else quoted(value),
        expected=_BOUNDS[bound].format(int(limit) if limit == int(limit) else limit),
        fix=f"write {limit}" if bound in {"ge", "le"} and isinstance(limit, int) else "",
    )


def _bad_key(document: Document, path: NodePath) -> Problem:
    return bad_form.RULE.problem(
        document.key_location(path),
        found=quoted(path[-1]),
        expected="the name of a variable: letters, digits and underscores, no digit first",
    )


def _bad_form(document: Document, path: NodePath) -> Problem:
    field = field_at(document, path)
    examples = field.examples if field and field.examples else []
    return bad_form.RULE.problem(
        document.value_location(path),
        found=quoted(_value(document, path)),
        expected=f"text such as {listed(quoted(one) for one in examples)}",
    )


def _value(document: Document, path: NodePath) -> Any:
    value = document.value
    for step in path:
        value = value[step]
    return value


_OF_DISCRIMINATOR = frozenset({"union_tag_not_found", "union_tag_invalid"})
_SAID_BY: dict[str, Callable[[Document, NodePath], Problem | None]] = {
    "missing": _missing,
    "union_tag_not_found": _missing,
    "extra_forbidden": _unknown,
    "literal_error": _no_literal,
    "union_tag_invalid": _no_engine,
}
