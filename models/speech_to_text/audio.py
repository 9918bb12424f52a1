"""Decodes a recording into samples for Whisper."""

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
"""Whisper's sample rate. Source: https://github.com/openai/whisper/blob/main/whisper/audio.py"""

SECONDS_AT_MOST = 300

FASTEST_HZ = 384_000
"""More than any recorder uses. Resampling audio with a rate of megahertz takes half a minute."""

OPTIONS = {"format_whitelist": "wav,flac,mp3,ogg,aac,matroska,mov", "protocol_whitelist": "none"}
"""Excludes playlists: FFmpeg would read their entries from this machine's own files.

Source: https://ffmpeg.org/ffmpeg-formats.html (`format_whitelist`; the demuxer `concat`)
"""


def decode(recording: bytes) -> NDArray[np.float32]:
    """Decodes WAV, FLAC, MP3, Ogg, WebM, AAC or MP4 to one channel, 16,000 samples per second from -1 to 1.

    Raises:
        ValueError: It is not audio, or is longer than five minutes.
    """
    pieces: list[NDArray[np.int16]] = []
    samples = 0
    for piece in _read(recording):
        samples += piece.size
        # Check while decoding, not afterwards: a few bytes can contain hours of silence.
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
        raise ValueError("The body is not readable audio: send WAV, FLAC, MP3, Ogg, WebM or MP4.") from error


def _resample(recording: bytes) -> Iterator[NDArray[np.int16]]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(io.BytesIO(recording), options=OPTIONS, metadata_errors="ignore") as container:
        # Frame by frame: decoded, a recording can be a thousand times as large.
        for frame in chain(map(_check_rate, container.decode(audio=0)), [None]):
            for piece in resampler.resample(frame):
                yield piece.to_ndarray().reshape(-1)


def _check_rate(frame: av.AudioFrame) -> av.AudioFrame:
    if frame.sample_rate > FASTEST_HZ:
        raise ValueError(f"The recording has more than {FASTEST_HZ} samples per second.")
    return frame
