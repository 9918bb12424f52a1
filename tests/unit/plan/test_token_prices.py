"""What the tokens of an entry cost, and what an event would pay for some."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.token_prices import (
    build_token_costs,
    list_prices,
    render_token_costs,
    token_costs_json,
)
from centralized_ml_api.plan.usage.tokens import render_usd

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

OPENAI = {"name": "openai", "model": "gpt-5-mini", "key": {"env": "OPENAI_API_KEY"}}
OWN = {"url": "http://127.0.0.1:9/v1", "model": "m"}


def plan_of(tmp_path: Path, *entries: dict[str, Any], **more: Any) -> ApiPlan:
    endpoints = [{"integration": {"type": "api"}, **entry} for entry in entries]
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"endpoints": endpoints, **more}), encoding="utf-8")
    return build_plan(load_config(path, now=datetime(2026, 6, 1, tzinfo=UTC)))


def test_the_config_comes_before_the_list_and_nobody_is_guessed(tmp_path: Path) -> None:
    price = {"input_per_million": 0.1, "output_per_million": 0.4}
    plan = plan_of(
        tmp_path,
        {"name": "listed", "provider": OPENAI},
        {"name": "said", "provider": OPENAI, "price": price},
        {"name": "unknown", "provider": OWN},
        {"name": "claude", "bedrock_model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0"},
    )
    prices = list_prices(plan)
    assert {name: (price.read, price.cached, price.written) for name, price in prices.items()} == {
        "listed": (250_000, 25_000, 2_000_000),
        "said": (100_000, 100_000, 400_000),
        "claude": (1_100_000, 110_000, 5_500_000),
    }
    assert prices["said"].source == "the config"


def test_an_event_to_come_is_priced_by_team_and_in_all(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"name": "gpt", "provider": OPENAI}, event={"teams": ["red", "blue"]})
    costs = build_token_costs(plan, 1_000_000, 200_000)
    assert render_token_costs(costs, 1_000_000, 200_000).splitlines()[0].split("  ")[-1] == "PRICE OF"
    assert token_costs_json(costs, 1_000_000, 200_000)["models"] == [
        {
            "model": "gpt",
            "usd": "0.650000000",
            "usd_of_all_teams": "1.300000000",
            "price_of": costs[0].price.source,
        }
    ]


def test_without_teams_there_is_one_sum(tmp_path: Path) -> None:
    costs = build_token_costs(plan_of(tmp_path, {"name": "gpt", "provider": OPENAI}), 0, 1_000_000)
    assert "TEAM" not in render_token_costs(costs, 0, 1_000_000)
    assert costs[0].of_all == costs[0].nanodollars == 2_000_000_000


@pytest.mark.parametrize(
    ("nanodollars", "text"),
    [(0, "0.00"), (1_234_567, "0.0012"), (999_900_000, "0.9999"), (1_234_567_890_123, "1,234.57")],
)
def test_dollars_have_as_many_digits_as_one_reads(nanodollars: int, text: str) -> None:
    assert render_usd(nanodollars) == text
