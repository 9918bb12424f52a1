"""English speech from text with Hibari: `{"text": "…"}` in, WAV out (24 kHz, one channel, 16 bits)."""

from __future__ import annotations

import io
import json
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hibari import Hibari

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHARACTERS_AT_MOST = 1000
"""About a minute of speech, 3 MB; as a single sentence it takes half a GB of memory."""

SLOWEST, FASTEST = 0.5, 2.0


class RefusedError(ValueError):
    """The caller's mistake, seen only by the model: the call is answered with `status_code`."""

    status_code = 400


@dataclass(frozen=True, slots=True)
class Order:
    """What to say, and how fast: 1.0 is a normal pace."""

    text: str
    speed: float


def model_fn(model_dir: str) -> Hibari:
    """The voice that comes with the package."""
    del model_dir
    voice = Hibari()
    voice("Ready.")  # reads the dictionaries, which the first caller would wait for
    return voice


def input_fn(body: str | bytes, content_type: str) -> Order:
    """Reads `{"text": "…"}`, optionally with `"speed"`.

    Raises:
        TypeError, ValueError: the body is something else.
    """
    del content_type  # only JSON makes sense, and curl calls it a form
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The body is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise TypeError('The body must be a JSON object such as {"text": "Hello."}.')
    return Order(_read_text(value), _read_speed(value))


def predict_fn(order: Order, voice: Hibari) -> bytes:
    """The speech as a WAV file; the same order always gives the same bytes.

    Raises:
        RefusedError: nothing in the text can be spoken.
    """
    samples: NDArray[np.float32] = voice(order.text, speed=order.speed, seed=0)
    if not samples.size:
        raise RefusedError('"text" has nothing that an English voice can say.')
    return _wav(samples, voice.sample_rate)


def output_fn(prediction: bytes, accept: str) -> tuple[bytes, str]:
    """The answer and its content type: always WAV."""
    del accept
    return prediction, "audio/wav"


def _read_text(value: dict[str, Any]) -> str:
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError('"text" must be a text to say.')
    if len(text) > CHARACTERS_AT_MOST:
        raise ValueError(
            f'"text" has {len(text)} characters; {CHARACTERS_AT_MOST} at most are spoken at once.'
        )
    return text


def _read_speed(value: dict[str, Any]) -> float:
    speed = value.get("speed", 1.0)
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not SLOWEST <= speed <= FASTEST:
        raise ValueError(f'"speed" must be a number from {SLOWEST} to {FASTEST}.')
    return float(speed)


def _wav(samples: NDArray[np.float32], rate_hz: int) -> bytes:
    pcm = (np.clip(samples, -1, 1) * np.iinfo(np.int16).max).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(pcm.itemsize)
        file.setframerate(rate_hz)
        file.writeframes(pcm.tobytes())
    return buffer.getvalue()
