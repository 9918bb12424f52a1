"""A regular expression for "every string but these".

Envoy removes the headers whose name matches, and its regular expressions (RE2) have no lookahead, so the
complement is spelled out along the trie of the names: at each step either another character than any name
has here, followed by anything, or one of theirs, followed by the complement of what remains.
Source: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def build_complement(names: Iterable[str]) -> str:
    """A pattern that fully matches exactly the strings that are not in `names`. Pure, deterministic."""
    return f"(?s:{_complement(sorted(set(names)))})"


def _complement(suffixes: list[str]) -> str:
    """The alternatives for one node of the trie, given the sorted rests of the names that pass it."""
    by_first: dict[str, list[str]] = {}
    for suffix in filter(None, suffixes):
        by_first.setdefault(suffix[0], []).append(suffix[1:])
    if not by_first:
        return ".+" if suffixes else ".*"
    others = f"[^{''.join(map(re.escape, by_first))}].*"
    along = (f"{re.escape(first)}{_complement(rests)}" for first, rests in by_first.items())
    end = "" if "" in suffixes else "|"
    return f"(?:{'|'.join([others, *along])}{end})"
