"""Sizes for people."""

from __future__ import annotations

_STEP = 1000
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def render_bytes(count: int) -> str:
    """A size as disks and download pages write it: `98 MB`, `1.3 GB`, `12 bytes`."""
    size, unit = float(count), 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    digits = 1 if unit >= _UNITS.index("GB") else 0
    return f"{size:.{digits}f} {_UNITS[unit]}"
