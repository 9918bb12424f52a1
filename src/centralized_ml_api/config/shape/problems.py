"""One error of pydantic -> one problem in the words of the format. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from centralized_ml_api.config.fields import engines, field_at, has_form, keys_of, kind_at, nested_kinds
from centralized_ml_api.config.schema import KeySource
from centralized_ml_api.config.shape import rules
from centralized_ml_api.config.shape.loc import is_union, path_of, split_key_mark
from centralized_ml_api.config.wording import kind_of, listed, nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic_core import ErrorDetails

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.errors import Problem

_TYPES = {
    "int_type": kind_of(0),
    "float_type": kind_of(0.5),
    "string_type": kind_of(""),
    "bool_type": kind_of(True),  # noqa: FBT003  # an example of its kind
    "list_type": kind_of([]),
    "dict_type": kind_of({}),
    "model_type": kind_of({}),
    "model_attributes_type": kind_of({}),
}
_WHOLE = 'write an object such as {"endpoints": []}, and list what you serve in it'
_UNION_TYPES = {
    "teams": 'a name, or an object with a "name"',
    "permissions": 'an array of IAM actions, or {"actions": […], "resources": […]}',
    "local": 'an object with an "engine"',
    "speaks": 'the name of an API, such as "openai-chat", or an array of names',
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
    """Returns the problem, or None where another one covers it: a missing key that is there, but misspelt."""
    kind = error["type"]
    path, is_key = split_key_mark(document, path_of(error["loc"]))
    if kind in _OF_DISCRIMINATOR:
        path = (*path, "engine")
    if kind in _WORDED_BY:
        return _WORDED_BY[kind](document, path)
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
    return rules.MISSING_KEY.problem(
        location,
        expected=f"the key {quoted(key)}: {what}",
        fix=f"add {quoted(key)}: {quoted(example)}" if example is not None else f"add {quoted(key)}",
    )


def _no_discriminator(document: Document, path: NodePath) -> Problem | None:
    """Tells that `engine` is misspelt, which nothing else does: without it, nobody knows the other keys."""
    parent, key = path[:-1], str(path[-1])
    for other in document.value_at(parent):
        if nearest(other, (key,)) == key:
            location = document.key_location((*parent, other))
            return rules.UNKNOWN_KEY.problem(
                location, found=quoted(other), expected=quoted(key), fix=write(key)
            )
    return _missing(document, path)


def _misspelt(document: Document, parent: NodePath, key: str) -> bool:
    kind = kind_at(document, parent)
    known = keys_of(kind) if kind else {}
    return any(nearest(other, known) == key for other in document.value_at(parent) if other not in known)


def _unknown(document: Document, path: NodePath) -> Problem:
    location = document.key_location(path)
    found = quoted(path[-1])
    kind = kind_at(document, path[:-1])
    known = keys_of(kind) if kind else {}
    free = [key for key in known if key not in document.value_at(path[:-1])]
    homes = [key for key, inner in nested_kinds(known).items() if path[-1] in keys_of(inner)]
    meant = nearest(str(path[-1]), free)
    if meant and not homes:  # an exact key that is in the wrong place says more than one that is similar
        return rules.UNKNOWN_KEY.problem(location, found=found, expected=quoted(meant), fix=write(meant))
    return rules.UNKNOWN_KEY.problem(
        location,
        found=found,
        expected=f"one of the keys {listed(known)}" if known else "",
        fix=f"move it into {quoted(homes[0])}" if homes else "remove it",
    )


def _no_literal(document: Document, path: NodePath) -> Problem:
    field = field_at(document, path)
    return _not_one_of(document, path, dict.fromkeys(_words_of(field.annotation)) if field else ())


def _words_of(annotation: Any) -> Iterator[str]:
    """Yields those of a `Literal`, and of one that may be left out: a union with None."""
    if isinstance(annotation, str):
        yield annotation
    for inner in get_args(annotation):
        yield from _words_of(inner)


def _no_engine(document: Document, path: NodePath) -> Problem:
    other = 'for any other server, write "url" where it runs already, or "command" to have it started'
    return _not_one_of(document, path, engines(), other)


def _not_one_of(
    document: Document, path: NodePath, words: Iterable[str], other: str = "write one of these"
) -> Problem:
    value = document.value_at(path)
    expected = listed(quoted(word) for word in words)
    if not isinstance(value, str):
        return _wrong_type(document, path, expected)
    return rules.NOT_ONE_OF.problem(
        document.value_location(path),
        found=quoted(value),
        expected=expected,
        fix=write(nearest(value, words)) or other,
    )


def _wrong_type(document: Document, path: NodePath, expected: str) -> Problem:
    value = document.value_at(path)
    if value is not None and kind_at(document, path) is KeySource:
        return _literal_key(document, path)
    if is_union(path):
        expected = _UNION_TYPES[next(str(step) for step in reversed(path) if isinstance(step, str))]
    return rules.WRONG_TYPE.problem(
        document.value_location(path),
        found=kind_of(value) if value is None else f"{quoted(value)} ({kind_of(value)})",
        expected=expected,
        fix=("" if path else _WHOLE)
        or (expected == _TYPES["string_type"] and _example_instead(document, path))
        or _conversion(value, expected)
        or _example_object(document, path),
    )


def _literal_key(document: Document, path: NodePath) -> Problem:
    """Says what to write in place of a key; it is never shown."""
    return rules.LITERAL_KEY.problem(
        document.value_location(path),
        found="a value in place of the place where the key is kept",
        expected='{"env": "NAME"}, {"file": "path"} or {"secret": "name"}',
        fix='put the key into an environment variable, and write {"env": "OPENAI_API_KEY"}, its name',
        hides_value=True,
    )


def _example_instead(document: Document, path: NodePath) -> str:
    """Advises an example of the string that the field takes, where the quoted value would be malformed."""
    value, in_array = document.value_at(path), isinstance(path[-1], int)
    field = field_at(document, path)
    if value is None or field is None or not field.examples or has_form(field, quoted(value)):
        return ""
    example = field.examples[0][0] if in_array else field.examples[0]
    return f"write a string such as {quoted(example)}"


def _example_object(document: Document, path: NodePath) -> str:
    """Advises an example of the object that the field takes, where it has one."""
    field = field_at(document, path)
    example = field.examples[0] if field and field.examples else None
    return f"write an object such as {quoted(example)}" if isinstance(example, dict) else ""


def _conversion(value: Any, expected: str) -> str:
    """Advises how to write the value with the expected type, where that is obvious."""
    if value is None:
        return "remove the key, or give it a value"
    if isinstance(value, str):
        return _conversion_of_text(value, expected)
    if expected == _TYPES["string_type"] and isinstance(value, (bool, int, float)):
        return f'write "{quoted(value)}"'
    if expected == _TYPES["int_type"] and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    return ""


def _conversion_of_text(text: str, expected: str) -> str:
    if expected == _TYPES["bool_type"] and text.lower() in _TRUTHS:
        return f"write {_TRUTHS[text.lower()]}"
    if expected in {_TYPES["int_type"], _TYPES["float_type"]} and _NUMBER.fullmatch(text.strip()):
        return f"write {text.strip()} without quotes"
    return f"write [{quoted(text)}]" if expected == _TYPES["list_type"] else ""


def _out_of_range(document: Document, path: NodePath, context: dict[str, Any]) -> Problem:
    value = document.value_at(path)
    bound = next(name for name in _BOUNDS if name in context)
    limit = context[bound]
    return rules.OUT_OF_RANGE.problem(
        document.value_location(path),
        found=f"{len(value)} items" if isinstance(value, (list, dict)) else quoted(value),
        expected=_BOUNDS[bound].format(int(limit) if limit == int(limit) else limit),
        fix=f"write {limit}" if bound in {"ge", "le"} and isinstance(limit, int) else "",
    )


def _bad_key(document: Document, path: NodePath) -> Problem:
    return rules.BAD_FORM.problem(
        document.key_location(path),
        found=quoted(path[-1]),
        expected="the name of a variable: letters, digits and underscores, not beginning with a digit",
    )


def _bad_form(document: Document, path: NodePath) -> Problem:
    in_array = isinstance(path[-1], int)
    field = field_at(document, path)
    examples = field.examples if field and field.examples else []
    return rules.BAD_FORM.problem(
        document.value_location(path),
        found=quoted(document.value_at(path)),
        expected=f"a string such as {listed(map(quoted, examples[0] if in_array else examples))}",
    )


_OF_DISCRIMINATOR = frozenset({"union_tag_not_found", "union_tag_invalid"})
_WORDED_BY: dict[str, Callable[[Document, NodePath], Problem | None]] = {
    "missing": _missing,
    "union_tag_not_found": _no_discriminator,
    "extra_forbidden": _unknown,
    "literal_error": _no_literal,
    "union_tag_invalid": _no_engine,
}
