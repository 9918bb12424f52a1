r"""Bounds the regular expressions of JSON schemas, which llama.cpp follows for every token. Pure.

It does so on the only thread that serves every caller, writes a repeat out as often as it may occur, and
tries each word of the model's vocabulary in every way in which the expression can be read. Hence two bounds:
how long the expression is once it is written out, and in how many ways it reads a word. `^(([a-z]+)+)+$`
reads one of twelve letters in 177,147 ways, and `^([a-z]?){1,1000}$` stops the server for good.

The ways are those through Glushkov's automaton, which has a position for each character of the expression.
Source: https://en.wikipedia.org/wiki/Glushkov%27s_construction_algorithm
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.violation import Violation
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHARACTERS = 1_024
ELEMENTS = 2_000
"""How many characters an expression may have once all its repeats are written out."""

STEPS = 10_000
"""How many pairs of these characters may follow each other."""

DEPTH = 16
WAYS = 3_000
WORD_CHARACTERS = 12
"""As long as nearly all words of a vocabulary are at most."""

_TOKEN = re.compile(
    r"(?P<set>\[\^?\]?(?:\\.|[^\]\\])*+\]|\\[wWdDsS]|\.)"
    r"|(?P<repeat>[*+?]|\{(?P<least>\d{1,6})(?P<range>,(?P<most>\d{0,6}))?\})"
    r"|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<or>\|)|(?P<edge>[$^])"
    r"|(?P<plain>\\[^a-zA-Z0-9]|\\[nrtfv]|[^\\\[\]{}])",
    re.DOTALL,
)
_OTHERS = " \t\n_-aZ5é中"
r"""Characters of each kind that a set such as `\w` may hold without naming them."""


class _RefusedError(Exception):
    """Says in its message what is wrong with an expression."""


@record
class _Node:
    """A part of an expression: a `set` of characters, or other parts in a row, as a choice, or repeated."""

    kind: str
    parts: tuple[_Node, ...] = ()
    set: str = ""
    least: int = 1
    most: int | None = 1
    elements: int = 1
    empty: bool = False


@dataclass(slots=True)
class _Automaton:
    """The characters of an expression, and for each one the characters that may follow it."""

    sets: list[str] = field(default_factory=list)
    following: list[list[int]] = field(default_factory=list)
    steps: int = 0


@record
class _Ends:
    """The characters with which a part can start and end."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    empty: bool = True


def check_pattern(field: str, pattern: str) -> Iterator[Violation]:
    """Yields what makes a regular expression too costly, or why it is none that llama.cpp takes."""
    try:
        ways = count_ways(pattern)
    except _RefusedError as error:
        yield Violation(field, f"'{field}' {error}.")
        return
    if ways > WAYS:
        yield Violation(
            field,
            f"'{field}' is ambiguous: it can read {WORD_CHARACTERS} characters in {ways:,} ways, and this "
            f"model takes at most {WAYS:,}. Avoid repeats inside repeats and choices that begin alike.",
        )


def count_ways(pattern: str) -> int:
    """Returns in how many ways an expression reads a word of twelve characters, or somewhat more.

    Raises:
        _RefusedError: The expression is too large, or is none.
    """
    if len(pattern) > CHARACTERS:
        raise _RefusedError(f"has {len(pattern):,} characters; this model takes at most {CHARACTERS:,}")
    node = _Parser(pattern).parse()
    if node.elements > ELEMENTS:
        raise _RefusedError(f"is too long once its repeats are written out: over {ELEMENTS:,} characters")
    automaton = _Automaton()
    first = _add(automaton, node).first
    masks = _build_masks(automaton.sets)
    ways, most = [1] * len(masks), 1
    for _ in range(WORD_CHARACTERS):
        most = max(most, _sum_most(first, masks, ways))
        ways = [_sum_most(following, masks, ways) or 1 for following in automaton.following]
    return most


