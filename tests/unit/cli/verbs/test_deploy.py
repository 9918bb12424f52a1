"""`mlapi deploy` says who may call and what costs money before it asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.cli.verbs.deploy import describe_deploy, next_step
from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from centralized_ml_api.plan.types import ApiPlan

MODEL = {"name": "chat", "image": "mine:1", "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
SCALING = {"min_capacity": 1, "max_capacity": 3}
URL = "https://x.example/prod"
PUBLIC = "The API is PUBLIC: whoever knows its address may call it, without a key."


def plan_of(folder: Path, *models: dict[str, Any], **event: Any) -> ApiPlan:
    path = folder / "mine.json"
    path.write_text(json.dumps({"models": models, "event": event}))
    return build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_public_api_and_what_is_billed_are_said(tmp_path: Path) -> None:
    assert describe_deploy(plan_of(tmp_path, MODEL), " --stack Autumn").splitlines() == [
        f"{PUBLIC} All callers together: 100 requests a second, 200 at once.",
        "Billed by the hour from now until `mlapi destroy`, called or not: chat 1 x ml.g5.2xlarge.",
    ]


def test_with_teams_it_is_said_where_the_keys_will_be(tmp_path: Path) -> None:
    who, cost = describe_deploy(plan_of(tmp_path, teams=["red"]), " --stack Autumn").splitlines()
    assert who.endswith(" `mlapi keys --target aws --stack Autumn` shows them afterwards.")
    assert cost == "No instance is started; only calls are billed."


@pytest.mark.parametrize(
    ("teams", "config", "command"),
    [
        ([], "config/models.json", f"mlapi smoke {URL}"),
        ([], "my event.json", f"mlapi smoke {URL} --config 'my event.json'"),
        (["red"], "mine.json", f"mlapi keys export --target aws --stack Autumn --url {URL}"),
    ],
)
def test_afterwards_the_next_command_works_as_printed(
    teams: list[str], config: str, command: str, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path, **({"teams": teams} if teams else {}))
    assert next_step(plan, Path(config), URL, " --stack Autumn") == command
