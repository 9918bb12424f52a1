"""Speaks English text with Hibari: `{"text": "…"}` in, WAV out (24 kHz, one channel, 16 bits)."""

from __future__ import annotations

import io
import json
import re
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hibari import Hibari
from onnxruntime import InferenceSession, SessionOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHARACTERS_AT_MOST = 1000
"""About a minute of speech, 3 MB. A single sentence of this length takes half a GB of memory."""

SPOKEN_AT_MOST = 2000
"""The same at the pace 0.5, and for what is said letter by letter, which counts for `SPELLED` more."""

SPELLED = 8
"""A "W" has three syllables. Five hundred, said slowly, would take half a minute and 3 GB of memory."""

WORD_CHARACTERS, WORD_DIGITS, WORD_SYMBOLS = 60, 30, 12
"""What a word may have: the voice looks at all ways of dividing one, and knows no number beyond 36 digits."""

_LETTERS = re.compile(r"[A-Z]{2,}|(?<![\w'\u2019])[B-DF-HJ-NP-TV-XZb-df-hj-np-tv-xz]+(?![\w'\u2019])")
"""Capitals in a row, and words without a vowel, such as "kg" and "W", but not the end of "don't"."""

SLOWEST, FASTEST = 0.5, 2.0


class RefusedError(ValueError):
    """A caller's mistake that only the model can see: the server answers with `status_code`."""

    status_code = 400


@dataclass(frozen=True, slots=True)
class Order:
    """What to say and how fast; 1.0 is the normal pace."""

    text: str
    speed: float


def model_fn(model_dir: str) -> Hibari:
    """Loads the voice in the package."""
    del model_dir
    voice = Hibari()
    voice.sess = _open_session(voice.model_path)
    voice("Ready.")  # loads the dictionaries, or the first caller would have to wait
    return voice


def input_fn(body: str | bytes, content_type: str) -> Order:
    """Reads `{"text": "…"}`, optionally with `"speed"`.

    Raises:
        TypeError, ValueError: The body has another form.
    """
    del content_type  # it must be JSON, although curl calls it a form by default
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise TypeError('The body must be a JSON object such as {"text": "Hello."}.')
    order = Order(_read_text(value), _read_speed(value))
    _check_length(order)
    return order


def predict_fn(order: Order, voice: Hibari) -> bytes:
    """Returns the speech as a WAV file; the same order always produces the same bytes.

    Raises:
        RefusedError: Nothing in the text can be spoken.
    """
    samples: NDArray[np.float32] = voice(order.text, speed=order.speed, seed=0)
    if not samples.size:
        raise RefusedError('"text" contains nothing that an English voice can say.')
    return _wav(samples, voice.sample_rate)


def output_fn(prediction: bytes, accept: str) -> tuple[bytes, str]:
    """Returns the response and its content type, always WAV."""
    del accept
    return prediction, "audio/wav"


def _open_session(model: str) -> InferenceSession:
    """Opens the network without the memory arena, which keeps what the longest sentence so far has taken.

    Source: https://github.com/microsoft/onnxruntime/issues/11627
    """
    options = SessionOptions()
    options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _read_text(value: dict[str, Any]) -> str:
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError('"text" must be a text to say.')
    if len(text) > CHARACTERS_AT_MOST:
        raise ValueError(
            f'"text" has {len(text)} characters; at most {CHARACTERS_AT_MOST} are spoken at once.'
        )
    for word in text.split():
        _check_word(word)
    return text


def _check_length(order: Order) -> None:
    text, allowed = order.text, int(SPOKEN_AT_MOST * min(1.0, order.speed))
    spelled = sum(map(len, _LETTERS.findall(text))) + sum(map(_is_spelled, text))
    if len(text) + SPELLED * spelled > allowed:
        raise ValueError(
            f'"text" has {spelled} letters, digits and symbols that are said one by one, which takes long; '
            f"at most {(allowed - len(text)) // SPELLED} fit into {len(text)} characters at this speed."
        )


def _check_word(word: str) -> None:
    digits = sum(character.isdigit() for character in word)
    symbols = sum(not character.isalnum() for character in word)
    if len(word) > WORD_CHARACTERS or digits > WORD_DIGITS or symbols > WORD_SYMBOLS:
        raise ValueError(
            f'"text" has a word that cannot be said: at most {WORD_CHARACTERS} characters, of which '
            f"{WORD_DIGITS} digits and {WORD_SYMBOLS} symbols, may be without a blank between."
        )


def _is_spelled(character: str) -> bool:
    return character.isdigit() or character in "%&@#$£€+=*/\\<>^~_|"


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
