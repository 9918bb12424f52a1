"""Pictures in messages for llama.cpp: taken out before the rules read the texts, put back afterwards. Pure.

A picture is in the body itself: an address would have the server call whatever it can reach. It is a PNG or a
JPEG, whose size is known before anything unpacks it; what the server cannot read as a picture it would try as
a sound and as a film.

Sources:
    https://platform.openai.com/docs/guides/images-vision (`image_url`, `input_image`)
    https://platform.claude.com/docs/en/build-with-claude/vision (`image`)
    https://www.w3.org/TR/png-3/ (IHDR), https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.2.2, frame headers)
"""

from __future__ import annotations

import base64
import re
import struct
from typing import Any

from centralized_ml_api.local.admission.violation import Violation
from centralized_ml_api.plan.apis import CHAT, MESSAGES, RESPONSES
from centralized_ml_api.record import record

PICTURES = 16
"""The most in one request: each is computed before the answer begins."""

PIXELS = 16_000_000
"""The most in one picture: it takes four bytes for each, unpacked."""

ALL_PIXELS = 48_000_000
"""The most in all pictures of one request: the server holds them unpacked until the last is computed."""

PICTURE_TOKENS = 256
"""What a picture counts in estimates of a prompt; models see it as 64 to some thousand tokens."""

_KINDS = {
    **dict.fromkeys(CHAT.paths, "image_url"),
    **dict.fromkeys(RESPONSES.paths, "input_image"),
    **dict.fromkeys(MESSAGES.paths, "image"),
}
_DATA_URL = re.compile(r"data:image/(?:png|jpeg|jpg);base64,([A-Za-z0-9+/]+={0,2})")
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_JPEG = b"\xff\xd8"
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG's frame headers; the others of this range are tables."""


@record
class Picture:
    """A picture: the number of its message among all of them, its place in there, the part for the server."""

    message: int
    place: int
    part: dict[str, Any]


def take_pictures(path: str, items: Any) -> tuple[Any, list[Picture], Violation | None]:
    """Returns a conversation with a text in place of each picture, the pictures, and what is wrong with them.

    Of pictures in the results of tools nothing is taken: the rules refuse them.

    Args:
        path: Under `/v1`.
        items: `messages` or `input` of the body, of any form.
    """
    kind = _KINDS.get(path)
    if kind is None or not isinstance(items, list):
        return items, [], None
    field = "input" if path in RESPONSES.paths else "messages"
    found: list[Picture] = []
    changed, number, pixels = [], -1, 0
    for index, item in enumerate(items):
        content = item.get("content") if isinstance(item, dict) else None
        is_message = isinstance(item, dict) and item.get("type", "message") == "message"
        number += is_message
        if not is_message or not isinstance(content, list):
            changed.append(item)
            continue
        parts = []
        for place, part in enumerate(content):
            if not isinstance(part, dict) or part.get("type") != kind:
                parts.append(part)
                continue
            where = f"{field}[{index}].content[{place}]"
            url = _read_url(part)
            width, height = _read_size(url)
            pixels += width * height
            fault = _find_fault(width, height, pixels, len(found))
            if fault:
                return items, [], Violation(where, f"'{where}' {fault}")
            found.append(Picture(number, place, _write_part(kind, url)))
            parts.append({"type": "text", "text": f"{hash(url):x}{'#' * PICTURE_TOKENS}"})
        changed.append({**item, "content": parts})
    return changed, found, None


def put_pictures(items: list[dict[str, Any]], pictures: list[Picture]) -> None:
    """Puts pictures into a conversation that the server gets, in place of their texts."""
    messages = [item for item in items if item.get("type", "message") == "message"]
    for picture in pictures:
        messages[picture.message]["content"][picture.place] = picture.part


def _read_url(part: dict[str, Any]) -> str:
    """Returns the URL of a picture; of Anthropic's blocks, the same in that form. Empty if there is none."""
    held = part.get("source") if part["type"] == "image" else part.get("image_url")
    if isinstance(held, dict) and held.get("type") == "base64":
        held = f"data:{held.get('media_type')};base64,{held.get('data')}"
    elif isinstance(held, dict):
        held = held.get("url")
    return held if isinstance(held, str) else ""


def _write_part(kind: str, url: str) -> dict[str, Any]:
    if kind == "image_url":
        return {"type": kind, "image_url": {"url": url}}
    if kind == "input_image":
        return {"type": kind, "image_url": url}
    media_type, _, data = url.removeprefix("data:").partition(";base64,")
    return {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}


def _read_size(url: str) -> tuple[int, int]:
    """Returns width and height of a picture; 0 of one that is none, or is not in the body."""
    found = _DATA_URL.fullmatch(url)
    if not found or len(found[1]) % 4:
        return 0, 0
    return _measure(base64.b64decode(found[1])) or (0, 0)


def _find_fault(width: int, height: int, pixels: int, before: int) -> str | None:
    """Returns what is wrong with a picture.

    Args:
        width: 0 if it cannot be read.
        height: The same.
        pixels: Those of all pictures so far.
        before: How many there were before it.
    """
    if before == PICTURES:
        return f"is more than {PICTURES} pictures."
    if not width or not height:
        return "must be a PNG or JPEG in the body itself, as data:image/png;base64,…; no address."
    if width * height > PIXELS:
        return f"has {width} x {height} pixels; a picture may have {PIXELS:,}."
    if pixels > ALL_PIXELS:
        return f"brings the pictures to {pixels:,} pixels; all together may have {ALL_PIXELS:,}."
    return None


def _measure(content: bytes) -> tuple[int, int] | None:
    """Returns width and height; None if it is neither a PNG nor a JPEG, or does not say."""
    try:
        if content.startswith(_PNG):
            width, height = struct.unpack_from(">II", content, len(_PNG))
            return width, height
        return _measure_jpeg(content) if content.startswith(_JPEG) else None
    except (struct.error, IndexError):
        return None


def _measure_jpeg(content: bytes) -> tuple[int, int] | None:
    """Reads the segments before the first frame; raises where one is cut off."""
    at = len(_JPEG)
    while content[at] == 0xFF:  # noqa: PLR2004  every marker begins with it
        marker = content[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
    return None
