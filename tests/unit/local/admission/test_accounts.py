"""What a call is charged, and which of its limits it does not fit below."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from centralized_ml_api.config.token_prices import build_token_price
from centralized_ml_api.local.admission.accounts import (
    Account,
    Charge,
    Limit,
    Need,
    Shortage,
    judge_call,
    open_account,
    settle_charges,
)
from centralized_ml_api.local.admission.needs import TEMPLATE_TOKENS
from support.asked_accounts import EVENT, MINUTE, NOON


def judge(limits: tuple[Limit, ...], tokens: int, used: int = 0, pending: int = 0) -> Shortage:
    accounts = {open_account(limit, NOON) for limit in limits}
    judged = judge_call(
        limits,
        Need(tokens, tokens),
        NOON,
        used=dict.fromkeys(accounts, used),
        pending=dict.fromkeys(accounts, pending),
    )
    assert isinstance(judged, Shortage)
    return judged


def test_a_call_is_charged_to_every_account_of_its_periods() -> None:
    charged = judge_call((MINUTE, EVENT), Need(70, 9), NOON + 61, used={}, pending={})
    assert charged == (
        Charge(Account("red", "tokens", "minute", int(NOON) + 60), 70),
        Charge(Account("red", "nanodollars", "event", 0), 9),
    )


@pytest.mark.parametrize(("tokens", "fits"), [(40, True), (41, False)])
def test_the_last_token_may_be_spent_and_not_one_more(tokens: int, fits: bool) -> None:  # noqa: FBT001
    used = {open_account(MINUTE, NOON): 60}
    judged = judge_call((MINUTE,), Need(tokens, 0), NOON, used=used, pending={})
    assert isinstance(judged, Shortage) is not fits


def test_a_shortage_says_what_is_left_and_when_more_is() -> None:
    minute = judge((MINUTE,), 50, used=60, pending=5)
    assert (minute.need, minute.left, minute.returns_after_seconds) == (50, 40, 61)
    assert not minute.is_passing
    assert judge((MINUTE,), 50, used=60, pending=10).is_passing
    assert judge((MINUTE,), 101).is_hopeless
    assert judge((EVENT,), 900, used=200).returns_after_seconds is None


def test_of_several_limits_the_one_that_lasts_longest_is_told() -> None:
    assert judge((MINUTE, EVENT), 50, used=980).limit == EVENT
    assert judge((EVENT, MINUTE), 101, used=950).limit == MINUTE  # it never fits there


def test_what_is_not_spent_comes_back_and_what_nobody_knows_does_not() -> None:
    charges = (
        Charge(Account("red", "tokens", "minute", 0), 70),
        Charge(Account("red", "nanodollars", "event", 0), 9),
    )
    assert settle_charges(charges, Need(20, 9)) == (Charge(charges[0].account, -50),)
    assert settle_charges(charges, None) == ()


@pytest.mark.parametrize(
    ("usd", "max_tokens", "at_once", "share"),
    [
        (1, 4096, 20, 0.83),
        (1, 4096, 1, 0.99),
        (5, 4096, 20, 0.96),
        (20, 4096, 20, 0.99),
        (1, 1000, 20, 0.95),
        (1, 1000, 1, 0.99),
    ],
)
def test_how_much_of_a_budget_so_many_calls_at_once_can_use(
    usd: int, max_tokens: int, at_once: int, share: float
) -> None:
    """The figures of docs/explanation/reservation.md: prompts of 100 tokens in 400 bytes, answers of 50."""
    price = build_token_price(Decimal("0.25"), None, Decimal(2), "me")
    need = Need(0, price.cost(400 + TEMPLATE_TOKENS, 0, max_tokens))
    spent = price.cost(100, 0, 50)
    budget = Limit("red", "nanodollars", "event", usd * 10**9)
    account, used = open_account(budget, NOON), 0
    while not isinstance(
        judge_call(
            (budget,), need, NOON, used={account: used + (at_once - 1) * need.nanodollars}, pending={}
        ),
        Shortage,
    ):
        used += at_once * spent  # all of them end, and others begin
    assert math.floor(100 * used / budget.most) / 100 == share
