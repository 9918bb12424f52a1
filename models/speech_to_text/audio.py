"""From the bytes of a recording to the samples that Whisper hears."""

from __future__ import annotations

import io
from itertools import chain
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RATE_HZ = 16_000
"""Whisper's own. Source: https://github.com/openai/whisper/blob/main/whisper/audio.py"""

SECONDS_AT_MOST = 300

FASTEST_HZ = 384_000
"""More than any recorder takes. Sound that claims a rate of megahertz takes half a minute to resample."""

OPTIONS = {"format_whitelist": "wav,flac,mp3,ogg,aac,matroska,mov", "protocol_whitelist": "none"}
"""FFmpeg knows playlists too, whose entries it would read from this machine's own files.

Source: https://ffmpeg.org/ffmpeg-formats.html (`format_whitelist`; the demuxer `concat`)
"""


def decode(recording: bytes) -> NDArray[np.float32]:
    """One channel of samples from -1 to 1, 16,000 a second; from WAV, FLAC, MP3, Ogg, WebM, AAC or MP4.

    Raises:
        ValueError: it is no audio, or longer than five minutes.
    """
    pieces: list[NDArray[np.int16]] = []
    samples = 0
    for piece in _read(recording):
        samples += piece.size
        # While it is decoded, not after: a few bytes can stand for hours of silence.
        if samples > SECONDS_AT_MOST * RATE_HZ:
            raise ValueError(f"The recording is longer than {SECONDS_AT_MOST} seconds; send it in parts.")
        pieces.append(piece)
    if not samples:
        raise ValueError("The recording is empty.")
    return np.concatenate(pieces).astype(np.float32) / -np.iinfo(np.int16).min


def _read(recording: bytes) -> Iterator[NDArray[np.int16]]:
    try:
        yield from _resample(recording)
    except (av.FFmpegError, IndexError) as error:  # IndexError: a file without audio, such as a picture
        raise ValueError(
            "The body is no audio that can be read: send WAV, FLAC, MP3, Ogg, WebM or MP4."
        ) from error


def _resample(recording: bytes) -> Iterator[NDArray[np.int16]]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(io.BytesIO(recording), options=OPTIONS, metadata_errors="ignore") as container:
        # One frame after the other: all of them together can be a thousand times the recording.
        for frame in chain(map(_check_rate, container.decode(audio=0)), [None]):
            for piece in resampler.resample(frame):
                yield piece.to_ndarray().reshape(-1)


def _check_rate(frame: av.AudioFrame) -> av.AudioFrame:
    if frame.sample_rate > FASTEST_HZ:
        raise ValueError(f"The recording has more than {FASTEST_HZ} samples a second.")
    return frame
