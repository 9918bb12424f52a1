"""A document and a change -> the new text. Pure.

Every candidate edit is applied, read again and compared with what was asked for; the first that means exactly
that is used, and without one the file is refused. So an edit can never change anything else in the file.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.document import SourceText, json_path
from centralized_ml_api.config.document.load import is_yaml, read_document
from centralized_ml_api.config.edit import blocks, brackets
from centralized_ml_api.config.edit.splice import Splice, apply_edit
from centralized_ml_api.config.edit.written import render_json_line
from centralized_ml_api.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.config.document.document import Extent
    from centralized_ml_api.config.edit.splice import Edit


def set_value(document: Document, path: NodePath, value: Any) -> str:
    """Returns the text in which the value at `path` is `value`; adds objects that are missing on the way.

    Args:
        document: What was read.
        path: Keys and indices from the root; the part that does not exist yet must be keys.
        value: Plain data.

    Raises:
        ConfigError: An object of the file has a key twice, and which of the two counts is unknown.
        UsageError: There is something other than an object on the way, or the file cannot be edited safely.
    """
    return _changed(document, path, value, _edits(document, path, value))


def add_entry(document: Document, entry: dict[str, Any], key: str = "models") -> str:
    """Returns the text with one more entry at the end of an array of the root.

    Args:
        document: What was read.
        entry: Plain data.
        key: The key of the array.

    Raises:
        ConfigError: An object of the file has a key twice, and which of the two counts is unknown.
        UsageError: There is something other than an array, or the file cannot be edited safely.
    """
    entries = document.value.get(key) if isinstance(document.value, dict) else None
    if not entries:
        return set_value(document, (key,), [entry])
    return _changed(document, (key, len(entries)), entry, _insertions(document, (key,), None, entry))


def _changed(document: Document, path: NodePath, value: Any, edits: Iterator[Edit]) -> str:
    if document.problems:
        raise ConfigError(document.problems, source=document.text)
    wanted = _with_value(document, path, value)
    for edit in edits:
        text = apply_edit(document.text, edit)
        if _means(text, document.source.file, wanted):
            return text
    raise _refusal(document, path, value)


def _edits(document: Document, path: NodePath, value: Any) -> Iterator[Edit]:
    """Returns the candidate edits, the best first."""
    there = _deepest(document, path)
    if there == path:
        return _replacements(document, path, value)
    missing = path[len(there) :]
    if any(isinstance(step, int) for step in missing):
        return iter(())
    member = _nested(missing[1:], value)
    if document.value_at(there) is None and there:
        return _replacements(document, there, {missing[0]: member})
    return _insertions(document, there, str(missing[0]), member)


def _replacements(document: Document, path: NodePath, value: Any) -> Iterator[Edit]:
    start, end = _without_line_break(document, path)
    bracketed = any(brackets.is_bracketed(document, path[:depth]) for depth in range(len(path)))
    if not bracketed and path in document.keys and not document.value_at(path) and _has_members(value):
        yield blocks.fill_empty(document, path, value)
    if is_yaml(document.source.file) and isinstance(value, str) and start < end:
        yield from _in_same_quotes(document.text[start:end], Splice(start, end, value))
    yield brackets.replace_value(document, (start, end), value)
    yield (Splice(start, end, render_json_line(value)),)


def _without_line_break(document: Document, path: NodePath) -> Extent:
    """Returns the extent of the value without the line break at the end of a YAML block."""
    start, end = document.values[path]
    written = document.text[start:end]
    return start, end - len(written) + len(written.removesuffix("\n").removesuffix("\r"))


def _in_same_quotes(written: str, plain: Splice) -> Iterator[Edit]:
    if written[0] not in "\"'|>":
        yield (plain,)
    if written[0] == "'":
        quoted = plain.new.replace("'", "''")
        yield (Splice(plain.start, plain.end, f"'{quoted}'"),)


def _insertions(document: Document, path: NodePath, key: str | None, value: Any) -> Iterator[Edit]:
    if brackets.is_bracketed(document, path):
        yield brackets.insert_last(document, path, key, value)
    elif isinstance(document.value_at(path), (dict, list)):
        yield from blocks.insert_last(document, path, key, value)


def _deepest(document: Document, path: NodePath) -> NodePath:
    """Returns the longest part of the path, from the root, that exists."""
    return next(path[:depth] for depth in range(len(path), -1, -1) if path[:depth] in document.values)


def _nested(keys: NodePath, value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def _has_members(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def _with_value(document: Document, path: NodePath, value: Any) -> Any:
    """Returns what the whole file should mean after the change."""
    there = _deepest(document, path)
    value = _nested(path[len(there) :], value) if document.value_at(there) is None else value
    path = there if document.value_at(there) is None else path
    if not path:
        return value
    whole = deepcopy(document.value)
    parent: Any = whole
    for step in path[:-1]:
        parent = _member(parent, step)
    _put(parent, path[-1], value)
    return whole


def _member(parent: Any, step: str | int) -> Any:
    if isinstance(parent, list) and isinstance(step, int):
        return parent[step]
    return parent.setdefault(step, {}) if isinstance(parent, dict) else None


def _put(parent: Any, step: str | int, value: Any) -> None:
    if isinstance(parent, dict):
        parent[step] = value
    elif isinstance(parent, list) and isinstance(step, int):
        parent[step:] = [value, *parent[step + 1 :]]


def _means(text: str, file: str, wanted: Any) -> bool:
    """Returns whether the text can be read and means exactly `wanted`, key order included."""
    try:
        document = read_document(SourceText(file, text))
    except ConfigError:
        return False
    return not document.problems and render_json_line(document.value) == render_json_line(wanted)


def _refusal(document: Document, path: NodePath, value: Any) -> UsageError:
    location = document.value_location(_deepest(document, path))
    return UsageError(
        f"{document.source.file} is written in a way that cannot be edited safely, on line {location.line}",
        fix=f"set {json_path(path)} yourself: {render_json_line(value)}",
    )
