"""When a sample names a file, and where that file may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("sample", [{"text": "hello"}, [], "text", {"$file": "models/ocr/sample.png"}])
def test_a_body_and_a_file_that_exists_are_fine(
    sample: Any, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["endpoints"][0]["sample"] = sample
    assert problems_of(good) == ()


def test_a_file_beside_the_config_is_found_too(
    good: dict[str, Any], project: Path, problems_of: Callable[..., Any]
) -> None:
    (project / "config/beside.png").write_bytes(b"")
    good["models"][1]["sample"] = {"$file": "beside.png"}
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ({"$file": "models/ocr"}, '"models/ocr", which is not a file'),
        ({"$file": "nowhere.png"}, '"nowhere.png", which is not a file'),
        ({"$file": 3}, '"$file" without a path, or together with other keys'),
        ({"$file": " "}, '"$file" without a path, or together with other keys'),
        ({"$file": "models/ocr/sample.png", "a": 1}, '"$file" without a path, or together with other keys'),
    ],
)
def test_anything_else_with_the_key_of_a_file_is_refused(
    sample: Any, found: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["endpoints"][0]["sample"] = sample
    (problem,) = problems_of(good)
    assert (problem.id, problem.found) == ("C114", found)
