"""Which files can be the event's logo, and how long a title is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.logo import LOGO_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.svg", "a.webp", "a.gif"])
def test_a_small_image_is_fine(
    name: str, good: dict[str, Any], project: Path, problems_of: Callable[..., Any]
) -> None:
    (project / name).write_bytes(bytes(LOGO_BYTES))
    good["event"]["logo"] = name
    assert problems_of(good) == ()


UNUSABLE = [("logo.pdf", 1), ("logo", 1), ("missing.png", None), ("large.png", LOGO_BYTES + 1)]


@pytest.mark.parametrize(("name", "length"), UNUSABLE)
def test_what_the_page_could_not_show_is_refused(
    name: str, length: int | None, good: dict[str, Any], project: Path, problems_of: Callable[..., Any]
) -> None:
    if length is not None:
        (project / name).write_bytes(bytes(length))
    good["event"]["logo"] = name
    (problem,) = problems_of(good)
    assert (problem.id, problem.location.path) == ("C416", "$.event.logo")
    expected = {1: "no image", None: "not a file", LOGO_BYTES + 1: "65,537 bytes"}
    assert expected[length] in problem.found


@pytest.mark.parametrize("title", ["", "x" * 81])
def test_a_title_has_one_to_eighty_characters(
    title: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"]["title"] = title
    (problem,) = problems_of(good)
    assert problem.location.path == "$.event.title"
