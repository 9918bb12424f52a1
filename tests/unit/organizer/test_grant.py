"""What an organizer grants: how amounts are read and add up."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.errors import UsageError
from centralized_ml_api.organizer.grant import NOTHING, Grant, read_grant
from centralized_ml_api.plan.event import Spending, TeamPlan

DOLLAR = 10**9
RED = TeamPlan("red", None, 50, None, spending=Spending(tokens_per_minute=7, nanodollars=2 * DOLLAR))


def test_amounts_are_exact_and_add_up() -> None:
    grant = read_grant({"team": "red", "usd": 0.1, "tokens": 5})
    assert grant == Grant(nanodollars=DOLLAR // 10, tokens=5)
    assert grant.add(read_grant({"usd": 0.2, "requests": 3})) == Grant(3 * DOLLAR // 10, 5, 3)
    assert Grant(DOLLAR, 5, 3).take(Grant(DOLLAR // 4, 9, 1)) == Grant(3 * DOLLAR // 4, 0, 2)
    assert Grant(3 * DOLLAR // 2, 5, 3).word() == "1.5 USD and 5 tokens and 3 requests a day"
    assert Grant(100 * DOLLAR).word() == "100 USD"
    assert Grant(3 * DOLLAR // 2).to_json() == {"usd": 1.5, "tokens": 0, "requests": 0}


@pytest.mark.parametrize(
    "wanted",
    [
        *({}, {"usd": 0}, {"usd": -1}, {"usd": "1"}, {"usd": True}, {"usd": float("nan")}, {"usd": 1e10}),
        *({"tokens": 1.5}, {"requests": 0}, {"usd": 1, "tokens": -1}),
    ],
)
def test_what_is_no_amount_is_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        read_grant(wanted)


@pytest.mark.parametrize(
    ("wanted", "fix"),
    [
        ({"usd": -1.5}, "give a number above 0, up to 1000000000"),
        ({"tokens": 1.5}, "give a whole number above 0, up to 1000000000"),
        ({"requests": 0}, "give a whole number above 0, up to 1000000000"),
    ],
)
def test_only_dollars_have_parts(wanted: dict[str, float], fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_grant(wanted)
    assert caught.value.fix == fix


def test_only_what_is_limited_can_be_raised() -> None:
    assert Grant(nanodollars=1, requests=1).find_unlimited(RED) == ""
    assert Grant(tokens=1).find_unlimited(RED) == "tokens", "a rate per minute is none"
    free = TeamPlan("free", None, None, None)
    assert (Grant(nanodollars=1).find_unlimited(free), Grant(requests=1).find_unlimited(free)) == (
        "dollars",
        "requests a day",
    )
    assert NOTHING.find_unlimited(free) == ""
