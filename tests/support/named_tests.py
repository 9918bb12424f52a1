"""The tests that a page names, and whether they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TEST = re.compile(r"\[`(?P<name>test_\w+)`\]\((?P<file>[^)]+)\)")


def find_named(line: str, folder: Path) -> list[tuple[str, Path]]:
    """The names and files of the tests that a line of a page in the folder names."""
    return [(found["name"], (folder / found["file"]).resolve()) for found in TEST.finditer(line)]


def find_missing(named: list[tuple[str, Path]]) -> list[str]:
    """The names of those that pytest would not collect."""
    return [name for name, file in named if not file.exists() or name not in _list_tests(file)]


@cache
def _list_tests(file: Path) -> frozenset[str]:
    """The names of the tests that pytest collects there."""
    body = ast.parse(file.read_text()).body
    return frozenset(statement.name for statement in body if isinstance(statement, ast.FunctionDef))
