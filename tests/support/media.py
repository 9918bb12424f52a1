"""Recordings and pictures, made by the libraries of the showcase's models, in their environments."""

from __future__ import annotations

import json
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

from centralized_ml_api.local.python_engine import find_environment

ROOT = Path(__file__).parents[2]

_ENCODE = """
import io, sys, av
with av.open(sys.argv[1]) as source, av.open(sys.stdout.buffer, "w", format=sys.argv[2]) as target:
    stream = target.add_stream(sys.argv[3], rate=24000)
    for frame in (*source.decode(audio=0), None):
        target.mux(stream.encode(frame))
"""
_DRAW = """
import sys
from draw_sample import draw
draw(tuple(sys.argv[1:])).save(sys.stdout.buffer, "PNG")
"""
_HOUR_OF_SILENCE = """
import io, re, av, numpy
from pathlib import Path
from audio import decode

def most_kib():  # of this program alone, not of what started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

file = io.BytesIO()
with av.open(file, "w", format="flac") as target:
    stream = target.add_stream("flac", rate=48000)
    frame = av.AudioFrame.from_ndarray(numpy.zeros((1, 48000 * 60), numpy.int16), layout="mono")
    frame.sample_rate = 48000
    for _ in range(60):
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))
before = most_kib()
try:
    decode(file.getvalue())
except ValueError:
    print(most_kib() - before)
"""
_READ_PICTURES = """
import io, json, re, resource
from pathlib import Path
from PIL import Image, ImageDraw, ImageFont
from inference import input_fn, model_fn, predict_fn

def encode(image, form, **more):
    file = io.BytesIO()
    image.save(file, form, **more)
    return file.getvalue()

def write(size, lines, height, step):
    image = Image.new("RGB", size, "white")
    font = ImageFont.load_default(height)
    for number in range(lines):
        at = (step, step * (number + 1))
        ImageDraw.Draw(image).text(at, "Nine words " * (size[0] // height // 6), "black", font)
    return image

def read(body):
    return predict_fn(input_fn(body, "image/png"), model)

model = model_fn("")
exif = Image.Exif()
exif[274] = 6  # to be turned by a quarter
photo = write((4000, 3000), 1, 100, 400)
boxes = [read(encode(photo, "JPEG", **more))["lines"][0]["box"] for more in ({}, {"exif": exif})]
before = int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
read(encode(Image.new("1", (250, 2000), 1), "PNG"))
read(encode(write((2000, 250), 6, 10, 20), "PNG"))
most = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps({"boxes": boxes, "most_mib": (most - before) // 1024}))
"""
_SAY_LONG_TEXT = """
import ctypes, json
from pathlib import Path
from inference import input_fn, model_fn, predict_fn

def count_mib():
    ctypes.CDLL(None).malloc_trim(0)  # as the server does
    resident, shared = map(int, Path("/proc/self/statm").read_text().split()[1:3])
    return (resident - shared) * 4096 // 2**20

def say(text):
    predict_fn(input_fn(json.dumps({"text": text}), ""), voice)

voice = model_fn("")
say("Hello.")
before = count_mib()
say("and one word after another " * 37)
print(count_mib() - before)
"""
_HUGE_PICTURE = """
import sys
from PIL import Image
Image.new("1", (6000, 5000)).save(sys.stdout.buffer, "PNG")
"""
_MINUTES_OF_SILENCE = """
import sys, av, numpy
with av.open(sys.stdout.buffer, "w", format="flac") as target:
    stream = target.add_stream("flac", rate=16000)
    frame = av.AudioFrame.from_ndarray(numpy.zeros((1, 16000 * 60), numpy.int16), layout="mono")
    frame.sample_rate = 16000
    for _ in range(6):
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))
"""


def encode(recording: Path, form: str, codec: str) -> bytes:
    """The recording in another form."""
    return _run("speech_to_text", _ENCODE, str(recording), form, codec)


def draw(lines: list[str]) -> bytes:
    """A PNG of lines of text."""
    return _run("ocr", _DRAW, *lines)


def draw_huge_picture() -> bytes:
    """A PNG of few bytes and 30 million pixels."""
    return _run("ocr", _HUGE_PICTURE)


def read_large_pictures() -> dict[str, Any]:
    """Returns the boxes of a line in a photograph, upright and turned, and the MiB that odd ones take."""
    said: dict[str, Any] = json.loads(_run("ocr", _READ_PICTURES))
    return said


def measure_a_long_text() -> int:
    """Returns the MiB that a voice keeps of the longest sentence."""
    return int(_run("text_to_speech", _SAY_LONG_TEXT))


def build_blank_png(width: int, height: int) -> bytes:
    """A black PNG with one bit for each pixel."""
    rows = b"".join(b"\0" + bytes((width + 7) // 8) for _ in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def record_minutes_of_silence() -> bytes:
    """A FLAC file of few bytes and 6 minutes."""
    return _run("speech_to_text", _MINUTES_OF_SILENCE)


def measure_an_hour_of_silence() -> int:
    """How much memory decoding it takes, in KiB."""
    return int(_run("speech_to_text", _HOUR_OF_SILENCE))


def build_wav(rate_hz: int) -> bytes:
    """A second of silence, were its rate 16 kHz."""
    samples = bytes(2 * 16_000)
    sound = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 0, 2, 16)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + sound + b"data" + struct.pack("<I", len(samples)) + samples


def _run(model: str, program: str, *arguments: str) -> bytes:
    """What a program prints that runs in the environment of one of our models, in its folder."""
    folder = ROOT / "models" / model
    python = find_environment(folder).python
    done = subprocess.run(
        [python, "-B", "-c", program, *arguments], cwd=folder, stdout=subprocess.PIPE, check=True, timeout=60
    )
    return done.stdout
