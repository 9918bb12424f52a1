"""The function reads bodies strictly, says what is wrong with one, and changes no byte that it need not."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from support.json_vectors import REFUSED, TAKEN
from support.stream_host.script import run_script

COMMA = re.compile("a trailing comma, at line 1, column [0-9]+")
"""Some versions of Python point at the comma, others at the bracket after it."""

READ = """
import { readJsonObject } from "./json_body.mjs";
const attempt = (encoded) => {
    try {
        return readJsonObject(Buffer.from(encoded, "base64")).document && null;
    } catch ({ status, code, message }) {
        return { status, code, message };
    }
};
console.log(JSON.stringify(input.map(attempt)));
"""
EDIT = """
import { readJsonObject } from "./json_body.mjs";
const edited = ([text, changes, removed]) => {
    const all = { ...changes, ...Object.fromEntries(removed.map((name) => [name, undefined])) };
    return readJsonObject(Buffer.from(text)).edit(all);
};
console.log(JSON.stringify(input.map(edited)));
"""
WITHOUT_MODEL = """
import { readJsonObject } from "./json_body.mjs";
const attempt = (text) => {
    try {
        return readJsonObject(Buffer.from(text)).withoutModel();
    } catch ({ code, message }) {
        return `${code}: ${message}`;
    }
};
console.log(JSON.stringify(input.map(attempt)));
"""

EDITS: list[tuple[str, dict[str, int], list[str], str]] = [
    ('{"a": 1, "b": 2, "c": 3}', {}, [], '{"a": 1, "b": 2, "c": 3}'),
    ('{"a": 1, "b": 2, "c": 3}', {}, ["a"], '{"b": 2, "c": 3}'),
    ('{"a": 1, "b": 2, "c": 3}', {}, ["b"], '{"a": 1, "c": 3}'),
    (' {\n"a" : 1 ,\n "b":2 } ', {}, ["b"], ' {\n"a" : 1 } '),
    ('{"a": 1}', {}, ["a"], "{}"),
    ('{"a": 1, "a": 2}', {}, ["a"], "{}"),
    ('{"a": [1, {"b": 2}], "b": 1.0}', {"b": 7}, [], '{"a": [1, {"b": 2}], "b": 7}'),
    (r'{"\u0061": 1e5, "b": "}"}', {"a": 7}, [], r'{"\u0061": 7, "b": "}"}'),
    ("{ }", {"a": 1, "b": 2}, [], '{"a":1,"b":2 }'),
    ('{"a": 1}', {"b": 2}, ["a"], '{"b":2}'),
    ('{"a": 1}', {"b": 2}, ["z"], '{"a": 1,"b":2}'),
]
"""A text, members with other values, members that are removed, and the text then."""


def read(*bodies: bytes) -> list[dict[str, Any] | None]:
    """The error of each body; None for a body that is taken."""
    found = run_script(READ, [base64.b64encode(body).decode() for body in bodies])
    return list(found)


def test_what_is_wrong_with_a_body_is_said_with_its_place() -> None:
    found = read(*[body for body, _ in REFUSED])
    expected = [{"status": 400, "code": "invalid_body", "message": message} for _, message in REFUSED]
    assert found == expected


def test_one_machine_says_the_same() -> None:
    def refuse(body: bytes) -> str:
        with pytest.raises(BodyError) as refused:
            read_json_object(body)
        return str(refused.value)

    found = [COMMA.sub("a trailing comma", refuse(body)) for body, _ in REFUSED]
    assert found == [COMMA.sub("a trailing comma", message) for _, message in REFUSED]
    assert all(isinstance(read_json_object(body).document, dict) for body in TAKEN)


def test_gzip_that_became_text_on_the_way_is_still_gzip() -> None:
    (error,) = read(b"\x1f\x8b\x08\x00".decode(errors="replace").encode())
    assert error is not None
    assert "gzip" in error["message"]


def test_all_that_json_allows_is_taken() -> None:
    assert read(*TAKEN) == [None] * len(TAKEN)


def test_an_edit_leaves_the_rest_as_it_is() -> None:
    edited = run_script(EDIT, [[text, changes, removed] for text, changes, removed, _ in EDITS])
    assert edited == [then for *_, then in EDITS]


def test_the_model_is_cut_out_and_nothing_else() -> None:
    text = '{"seed": 18446744073709551615, "model": "m", "t": 1.0, "deep": ' + "[" * 1_000 + "]" * 1_000 + "}"
    (passed_on,) = run_script(WITHOUT_MODEL, [text])
    assert passed_on == text.replace('"model": "m", ', "")


def test_another_model_beside_it_is_refused() -> None:
    found = run_script(WITHOUT_MODEL, ['{"model": "a", "Model": "b"}', '{"model": "a", "model": "b"}'])
    assert found == [
        'invalid_body: The body has the key "Model": write "model".',
        'invalid_body: The body has the key "model" twice.',
    ]


def test_a_large_body_is_read_without_recursion() -> None:
    body = json.dumps({"a": 'x\\"' * 100_000, "b": [[{"c": 1}]] * 50_000}).encode()
    assert read(body) == [None]
