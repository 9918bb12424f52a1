"""Generated documentation is committed, and fresh."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from centralized_ml_api.config.checks.registry import RULES

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.slow
def test_nothing_generated_is_stale() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, ""), "run `make docs`"


def test_the_reference_has_a_page_for_every_id() -> None:
    reference = (REPOSITORY / "docs/reference/errors.md").read_text()
    assert [rule.id for rule in RULES if f"### {rule.id}: {rule.title}\n" not in reference] == []
