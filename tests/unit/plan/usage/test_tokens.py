"""What tokens are worth, and how many there probably were where nobody counted."""

from __future__ import annotations

import pytest

from centralized_ml_api.config.token_prices import TokenPrice
from centralized_ml_api.plan.usage.tokens import Answer, Tokens, estimate_tokens, render_usd

PRICE = TokenPrice(read=250_000, cached=25_000, written=2_000_000, title="the config")


@pytest.mark.parametrize(
    ("answer", "written"),
    [("whole", 250), ("stream", 5)],
)
def test_tokens_are_estimated_from_bytes_as_the_guide_says(answer: Answer, written: int) -> None:
    assert estimate_tokens(403, 1003, answer) == Tokens(100, 0, written, estimated=100 + written)


def test_tokens_cost_by_their_kind_and_what_a_cache_writes_costs_twice() -> None:
    tokens = Tokens(1000, 400, 10)
    assert tokens.priced(PRICE).nanodollars == 600 * 250 + 400 * 25 + 10 * 2000
    assert tokens.priced(PRICE, 100).nanodollars == 700 * 250 + 400 * 25 + 10 * 2000
    assert tokens.priced(None) == tokens


def test_all_numbers_add_up() -> None:
    assert Tokens(1, 2, 3, 4, 5) + Tokens(10, 20, 30, 40, 50) == Tokens(11, 22, 33, 44, 55)


@pytest.mark.parametrize(
    ("nanodollars", "words"),
    [
        (0, "0.00"),
        (1_260_000, "0.0013"),
        (999_900_000, "0.9999"),
        (10**9, "1.00"),
        (1_234 * 10**9, "1,234.00"),
    ],
)
def test_small_sums_have_more_digits(nanodollars: int, words: str) -> None:
    assert render_usd(nanodollars) == words
