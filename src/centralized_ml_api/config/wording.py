"""How values, lists and suggestions are put into words, the same in every problem."""

from __future__ import annotations

import difflib
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 80
_MOST_COMPARED = 500
_KINDS = {
    bool: "true or false",
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "an object",
}


def quoted(value: Any) -> str:
    """A value as JSON on one line, shortened where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def kind_of(value: Any) -> str:
    """What a value is, with its article: `an array`, `text`, `nothing (null)`."""
    return "nothing (null)" if value is None else _KINDS[type(value)]


def listed(words: Iterable[str], last: str = "or") -> str:
    """Words as an enumeration: `a, b or c`."""
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None.

    Letter case and the choice between `-` and `_` do not count as differences. Of very many known words only
    the first are compared.
    """
    plain = {one.lower().replace("-", "_"): one for one in islice(known, _MOST_COMPARED)}
    found = difflib.get_close_matches(word[:_LONGEST].lower().replace("-", "_"), plain, n=1, cutoff=0.7)
    return plain[found[0]] if found else None


def write(text: str | None) -> str:
    """The fix that says which text to write; empty when there is none to suggest."""
    return f"write {quoted(text)}" if text else ""
