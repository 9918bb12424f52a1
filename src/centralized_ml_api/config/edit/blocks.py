"""Edits of YAML blocks, whose structure is their indentation. Pure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.edit.splice import Splice, line_break, line_end, line_start
from centralized_ml_api.config.edit.written import YAML_INDENT, render_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.document import Document, NodePath
    from centralized_ml_api.config.edit.splice import Edit


def insert_last(document: Document, path: NodePath, key: str | None, value: Any) -> Iterator[Edit]:
    """Yields ways to add a last member or item: first at the end of the file if the block is the root.

    Args:
        document: What was read.
        path: The block, an array or object that is not empty.
        key: The new member's key; None adds an item to an array.
        value: Plain data.
    """
    anchor = document.values[path][0]
    if key is not None and (members := document.members(path)):
        anchor = document.keys[members[0]][0]
    indent = " " * (anchor - line_start(document.text, anchor))
    lines = render_yaml([value] if key is None else {key: value}, indent)
    if not path:
        yield (_lines_at(document.text, len(document.text), lines),)
    yield (_lines_at(document.text, _content_end(document, path), lines),)


def fill_empty(document: Document, path: NodePath, value: dict[str, Any] | list[Any]) -> Edit:
    """Returns the edit that writes a block below a key, instead of nothing, `null`, `[]` or `{}` after it.

    Args:
        document: What was read.
        path: The empty value, which has a key.
        value: Plain data with at least one member or item.
    """
    text = document.text
    start, end = document.values[path]
    key_start, key_end = document.keys[path]
    indent = " " * (key_start - line_start(text, key_start)) + YAML_INDENT
    block = _lines_at(text, line_end(text, end), render_yaml(value, indent))
    if start == end:
        return (block,)
    blanks = len(text[key_end:start]) - len(text[key_end:start].rstrip(" "))
    return (Splice(start - blanks, end, ""), block)


def _lines_at(text: str, at: int, lines: list[str]) -> Splice:
    end = line_break(text)
    missing = end if at and not text[:at].endswith("\n") else ""
    return Splice(at, at, missing + "".join(f"{line}{end}" for line in lines))


def _content_end(document: Document, path: NodePath) -> int:
    """Returns the offset behind the last line of the value, with the comment on that line."""
    extents = chain(document.values.items(), document.keys.items())
    last = max(end for inner, (_, end) in extents if inner[: len(path)] == path)
    return last if document.text[:last].endswith("\n") else line_end(document.text, last)
