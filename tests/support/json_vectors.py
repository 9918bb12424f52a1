"""Bodies that are no JSON object, and what their callers are told, on one machine as on AWS."""

from __future__ import annotations

import gzip
import json


def _build_object(keys: int) -> bytes:
    return json.dumps(dict.fromkeys(map(str, range(keys)), 0)).encode()


REFUSED: list[tuple[bytes, str]] = [
    (b"", "The body is empty: send a JSON object."),
    (b" \n", "The body is empty: send a JSON object."),
    (gzip.compress(b"{}", mtime=0), "The body is compressed with gzip: send it uncompressed."),
    (b'{"\xff": 1}', "The body is not valid UTF-8: byte 3 is wrong."),
    (b'{"\xef\xbf\xbd": "\xc3"}', "The body is not valid UTF-8: byte 10 is wrong."),
    (b"[1]", "The body must be a JSON object, not an array."),
    (b'"x"', "The body must be a JSON object, not a string."),
    (b"3", "The body must be a JSON object, not a number."),
    (b"true", "The body must be a JSON object, not true or false."),
    (b"null", "The body must be a JSON object, not null."),
    (b"[" * 100_000, "The body is nested too deeply."),
    *(
        (body, "The body has an object of 1,001 keys: an object may have at most 1,000.")
        for body in (
            _build_object(1_001),
            b'{"a": [{}, {"b": ' + _build_object(1_001) + b"}]}",
            b'{"a": {' + b",".join([b'"b": 0'] * 1_001) + b"}}",
        )
    ),
    *(
        (text.encode(), f"The body is not valid JSON: {said}.")
        for text, said in (
            ('{"a": 1,}', "a trailing comma, at line 1, column 9"),
            ('{"a": [1,]}', "a trailing comma, at line 1, column 10"),
            ('{"a": [1,}', "a trailing comma, at line 1, column 10"),
            ('{"a": NaN}', "NaN is not a JSON number"),
            ('{"a": -Infinity}', "-Infinity is not a JSON number"),
            (r'{"a": "\ud800b"}', r"\ud800 is half of a surrogate pair, at line 1, column 8"),
            (r'{"a": "\ud83d\ude00 \uDC00"}', r"\uDC00 is half of a surrogate pair, at line 1, column 21"),
            (r'{"\ud83d\uzzzz": 1}', "an escape without four hexadecimal digits, at line 1, column 10"),
            (r'{"a": "\x"}', "an unknown escape in a string, at line 1, column 8"),
            ('{"a": "x\ny"}', "a control character in a string, such as a line break, at line 1, column 9"),
            ('{"a": "b', "a string that does not end, at line 1, column 7"),
            ('{"a": "b\\', "a string that does not end, at line 1, column 7"),
            ('{"a": 1', "it ends too early, at line 1, column 8"),
            ("{", "it ends too early, at line 1, column 2"),
            ('{"a" 1}', 'expected ":", at line 1, column 6'),
            ("{'a': 1}", "expected a key in double quotes, at line 1, column 2"),
            ("{,}", "expected a key in double quotes, at line 1, column 2"),
            ('{"a": 01}', 'expected "," or the end of the object or array, at line 1, column 8'),
            ('{"a": 1 "b": 2}', 'expected "," or the end of the object or array, at line 1, column 9'),
            ('{"é🎉": x}', "expected a value, at line 1, column 8"),
            ('{"a":\n\n  .5}', "expected a value, at line 3, column 3"),
            ('{"a":\u00a01}', "expected a value, at line 1, column 6"),
            ("not JSON", "expected a value, at line 1, column 1"),
            ("[1,,2]", "expected a value, at line 1, column 4"),
            ('{"a": 1} x', "there is more after the object, at line 1, column 10"),
        )
    ),
]

TAKEN: list[bytes] = [
    b"{}",
    b'\xef\xbb\xbf {"a": 1}\n',
    b'{"seed": 18446744073709551615, "n": 1e400, "z": -0.0}',
    b'{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    '{"é": "\ufffd\u2028"}'.encode(),
    rb'{"a": "\ud83d\ude00\u0000\/"}',
    b'{"a":[{"b":{}},[],{}],"c":"d"}',
    b'{"a": 1, "a": 2}',
    _build_object(1_000),
    b'{"a":[' + b",".join([_build_object(1_000)] * 3) + b"]}",
    b'{"a":[' + b"0," * 100_000 + b"0]}",
    b'{"a": "' + b':\\",' * 2_000 + b'"}',
]
"""JSON objects, however odd."""
