"""What was heard, in each format of OpenAI's API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal
from centralized_ml_api.local.python_engine.mlapi_model_server.transcripts import (
    FORMATS,
    TEXT,
    write_transcript,
)

HEARD: dict[str, Any] = {
    "text": "One <two>. Drei é",
    "segments": [
        {"start": 0.0, "end": 1.5, "text": "One <two>."},
        {"start": 3661.9996, "end": 3662.25, "text": "Drei\n\né"},
    ],
}


def write(wanted: str, heard: dict[str, Any] = HEARD, **asked: str) -> tuple[str, str]:
    body, content_type = write_transcript(heard, wanted, asked)
    return body.decode(), content_type


def test_each_format_is_written_as_its_readers_expect_it() -> None:
    assert [*FORMATS] == ["json", "text", "srt", "verbose_json", "vtt"]
    assert write("json") == ('{"text": "One <two>. Drei é"}', "application/json")
    assert write("text") == ("One <two>. Drei é\n", TEXT)
    assert write("srt") == (
        "1\n00:00:00,000 --> 00:00:01,500\nOne <two>.\n\n2\n01:01:02,000 --> 01:01:02,250\nDrei é\n\n",
        TEXT,
    )
    one = "00:00:00.000 --> 00:00:01.500\nOne &lt;two&gt;."
    assert write("vtt") == (f"WEBVTT\n\n{one}\n\n01:01:02.000 --> 01:01:02.250\nDrei é\n\n", TEXT)


def test_the_longest_format_has_what_the_model_tells_and_else_what_the_caller_said() -> None:
    body, content_type = write("verbose_json", task="translate", language="de")
    assert content_type == "application/json"
    assert json.loads(body) == {
        "task": "translate",
        "language": "de",
        "duration": 3662.25,
        "text": HEARD["text"],
        "segments": [{"id": 0, **HEARD["segments"][0]}, {"id": 1, **HEARD["segments"][1]}],
    }
    words = [{"word": "One", "start": 0, "end": 1}]
    told, _ = write("verbose_json", {"text": "One", "language": "english", "duration": 9, "words": words})
    assert json.loads(told) == {
        "task": "transcribe",
        "language": "english",
        "duration": 9,
        "text": "One",
        "segments": [],
        "words": words,
    }


@pytest.mark.parametrize("wanted", ["srt", "vtt"])
def test_without_times_there_are_no_subtitles(wanted: str) -> None:
    with pytest.raises(Refusal, match="tells no times"):
        write(wanted, {"text": "One"})
    assert write(wanted, {"text": "", "segments": []})[0] == ("WEBVTT\n\n" if wanted == "vtt" else "")
