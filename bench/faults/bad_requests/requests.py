"""A whole request: a body of some kind, its headers, and how its end is marked."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from bench.faults.bad_requests.arrays import build_csv, build_npy, build_text
from bench.faults.bad_requests.media import build_form, build_picture, build_recording, build_urlencoded
from bench.faults.bad_requests.values import build_json
from bench.faults.malformed_kinds import build_request

JSON, NPY, CSV, TEXT = "application/json", "application/x-npy", "text/csv", "text/plain"
PICTURE, RECORDING = "image/png", "audio/wav"
URLENCODED, FORM = "application/x-www-form-urlencoded", "multipart/form-data"

_TYPES = (
    *(
        JSON,
        NPY,
        CSV,
        TEXT,
        PICTURE,
        RECORDING,
        URLENCODED,
        "application/octet-stream",
        "application/xml",
        "*/*",
        "",
    ),
    *(
        "application/json; charset=utf-16",
        "application/json;",
        ";",
        "/",
        "a/b; c=" + "d" * 4_000,
        "APPLICATION/JSON",
    ),
    *(
        "application/json, text/csv",
        'text/csv; header="',
        "application/x-npy\t",
        "a" * 10_000,
        "application/pickle",
    ),
)
_ACCEPTS = (
    *(
        "*/*",
        JSON,
        NPY,
        CSV,
        TEXT,
        "image/*",
        "text/*",
        "application/*",
        "text/html",
        "",
        ",",
        ";",
        "q=0",
        "*",
        "/*",
    ),
    *(
        "application/json;q=0",
        "text/csv;q=1.5, */*;q=0",
        "application/x-npy;q=a",
        "text/plain; charset=utf-16",
    ),
    *(
        "a/b," * 2_500,
        "x" * 10_000,
        ";".join(["text/csv"] + ["q=0.1"] * 1_200),
        "application/json\t",
        '"*/*"',
    ),
)
_MORE = (
    *("Content-Encoding: gzip", "Content-Encoding: br, gzip", "Content-Encoding: " + "gzip," * 200),
    *(
        "X-Amzn-SageMaker-Custom-Attributes: " + "a" * 2_000,
        "X-Large: " + "a" * 8_000,
        "X-Large: " + "a" * 70_000,
    ),
    *(
        "Accept-Charset: utf-16",
        "Accept-Encoding: identity;q=0",
        "Range: bytes=0-0,-1",
        "If-Match: *",
        "Expect: 100-continue",
    ),
    *(
        "Content-Length-X: 1",
        "Cookie: " + "a=b; " * 1_000,
        "Content-MD5: x",
        "X-Forwarded-For: ::1, a, \\",
        "Forwarded: for=_",
    ),
)
_MANY = tuple(f"X-{number}: 1" for number in range(90))
_LATIN = "latin-1"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an entry takes: the content type, a body that it answers, and what builds bad ones of its own.

    Attributes:
        content_type: Of `sample`, and of what `build_own` builds.
        sample: A body that is answered.
        build_own: Builds a body that is nearly right.
        path: Where it is called.
        fields: Those of `sample`, if it is a JSON object.
        headers: Lines that every request has, such as a key's.
        other_paths: Where it is called as well.
        is_looked_at: Whether it is asked without a body, or deleted.
    """

    content_type: str
    sample: bytes
    build_own: Callable[[Random], bytes] | None = None
    path: str = "/"
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    other_paths: tuple[str, ...] = ()
    is_looked_at: bool = False


@dataclass(frozen=True, slots=True)
class BadRequest:
    """A request as bytes; one that is not `complete` ends before its body does."""

    raw: bytes
    complete: bool


def build_bad_request(chance: Random, taken: Taken) -> BadRequest:
    """Builds a request for an entry: its body often of the type that the entry takes, and nearly right."""
    if taken.is_looked_at:
        return _build_look(chance, taken)
    body, content_type = _build_body(chance, taken)
    headers = ["Host: x", f"Content-Type: {content_type}"]
    if chance.random() < 0.15:
        headers[1] = f"Content-Type: {chance.choice(_TYPES)}"
    if chance.random() < 0.03:
        del headers[1]
    if chance.random() < 0.3:
        headers.append(f"Accept: {chance.choice(_ACCEPTS)}")
    if chance.random() < 0.1:
        headers += chance.choice([[chance.choice(_MORE)], [chance.choice(_MORE)], list(_MANY), headers[1:]])
    if chance.random() < 0.03:
        body, headers = gzip.compress(body, mtime=0), [*headers, "Content-Encoding: gzip"]
    headers += taken.headers
    path = chance.choice([taken.path, *taken.other_paths]) if taken.other_paths else taken.path
    return _frame(chance, path, [line.encode(_LATIN, "replace") for line in headers], body)


def _build_look(chance: Random, taken: Taken) -> BadRequest:
    """Builds a request without a body."""
    headers = ["Host: x", *taken.headers]
    if chance.random() < 0.3:
        headers.append(chance.choice(_MORE))
    path, method = chance.choice([taken.path, *taken.other_paths]), chance.choice([b"GET", b"GET", b"DELETE"])
    lines = [line.encode(_LATIN, "replace") for line in headers]
    return BadRequest(build_request(path.encode(), *lines, body=b"", method=method), complete=True)


def _build_body(chance: Random, taken: Taken) -> tuple[bytes, str]:
    if taken.build_own and chance.random() < 0.7:
        return taken.build_own(chance), taken.content_type
    kind = chance.choice(
        [taken.content_type] * 6 + [JSON, NPY, CSV, TEXT, PICTURE, RECORDING, URLENCODED, FORM]
    )
    if kind == FORM:
        return build_form(chance)
    sample = taken.sample if kind == taken.content_type else b"\x89PNG\r\n\x1a\n" + bytes(80)
    builders: dict[str, Callable[[], bytes]] = {
        JSON: lambda: build_json(chance, taken.fields or {"input": "a"}),
        NPY: lambda: build_npy(chance),
        CSV: lambda: build_csv(chance),
        TEXT: lambda: build_text(chance),
        PICTURE: lambda: build_picture(chance, sample),
        RECORDING: lambda: build_recording(chance, sample),
        URLENCODED: lambda: build_urlencoded(chance),
    }
    build = builders.get(kind) or partial(taken.build_own or build_text, chance)
    return build(), kind


def _frame(chance: Random, path: str, headers: list[bytes], body: bytes) -> BadRequest:
    """Marks the end of the body: by its length, by chunks, or not as it should be."""
    way, where = chance.random(), path.encode()
    if way < 0.85:  # mostly as it should be
        return BadRequest(
            build_request(where, *headers, b"Content-Length: %d" % len(body), body=body), complete=True
        )
    if way < 0.90:
        longer = b"Content-Length: %d" % (len(body) + chance.choice([1, 1_000]))
        return BadRequest(build_request(where, *headers, longer, body=body), complete=False)
    size = chance.choice([1, 7, 1_000, 100_000]) if len(body) < 5_000 else 100_000
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    whole = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    ends = way < 0.97
    chunked = build_request(
        where, *headers, b"Transfer-Encoding: chunked", body=whole + (b"0\r\n\r\n" if ends else b"")
    )
    return BadRequest(chunked, complete=ends)


def take_json(path: str, value: Mapping[str, Any], headers: tuple[str, ...] = ()) -> Taken:
    """Builds what an entry takes whose bodies are JSON objects like this one."""
    return Taken(JSON, json.dumps(value).encode(), path=path, fields=value, headers=headers)
