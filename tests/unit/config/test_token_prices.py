"""What tokens cost: whole numbers, the list of the package, and how it names models."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centralized_ml_api.config.token_prices import (
    TokenPrice,
    build_token_price,
    find_bedrock_price,
    find_token_price,
    render_per_million,
)

COUNTS = st.integers(0, 10**9)


def test_a_price_is_whole_picodollars_a_token() -> None:
    price = build_token_price(Decimal("0.25"), Decimal("0.0375"), Decimal(2), "me")
    assert (price.read, price.cached, price.written) == (250_000, 37_500, 2_000_000)
    assert [render_per_million(amount) for amount in (250_000, 37_500, 2_000_000)] == ["0.25", "0.0375", "2"]
    assert build_token_price(Decimal(1), None, Decimal(2), "me").cached == 1_000_000


def test_tokens_from_a_cache_are_part_of_those_read() -> None:
    price = build_token_price(Decimal("0.25"), Decimal("0.025"), Decimal(2), "me")
    assert price.cost(1_000_000, 400_000, 100_000) == 360_000_000  # 0.15 + 0.01 + 0.2 US dollars
    assert price.cost(10, 20, 0) == price.cost(10, 10, 0)


def test_what_a_cache_writes_costs_twice_and_is_rounded_once() -> None:
    price = build_token_price(Decimal("0.0005"), Decimal("0.0001"), Decimal("0.002"), "me")
    assert price.cost(100, 40, 10, cache_writes=20) == -(
        -((100 - 40 + 20) * 500 + 40 * 100 + 10 * 2000) // 1000
    )
    assert price.cost(1, 0, 0) == price.cost(1, 0, 0, cache_writes=1) == 1


@given(read=COUNTS, written=COUNTS, more=COUNTS)
def test_no_call_costs_less_than_its_tokens(read: int, written: int, more: int) -> None:
    price = TokenPrice(37_501, 3, 1_999_999, "me")
    assert price.cost(read, 0, written) * 1000 >= read * price.read + written * price.written
    assert price.cost(read + more, 0, written) >= price.cost(read, 0, written)


@pytest.mark.parametrize(
    ("provider", "model", "amounts"),
    [
        ("openai", "gpt-5-mini", ("0.25", "0.025", "2")),
        ("openai", "GPT-5-mini-2025-08-07", ("0.25", "0.025", "2")),
        ("openai", "text-embedding-3-small", ("0.02", "0.02", "0")),
        ("anthropic", "claude-haiku-4-5-20251001", ("1", "0.1", "5")),
        ("gemini", "gemini-2.5-pro", ("2.5", "0.25", "15")),  # the higher of two prices
    ],
)
def test_models_of_providers_have_their_published_prices(
    provider: str, model: str, amounts: tuple[str, str, str]
) -> None:
    price = find_token_price(provider, model)
    assert price is not None
    assert tuple(map(render_per_million, (price.read, price.cached, price.written))) == amounts
    assert price.title.startswith("genai-prices ")
    assert price.day is not None
    assert price.day >= date(2026, 11, 28)


@pytest.mark.parametrize(
    ("model_id", "usd"),
    [
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "1.1"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "1"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0", "0.06"),
        ("openai.gpt-oss-120b-1:0", "0.15"),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/nova-lite", None),
        ("nobody.knows-this", None),
    ],
)
def test_models_of_bedrock_have_their_prices_by_id_or_arn(model_id: str, usd: str | None) -> None:
    price = find_bedrock_price(model_id)
    assert (render_per_million(price.read) if price else None) == usd


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "nobody-knows-this"), ("huggingface", "gpt-5-mini")]
)
def test_what_the_list_does_not_have_is_not_guessed(provider: str, model: str) -> None:
    assert find_token_price(provider, model) is None
