"""Speech, images and reranking: the body reaches the container without the model, and its answer passes."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from support.model_server import answer
from support.stream_host.script import run_script

if TYPE_CHECKING:
    from support.streaming import Streaming

ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
TYPE = "multipart/form-data; boundary=b"
_HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
_CONTENT = b"Content-Type: audio/wav\r\n\r\nR\xff\r\n"
FILE, END = _HEAD + _CONTENT, b"--b--\r\n"


def field(name: str, value: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


@pytest.mark.slow
def test_a_text_is_said(streaming: Streaming) -> None:
    sound = bytes(range(256))
    streaming.model.answering = answer(200, sound, Content_Type="audio/wav")
    reply = streaming.call("/v1/audio/speech", {"input": "Hi", "model": "openai-speech", "voice": "x"})
    assert (reply.status, reply.headers["content-type"], reply.body.read()) == (200, "audio/wav", sound)
    (asked,) = streaming.model.asked
    assert json.loads(asked.body) == {"input": "Hi", "voice": "x"}
    assert asked.headers[ATTRIBUTES] == "route=/v1/audio/speech"
    assert (asked.headers["accept"], asked.headers["content-type"]) == ("*/*", "application/json")


@pytest.mark.slow
def test_a_recording_arrives_in_its_form(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"Hello", Content_Type="text/plain")
    form = field("model", "openai-transcriptions") + field("language", "en") + FILE + END
    reply = streaming.call("/v1/audio/transcriptions", form, {"Content-Type": TYPE, "Accept": "text/plain"})
    assert (reply.status, reply.headers["content-type"], reply.body.read()) == (200, "text/plain", b"Hello")
    (asked,) = streaming.model.asked
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert asked.headers[ATTRIBUTES] == "route=/v1/audio/transcriptions"
    assert asked.headers["accept"] == "text/plain"
    assert b'name="file"; filename="a.wav"\r\n' + _CONTENT in asked.body
    assert b'name="language"' in asked.body
    assert b'name="model"' not in asked.body


@pytest.mark.slow
def test_texts_are_ranked_by_what_their_body_says(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"results": []}', Content_Type="application/json")
    reply = streaming.call("/v1/rerank", {"query": "a", "documents": ["b"], "model": "rerank"})
    assert (reply.status, reply.body.read()) == (200, b'{"results": []}')
    (asked,) = streaming.model.asked
    assert ATTRIBUTES not in asked.headers


SCRIPT = """
import { readBody } from "./form_body.mjs";
const read = async ([api, type, text]) => {
    try {
        const headers = { "content-type": type };
        const body = await readBody(api, { body: Buffer.from(text, "latin1"), headers });
        return { model: body.document.model ?? null, isForm: body.isForm ?? false };
    } catch (error) {
        return { code: error.code, text: error.message };
    }
};
console.log(JSON.stringify(await Promise.all(input.map(read))));
"""
HEARS = "openai-transcriptions"
FILE_AS_MODEL = FILE.replace(b'name="file"', b'name="model"')
BODIES: dict[str, tuple[str, str, bytes]] = {
    "form": (HEARS, TYPE, field("model", "a") + FILE + END),
    "capitals": (HEARS, "Multipart/Form-Data; boundary=b", field("model", "a") + END),
    "no model": (HEARS, TYPE, FILE + END),
    "twice": (HEARS, TYPE, field("model", "a") + field("model", "a") + END),
    "a file": (HEARS, TYPE, FILE_AS_MODEL + END),
    "no form": (HEARS, TYPE, b"RIFF"),
    "JSON": (HEARS, "application/json", b'{"model": "a"}'),
    "form for JSON": ("openai-speech", TYPE, field("model", "a") + END),
}


@functools.cache
def read_all() -> dict[str, Any]:
    given = [(api, kind, body.decode("latin1")) for api, kind, body in BODIES.values()]
    return dict(zip(BODIES, run_script(SCRIPT, given), strict=True))


@pytest.mark.parametrize(
    ("name", "model", "is_form"),
    [("form", "a", True), ("capitals", "a", True), ("no model", None, True), ("JSON", "a", False)],
)
def test_the_model_is_read_of_forms_and_of_json(name: str, model: str | None, *, is_form: bool) -> None:
    assert read_all()[name] == {"model": model, "isForm": is_form}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("twice", 'has the field "model" twice'),
        ("a file", "that is a text"),
        ("no form", "must be a form"),
        ("form for JSON", "not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_told(name: str, says: str) -> None:
    error = read_all()[name]
    assert error["code"] == "invalid_body"
    assert says in error["text"]
