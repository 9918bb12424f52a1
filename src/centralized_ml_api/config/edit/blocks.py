"""Edits of YAML's blocks: what is written by indentation. Pure."""

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
    """The value as last member or item: at the file's end if that is the root's, or behind its last line."""
    anchor = document.values[path][0]
    if key is not None and (members := document.members(path)):
        anchor = document.keys[members[0]][0]
    indent = " " * (anchor - line_start(document.text, anchor))
    lines = render_yaml([value] if key is None else {key: value}, indent)
    ends = (len(document.text),) if not path else ()
    for at in (*ends, _content_end(document, path)):
        yield (_lines_at(document.text, at, lines),)


def fill_empty(document: Document, path: NodePath, value: dict[str, Any] | list[Any]) -> Edit:
    """A block instead of nothing, of `null`, `[]` or `{}` behind a key: on the lines below."""
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
    """Behind the last line of the value, its comment included."""
    parts = chain(document.values.items(), document.keys.items())
    last = max(end for found, (_, end) in parts if found[: len(path)] == path)
    return last if document.text[:last].endswith("\n") else line_end(document.text, last)
