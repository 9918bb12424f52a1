"""YAML -> a document: the part of YAML that JSON can express, with JSON's meaning.

Made from PyYAML's events, which show anchors and tags that its nodes have already resolved. A plain scalar
means what the same characters mean in JSON and else is a string, as are `yes`, `1:30`, `0x1F`, `2026-12-01`.

Source: https://yaml.org/spec/1.2.2/ (PyYAML itself resolves by YAML 1.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    StreamEndEvent,
)

from centralized_ml_api.config.document import rules
from centralized_ml_api.config.document.reader import Reader
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.document.document import Document, Extent, NodePath, SourceText

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def read_yaml(source: SourceText) -> Document:
    """Reads a whole text. Pure.

    Raises:
        ConfigError: It is not YAML, or YAML that JSON cannot express; exactly one problem.
    """
    reader = _YamlReader(source)
    try:
        return reader.read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        found = ", ".join(part for part in (error.context, error.problem) if part)
        reader.refuse(rules.YAML_SYNTAX, mark.index if mark else 0, found=found)
    except yaml.reader.ReaderError as error:
        reader.refuse(
            rules.YAML_SYNTAX,
            _offset_of(error, source.text),
            found=f"a character that YAML forbids: {error.reason}",
        )


def _offset_of(error: yaml.reader.ReaderError, text: str) -> int:
    """Returns the offset of the forbidden character; the C loader counts bytes, not characters."""
    if _LOADER is yaml.SafeLoader:
        return int(error.position)
    return len(text.encode()[: error.position].decode(errors="ignore"))


class _YamlReader(Reader):
    """One pass over the events of a text."""

    def __init__(self, source: SourceText) -> None:
        super().__init__(source)
        self._events: Iterator[Any] = yaml.parse(source.text, Loader=_LOADER)

    def read(self) -> Document:
        next(self._events)  # the stream begins
        if isinstance(next(self._events), StreamEndEvent):
            self.refuse_empty()
        value = self._value(next(self._events), ())
        next(self._events)  # the document ends
        self._refuse_second_document(next(self._events))
        return self.document(value)

    def _value(self, event: Any, path: NodePath) -> Any:
        """Reads the value that begins with this event and notes its extent under `path`."""
        self._refuse_beyond_json(event)
        start, _ = _extent(event)
        if isinstance(event, ScalarEvent):
            self.note_value(path, _extent(event))
            return self._scalar(event)
        self.refuse_deeper(path, start)
        value, end = self._mapping(path) if isinstance(event, MappingStartEvent) else self._sequence(path)
        self.note_value(path, (start, end if event.flow_style else start + 1))
        return value

    def _mapping(self, path: NodePath) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), CollectionEndEvent):
            key = self._key(event)
            here = (*path, key)
            extent = _extent(event)
            if key in found:
                self.note_duplicate(here, extent)
            self.keys[here] = extent
            found[key] = self._value(next(self._events), here)
        return found, _extent(event)[1]

    def _sequence(self, path: NodePath) -> tuple[list[Any], int]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), CollectionEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found, _extent(event)[1]

    def _key(self, event: Any) -> str:
        self._refuse_beyond_json(event)
        if isinstance(event, ScalarEvent) and isinstance(key := self._scalar(event), str):
            return key
        written = event.value if isinstance(event, ScalarEvent) else ""
        return self._refuse_event(
            event,
            found=f"the key {written}" if written else "a key that is not a string",
            expected="a string as the key",
            fix=f"write {quoted(written)}" if written else "",
        )

    def _scalar(self, event: Any) -> Any:
        written: str = event.value
        if event.style:  # quoted, or a block of lines; a plain scalar has none ("" or None, by loader)
            return written
        if written in _WORDS:
            return _WORDS[written]
        return self._number(event) if _NUMBER.fullmatch(written) else written

    def _number(self, event: Any) -> int | float:
        written: str = event.value
        try:
            value = int(written) if _INTEGER.fullmatch(written) else float(written)
        except ValueError:  # Python refuses to convert thousands of digits
            value = float("inf")
        if value in (float("inf"), float("-inf")):
            self._refuse_event(event, found=f"{written[:40]}…", expected="a number below 1e308")
        return value

    def _refuse_beyond_json(self, event: Any) -> None:
        """Refuses aliases, anchors and tags."""
        if isinstance(event, AliasEvent):
            self._refuse_event(event, found=f"the alias *{event.anchor}", expected="the value itself")
        if event.anchor is not None:
            self._refuse_event(
                event, found=f"the anchor &{event.anchor}", expected="a value without an anchor"
            )
        if event.tag is not None:
            self._refuse_event(event, found=f"the tag {event.tag}", expected="a value without a tag")

    def _refuse_second_document(self, event: Any) -> None:
        if isinstance(event, DocumentStartEvent):
            self.refuse(
                rules.YAML_SYNTAX,
                *_extent(event),
                found="a second document",
                expected="one document",
                fix="remove the --- before it, or put it in a file of its own",
            )

    def _refuse_event(self, event: Any, *, found: str, expected: str, fix: str = "") -> NoReturn:
        start, end = _extent(event)
        self.refuse(rules.PLAIN_DATA, start, end, found=found, expected=expected, fix=fix)


def _extent(event: Any) -> Extent:
    return event.start_mark.index, event.end_mark.index
