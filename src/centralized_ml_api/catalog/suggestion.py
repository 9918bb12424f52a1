"""Decides which of many ids was probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 120
_CUTOFF = 0.6


def closest(written: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Returns the known words nearest to what was written, the nearest first; empty if none is near. Pure.

    A word that contains what was written counts as near: `open-llama` finds
    `huggingface-textgeneration-open-llama`.

    Args:
        written: The user's text.
        known: The words to choose from.
        count: How many are returned at most.
    """
    words = sorted(set(known))
    wanted = written.strip().lower()[:_LONGEST]
    near = difflib.get_close_matches(wanted, words, n=count, cutoff=_CUTOFF)
    holding = [word for word in words if wanted and wanted in word]
    return list(dict.fromkeys([*near, *holding]))[:count]
