"""Which files can be the event's logo: images that every browser shows, small enough for the page."""

from __future__ import annotations

from pathlib import PurePath

LOGO_BYTES = 64 * 1024
"""Everybody who opens the page fetches it."""

LOGO_ENDINGS = (".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")


def is_image(path: str) -> bool:
    """Returns whether the ending of a path is that of an image that browsers show."""
    return PurePath(path).suffix.lower() in LOGO_ENDINGS
