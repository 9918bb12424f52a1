"""When an event may start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ENDS = "2030-06-01T18:00:00+02:00"


@pytest.mark.parametrize(
    ("starts", "ids"),
    [
        ("2030-06-01T17:59:59+02:00", []),
        ("2030-06-01T18:00:00+02:00", ["C414"]),
        ("2030-06-01T16:00:01Z", ["C414"]),
        ("2030-06-01T18:00:00+03:00", []),
        ("2020-06-01T09:00:00Z", []),
        ("2030-06-01T09:00", ["C403"]),
    ],
)
def test_a_start_is_an_instant_before_the_end_and_may_be_past(
    starts: str, ids: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"] |= {"starts": starts, "ends": ENDS}
    assert [problem.id for problem in problems_of(good)] == ids


def test_a_start_needs_keys_but_no_end(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["event"] = {"starts": "2030-06-01T09:00:00Z"}
    assert [problem.id for problem in problems_of(good)] == ["C415"]
    good["event"]["teams"] = ["red"]
    assert problems_of(good) == ()
