"""Media types and the endings of files: the same on every machine, whatever its own tables say. Pure."""

from __future__ import annotations

import mimetypes

_KNOWN = mimetypes.MimeTypes()
_KNOWN.add_type("audio/wav", ".wav")  # Python 3.11 knows only audio/x-wav
_KNOWN.add_type("application/x-npy", ".npy")
_KNOWN.add_type("image/webp", ".webp")


def guess_media_type(name: str) -> str | None:
    """The media type of a file with that name or path, if its ending says one."""
    return _KNOWN.guess_type(name)[0]


def guess_ending(media_type: str) -> str | None:
    """The ending of files of that type, with its dot, if there is one; its parameters do not count."""
    return _KNOWN.guess_extension(media_type.partition(";")[0].strip().lower())
