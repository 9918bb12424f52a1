"""Which of many ids was probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 120
_CUTOFF = 0.6


def closest(written: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known words that are nearest to what was written, the nearest first; none when none is near. Pure.

    A word that holds all that was written counts as near: `open-llama` finds
    `huggingface-textgeneration-open-llama`.
    """
    words = sorted(set(known))
    wanted = written.strip().lower()[:_LONGEST]
    near = difflib.get_close_matches(wanted, words, n=count, cutoff=_CUTOFF)
    holding = [word for word in words if wanted and wanted in word]
    return list(dict.fromkeys([*near, *holding]))[:count]
