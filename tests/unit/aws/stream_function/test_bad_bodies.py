"""Bodies that no careful caller would send to the function on AWS, of the kinds that one machine gets."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from bench.faults.bad_requests import calls
from bench.faults.bad_requests.forms import FORM_TYPE, build_recording_form

from support.model_server import answer

if TYPE_CHECKING:
    from support.streaming import Streaming

COUNT = 60
REFUSAL = b'{"error": {"message": "no", "type": "invalid_request_error"}}'
CHATS = "/v1/chat/completions"
ROUTES: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    *((CHATS, model, calls.CHAT, ("messages",)) for model in ("openai-chat", "text-inputs")),
    (CHATS, "text-generation-inference", calls.CHAT, ("messages",)),
    *(
        ("/v1/embeddings", model, calls.EMBEDDING, ("input",))
        for model in ("openai-embeddings", "text-embeddings-inference", "text-inputs-embeddings")
    ),
    ("/v1/audio/speech", "openai-speech", calls.SPEECH, ("input",)),
    ("/v1/rerank", "rerank", {"query": "a", "documents": ["b"], "top_n": 1}, ("query", "documents")),
]


def is_readable(body: bytes) -> bool:
    error = json.loads(body)["error"]
    return bool(error["message"] and error["type"])


def find_fault(streaming: Streaming, path: str, body: bytes, content_type: str) -> str | None:
    """Sends a body to a model that refuses everything, and returns what was wrong with the answer."""
    reply = streaming.call(path, body, {"Content-Type": content_type})
    said = reply.body.read()
    if 400 <= reply.status < 500 and is_readable(said):
        return None
    return f"{reply.status}: {said[:200]!r} to {body[:1_000]!r}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "model", "fields", "needed"), ROUTES, ids=[f"{route[0]} {route[1]}" for route in ROUTES]
)
def test_a_callers_mistake_is_told_as_one(
    streaming: Streaming, path: str, model: str, fields: dict[str, Any], needed: tuple[str, ...]
) -> None:
    streaming.model.answering = answer(400, REFUSAL, Content_Type="application/json")
    chance = random.Random(7)  # noqa: S311  for requests, not for secrets
    bodies = [calls.build_call(chance, model, fields, needed) for _ in range(COUNT)]
    found = [find_fault(streaming, path, body, "application/json") for body in bodies]
    assert [fault for fault in found if fault] == []
    assert streaming.model.asked, "some reach the model"


@pytest.mark.slow
def test_so_is_one_in_a_form(streaming: Streaming) -> None:
    streaming.model.answering = answer(400, REFUSAL, Content_Type="application/json")
    chance = random.Random(7)  # noqa: S311  as above
    forms = [build_recording_form(chance, "openai-transcriptions", b"RIFF") for _ in range(COUNT)]
    path = "/v1/audio/transcriptions"
    assert [fault for form in forms if (fault := find_fault(streaming, path, form, FORM_TYPE))] == []
    assert streaming.model.asked
