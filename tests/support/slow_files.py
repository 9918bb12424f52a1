"""Which files of tests have slow tests only, found without importing them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ALL = re.compile(r"^pytestmark = pytest\.mark\.slow$", re.MULTILINE)
_TEST = re.compile(r"^ *(?:async )?def test_", re.MULTILINE)
_SLOW_TEST = re.compile(
    r"^(?P<indent> *)@pytest\.mark\.slow\n"
    r"(?:(?P=indent)[@ )].*\n)*"  # further decorators, over several lines
    r"(?P=indent)(?:async )?def test_",
    re.MULTILINE,
)


def has_only_slow_tests(path: Path) -> bool:
    """Returns whether a file has tests and marks all of them slow; of a folder, whether all its files do."""
    if path.is_dir():
        files = list(path.rglob("test_*.py"))
        return bool(files) and all(map(has_only_slow_tests, files))
    if not (path.name.startswith("test_") and path.suffix == ".py"):
        return False
    text = path.read_text(encoding="utf-8")
    tests = len(_TEST.findall(text))
    return tests > 0 and (_ALL.search(text) is not None or len(_SLOW_TEST.findall(text)) == tests)