class _Parser:
    """Reads an expression.

    Args:
        pattern: The expression.
    """

    def __init__(self, pattern: str) -> None:
        self._tokens = list(_split(pattern))
        self._at = 0

    def parse(self) -> _Node:
        """Returns the whole expression.

        Raises:
            _RefusedError: It is none, or repeats what may be empty.
        """
        self._skip_edges()
        node = self._parse_choice(0)
        if self._sees("close"):
            raise _RefusedError("has a ')' without a '('")
        return node

    def _sees(self, *kinds: str) -> bool:
        return self._at < len(self._tokens) and any(self._tokens[self._at][kind] for kind in kinds)

    def _take(self) -> re.Match[str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip_edges(self) -> None:
        """Drops `^` at the start and `$` at the end, where alone they are taken."""
        start = int(self._tokens[:1] != [] and self._tokens[0][0] == "^")
        end = len(self._tokens) - int(len(self._tokens) > start and self._tokens[-1][0] == "$")
        self._tokens = self._tokens[start:end]
        if any(token["edge"] for token in self._tokens):
            raise _RefusedError("has a '^' that is not its start, or a '$' that is not its end")

    def _parse_choice(self, depth: int) -> _Node:
        if depth > DEPTH:
            raise _RefusedError(f"nests more than {DEPTH} groups")
        choices = [self._parse_row(depth)]
        while self._sees("or"):
            self._take()
            choices.append(self._parse_row(depth))
        if len(choices) == 1:
            return choices[0]
        elements, empty = sum(node.elements for node in choices), any(node.empty for node in choices)
        return _Node("choice", tuple(choices), elements=elements, empty=empty)

    def _parse_row(self, depth: int) -> _Node:
        row: list[_Node] = []
        while self._at < len(self._tokens) and not self._sees("or", "close"):
            if self._sees("repeat"):
                if not row:
                    raise _RefusedError("repeats nothing")
                row.append(_repeat(row.pop(), self._take()))
            elif self._sees("open"):
                self._take()
                row.append(self._parse_choice(depth + 1))
                if not self._sees("close"):
                    raise _RefusedError("has a '(' without a ')'")
                self._take()
            else:
                row.append(_Node("set", set=self._take()[0]))
        elements = sum(node.elements for node in row)
        return _Node("row", tuple(row), elements=elements, empty=all(node.empty for node in row))


def _split(pattern: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise _RefusedError(f"has something at character {at + 1} that this model cannot follow")
        yield token
        at = token.end()


def _repeat(node: _Node, token: re.Match[str]) -> _Node:
    if token["least"]:
        least = int(token["least"])
        most = int(token["most"]) if token["most"] else None if token["range"] else least
    else:
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[token[0]]
    if most is not None and most < max(least, 1):
        raise _RefusedError("repeats something at most 0 times, or less often than at least")
    if node.empty and most != 1:
        raise _RefusedError("repeats what may be empty")
    elements = node.elements * (most or max(1, least))
    return _Node("repeat", (node,), least=least, most=most, elements=elements, empty=node.empty or least == 0)


def _add(automaton: _Automaton, node: _Node) -> _Ends:
    """Adds a part to the automaton and returns its ends."""
    if node.kind == "set":
        automaton.sets.append(node.set)
        automaton.following.append([])
        here = (len(automaton.sets) - 1,)
        return _Ends(here, here, empty=False)
    if node.kind == "choice":
        ends = [_add(automaton, part) for part in node.parts]
        first = tuple(position for end in ends for position in end.first)
        last = tuple(position for end in ends for position in end.last)
        return _Ends(first, last, empty=node.empty)
    if node.kind == "repeat":
        return _add_repeat(automaton, node)
    row = _Ends()
    for part in node.parts:
        row = _join(automaton, row, _add(automaton, part))
    return row


def _add_repeat(automaton: _Automaton, node: _Node) -> _Ends:
    """Adds `x{2,4}` as `xx(x(x)?)?` and `x{2,}` as `xx+`."""
    part, least, most = node.parts[0], node.least, node.most
    needed = _Ends()
    for _ in range(least if most is not None else max(0, least - 1)):
        needed = _join(automaton, needed, _add(automaton, part))
    if most is None:
        again = _add(automaton, part)
        _join(automaton, again, again)
        return _join(automaton, needed, _Ends(again.first, again.last, empty=least == 0))
    copies = [_add(automaton, part) for _ in range(most - least)]
    rest = _Ends()
    for copy in reversed(copies):
        joined = _join(automaton, copy, rest)
        rest = _Ends(joined.first, joined.last, empty=True)
    return _join(automaton, needed, rest)


def _join(automaton: _Automaton, left: _Ends, right: _Ends) -> _Ends:
    automaton.steps += len(left.last) * len(right.first)
    if automaton.steps > STEPS:
        raise _RefusedError("has too many characters that may follow each other")
    for position in left.last:
        automaton.following[position].extend(right.first)
    first = left.first + right.first if left.empty else left.first
    last = left.last + right.last if right.empty else right.last
    return _Ends(first, last, empty=left.empty and right.empty)


def _build_masks(sets: list[str]) -> list[int]:
    """Returns for each set, as bits, what it has of the characters that any set names and of some more."""
    named = {character for text in set(sets) for character in text} | set(_OTHERS)
    held = {text: _find_held(text, named) for text in set(sets)}
    kinds = sorted({tuple(character in held[text] for text in held) for character in named})
    masks = {
        text: sum(1 << bit for bit, kind in enumerate(kinds) if kind[index])
        for index, text in enumerate(held)
    }
    return [masks[text] for text in sets]


def _find_held(text: str, characters: Iterable[str]) -> set[str]:
    try:
        form = re.compile(text, re.DOTALL)
    except re.error as error:
        raise _RefusedError("has a set of characters that is none") from error
    return {character for character in characters if form.fullmatch(character)}


def _sum_most(positions: Iterable[int], masks: list[int], ways: list[int]) -> int:
    """Returns the ways of the character that leads on in most ways."""
    sums: dict[int, int] = {}
    for position in positions:
        mask = masks[position]
        while mask:
            bit = mask & -mask
            sums[bit] = sums.get(bit, 0) + ways[position]
            mask ^= bit
    return max(sums.values(), default=0)
