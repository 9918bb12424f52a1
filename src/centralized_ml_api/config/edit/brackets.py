"""Edits between brackets: all of JSON, and what YAML calls flow. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.document.load import is_yaml
from centralized_ml_api.config.edit.splice import (
    Splice,
    indent_at,
    is_first_on_line,
    line_break,
    line_start,
)
from centralized_ml_api.config.edit.written import render_json, render_json_line

if TYPE_CHECKING:
    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.config.document.document import Extent
    from centralized_ml_api.config.edit.splice import Edit

_BLANKS_JSON = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BLANKS_YAML = re.compile(r"(?:\s+|#[^\n]*)*")
_DEFAULT_UNIT = "  "


def is_bracketed(document: Document, path: NodePath) -> bool:
    """Whether the value, an array or object, is written with brackets."""
    start, _ = document.values[path]
    return isinstance(document.value_at(path), (dict, list)) and document.text[start : start + 1] in {
        "{",
        "[",
    }


def replace_value(document: Document, extent: Extent, value: Any) -> Edit:
    """The value written instead of what stands there, over several lines when it is long."""
    start, end = extent
    indent = indent_at(document.text, start)
    lines = render_json(value, indent, _unit(document))
    return (Splice(start, end, line_break(document.text).join(lines)),)


def insert_last(document: Document, path: NodePath, key: str | None, value: Any) -> Edit:
    """The value as the last member of the object, or without `key` as the last item of the array."""
    start, end = document.values[path]
    if not document.text[start + 1 : end - 1].strip():
        return replace_value(document, (start, end), [value] if key is None else {key: value})
    if is_first_on_line(document.text, end - 1):
        return _insert_line(document, path, key, value)
    return _insert_within_line(document, path, key, value)


def _insert_line(document: Document, path: NodePath, key: str | None, value: Any) -> Edit:
    """On lines of its own before the closing bracket, behind whatever comments stand there."""
    text, closing = document.text, document.values[path][1] - 1
    indent = _indent_within(document, path)
    comma, has_comma = _comma(document, path)
    name = "" if key is None else f"{render_json_line(key)}: "
    first, *rest = render_json(value, indent, _unit(document))
    lines = [f"{indent}{name}{first}", *rest]
    lines[-1] += "," if has_comma else ""
    at = line_start(text, closing)
    new = Splice(at, at, "".join(f"{line}{line_break(text)}" for line in lines))
    return (new,) if has_comma or comma is None else (Splice(comma, comma, ","), new)


def _insert_within_line(document: Document, path: NodePath, key: str | None, value: Any) -> Edit:
    """Right behind the last member, before any comment."""
    name = "" if key is None else f"{render_json_line(key)}: "
    written = f"{name}{render_json_line(value)}"
    comma, has_comma = _comma(document, path)
    if comma is None:
        closing = document.values[path][1] - 1
        return (Splice(closing, closing, written),)
    if has_comma:
        return (Splice(comma + 1, comma + 1, f" {written},"),)
    return (Splice(comma, comma, f", {written}"),)


def _comma(document: Document, path: NodePath) -> tuple[int | None, bool]:
    """Where the comma behind the last member stands or belongs, and whether it is there; None: no member."""
    members = document.members(path)
    if not members:
        return None, False
    end = document.values[members[-1]][1]
    blanks = _BLANKS_YAML if is_yaml(document.source.file) else _BLANKS_JSON
    match = blanks.match(document.text, end)
    at = match.end() if match else end
    return (at, True) if document.text.startswith(",", at) else (end, False)


def _indent_within(document: Document, path: NodePath) -> str:
    """That of the first member where it begins its line, else one step further than the closing bracket."""
    for member in document.members(path):
        start = document.keys.get(member, document.values[member])[0]
        if is_first_on_line(document.text, start):
            return indent_at(document.text, start)
    return indent_at(document.text, document.values[path][1] - 1) + _unit(document)


def _unit(document: Document) -> str:
    """One step of indentation, as the first member of the whole file has it."""
    for member in document.members(()):
        start = document.keys.get(member, document.values[member])[0]
        if is_first_on_line(document.text, start):
            return indent_at(document.text, start) or _DEFAULT_UNIT
    return _DEFAULT_UNIT
