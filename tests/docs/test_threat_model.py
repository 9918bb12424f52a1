"""The threat model names tests that exist; each of its lines has at least one."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from support.doc_shell import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs/explanation/threat-model.md"
TEST = re.compile(r"\[`(?P<name>test_\w+)`\]\((?P<file>[^)]+)\)")
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
LINES = [row for row in ROWS if not row.startswith(("| wants ", "| happens ", "| --- "))]


@cache
def list_tests(file: Path) -> frozenset[str]:
    """The names of the tests that pytest collects there."""
    return frozenset(one.name for one in ast.parse(file.read_text()).body if isinstance(one, ast.FunctionDef))


def test_there_are_lines() -> None:
    assert len(LINES) > 40


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip()[:60])
def test_a_line_is_shown_by_tests_that_exist(line: str) -> None:
    named = [(found["name"], (PAGE.parent / found["file"]).resolve()) for found in TEST.finditer(line)]
    assert named, "each line names a test"
    assert [name for name, file in named if not file.exists() or name not in list_tests(file)] == []
