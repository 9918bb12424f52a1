"""Forms with a recording in them, as OpenAI's clients send them, and with what those never would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.faults.bad_requests.media import build_recording
from bench.faults.bad_requests.values import WILD_TEXTS, mangle

if TYPE_CHECKING:
    from random import Random

BOUNDARY = b"b"
FORM_TYPE = "multipart/form-data; boundary=b"

_FORMATS = ("json", "text", "srt", "vtt", "verbose_json", "xml", "")
_NAMES = (
    *("language", "prompt", "temperature", "response_format", "timestamp_granularities[]", "stream"),
    *("model", "Model", "file", "", "include[]", "a" * 5_000, '"', "a\\", "é"),
)
_HEADS = (
    'Content-Disposition: form-data; name="{name}"',
    'Content-Disposition: form-data; name="{name}"',
    'Content-Disposition: form-data; name="{name}"; filename="a.wav"\r\nContent-Type: audio/wav',
    "Content-Disposition: form-data; name={name}",
    "Content-Disposition: form-data; name*=utf-8''{name}",
    "Content-Disposition: form-data; name*0={name}; name*1=b",
    'Content-Disposition: form-data; name="{name}"; name="model"',
    'Content-Disposition: attachment; name="{name}"',
    'content-disposition:form-data;name="{name}"\r\nContent-Transfer-Encoding: base64',
    'Content-Disposition: form-data; name="{name}"; filename="é"\r\nContent-Type: audio/é',
    'Content-Disposition: form-data; name="{name}"; filename=""\r\nContent-Type: multipart/mixed; boundary=c',
    "Content-Type: text/plain",
    'Content-Disposition: form-data; name="{name}"\r\n folded',
    "",
    "no colon",
)
_ENDS = (b"--b--", b"--b--\r\n", b"--b--\r\n", b"--b--\r\n", b"--b--epilogue", b"--b", b"")


def build_recording_form(chance: Random, model: str, sample: bytes) -> bytes:
    """Builds a form that names a model and has a file, in any order, with odd fields between.

    Args:
        chance: Decides.
        model: The entry that it names; none if empty.
        sample: A recording that would be heard.
    """
    recording = sample if chance.random() < 0.4 else build_recording(chance, sample)  # four in ten
    file = b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav'
    parts = [
        _build_part(file, recording),
        *(_build_odd_part(chance) for _ in range(chance.choice([0, 1, 2]))),
    ]
    if model:
        parts.append(_build_part(b'Content-Disposition: form-data; name="model"', model.encode()))
    chance.shuffle(parts)
    parts *= chance.choice([1] * 20 + [0, 2, 60])
    whole = chance.choice([b""] * 9 + [b"preamble\r\n"]) + b"".join(parts) + chance.choice(_ENDS)
    return mangle(chance, whole) if chance.random() < 0.1 else whole  # one in ten


def _build_part(head: bytes, content: bytes) -> bytes:
    return b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def _build_odd_part(chance: Random) -> bytes:
    name = chance.choice(_NAMES)
    text = chance.choice([*_FORMATS, "en", "0", "segment", "word", "true", *WILD_TEXTS])
    content = chance.choice([text.encode(errors="surrogatepass")] * 6 + [chance.randbytes(20), b"\r\n--b"])
    return _build_part(chance.choice(_HEADS).format(name=name).encode(), content)
