"""How values, lists and suggestions are worded, the same in every problem. Pure."""

from __future__ import annotations

import difflib
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 80
_MOST_COMPARED = 500
_MOST_LISTED = 12
_KINDS = {
    bool: "true or false",
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "an object",
}


def quoted(value: Any) -> str:
    """Returns a value as JSON on one line, shortened when it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def kind_of(value: Any) -> str:
    """Returns what a value is, with its article: `an array`, `a string`, `nothing (null)`."""
    return "nothing (null)" if value is None else _KINDS[type(value)]


def listed(words: Iterable[str], last: str = "or") -> str:
    """Returns words as a list in prose: `a, b or c`."""
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Returns the known word that was probably meant, or None.

    Letter case and the choice between `-` and `_` do not count as differences. If none is similar, the one
    known word is meant that begins with it and a `_`: `input_per_million` for `input`. Of very many known
    words, only the first are compared.
    """
    plain = {word.lower().replace("-", "_"): word for word in islice(known, _MOST_COMPARED)}
    wanted = word[:_LONGEST].lower().replace("-", "_")
    if found := difflib.get_close_matches(wanted, plain, n=1, cutoff=0.7):
        return plain[found[0]]
    longer = [written for name, written in plain.items() if name.startswith(f"{wanted}_")]
    return longer[0] if len(longer) == 1 else None


def write(text: str | None) -> str:
    """Returns the fix that says which string to write; empty when there is none to suggest."""
    return f"write {quoted(text)}" if text else ""


def listed_some(words: Iterable[str], last: str = "or") -> str:
    """Returns words as a list in prose, the first twelve of many."""
    some = [*islice(words, _MOST_LISTED + 1)]
    return listed([*some[:_MOST_LISTED], "…"] if some[_MOST_LISTED:] else some, last)


def listed_names(names: list[str]) -> str:
    """Returns the names of entries in prose, the first twelve of many; says so if there are none."""
    return listed_some(names) if names else "there are none"
