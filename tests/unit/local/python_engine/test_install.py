"""Why packages could not be installed, in one line, from what pip said."""

from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.local.python_engine.install import explain_failure

REQUIREMENTS = Path("/somewhere/models/ocr/requirements.txt")
NOT_FOUND = """\
Looking in indexes: https://index.example
ERROR: Could not find a version that satisfies the requirement nothing==1 (from versions: none)
ERROR: No matching distribution found for nothing==1
"""
NOT_BUILT = """\
  error: subprocess-exited-with-error
note: This is an issue with the package mentioned above, not pip.
error: metadata-generation-failed
"""
NOT_REACHED = """\
WARNING: Retrying after connection broken by 'NameResolutionError("Failed to resolve 'index.example'")'
ERROR: No matching distribution found for numpy
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (NOT_FOUND, "could not be installed: No matching distribution found for nothing==1"),
        (NOT_BUILT, "could not be installed: metadata-generation-failed"),
        (NOT_REACHED, "could not be installed: pip cannot ask a package index: its name cannot be resolved"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "no room for",
        ),
        ("/usr/bin/python: No module named pip", "pip is missing from"),
        ("ERROR: Exception:\nTraceback:\nKeyError: 'name'", "could not be installed: KeyError: 'name'"),
        ("Killed", "could not be installed: Killed"),
        ("", "could not be installed: pip said nothing"),
    ],
)
def test_the_reason_is_pips_own_where_we_know_none_better(output: str, reason: str) -> None:
    error = explain_failure(output.splitlines(), REQUIREMENTS)
    assert reason in error.message
    assert "the packages of ocr/requirements.txt" in error.message
    assert error.fix
