"""What the streaming function must know to count, and what it cannot count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.aws.spending import COUNTED, EntrySpending, build_spending, render_spending
from centralized_ml_api.plan.aws.types import StreamRoute
from support.synthesis import build_test_plan, function, package

if TYPE_CHECKING:
    from pathlib import Path

FREE = {"input_per_million": 0, "output_per_million": 0}
GPT: dict[str, Any] = {
    "name": "gpt",
    "integration": {"type": "api"},
    "provider": {"name": "openai", "model": "gpt-5-mini", "key": {"secret": "mine"}},
    "max_output_tokens": 1000,
}
EVENT = {
    "teams": ["red", {"name": "blue", "usd": 0.1}],
    "tokens_per_minute": 100,
    "usd": 5,
    "pot": {"usd": 20, "tokens": 9},
}


def test_limits_are_those_of_each_team_and_of_the_pot(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package(price=FREE)], "endpoints": [GPT], "event": EVENT}, tmp_path)
    assert render_spending(plan.stream.spending) == {
        "limits": {
            "red": [["tokens", "minute", 100], ["nanodollars", "event", 5_000_000_000]],
            "blue": [["tokens", "minute", 100], ["nanodollars", "event", 100_000_000]],
            "": [["tokens", "event", 9], ["nanodollars", "event", 20_000_000_000]],
        },
        "entries": {
            "a-package": {"price": [0, 0, 0], "answer_tokens": 4096},
            "gpt": {"price": [250_000, 25_000, 2_000_000], "answer_tokens": 1000},
        },
    }
    assert [type(route) for route in plan.routes] == [StreamRoute, StreamRoute]
    assert plan.endpoint_policies == ()
    assert plan.stream.policies == (("a-package",),)
    assert COUNTED in plan.notes
    assert plan.access.names_team


def test_without_limits_nothing_is_counted(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package()], "event": {"teams": ["red"]}}, tmp_path)
    assert render_spending(plan.stream.spending) == {}
    assert COUNTED not in plan.notes
    assert not plan.access.names_team


def test_a_price_is_needed_only_where_dollars_are_limited(tmp_path: Path) -> None:
    event = {"teams": ["red"], "tokens_per_day": 100}
    plan = build_test_plan({"models": [package()], "event": event}, tmp_path)
    assert plan.stream.spending.entries == {"a-package": EntrySpending(None, 4096)}


def test_a_price_on_one_machine_is_none_on_aws(tmp_path: Path) -> None:
    local = {"engine": "provider", "name": "openai", "model": "gpt-5-mini", "key": {"env": "A_KEY"}}
    models = [package(local=local)]
    with pytest.raises(DeployError, match="nobody knows what the tokens of a-package cost") as refused:
        build_test_plan({"models": models, "event": {"teams": ["red"], "usd": 5}}, tmp_path)
    assert '"price"' in str(refused.value.fix)


def test_what_a_function_asks_of_its_model_cannot_be_counted(tmp_path: Path) -> None:
    models = [package(price=FREE, integration=function())]
    with pytest.raises(DeployError, match="the function of a-package") as refused:
        build_test_plan({"models": models, "event": {"teams": ["red"], "tokens_per_day": 5}}, tmp_path)
    assert "remove the limits" in str(refused.value.fix)
    free = build_test_plan({"models": models, "event": {"teams": ["red"]}}, tmp_path)
    assert not build_spending(free.api).is_counted
