"""Edits between brackets: all of JSON, and what YAML calls flow style. Pure."""

from __future__ import annotations

import math
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
    from collections.abc import Iterable

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.config.document.document import Extent
    from centralized_ml_api.config.edit.splice import Edit

_BLANKS_JSON = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BLANKS_YAML = re.compile(r"(?:\s+|#[^\n]*)*")
_DEFAULT_UNIT = "  "


def is_bracketed(document: Document, path: NodePath) -> bool:
    """Returns whether the value at `path` is an array or object that is written with brackets."""
    start, _ = document.values[path]
    return isinstance(document.value_at(path), (dict, list)) and document.text[start : start + 1] in {
        "{",
        "[",
    }


def replace_value(document: Document, extent: Extent, value: Any) -> Edit:
    """Returns the edit that replaces an extent of the text with a value, on several lines when it is long.

    Args:
        document: What was read.
        extent: What is replaced.
        value: Plain data.
    """
    start, end = extent
    indent = indent_at(document.text, start)
    lines = render_json(value, indent, _unit(document))
    return (Splice(start, end, line_break(document.text).join(lines)),)


def insert_last(document: Document, path: NodePath, key: str | None, value: Any) -> Edit:
    """Returns the edit that adds a last member or item.

    Args:
        document: What was read.
        path: The array or object, which has brackets.
        key: The new member's key; None adds an item to an array.
        value: Plain data.
    """
    start, end = document.values[path]
    if not document.text[start + 1 : end - 1].strip():
        return replace_value(document, (start, end), [value] if key is None else {key: value})
    if is_first_on_line(document.text, end - 1):
        return _insert_line(document, path, key, value)
    return _insert_within_line(document, path, key, value)


def _insert_line(document: Document, path: NodePath, key: str | None, value: Any) -> Edit:
    """Inserts on lines of its own before the closing bracket, after any comments there."""
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
    """Inserts on the same line, right after the last member and before any comment."""
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
    """Returns where the comma after the last member belongs, or None without members; whether it is there."""
    members = document.members(path)
    if not members:
        return None, False
    end = document.values[members[-1]][1]
    blanks = _BLANKS_YAML if is_yaml(document.source.file) else _BLANKS_JSON
    match = blanks.match(document.text, end)
    at = match.end() if match else end
    return (at, True) if document.text.startswith(",", at) else (end, False)


def _indent_within(document: Document, path: NodePath) -> str:
    """Returns the indentation of the first member on its own line, else one step more than the bracket's."""
    closing = document.values[path][1] - 1
    indents = _indents(document, document.members(path))
    return indents[0] if indents else indent_at(document.text, closing) + _unit(document)


def _unit(document: Document) -> str:
    """Returns one step of indentation.

    That is how the first member of the root that begins its line is indented. Without one, it is a tab where
    anything else is indented by tabs, and otherwise what all indentations are multiples of.
    """
    own = _indents(document, document.members(()))
    if own:
        return own[0] or _DEFAULT_UNIT
    deeper = [indent for indent in _indents(document, document.values) if indent]
    if any(indent.startswith("\t") for indent in deeper):
        return "\t"
    step = math.gcd(*map(len, deeper))
    return " " * step if step > 1 else _DEFAULT_UNIT


def _indents(document: Document, members: Iterable[NodePath]) -> list[str]:
    """Returns the indentation of each member that begins its line."""
    starts = (document.keys.get(member, document.values[member])[0] for member in members)
    return [indent_at(document.text, start) for start in starts if is_first_on_line(document.text, start)]
