"""`POST /v1/embeddings`, for each language that a model's server may speak."""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from support.model_server import answer

if TYPE_CHECKING:
    from support.streaming import Streaming

PATH = "/v1/embeddings"
VECTORS = [[0.5, -1.0], [0.25, 2.0]]
FAMILIES = [
    ("text-embeddings-inference", "inputs", VECTORS),
    ("text-inputs-embeddings", "text_inputs", {"embedding": VECTORS}),
]


@pytest.mark.parametrize(("entry", "key", "answered"), FAMILIES)
@pytest.mark.slow
def test_texts_become_a_list_of_embeddings(streaming: Streaming, entry: str, key: str, answered: Any) -> None:
    streaming.model.answering = answer(200, json.dumps(answered).encode(), Content_Type="application/json")
    reply = streaming.call(PATH, {"model": entry, "input": ["a", "b"]})
    found = json.loads(reply.body.read())
    assert json.loads(streaming.model.asked[0].body) == {key: ["a", "b"]}
    assert (reply.status, found["object"], found["model"]) == (200, "list", entry)
    assert [(item["index"], item["embedding"]) for item in found["data"]] == list(enumerate(VECTORS))
    assert found["usage"] == {"prompt_tokens": 2, "total_tokens": 2}, "by length"


@pytest.mark.parametrize(("entry", "key", "answered"), FAMILIES)
@pytest.mark.slow
def test_one_text_is_a_list_of_one_and_base64_is_32_bit_floats(
    streaming: Streaming, entry: str, key: str, answered: Any
) -> None:
    streaming.model.answering = answer(200, json.dumps(answered).encode(), Content_Type="application/json")
    reply = streaming.call(PATH, {"model": entry, "input": "a", "encoding_format": "base64"})
    assert json.loads(streaming.model.asked[0].body) == {key: ["a"]}
    packed = base64.b64decode(json.loads(reply.body.read())["data"][0]["embedding"])
    assert struct.unpack("<2f", packed) == (0.5, -1.0)


@pytest.mark.slow
def test_a_server_of_openais_bodies_answers_for_itself(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"odd": 1}', Content_Type="application/json")
    reply = streaming.call(PATH, {"model": "openai-embeddings", "input": [1, 2], "dimensions": 8})
    assert reply.body.read() == b'{"odd": 1}'
    assert json.loads(streaming.model.asked[0].body) == {"input": [1, 2], "dimensions": 8}


@pytest.mark.slow
def test_no_dimensions_are_no_dimensions(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"[[0.5]]", Content_Type="application/json")
    asked = {"model": "text-embeddings-inference", "input": "a", "dimensions": None, "user": None}
    assert streaming.call(PATH, asked).status == 200
    assert json.loads(streaming.model.asked[0].body) == {"inputs": ["a"]}


@pytest.mark.parametrize("entry", ["openai-embeddings", "text-embeddings-inference"])
@pytest.mark.slow
def test_thousands_of_texts_at_once_are_refused(streaming: Streaming, entry: str) -> None:
    reply = streaming.call(PATH, {"model": entry, "input": ["a"] * 2049})
    assert reply.status == 400
    message = json.loads(reply.body.read())["error"]["message"]
    assert message == "'input' has 2,049 texts; this path takes at most 2,048."
    assert streaming.model.asked == []


@pytest.mark.parametrize("more", [{"input": [1, 2]}, {"input": []}, {}, {"input": "a", "dimensions": 8}])
@pytest.mark.slow
def test_what_a_plain_server_cannot_do_is_refused(streaming: Streaming, more: dict[str, Any]) -> None:
    reply = streaming.call(PATH, {"model": "text-embeddings-inference", **more})
    assert reply.status == 400
    assert streaming.model.asked == []


@pytest.mark.parametrize("garbage", [b"null", b'{"embedding": 1}', b"[1, 2]", b"<html>"])
@pytest.mark.parametrize("entry", [entry for entry, _, _ in FAMILIES])
@pytest.mark.slow
def test_an_answer_of_another_form_is_the_models_fault(
    streaming: Streaming, entry: str, garbage: bytes
) -> None:
    streaming.model.answering = answer(200, garbage, Content_Type="application/json")
    reply = streaming.call(PATH, {"model": entry, "input": "a"})
    assert reply.status == 502
    assert json.loads(reply.body.read())["error"]["code"] == "model_failed"
