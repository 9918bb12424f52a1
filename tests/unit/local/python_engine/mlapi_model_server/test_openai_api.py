"""OpenAI's API of speech and images around a model that keeps SageMaker's convention."""

from __future__ import annotations

import base64
import io
import json
import wave
from dataclasses import dataclass, field
from typing import Any

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server import openai_api, sounds
from centralized_ml_api.local.python_engine.mlapi_model_server.answer import ATTRIBUTES, Answer, Head
from centralized_ml_api.local.python_engine.mlapi_model_server.handler import Request
from centralized_ml_api.local.python_engine.mlapi_model_server.openai_api import OpenAiApi
from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal
from centralized_ml_api.plan.apis import MEDIA_APIS

JSON = "application/json"
HEARD = {"text": "Hello.", "segments": [{"start": 0, "end": 1, "text": "Hello."}]}


@dataclass
class Model:
    """Answers every request in the same way, and remembers it."""

    body: bytes = json.dumps(HEARD).encode()
    content_type: str = JSON
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(Head(200, self.content_type, None), iter([self.body[:3], self.body[3:]]))


def ask(model: Model, path: str, body: bytes, content_type: str = JSON) -> tuple[str, bytes]:
    headers = {"Content-Type": content_type, "X-Own": "1", ATTRIBUTES.title(): "task=forged"}
    request = Request(body, content_type, "*/*", headers, path)
    answer = OpenAiApi(model, lambda: 1_800_000_000.5).answer(request)
    whole = b"".join(answer.pieces)
    assert answer.head.length in (None, len(whole))
    return answer.head.content_type, whole


def ask_json(model: Model, path: str, **body: Any) -> tuple[str, bytes]:
    return ask(model, path, json.dumps({"model": "m", **body}).encode())


def hear(server: Model, path: str = openai_api.TRANSCRIPTIONS, **texts: str) -> tuple[str, bytes]:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in texts.items()
    ]
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav'
    file = f"{head}\r\n\r\nRIFF\xff\r\n--b--"
    return ask(server, path, ("".join(parts) + file).encode("latin-1"), "multipart/form-data; boundary=b")


def build_wav(rate_hz: int = 24_000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(b"\1\0\2\0")
    return buffer.getvalue()


def test_its_paths_are_those_of_the_table() -> None:
    assert {*openai_api.PATHS} == {path for api in MEDIA_APIS for path in api.paths}


def test_every_other_request_is_the_models_own() -> None:
    model = Model()
    assert ask(model, "/invocations", b"x", "a/b") == (JSON, model.body)
    assert [(request.body, request.content_type, request.accept) for request in model.asked] == [
        (b"x", "a/b", "*/*")
    ]


def test_a_model_gets_the_recording_and_the_rest_of_the_form_beside_it() -> None:
    model = Model()
    assert hear(model, model="m", language="en", prompt="AWS & co", temperature="0") == (
        JSON,
        b'{"text": "Hello."}',
    )
    (request,) = model.asked
    assert (request.body, request.content_type, request.accept) == (b"RIFF\xff", "audio/wav", JSON)
    assert request.path == "/invocations"
    assert sorted(request.headers) == ["Accept", "Content-Type", ATTRIBUTES, "X-Own"]
    assert (request.headers["Content-Type"], request.headers["X-Own"]) == ("audio/wav", "1")
    assert request.headers[ATTRIBUTES] == "task=transcribe&language=en&prompt=AWS+%26+co&temperature=0"
    kind, _ = hear(model, openai_api.TRANSLATIONS, response_format="text")
    assert kind == "text/plain; charset=utf-8"
    assert model.asked[-1].headers[ATTRIBUTES] == "task=translate"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"response_format": "doc"}, '"response_format" must be json or text or srt or verbose_json or vtt'),
        ({"prompt": "x" * 1024}, '"prompt" is too long'),
        (
            {"response_format": "verbose_json", "timestamp_granularities[]": "word"},
            "the times of segments, not of words",
        ),
    ],
)
def test_a_form_that_cannot_be_answered_is_refused(texts: dict[str, str], said: str) -> None:
    with pytest.raises(Refusal, match="refused") as caught:
        hear(Model(), **texts)
    assert said in caught.value.message


