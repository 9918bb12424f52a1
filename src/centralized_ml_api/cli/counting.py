"""Numbers with their noun."""

from __future__ import annotations


def counted(count: int, word: str) -> str:
    """Such as `1 time`, `2 times`."""
    return f"{count} {word}{'' if count == 1 else 's'}"
