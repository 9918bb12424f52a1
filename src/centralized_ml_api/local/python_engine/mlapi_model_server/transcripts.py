"""Writes down what was heard in the five formats of OpenAI's API. Pure.

Source: https://platform.openai.com/docs/api-reference/audio/createTranscription,
https://www.w3.org/TR/webvtt1/ (vtt), https://docs.fileformat.com/video/srt/ (srt)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .answer import JSON
from .refusal import refused_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TEXT = "text/plain; charset=utf-8"

Heard = dict[str, Any]
"""What a model answers: `text`, and where it knows them `segments` (`start`, `end`, `text`), `words`,
`language` and `duration`. Times are in seconds."""


def write_transcript(heard: Heard, wanted: str, asked: Mapping[str, str]) -> tuple[bytes, str]:
    """Returns the body and its content type.

    Args:
        heard: The model's answer, whose `text` is one.
        wanted: A key of `FORMATS`.
        asked: What the caller has said of the recording.

    Raises:
        Refusal: The format needs times that the model does not tell.
    """
    text, content_type = FORMATS[wanted](heard, asked)
    return text.encode(errors="replace"), content_type


def _write_json(heard: Heard, asked: Mapping[str, str]) -> tuple[str, str]:
    del asked
    return json.dumps({"text": heard["text"]}, ensure_ascii=False), JSON


def _write_text(heard: Heard, asked: Mapping[str, str]) -> tuple[str, str]:
    del asked
    return f"{heard['text']}\n", TEXT


def _write_verbose_json(heard: Heard, asked: Mapping[str, str]) -> tuple[str, str]:
    """Writes all that is known; numbers of the decoder, which models do not tell, are left out."""
    segments = heard.get("segments") or []
    described = {
        "task": asked.get("task", "transcribe"),
        "language": heard.get("language") or asked.get("language") or "",
        "duration": heard.get("duration", segments[-1]["end"] if segments else 0.0),
        "text": heard["text"],
        "segments": [{"id": number, **segment} for number, segment in enumerate(segments)],
    }
    words = {"words": heard["words"]} if "words" in heard else {}
    return json.dumps({**described, **words}, ensure_ascii=False), JSON


def _write_srt(heard: Heard, asked: Mapping[str, str]) -> tuple[str, str]:
    del asked
    cues = (
        f"{number}\n{_clock(part['start'], ',')} --> {_clock(part['end'], ',')}\n{_line(part)}\n\n"
        for number, part in enumerate(_segments_of(heard), 1)
    )
    return "".join(cues), TEXT


def _write_vtt(heard: Heard, asked: Mapping[str, str]) -> tuple[str, str]:
    del asked
    cues = (
        f"{_clock(part['start'], '.')} --> {_clock(part['end'], '.')}\n{_escape(_line(part))}\n\n"
        for part in _segments_of(heard)
    )
    return "WEBVTT\n\n" + "".join(cues), TEXT


FORMATS: dict[str, Callable[[Heard, Mapping[str, str]], tuple[str, str]]] = {
    "json": _write_json,
    "text": _write_text,
    "srt": _write_srt,
    "verbose_json": _write_verbose_json,
    "vtt": _write_vtt,
}
"""How each `response_format` is written."""


def _segments_of(heard: Heard) -> Sequence[Mapping[str, Any]]:
    if "segments" not in heard:
        raise refused_input("this model tells no times, so its response_format is json, text or verbose_json")
    segments: Sequence[Mapping[str, Any]] = heard["segments"]
    return segments


def _clock(seconds: float, separator: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{separator}{milliseconds:03}"


def _line(part: Mapping[str, Any]) -> str:
    """Returns the text in one line: an empty one would end the cue."""
    return " ".join(str(part["text"]).split())


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
