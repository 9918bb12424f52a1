"""What the function may do in Bedrock: exactly what the config names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.catalog.prices.price_files import load_shipped_prices
from centralized_ml_api.plan.aws.bedrock import BedrockGrant, list_grants
from centralized_ml_api.plan.aws.streaming import build_row
from centralized_ml_api.plan.aws.types import BedrockTarget, StreamRoute
from centralized_ml_api.plan.cost import build_cost
from centralized_ml_api.plan.render import render_plan
from centralized_ml_api.plan.types import BedrockModel
from support.synthesis import build_test_plan

if TYPE_CHECKING:
    from pathlib import Path

CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
HERE = "arn:{partition}:bedrock:us-west-2"
EVERYWHERE = "arn:{partition}:bedrock:*::foundation-model"
OWN = "arn:aws:bedrock:us-west-2:123456789012"


@pytest.mark.parametrize(
    ("model_id", "grants"),
    [
        (CLAUDE, [BedrockGrant(f"{HERE}::foundation-model/{CLAUDE}")]),
        (
            f"us.{CLAUDE}",
            [
                BedrockGrant(f"{HERE}:{{account}}:inference-profile/us.{CLAUDE}"),
                BedrockGrant(f"{EVERYWHERE}/{CLAUDE}", f"{HERE}:{{account}}:inference-profile/us.{CLAUDE}"),
            ],
        ),
        (
            f"{OWN}:application-inference-profile/a1",
            [
                BedrockGrant(f"{OWN}:application-inference-profile/a1"),
                BedrockGrant(f"{EVERYWHERE}/*", f"{OWN}:application-inference-profile/a1"),
            ],
        ),
        (f"{OWN}:provisioned-model/a1", [BedrockGrant(f"{OWN}:provisioned-model/a1")]),
    ],
)
def test_exactly_the_models_and_profiles_of_the_config(model_id: str, grants: list[BedrockGrant]) -> None:
    target = BedrockTarget(BedrockModel(model_id, None, is_openai=False), "us-west-2")
    assert list_grants([target, target]) == tuple(grants)


def test_the_plan_knows_models_of_bedrock(tmp_path: Path) -> None:
    claude: dict[str, Any] = {
        "name": "claude",
        "bedrock_model_id": f"us.{CLAUDE}",
        "integration": {"type": "api"},
        "max_output_tokens": 9,
    }
    there = {"bedrock_model_id": "openai.gpt-oss-120b-1:0", "bedrock_region": "us-west-2"}
    gpt = {**claude, **there, "name": "gpt", "speaks": "openai-chat"}
    plan = build_test_plan({"endpoints": [claude, gpt]}, tmp_path)
    for name in ("claude", "gpt"):
        paths = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
        assert plan.openai.paths_of(name) == paths
    assert plan.routes == (StreamRoute("claude", None, ()), StreamRoute("gpt", None, ()))
    assert [target.region for target in plan.stream.bedrock] == ["us-east-1", "us-west-2"]
    assert plan.api.not_acted_on_aws == ()
    line = render_plan(plan.api, "aws").splitlines()[1].split("  ")
    assert [part.strip() for part in line if part][:3] == [
        "/claude",
        f"Bedrock: us.{CLAUDE}",
        "none: Bedrock hosts it",
    ]
    cost = build_cost(plan.api, load_shipped_prices("us-east-1"))
    assert [entry.unknown for entry in cost.entries] == [("what Bedrock charges for tokens",)] * 2
    assert cost.hourly.high == 0


def test_a_fallback_that_has_no_path_in_common_is_told(tmp_path: Path) -> None:
    claude = {"name": "claude", "bedrock_model_id": f"us.{CLAUDE}", "integration": {"type": "api"}}
    adopted = {"name": "old", "integration": {"type": "api"}}
    config = {"endpoints": [{**claude, "fallback": ["gpt", "old"]}, {**claude, "name": "gpt"}, adopted]}
    plan = build_test_plan(config, tmp_path)
    assert plan.stream.models[0].fallback == ("gpt", "old")
    assert "old is never asked for claude: they have no path under /v1 in common." in plan.notes
    assert build_row(plan.stream.models[0], "")["fallback"] == ["gpt", "old"]
    assert [note.split(", since")[0] for note in plan.api.not_acted_on] == [
        "fallback of claude: old is never asked",
    ]
