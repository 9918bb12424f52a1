"""What a JSON body is refused for, in which words, and how the name of a model is written into it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.admission.json_body import BodyError, read_json_object, with_model

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=10,
)


def refusal(body: bytes) -> str:
    with pytest.raises(BodyError) as refused:
        read_json_object(body)
    return str(refused.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is empty: send a JSON object."),
        (b" \r\n\t", "The body is empty: send a JSON object."),
        (b'{"a": 1,}', "The body is not valid JSON: a trailing comma, at line 1, column 9."),
        (b'{"a": [1,\n ]}', "The body is not valid JSON: a trailing comma, at line 2, column 2."),
        (b'{"a": NaN}', "The body is not valid JSON: NaN is not a JSON number."),
        (b'{"a": -Infinity}', "The body is not valid JSON: -Infinity is not a JSON number."),
        (b'{"a": 1', "The body is not valid JSON: it ends too early, at line 1, column 8."),
        (b'{"a": "b', "The body is not valid JSON: a string that does not end, at line 1, column 7."),
        (b"{'a': 1}", "The body is not valid JSON: expected a key in double quotes, at line 1, column 2."),
        (b'{"a" 1}', 'The body is not valid JSON: expected ":", at line 1, column 6.'),
        (
            b'{"a": 1 "b": 2}',
            (
                "The body is not valid JSON:"
                ' expected "," or the end of the object or array, at line 1, column 9.'
            ),
        ),
        (b'{"a": nil}', "The body is not valid JSON: expected a value, at line 1, column 7."),
        (b'{"a": 1} {}', "The body is not valid JSON: there is more after the object, at line 1, column 10."),
        (
            b'{"a": "b\nc"}',
            (
                "The body is not valid JSON: a control character in a string, such as a line break,"
                " at line 1, column 9."
            ),
        ),
        (
            b'{"a": "\\q"}',
            "The body is not valid JSON: an unknown escape in a string, at line 1, column 8.",
        ),
        (
            b'{"x": 1,\n"a": "b\\ud800c"}',
            "The body is not valid JSON: \\ud800 is half of a surrogate pair, at line 2, column 8.",
        ),
        (b'{"a": "\xff"}', "The body is not valid UTF-8: byte 8 is wrong."),
        (b'["a"]', "The body must be a JSON object, not an array."),
        (b'"a"', "The body must be a JSON object, not a string."),
        (b"3", "The body must be a JSON object, not a number."),
        (b"3.5", "The body must be a JSON object, not a number."),
        (b"true", "The body must be a JSON object, not true or false."),
        (b"null", "The body must be a JSON object, not null."),
        (b'{"a": ' + b"9" * 5000 + b"}", "The body has a number of more than 4,300 digits."),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(body: bytes, message: str) -> None:
    assert refusal(body) == message


def test_a_compressed_body_is_told_from_a_broken_one() -> None:
    body = gzip.compress(b'{"model": "chat"}')
    assert refusal(body) == "The body is compressed with gzip: send it uncompressed."


def test_nesting_without_end_is_refused() -> None:
    assert refusal(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}") == "The body is nested too deeply."


@pytest.mark.parametrize("place", ["%s", '{"a": [1, {"b": %s}]}'])
def test_an_object_with_more_keys_than_servers_read_in_a_moment_is_refused(place: str) -> None:
    most, many = (json.dumps(dict.fromkeys(map(str, range(count)), 0)) for count in (1_000, 1_001))
    assert read_json_object((place % most).encode()).text == place % most
    assert refusal((place % many).encode()) == (
        "The body has an object of 1,001 keys: an object may have at most 1,000."
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"seed": 18446744073709551615}',
        b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        '{"a": "\\ud83d\\ude00 \\u00e9 \\\\ud800 é"}'.encode(),
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1e400}',
    ],
)
def test_what_json_allows_is_read(body: bytes) -> None:
    assert "a" in read_json_object(body).document or "seed" in read_json_object(body).document


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{"model": "a", "x": 1e400}', b'{"model": "b/c", "x": 1e400}'),
        (b' { "x" : [ 1 ] , "model" : {"a": [1, 2]} }\n', b' { "x" : [ 1 ] , "model" : "b/c" }\n'),
        (b'{"x": {"model": 1}}', b'{"model":"b/c","x": {"model": 1}}'),
        (b"{ }", b'{"model":"b/c" }'),
        (b'{"mod\\u0065l": 1}', b'{"mod\\u0065l": "b/c"}'),
        (
            '{"é": "\\"model\\": 1", "model": null}'.encode(),
            '{"é": "\\"model\\": 1", "model": "b/c"}'.encode(),
        ),
    ],
)
def test_only_the_value_of_the_model_is_replaced(body: bytes, changed: bytes) -> None:
    assert with_model(read_json_object(body), "b/c") == changed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"model": "a", "Model": "b"}', 'The body has the key "Model": write "model".'),
        (b'{"MODEL": "b"}', 'The body has the key "MODEL": write "model".'),
        (b'{" model": "b"}', 'The body has the key " model": write "model".'),
        (b'{"model": "a", "model": "b"}', 'The body has the key "model" twice.'),
        (b'{"model": "a", "mod\\u0065l": "b"}', 'The body has the key "model" twice.'),
    ],
)
def test_a_model_that_servers_may_read_in_two_ways_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BodyError) as refused:
        with_model(read_json_object(body), "b/c")
    assert str(refused.value) == message


@pytest.mark.parametrize("_part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in (1, 2, 3))])
@settings(max_examples=20, deadline=None)
@given(document=st.dictionaries(st.text(), VALUES), spaced=st.booleans())
def test_every_object_stays_what_it_is_but_for_its_model(
    document: dict[str, Any],
    spaced: bool,  # noqa: FBT001  # hypothesis passes it by name
    _part: int,
) -> None:
    keys = [key for key in document if key != "model" and key.strip().casefold() == "model"]
    body = json.dumps(document, indent=2 if spaced else None).encode()
    read = read_json_object(body)
    if keys:
        with pytest.raises(BodyError, match='write "model"'):
            with_model(read, "served")
        return
    assert json.loads(with_model(read, "served")) == {**document, "model": "served"}
