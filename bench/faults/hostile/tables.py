"""Hostile calls to a Python model that leaves reading bodies to the server."""

from __future__ import annotations

import io
import json
import pickle
import struct
from typing import TYPE_CHECKING

from bench.faults.hostile.call import (
    GONE,
    JSON,
    REFUSED,
    TOO_LARGE,
    WRONG_TYPE,
    HostileCall,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CSV, NPY = "text/csv", "application/x-npy"
PATH = "/table"
_LARGE = 6 * 1024 * 1024 - 1024
"""Just within the API's limit."""


def _build_npy(header: str, data: bytes = b"") -> bytes:
    """Builds an array file of format 1.0 with any header.

    Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
    """
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def _describe(shape: str, kind: str = "<f8") -> str:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"


def _build_pickle() -> bytes:
    held = io.BytesIO()
    pickle.dump(["a"], held, protocol=2)
    return _build_npy(_describe("(1,)", "|O"), held.getvalue())


def _refuse(
    content_type: str, kinds: dict[str, tuple[str, Callable[[], bytes]]], right: frozenset[int] = REFUSED
) -> Iterator[HostileCall]:
    for name, (tries, build_body) in kinds.items():
        yield HostileCall(name, tries, right, PATH, build_body, {"content-type": content_type})


_FILLS = "fills memory with an array that is only claimed"
_NPY = {
    "array of 10^18 numbers": (_FILLS, lambda: _build_npy(_describe("(1000000000, 1000000000)"))),
    "array of 8 GB": (_FILLS, lambda: _build_npy(_describe("(1000000000,)"), b"a" * 64)),
    "array of negative size": ("makes a mistake", lambda: _build_npy(_describe("(-5,)"), b"a" * 64)),
    "array of more sizes than 64 bits": (_FILLS, lambda: _build_npy(_describe("(9" + "9" * 40 + ",)"))),
    "array with a pickle": ("runs a program", _build_pickle),
    "array whose header is none": ("makes a mistake", lambda: _build_npy("(" * 9_000)),
    "array of unknown kind": ("makes a mistake", lambda: _build_npy(_describe("(1,)", "<q9"), b"a" * 64)),
    "array that is no array": ("makes a mistake", lambda: b"PK\x03\x04" + b"\0" * 64),
}
_JSON = {
    "brackets of 2 MB": ("ends the process by recursion", lambda: b"[" * 2_000_000),
    "number of 100,000 digits": ("makes reading quadratic", lambda: b"[" + b"9" * 100_000 + b"]"),
    "bytes that are no text": ("makes a mistake", lambda: b'{"a": "\xff\xfe"}'),
}

TABLE_CALLS: tuple[HostileCall, ...] = (
    *_refuse(NPY, _NPY),
    *_refuse(JSON, _JSON),
    *_refuse(
        CSV,
        {"table of 3 million cells": ("holds the only thread for minutes", lambda: b"1," * (_LARGE // 2))},
        frozenset({TOO_LARGE}),
    ),
    *_refuse(
        CSV,
        {"table of a million lines": ("holds the only thread for minutes", lambda: b"1,2\n" * (_LARGE // 4))},
        frozenset({TOO_LARGE}),
    ),
    *_refuse(
        CSV,
        {
            "table with one long cell": (
                "fills memory: every cell is kept as long as the longest",
                lambda: b"1,2\n" * 40_000 + b"a" * 5_000_000,
            )
        },
        frozenset({TOO_LARGE}),
    ),
    *_refuse(
        CSV,
        {"table with lines of odd lengths": ("makes a mistake", lambda: b"1,2\n1,2,3\n" * 500)},
    ),
    *_refuse(
        "application/vnd.unheard-of",
        {"type that cannot be read": ("makes a mistake", lambda: b"a")},
        frozenset({WRONG_TYPE}),
    ),
    HostileCall(
        "six tables for nobody",
        "hangs up and leaves the work",
        frozenset({GONE}),
        PATH,
        lambda: b"1,2,3\n" * 20_000,
        {"content-type": CSV},
        copies=6,
        hang_up_ms=50,
    ),
    HostileCall(
        "object of 100,000 keys",
        "makes reading quadratic",
        frozenset({200}),
        PATH,
        lambda: json.dumps({f"key{number}": 0 for number in range(100_000)}).encode(),
    ),
)