def test_a_form_without_a_file_is_refused() -> None:
    with pytest.raises(Refusal, match='no file named "file"'):
        ask(
            Model(),
            openai_api.TRANSCRIPTIONS,
            b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--',
            "multipart/form-data; boundary=b",
        )


@pytest.mark.parametrize("body", [b'{"texts": 1}', b"[]"])
def test_a_model_that_answers_something_else_is_broken(body: bytes) -> None:
    with pytest.raises(TypeError, match="the response"):
        hear(Model(body))


def test_a_text_is_said_in_the_format_that_the_caller_asks_for() -> None:
    model = Model(build_wav(), "audio/wav")
    asked = {"input": "Hi.", "voice": "alloy", "speed": 1.5}
    assert ask_json(model, openai_api.SPEECH, **asked, response_format="wav") == ("audio/wav", model.body)
    assert ask_json(model, openai_api.SPEECH, input="Hi.", response_format="pcm") == (
        "audio/pcm",
        b"\1\0\2\0",
    )
    assert [json.loads(request.body) for request in model.asked] == [
        {"text": "Hi.", "voice": "alloy", "speed": 1.5},
        {"text": "Hi."},
    ]
    assert {request.accept for request in model.asked} == {"audio/wav"}
    assert sounds.list_formats()[-2:] == ("wav", "pcm")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, '"input" must be a text'),
        ({"input": "a", "response_format": "aac"}, '"response_format" must be'),
        ({"input": "a", "response_format": ["wav"]}, '"response_format" must be'),
        ({"input": "a", "stream_format": "sse"}, '"stream_format" must be'),
    ],
)
def test_what_cannot_be_said_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        ask_json(Model(), openai_api.SPEECH, **body)


def test_a_model_that_says_no_wav_is_broken() -> None:
    with pytest.raises(TypeError, match="not audio/wav"):
        ask_json(Model(), openai_api.SPEECH, input="a", response_format="wav")
    with pytest.raises(ValueError, match="not WAV"):
        ask_json(Model(b"none", "audio/wav"), openai_api.SPEECH, input="a", response_format="pcm")


def test_an_image_is_drawn_by_a_body_of_stabilitys_api() -> None:
    picture = base64.b64encode(b"PNG").decode()
    model = Model(json.dumps({"artifacts": [{"base64": picture, "seed": 1}]}).encode())
    kind, body = ask_json(model, openai_api.IMAGES, prompt="a cat", n=2, size="512x256", quality="auto")
    assert kind == JSON
    assert json.loads(body) == {"created": 1_800_000_000, "data": [{"b64_json": picture}]}
    ask_json(model, openai_api.IMAGES, prompt="a cat", n=None, size="auto")
    assert [json.loads(request.body) for request in model.asked] == [
        {"text_prompts": [{"text": "a cat"}], "samples": 2, "width": 512, "height": 256},
        {"text_prompts": [{"text": "a cat"}]},
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, '"prompt" must be a text'),
        ({"prompt": "a", "response_format": "url"}, '"response_format" must be b64_json'),
        ({"prompt": "a", "output_format": "webp"}, '"output_format" must be png'),
        ({"prompt": "a", "size": "big"}, '"size" must be "auto"'),
        ({"prompt": "a", "size": 5}, '"size" must be "auto"'),
    ],
)
def test_what_cannot_be_drawn_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        ask_json(Model(), openai_api.IMAGES, **body)


@pytest.mark.parametrize("path", [openai_api.SPEECH, openai_api.IMAGES])
def test_a_body_that_is_no_json_object_is_refused(path: str) -> None:
    with pytest.raises(Refusal, match="must be a JSON object"):
        ask(Model(), path, b"[]")
    with pytest.raises(Refusal, match="not application/json"):
        ask(Model(), path, b"{")
