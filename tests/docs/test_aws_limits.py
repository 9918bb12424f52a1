"""The page of AWS's limits names tests that exist, or says that nothing is done; each row has its source."""

from __future__ import annotations

import pytest

from support.doc_shell import ROOT
from support.named_tests import find_missing, find_named

PAGE = ROOT / "docs/explanation/aws-limits.md"
WRITTEN = PAGE.read_text().partition("<!-- end -->")[2]
ROWS = [line for line in WRITTEN.splitlines() if line.startswith("| ")]
LINES = [row for row in ROWS if not row.startswith(("| AWS allows ", "| --- "))]
NOTHING = "nothing is done"


def test_there_are_lines() -> None:
    assert len(LINES) >= 20


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip()[:60])
def test_a_line_is_shown_by_tests_that_exist_or_says_that_nothing_is_done(line: str) -> None:
    named = find_named(line, PAGE.parent)
    assert bool(named) is (NOTHING not in line)
    assert find_missing(named) == []
