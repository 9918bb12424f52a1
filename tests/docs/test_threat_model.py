"""The threat model names tests that exist; each of its lines has at least one."""

from __future__ import annotations

import pytest

from support.doc_shell import ROOT
from support.named_tests import find_missing, find_named

PAGE = ROOT / "docs/explanation/threat-model.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
LINES = [row for row in ROWS if not row.startswith(("| wants ", "| happens ", "| --- "))]


def test_there_are_lines() -> None:
    assert len(LINES) > 40


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip()[:60])
def test_a_line_is_shown_by_tests_that_exist(line: str) -> None:
    named = find_named(line, PAGE.parent)
    assert named, "each line names a test"
    assert find_missing(named) == []
