"""Reads a JSON body strictly, says what is wrong and where, and writes another model into it.

A body that is passed on keeps its bytes: only the value of `model` is replaced.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, though typeshed lacks it
from typing import TYPE_CHECKING, Any, NoReturn

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

DEEPEST = 1_200
"""Levels of nesting that are read; a thousand are JSON that a client may well send."""

MOST_KEYS = 1_000
"""Keys of one object that are read.

Servers written in C++, llama.cpp's among them, take quadratic time for the keys of an object.

Source: https://json.nlohmann.me/api/ordered_map/
"""

_GZIP = b"\x1f\x8b"
_SPACES = " \t\n\r"
_SPACE = re.compile(rf"[{_SPACES}]*")
_ESCAPE = re.compile(
    r"\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}"  # a pair
    r"|(?P<lone>\\u[Dd][89A-Fa-f][0-9A-Fa-f]{2})"
    r"|\\."
)
_VALUES = json.JSONDecoder()
_MEANINGS = {
    "Expecting property name enclosed in double quotes": "expected a key in double quotes",
    "Expecting ':' delimiter": 'expected ":"',
    "Expecting ',' delimiter": 'expected "," or the end of the object or array',
    "Expecting value": "expected a value",
    "Extra data": "there is more after the object",
    "Illegal trailing comma before end of array": "a trailing comma",
    "Illegal trailing comma before end of object": "a trailing comma",
    "Invalid control character at": "a control character in a string, such as a line break",
    "Invalid \\escape": "an unknown escape in a string",
    "Invalid \\uXXXX escape": "an escape without four hexadecimal digits",
    "Unterminated string starting at": "a string that does not end",
}
"""What the parser's messages mean, for callers who do not read Python."""

_KINDS: dict[type, str] = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class BodyError(Exception):
    """A body that cannot be taken; the message tells the caller what is wrong with it."""


@record
class JsonBody:
    """A JSON object: its text, and what it means. Of equal keys the last one counts."""

    text: str
    document: dict[str, Any]


def read_json_object(body: bytes) -> JsonBody:
    """Reads a body. Pure.

    Raises:
        BodyError: It is no JSON object in UTF-8; the message says where it stops being one.
    """
    text = _decode(body)
    try:
        with _DeepRecursion():
            # Counting costs time for each object, so bodies that cannot have that many keys do without.
            document = (_COUNTING_DECODER if text.count(":") > MOST_KEYS else _DECODER).decode(text)
    except json.JSONDecodeError as error:
        raise BodyError(f"The body is not valid JSON: {_explain(error)}.") from error
    except RecursionError as error:
        raise BodyError("The body is nested too deeply.") from error
    except ValueError as error:  # Python reads no more digits
        raise BodyError("The body has a number of more than 4,300 digits.") from error
    if not isinstance(document, dict):
        raise BodyError(f"The body must be a JSON object, not {_KINDS[type(document)]}.")
    _refuse_lone_surrogates(text)
    return JsonBody(text, document)


def with_model(body: JsonBody, name: str) -> bytes:
    """Returns the body with `name` as its model, whether or not it names one. Pure.

    Raises:
        BodyError: It names a model twice, or by a key such as `Model`: servers differ in what they read.
    """
    return with_members(body, {"model": name})


def with_members(body: JsonBody, values: Mapping[str, Any], watched: Collection[str] = ()) -> bytes:
    """Returns the body with these members in place of its own, or before all others. Pure.

    Args:
        body: What came; all but these members keeps its bytes.
        values: The members, JSON values by key.
        watched: Keys that must not be there twice either: servers differ in which of them they read.

    Raises:
        BodyError: One of the keys is there twice, or in other letters, which servers written in Go read too.
    """
    right_keys = _fold_keys((*values, *watched))
    found: dict[str, tuple[int, int]] = {}
    for key, start, end in _find_members(body.text):
        right_key = right_keys.get(key.strip().casefold())
        if right_key is None:
            continue
        if key != right_key:
            raise BodyError(f'The body has the key "{key}": write "{right_key}".')
        if key in found:
            raise BodyError(f'The body has the key "{key}" twice.')
        found[key] = start, end
    first_member = body.text.index("{") + 1
    added = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in values.items() if key not in found]
    splices = [(*found[key], json.dumps(value)) for key, value in values.items() if key in found]
    if added:
        comma = "," if body.document else ""
        splices.append((first_member, first_member, f"{','.join(added)}{comma}"))
    text = body.text
    for start, end, written in sorted(splices, reverse=True):
        text = text[:start] + written + text[end:]
    return text.encode()


@functools.lru_cache(maxsize=256)
def _fold_keys(keys: tuple[str, ...]) -> Mapping[str, str]:
    return {key.casefold(): key for key in keys}


def _find_members(text: str) -> Iterator[tuple[str, int, int]]:
    """Yields key, start and end of each member's value, of an object that is known to be valid."""
    position = _skip(text, text.index("{") + 1)
    with _DeepRecursion():
        while text[position] != "}":
            key, position = scanstring(text, position + 1, True)  # noqa: FBT003  # the C function takes no names
            start = _skip(text, _skip(text, position) + 1)
            _, end = _VALUES.raw_decode(text, start)
            yield key, start, end
            position = _skip(text, end)
            if text[position] == ",":
                position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    if text[position] not in _SPACES:  # mostly there is none
        return position
    match = _SPACE.match(text, position)
    return match.end() if match else position


class _DeepRecursion:
    """Lets the parser recurse deeper than programs usually may, for a moment in which nothing else runs."""

    def __enter__(self) -> None:
        self._before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(self._before, DEEPEST + 200))

    def __exit__(self, *_: object) -> None:
        sys.setrecursionlimit(self._before)


def _decode(body: bytes) -> str:
    if not body.strip():
        raise BodyError("The body is empty: send a JSON object.")
    if body.startswith(_GZIP):
        raise BodyError("The body is compressed with gzip: send it uncompressed.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BodyError(f"The body is not valid UTF-8: byte {error.start + 1} is wrong.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise BodyError(f"The body is not valid JSON: {name} is not a JSON number.")


def _build_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(members) > MOST_KEYS:
        raise BodyError(
            f"The body has an object of {len(members):,} keys: an object may have at most {MOST_KEYS:,}."
        )
    return dict(members)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_COUNTING_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_build_object)


def _explain(error: json.JSONDecodeError) -> str:
    """Says what is wrong and where, in words that hold for every JSON parser."""
    said = _MEANINGS.get(error.msg, error.msg[:1].lower() + error.msg[1:])
    if error.doc[: error.pos].rstrip().endswith(",") and error.doc[error.pos : error.pos + 1] in {"}", "]"}:
        said = "a trailing comma"
    elif error.pos >= len(error.doc.rstrip()):
        said = "it ends too early"
    return f"{said}, {_locate(error.doc, error.pos)}"


def _locate(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    return f"at line {line}, column {position - text.rfind(chr(10), 0, position)}"


def _refuse_lone_surrogates(text: str) -> None:
    """Refuses half of a pair of escapes: no text has it, and each server fails on it in its own way."""
    for escape in _ESCAPE.finditer(text) if "\\u" in text else ():
        if escape["lone"]:
            where = _locate(text, escape.start())
            raise BodyError(f"The body is not valid JSON: {escape[0]} is half of a surrogate pair, {where}.")
