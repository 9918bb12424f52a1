"""Arrays that claim what they do not have, and tables of odd cells."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

from bench.faults.bad_requests.values import mangle

if TYPE_CHECKING:
    from random import Random

_SHAPES = (
    *("()", "(0,)", "(2,)", "(1, 2)", "(-1,)", "(2, -1)", "(True,)", "(2.0,)", "2", "'ab'", "(None,)", "[2]"),
    *(
        "(0, 9223372036854775807)",
        "(9223372036854775807,)",
        "(9223372036854775808,)",
        "(2**40,)",
        "(10**30, 0)",
    ),
    *("(65536, 65536, 65536, 65536)", f"({'1, ' * 40})", f"({'0, ' * 65})", "(0, -9223372036854775808)"),
    *("(4294967296, 4294967296)", "((1, 2), 3)", "(1000000000000, 0)"),
)
_TYPES = (
    *(
        "'<f8'",
        "'<i4'",
        "'|u1'",
        "'<f2'",
        "'<c16'",
        "'|O'",
        "'|b1'",
        "'<M8[s]'",
        "'<m8[ns]'",
        "'|V0'",
        "'|S0'",
    ),
    *(
        "'<U0'",
        "'<U1000000000'",
        "'|V2147483647'",
        "'|S2147483648'",
        "'<f16'",
        "'x'",
        "''",
        "None",
        "8",
        "'f8,f8'",
    ),
    *("[('a', '<f8'), ('a', '<f8')]", "[('a', '|O')]", "[('', '<i2'), ('b', '<f4', (2, 2))]", "[]", "'>f8'"),
    *("[('a', '<f8', (1000000, 1000000))]", "{'a': 1}", "'<f8,' * 9", "[('a', [('b', [('c', '|O')])])]"),
    *("'<M8[5000000000000s]'", "'<i3'", "'float64'", "'object'", "'T'", "('<f8', {'metadata': {}})"),
)
_MAGIC = b"\x93NUMPY"
_CELLS = (
    *(
        b"1",
        b"",
        b" ",
        b"a",
        b'"',
        b'"a,b"',
        b"#",
        b"1e999",
        b"nan",
        b"-inf",
        b"1" * 5_000,
        b"\0",
        b"\xff\xfe",
    ),
    *(
        b"2" * 30,
        b"9223372036854775808",
        b"0x10",
        b"1_000",
        b"1+2j",
        b"True",
        b"\xe2\x80\xae",
        b"=1+1",
        b"2026-01-01",
    ),
    *("é中😀".encode(), b"\r", b"'", b"\x1b[31m", b"\x0c", b"a" * 5_000, b"1;2", b"\t"),
)


def build_npy(chance: Random) -> bytes:
    """Builds an npy file: its shape, type, order or header claim anything."""
    pairs = [
        ("'descr'", chance.choice([chance.choice(_TYPES), "'<f8'"])),
        ("'fortran_order'", chance.choice(["False", "False", "True", "1", "None"])),
        ("'shape'", chance.choice([chance.choice(_SHAPES), "(2,)"])),
    ]
    if chance.random() < 0.25:
        value = chance.choice(["1", "()", "'a' * 9", "__import__('os')"])
        pairs.append((chance.choice(["'x'", "1", "'shape'"]), value))
    text = "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}"
    header = chance.choice(
        [text] * 9 + [text[:-1], "(" * 300 + ")" * 300, "[" * 5_000, text + " " * 20_000, "\0", ""]
    )
    version = chance.choice(
        [b"\x01\x00"] * 4 + [b"\x02\x00", b"\x03\x00", b"\x00\x00", b"\x04\x00", b"\xff\xff"]
    )
    length = chance.choice([len(header) + 1] * 6 + [0, 1, 65_535])
    packed = struct.pack("<H" if version == b"\x01\x00" else "<I", length)
    data = chance.randbytes(chance.choice([0, 1, 8, 16, 16, 16, 4_000]))
    whole = _MAGIC + version + packed + header.encode() + b"\n" + data
    return mangle(chance, whole) if chance.random() < 0.2 else whole  # one in five


def build_csv(chance: Random) -> bytes:
    """Builds a table: rows of different lengths, cells that are huge, quoted, or no text."""
    rows = chance.choice([0, 1, 2, 3, 20, 400])
    separator = chance.choice([b","] * 6 + [b";", b"\t", b"\0", b",,"])
    end = chance.choice([b"\n"] * 6 + [b"\r\n", b"\r", b"\n\n", "\u2028".encode()])
    width = chance.randint(1, 6)

    def build_row() -> bytes:
        cells = width if chance.random() < 0.8 else chance.randint(0, 40)  # mostly
        return separator.join(chance.choice([b"1", b"2.5", chance.choice(_CELLS)]) for _ in range(cells))

    table = end.join(build_row() for _ in range(rows))
    other = [
        b"\n" * 200_000,
        b"," * 150_000,
        b"a" * 500_000,
        b"1," * 99_999,
        b"1\n" * 50_000,
        b"",
        b"\xef\xbb\xbf1,2",
    ]
    return chance.choice([table] * 30 + other)


def build_text(chance: Random) -> bytes:
    """Builds bytes that may be text."""
    return chance.choice(
        [
            b"",
            b"a",
            b"\0",
            chance.randbytes(50),
            b"\xed\xa0\x80",
            b"a" * 300_000,
            "é中😀".encode(),
            gzip.compress(b"a" * 10**6, mtime=0),
        ]
    )
