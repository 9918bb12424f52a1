"""The commands that the program prints: where its source makes them, and those that a run made."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import centralized_ml_api
from centralized_ml_api.cli import VERBS
from centralized_ml_api.commands import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

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
    """Gives the commands that are made in the block, and where; also those of threads that it starts."""
    made: list[tuple[Site, str]] = []

    def note(frame: FrameType, event: str, value: Any) -> None:
        caller = frame.f_back
        if event == "return" and frame.f_code is command.__code__ and caller and value:
            made.append((_site_of(caller), value))

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield made
    finally:
        sys.setprofile(before)
        threading.setprofile(before)


def _site_of(caller: FrameType) -> Site:
    positions = list(caller.f_code.co_positions())
    line, _, column, _ = positions[caller.f_lasti // 2]
    file = Path(caller.f_code.co_filename)
    where = str(file.relative_to(SOURCE)) if file.is_relative_to(SOURCE) else str(file)
    return Site(where, line or 0, column or 0)
