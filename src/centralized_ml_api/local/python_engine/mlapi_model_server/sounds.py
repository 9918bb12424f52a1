"""Turns the WAV that a model says into the other formats of OpenAI's speech API.

FLAC, MP3 and Opus need the package `soundfile` in the model's environment; WAV and raw samples need nothing.
Source: https://platform.openai.com/docs/api-reference/audio/createSpeech,
https://python-soundfile.readthedocs.io/
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import wave

WAV = "audio/wav"
_ENCODED = {
    "mp3": ("audio/mpeg", "MP3", "MPEG_LAYER_III"),
    "opus": ("audio/ogg", "OGG", "OPUS"),
    "flac": ("audio/flac", "FLAC", "PCM_16"),
}
"""The media type of each, and how libsndfile calls it."""

PIECE_FRAMES = 65_536
"""Of a sound, how much is in memory as numbers at a time."""


def list_formats() -> tuple[str, ...]:
    """Returns what can be written here, the usual one first."""
    encoded = tuple(_ENCODED) if importlib.util.find_spec("soundfile") else ()
    return (*encoded, "wav", "pcm")


def encode(wav: bytes, wanted: str) -> tuple[bytes, str]:
    """Returns the sound in one of `list_formats`, and its media type.

    Raises:
        ValueError: The sound is not WAV, or its rate does not fit the format.
    """
    if wanted == "wav":
        return wav, WAV
    if wanted == "pcm":
        return _read_samples(wav), "audio/pcm"
    media_type, container, codec = _ENCODED[wanted]
    soundfile = importlib.import_module("soundfile")
    target = io.BytesIO()
    try:
        with (
            soundfile.SoundFile(io.BytesIO(wav)) as source,
            soundfile.SoundFile(
                target, "w", source.samplerate, source.channels, codec, format=container
            ) as encoder,
        ):
            while len(frames := source.read(PIECE_FRAMES, dtype="float32")):
                encoder.write(frames)
    except soundfile.SoundFileError as error:
        raise ValueError(f"the sound cannot be written as {wanted}: {error}") from error
    return target.getvalue(), media_type


def _read_samples(wav: bytes) -> bytes:
    try:
        with wave.open(io.BytesIO(wav)) as file:
            samples: bytes = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"the sound is not WAV: {error}") from error
    return samples
