"""The APIs of speech: servers get what was sent, forms too, and their answers pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api import openai
from contract.case import JSON, Case, Expected, Request, refused, render_json

if TYPE_CHECKING:
    from support.running_gateway import Answer

_SPEECH, _TRANSCRIPTIONS = "/v1/audio/speech", "/v1/audio/transcriptions"
_FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=b"}


@dataclass(frozen=True)
class Got:
    """What the server tells of the call that it got: its type."""

    content_type: str

    def check(self, answer: Answer) -> None:
        """Compares it."""
        assert answer.json["path"] == "/echo", answer
        assert dict(answer.json["headers"])["content-type"].startswith(self.content_type), answer


def _form(model: str = "hears", name: str = "model", more: str = "") -> bytes:
    field = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{model}\r\n'
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n'
    return f"{field}{more}{file}--b--\r\n".encode()


def _hear(body: bytes, path: str = _TRANSCRIPTIONS) -> Request:
    return Request(path, body, headers=_FORM_TYPE)


def _say(path: str = _SPEECH, **body: str) -> Request:
    return Request(path, render_json({"input": "Hello", **body}), headers={"Content-Type": JSON})


_TWICE = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nhears\r\n'

CASES = [
    Case("a text to say reaches its server", _say(model="says"), Expected(200, Got(JSON), JSON)),
    Case(
        "a recording reaches its server in a form",
        _hear(_form()),
        Expected(200, Got("multipart/form-data; boundary="), JSON),
    ),
    Case("a text is said below an entry", _say("/says/v1/audio/speech"), Expected(200, Got(JSON), JSON)),
    Case(
        "a recording is heard below an entry, whatever model its form names",
        _hear(_form("another"), "/hears/v1/audio/transcriptions"),
        Expected(200, Got("multipart/form-data; boundary="), JSON),
    ),
    Case(
        "a form without a model is 400",
        _hear(_form(name="x")),
        refused(openai.MODEL_MISSING, "form", "hears"),
    ),
    Case(
        "a form with an unknown model is 404", _hear(_form("nope")), refused(openai.MODEL_NOT_FOUND, "hears")
    ),
    Case(
        "a form that names two models is 400",
        _hear(_form(more=_TWICE)),
        refused(errors.INVALID_BODY, "twice"),
    ),
    Case("a body that is no form is 400", _hear(b"RIFF"), refused(errors.INVALID_BODY)),
    Case(
        "JSON in the place of a form reaches its server too",
        Request(_TRANSCRIPTIONS, render_json({"model": "hears"}), headers={"Content-Type": JSON}),
        Expected(200, Got(JSON), JSON),
    ),
    Case(
        "a model that does not hear is unknown there", _hear(_form("says")), refused(openai.MODEL_NOT_FOUND)
    ),
]
