"""Which files the fast tests leave out unread: only those without a single fast test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.slow_files import has_only_slow_tests

if TYPE_CHECKING:
    from pathlib import Path

SLOW = "@pytest.mark.slow\n"
TEST = "def test_it() -> None: ...\n"
OTHER = "@pytest.mark.parametrize(\n    'at', [1, 2]\n)\n"


@pytest.mark.parametrize(
    ("text", "only_slow"),
    [
        (SLOW + TEST, True),
        (f"pytestmark = pytest.mark.slow\n\n{TEST}", True),
        (SLOW + OTHER + TEST, True),
        (OTHER + SLOW + "async " + TEST, True),
        (SLOW + TEST + TEST, False),
        (TEST + SLOW + TEST, False),
        (SLOW + SLOW + TEST + TEST, False),
        (SLOW + "def help() -> None: ...\n" + TEST, False),
        (f"class TestIt:\n    {SLOW}    {TEST}", True),
        (f"class TestIt:\n    {SLOW}    {TEST}    {TEST}", False),
        ("CASES = [pytest.param(1, marks=pytest.mark.slow)]\n" + TEST, False),
        ("", False),
    ],
)
def test_a_file_is_left_out_if_every_test_is_marked(text: str, *, only_slow: bool, tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(text, encoding="utf-8")
    assert has_only_slow_tests(file) is only_slow


def test_a_folder_is_left_out_if_all_its_files_are(tmp_path: Path) -> None:
    assert not has_only_slow_tests(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/test_slow.py").write_text(SLOW + TEST, encoding="utf-8")
    (tmp_path / "conftest.py").touch()
    assert has_only_slow_tests(tmp_path)
    assert not has_only_slow_tests(tmp_path / "conftest.py")
    (tmp_path / "deep/test_fast.py").write_text(TEST, encoding="utf-8")
    assert not has_only_slow_tests(tmp_path)
