"""Small replacements in a text, and what they need to know of its lines. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


Edit = tuple[Splice, ...]
"""Splices that do not overlap."""


def apply_edit(text: str, edit: Iterable[Splice]) -> str:
    """The text with all of them made; everything between them is as it was."""
    for splice in sorted(edit, reverse=True):
        text = text[: splice.start] + splice.new + text[splice.end :]
    return text


def line_start(text: str, at: int) -> int:
    """The offset of the first character of the line."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """The offset behind the line, its line break included."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def indent_at(text: str, at: int) -> str:
    """The blanks that the line begins with."""
    line = text[line_start(text, at) : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def is_first_on_line(text: str, at: int) -> bool:
    """Whether nothing but blanks stands before it on its line."""
    return not text[line_start(text, at) : at].strip(" \t")


def line_break(text: str) -> str:
    """How the text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"
