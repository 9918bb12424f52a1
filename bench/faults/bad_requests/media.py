"""Pictures and recordings whose headers lie, and forms."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING

from bench.faults.bad_requests.values import build_value, mangle

if TYPE_CHECKING:
    from random import Random

_LENGTHS = (0, 1, 2, 40, 255, 5_000, 65_535, 25_000_000, 2**31 - 1, 2**31, 2**32 - 1)
_RATES = (0, 1, 8_000, 16_000, 44_100, 384_001, 2**31, 2**32 - 1)
_OTHER_PICTURES = (
    b"GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;",
    b"GIF87a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9",
    b"\xff\xd8\xff\xe1\x00\x16Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01\x12\x00\x03\xff\xd9",
    b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\xff\xff\xff\x0f\x00\x00\x00\x00\x00\x00\x00\x00",
    b"BM" + bytes(52),
    b"II*\x00\x08\x00\x00\x00\x01\x00",
    b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\nshowpage\n",
)
_OTHER_RECORDINGS = (
    b"fLaC\x80\x00\x00\x22\x10\x00\x10\x00" + bytes(6) + b"\x0a\xc4\x42\xf0" + bytes(20),
    b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
    b"OggS\x00\x02" + bytes(20) + b"\x01\x1e\x01vorbis" + bytes(23),
    b"\xff\xfb\x90\x64" + bytes(413),
    b"\x1aE\xdf\xa3\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42\xff\xff\xff\xffmoov",
    b"#EXTM3U\nfile:///etc/passwd\n",
    b"ffconcat version 1.0\nfile /etc/passwd\n",
)


def build_picture(chance: Random, sample: bytes) -> bytes:
    """Builds a picture from one that would be read: a PNG with another header, chunks, or damage."""
    return chance.choice([_build_png, _build_png, _damage_png, _mangle, _other_picture])(chance, sample)


def build_recording(chance: Random, sample: bytes) -> bytes:
    """Builds a recording from one that would be read: a WAV with another header, or damage."""
    return chance.choice([_build_wav, _build_wav, _mangle, _other_recording])(chance, sample)


def build_form(chance: Random) -> tuple[bytes, str]:
    """Builds a form and its content type, which may not fit."""
    boundary = chance.choice(["b", "", "a" * 300, "b b", '"b"', "é"])
    name = chance.choice(["file", "", "é"])
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'
    body = (part.encode() + chance.randbytes(30) + b"\r\n") * chance.choice([0, 1, 3, 1_000]) + chance.choice(
        [b"--b--", b""]
    )
    return body, f"multipart/form-data{chance.choice(['; boundary=' + boundary, '; boundary', ''])}"


def build_urlencoded(chance: Random) -> bytes:
    """Builds what `curl -d` sends: fields, or JSON under a form's type."""
    return chance.choice(
        [b"a=1&b=%zz", b"%00=%ff", b"a" * 20_000, json.dumps(build_value(chance)).encode(), b"", b"&&&="]
    )


def build_chunk(name: bytes, data: bytes) -> bytes:
    """Builds a chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _build_png(chance: Random, _sample: bytes) -> bytes:
    width, height = chance.choice(_LENGTHS), chance.choice(_LENGTHS)
    if chance.random() < 0.5:  # half of them small enough to be read
        width, height = chance.randint(1, 60), chance.randint(1, 60)
    depth, colour = chance.choice([1, 8, 8, 8, 16, 3, 255]), chance.choice([0, 2, 3, 4, 6, 2, 255])
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, chance.choice([0, 0, 0, 1, 9]))
    pixels = zlib.compress(bytes(min((width * 8 + 1) * height, chance.choice([0, 100, 40_000]))))
    extras = [b"", b"", build_chunk(b"PLTE", bytes(chance.choice([3, 4, 768, 900]))), _build_text(chance)]
    chunks = build_chunk(b"IHDR", head) + chance.choice(extras) + build_chunk(b"IDAT", pixels)
    return b"\x89PNG\r\n\x1a\n" + chunks + chance.choice([build_chunk(b"IEND", b""), b""])


def _build_text(chance: Random) -> bytes:
    """Builds a chunk whose text is far larger than it looks, or a profile that is none."""
    packed = zlib.compress(bytes(chance.choice([10, 30_000_000])), 9)
    kinds = [(b"zTXt", b"a\0\0" + packed), (b"iCCP", b"a\0\0" + packed), (b"iTXt", b"a\0\1\0\0\0" + packed)]
    others = [
        (b"eXIf", b"MM\0*\xff\xff\xff\xff"),
        (b"acTL", b"\xff" * 8),
        (b"tRNS", b"\0" * 300),
        (b"gAMA", b""),
    ]
    return build_chunk(*chance.choice([*kinds, *others]))


def _damage_png(chance: Random, sample: bytes) -> bytes:
    """Changes a byte behind the signature and repairs no checksum, or repeats a part."""
    place = chance.randrange(8, len(sample))
    return sample[:place] + chance.choice(
        [b"", sample[place:], sample[place // 2 :], chance.randbytes(4) + sample[place:]]
    )


def _mangle(chance: Random, sample: bytes) -> bytes:
    return mangle(chance, sample[: chance.choice([20, 60, 200, 2_000])])


def _other_picture(chance: Random, _sample: bytes) -> bytes:
    return chance.choice(_OTHER_PICTURES)


def _build_wav(chance: Random, _sample: bytes) -> bytes:
    rate = chance.choice(_RATES)
    coding, channels = (
        chance.choice([0, 1, 1, 1, 3, 6, 7, 0x55, 0xFFFE, 65_535]),
        chance.choice([0, 1, 1, 2, 9, 65_535]),
    )
    align, bits = chance.choice([0, 2, 4, 65_535]), chance.choice([0, 1, 8, 16, 24, 32, 64, 65_535])
    head = struct.pack(
        "<HHIIHH", coding, channels, rate, chance.choice([0, rate * 2 % 2**32, 2**32 - 1]), align, bits
    )
    data = bytes(chance.choice([0, 1, 2, 3_200, 32_000]))
    size = chance.choice([len(data), 0, 2**32 - 1, 2**31])
    chunks = b"fmt " + struct.pack("<I", chance.choice([16, 16, 18, 0, 40, 2**32 - 1])) + head
    odd = chance.choice([b"", b"", b"LIST\xff\xff\xff\xff", b"fact\x00\x00\x00\x00", chunks])
    body = b"WAVE" + chunks + odd + b"data" + struct.pack("<I", size) + data
    return (
        chance.choice([b"RIFF", b"RIFF", b"RF64", b"RIFX"])
        + struct.pack("<I", chance.choice([len(body), 0, 2**32 - 1]))
        + body
    )


def _other_recording(chance: Random, _sample: bytes) -> bytes:
    return chance.choice(_OTHER_RECORDINGS)
