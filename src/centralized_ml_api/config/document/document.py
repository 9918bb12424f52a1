"""A file that has been read: its text, its value, and where in the text each part of the value stands."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from itertools import accumulate
from typing import Any

from centralized_ml_api.errors import Location, Problem
from centralized_ml_api.record import record

NodePath = tuple[str | int, ...]
"""The keys and indices that lead from the root to a value."""

Extent = tuple[int, int]
"""The offsets of the first character and of the one after the last."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SourceText:
    """The text of one file, with its lines; `file` is the name that the user gave it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _line_starts(self) -> list[int]:
        lengths = (len(line) + 1 for line in self.text.split("\n"))
        return [0, *accumulate(lengths)][:-1]

    @cached_property
    def _last(self) -> int:
        """The offset of the last character that is not white space."""
        return max(len(self.text.rstrip()) - 1, 0)

    def line_of(self, offset: int) -> int:
        """Returns the number of the line that contains the character at `offset`, from 1."""
        return bisect_right(self._line_starts, offset)

    def location(self, start: int, end: int, path: str = "$") -> Location:
        """Returns where `text[start:end]` stands, cut at the end of its first line.

        Args:
            start: An offset; one behind the end of the file means its last character.
            end: The offset behind the last character.
            path: The JSONPath of what stands there.
        """
        start = min(start, self._last)
        line = self.line_of(start)
        line_start = self._line_starts[line - 1]
        line_end = self.text.find("\n", start)
        end = min(end, line_end if line_end >= 0 else len(self.text))
        return Location(self.file, line, start - line_start + 1, path, max(end - start, 1))


def json_path(path: NodePath) -> str:
    """Returns the path as a JSONPath: `$.models[1].instance`.

    Source: RFC 9535, section 2.5.1 (which keys may follow a dot; the others stand in brackets).
    """
    return "$" + "".join(_json_path_step(step) for step in path)


def _json_path_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_KEY.fullmatch(step) else f"[{json.dumps(step, ensure_ascii=False)}]"


@record
class Document:
    """What a file contains.

    `value` is plain data (dict, list, str, int, float, bool, None). `values` and `keys` give the extent of
    each value and, for members of objects, of its key. `problems` are those that do not stop the reading.
    """

    source: SourceText
    value: Any
    values: Mapping[NodePath, Extent] = field(repr=False)
    keys: Mapping[NodePath, Extent] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    @property
    def text(self) -> str:
        """The text that was read."""
        return self.source.text

    def value_at(self, path: NodePath) -> Any:
        """Returns the value at a path that exists."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def members(self, path: NodePath) -> list[NodePath]:
        """Returns the paths of what the object or array there contains, in file order."""
        value = self.value_at(path)
        inner: Any = range(len(value)) if isinstance(value, list) else value
        return [(*path, step) for step in inner] if isinstance(value, (dict, list)) else []

    def value_location(self, path: NodePath) -> Location:
        """Returns where the value stands: only its first character when it spans several lines."""
        start, end = self.values[path]
        if start == end and path in self.keys:  # nothing is written after a YAML key
            return self.key_location(path)
        if "\n" in self.text[start:end]:
            end = start + 1
        return self.source.location(start, end, json_path(path))

    def key_location(self, path: NodePath) -> Location:
        """Returns where the key of the value stands, or the value itself when it has none (in an array)."""
        if path not in self.keys:
            return self.value_location(path)
        return self.source.location(*self.keys[path], json_path(path))
