"""The commands that the program prints: where its source makes them, and those that a run made."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, FunctionType
from typing import TYPE_CHECKING, Any

import centralized_ml_api
from centralized_ml_api.cli import VERBS
from centralized_ml_api.commands import command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = Path(centralized_ml_api.__file__).parent
DOCUMENTS = (
    "aws/constructs/event.py",
    "cli/reference.py",
    "config/explain.py",
    "config/reference.py",
    "config/starter.py",
)
"""What writes pages, files and mails: a reader of theirs may be anywhere."""

ABOUT = {"description", "example", "help", "meaning", "right", "wrong"}
"""The arguments whose text describes: the pages of rules, the fields of the schema, the help of flags."""

_WRITTEN = re.compile(rf"\bmlapi ({'|'.join(VERBS)})\b")


@dataclass(frozen=True, order=True)
class Site:
    """A call of `command` in the source."""

    file: str
    line: int
    column: int


def find_sites() -> set[Site]:
    """Every place that makes a command."""
    return {
        Site(file, node.lineno, node.col_offset)
        for file, tree in _trees(command.__name__)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == command.__name__
    }


def find_written_by_hand() -> list[str]:
    """Every text with a command in it that no call of `command` made, docstrings and descriptions apart."""
    return [
        f"{file}:{text.lineno}"
        for file, tree in _trees("mlapi")
        if file not in DOCUMENTS
        for text in _texts(tree)
        if _WRITTEN.search(text.value)
    ]


def _trees(word: str) -> Iterator[tuple[str, ast.Module]]:
    """The files that have a word in them; to parse the others takes seconds."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text()
        if word in text:
            yield str(path.relative_to(SOURCE)), _parse(text)


@functools.cache
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def _texts(node: ast.AST) -> Iterator[Any]:
    """The texts of a tree that are not docstrings, nor stand where something is described."""
    for child in ast.iter_child_nodes(node):
        is_about = isinstance(child, ast.keyword) and child.arg in ABOUT
        if is_about or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child
        yield from _texts(child)


@contextlib.contextmanager
def watch_commands() -> Iterator[list[tuple[Site, str]]]:
    """Gives the commands that are made in the block, and where; also those of threads.

    Every module has imported `command` by now, so it stays the same function, with other code meanwhile. A
    profile function, which Python would call at each call and return of any function, takes half of the time.
    """
    made: list[tuple[Site, str]] = []
    ours = command.__code__
    make = FunctionType(ours, command.__globals__)

    def note(words: tuple[object, ...], caller: FrameType) -> str:
        value: str = make(*words)
        made.append((_site_of(caller), value))
        return value

    _notes.append(note)
    command.__code__ = _note_command.__code__
    try:
        yield made
    finally:
        command.__code__ = ours
        _notes.remove(note)


_notes: list[Callable[[tuple[object, ...], FrameType], str]] = []


def _note_command(*words: object) -> str:
    """Stands in for `command`; its globals are those of `command`."""
    import sys  # noqa: PLC0415

    from support.hints.sites import _notes  # noqa: PLC0415

    return _notes[-1](words, sys._getframe(1))  # noqa: SLF001  # the caller, and no other frame


def _site_of(caller: FrameType) -> Site:
    positions = list(caller.f_code.co_positions())
    line, _, column, _ = positions[caller.f_lasti // 2]
    file = Path(caller.f_code.co_filename)
    where = str(file.relative_to(SOURCE)) if file.is_relative_to(SOURCE) else str(file)
    return Site(where, line or 0, column or 0)
