"""A read file: its value, and where each part of it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.document.source import SourceText
from centralized_ml_api.errors import Problem

if TYPE_CHECKING:
    from centralized_ml_api.errors import Location

NodePath = tuple[str | int, ...]
"""The way from the root to a value: keys and indices."""

Extent = tuple[int, int]
"""Offsets of the first character and of the one after the last."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def json_path(path: NodePath) -> str:
    """The path as a JSONPath: `$.models[1].instance`.

    Source: RFC 9535, section 2.5.1 (which keys may follow a dot; the others stand in brackets).
    """
    return "$" + "".join(_json_path_step(step) for step in path)


def _json_path_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_KEY.fullmatch(step) else f"[{json.dumps(step, ensure_ascii=False)}]"


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds.

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
        """The value of that path, which is there."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def members(self, path: NodePath) -> list[NodePath]:
        """The paths of what the object or array there holds, in file order."""
        value = self.value_at(path)
        inner: Any = range(len(value)) if isinstance(value, list) else value
        return [(*path, step) for step in inner] if isinstance(value, (dict, list)) else []

    def value_location(self, path: NodePath) -> Location:
        """Where the value stands: only its first character where it goes over several lines."""
        start, end = self.values[path]
        if start == end and path in self.keys:  # nothing is written after a YAML key
            return self.key_location(path)
        if "\n" in self.text[start:end]:
            end = start + 1
        return self.source.location(start, end, json_path(path))

    def key_location(self, path: NodePath) -> Location:
        """Where the key of the value stands; the value itself where there is none (in an array)."""
        if path not in self.keys:
            return self.value_location(path)
        return self.source.location(*self.keys[path], json_path(path))
