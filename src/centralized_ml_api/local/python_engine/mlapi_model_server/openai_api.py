"""OpenAI's API of speech and images around an `inference.py`, which keeps SageMaker's convention.

    recordings  `inference.py` gets the recording, of its own type, and the rest of the form in the custom
                attributes (`task=transcribe&language=en`); it answers JSON: see `transcripts`
    speech      it gets JSON: `text`, and what the caller sets of `voice`, `speed`, `instructions`; it answers
                WAV
    images      it gets JSON of Stability's API (`text_prompts`, `samples`, `width`, `height`), and answers
                its `artifacts`

Source: https://platform.openai.com/docs/api-reference/audio,
https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .answer import ATTRIBUTES, JSON, Answer, Head, media_type
from .bodies import read_body
from .forms import read_form
from .handler import Answers, Request
from .refusal import refused_input
from .sounds import WAV, encode, list_formats
from .transcripts import FORMATS, write_transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
SPEECH = "/v1/audio/speech"
IMAGES = "/v1/images/generations"
PATHS = (TRANSCRIPTIONS, TRANSLATIONS, SPEECH, IMAGES)

_TASKS = {TRANSCRIPTIONS: "transcribe", TRANSLATIONS: "translate"}
_ATTRIBUTES = ("language", "prompt", "temperature")
_LONGEST_ATTRIBUTES = 1024
"""Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


class OpenAiApi:
    """Answers requests at these paths with the model behind `handler`, and all others as `handler` does."""

    def __init__(self, handler: Answers, clock: Callable[[], float] = time.time) -> None:
        self._handler = handler
        self._clock = clock
        self._paths: dict[str, Callable[[Request], tuple[bytes, str]]] = {
            TRANSCRIPTIONS: self._hear,
            TRANSLATIONS: self._hear,
            SPEECH: self._say,
            IMAGES: self._draw,
        }

    def answer(self, request: Request) -> Answer:
        """Runs the model on a request.

        Raises:
            Refusal: The request, or the model behind it, is not what the path needs.
            Exception: Whatever the model's own code raises: its bug.
        """
        translate = self._paths.get(request.path)
        if translate is None:
            return self._handler.answer(request)
        body, content_type = translate(request)
        return Answer(Head(200, content_type, len(body)), iter([body] if body else []))

    def _hear(self, request: Request) -> tuple[bytes, str]:
        form = read_form(request.body, request.content_type)
        wanted = _choose("response_format", form.text("response_format") or "json", FORMATS)
        recording = form.files.get("file")
        if recording is None:
            raise refused_input('its form has no file named "file"')
        said = {name: form.text(name) for name in _ATTRIBUTES if form.text(name)}
        asked = {"task": _TASKS[request.path], **said}
        attributes = urlencode(asked)
        if len(attributes) > _LONGEST_ATTRIBUTES:
            raise refused_input('"prompt" is too long')
        heard = self._ask_for_json(
            _translate(request, recording.content, recording.content_type, JSON, attributes=attributes)
        )
        if not isinstance(heard.get("text"), str):
            raise TypeError(f'the response has no "text": {str(heard)[:80]!r}')
        words = "word" in form.texts.get("timestamp_granularities[]", ())
        if words and wanted == "verbose_json" and "words" not in heard:
            raise refused_input("this model tells the times of segments, not of words")
        return write_transcript(heard, wanted, asked)

    def _say(self, request: Request) -> tuple[bytes, str]:
        asked = _read_object(request)
        formats = list_formats()
        wanted = _choose("response_format", asked.get("response_format") or formats[0], formats)
        if asked.get("stream_format") not in (None, "audio"):
            raise refused_input('"stream_format" must be "audio"')
        order = {name: asked[name] for name in ("voice", "speed", "instructions") if asked.get(name)}
        answer = self._ask({"text": _read_text(asked, "input"), **order}, WAV, request)
        kind, sound = media_type(answer.head.content_type), b"".join(answer.pieces)
        if kind not in {WAV, "audio/x-wav", "audio/wave"}:
            raise TypeError(f"the response is {kind}, not {WAV}")
        return encode(sound, wanted)

    def _draw(self, request: Request) -> tuple[bytes, str]:
        asked = _read_object(request)
        _choose("response_format", asked.get("response_format") or "b64_json", ("b64_json",))
        _choose("output_format", asked.get("output_format") or "png", ("png",))
        order: dict[str, Any] = {"text_prompts": [{"text": _read_text(asked, "prompt")}]}
        if asked.get("n") is not None:
            order["samples"] = asked["n"]
        size = asked.get("size") or "auto"
        if size != "auto":
            sides = _SIZE.fullmatch(size) if isinstance(size, str) else None
            if sides is None:
                raise refused_input('"size" must be "auto", or width and height such as "512x512"')
            order["width"], order["height"] = map(int, sides.groups())
        drawn = json.loads(b"".join(self._ask(order, JSON, request).pieces))
        images = [{"b64_json": artifact["base64"]} for artifact in drawn["artifacts"]]
        return json.dumps({"created": int(self._clock()), "data": images}).encode(), JSON

    def _ask(self, order: dict[str, Any], accept: str, request: Request) -> Answer:
        return self._handler.answer(_translate(request, json.dumps(order).encode(), JSON, accept))

    def _ask_for_json(self, request: Request) -> dict[str, Any]:
        value = json.loads(b"".join(self._handler.answer(request).pieces))
        if not isinstance(value, dict):
            raise TypeError(f"the response is not a JSON object: {str(value)[:80]!r}")
        return value


def _translate(
    request: Request, body: bytes, content_type: str, accept: str, *, attributes: str | None = None
) -> Request:
    """Returns what the model gets: no header of the caller speaks for another body than its own.

    Args:
        request: What the caller has sent.
        body: What the model reads.
        content_type: Its type.
        accept: What the model is to answer.
        attributes: What the caller says in the form besides; None leaves the caller's own header.
    """
    ours = {"Content-Type": content_type, "Accept": accept}
    if attributes is not None:
        ours[ATTRIBUTES] = attributes
    names = {name.lower() for name in ours}
    kept = {name: value for name, value in request.headers.items() if name.lower() not in names}
    return Request(body, content_type, accept, {**kept, **ours})


def _read_object(request: Request) -> dict[str, Any]:
    value = read_body(request.body, JSON)
    if not isinstance(value, dict):
        raise refused_input("it must be a JSON object")
    return value


def _read_text(asked: dict[str, Any], name: str) -> str:
    text = asked.get(name)
    if not isinstance(text, str):
        raise refused_input(f'"{name}" must be a text')
    return text


def _choose(name: str, wanted: object, known: Iterable[str]) -> str:
    names = list(known)
    if not isinstance(wanted, str) or wanted not in names:
        raise refused_input(f'"{name}" must be {" or ".join(names)}')
    return wanted
