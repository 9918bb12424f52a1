"""Which address a budget alarm is sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("email", ["you@example.com", "a.b+c@mail.example-1.org", "x" * 64 + "@e.de"])
def test_an_address_is_fine(email: str, good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["event"]["budget"]["email"] = email
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    "email",
    [
        "you", "you@example", "@example.com", "You <you@example.com>", "a@b.com,c@d.com", "a@-b.com",
        "a@b..com", "a@b.c", "x" * 65 + "@e.de", "",
    ],
)  # fmt: skip
def test_anything_else_is_refused(email: str, good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["event"]["budget"]["email"] = email
    (problem,) = problems_of(good)
    assert (problem.id, problem.location.path) == ("C405", "$.event.budget.email")
