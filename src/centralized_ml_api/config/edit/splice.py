"""Replacements in a text, and the lines and indentation around them. Pure."""

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
"""Splices of the same text that do not overlap."""


def apply_edit(text: str, edit: Iterable[Splice]) -> str:
    """Returns the text with all splices applied."""
    for splice in sorted(edit, reverse=True):
        text = text[: splice.start] + splice.new + text[splice.end :]
    return text


def line_start(text: str, at: int) -> int:
    """Returns the offset of the first character of the line that contains `at`."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Returns the offset behind the line that contains `at`, its line break included."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def indent_at(text: str, at: int) -> str:
    """Returns the spaces and tabs that the line of `at` begins with, before `at`."""
    line = text[line_start(text, at) : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def is_first_on_line(text: str, at: int) -> bool:
    """Returns whether there are only spaces and tabs before `at` on its line."""
    return not text[line_start(text, at) : at].strip(" \t")


def line_break(text: str) -> str:
    """Returns the line break that the text uses."""
    return "\r\n" if "\r\n" in text else "\n"
