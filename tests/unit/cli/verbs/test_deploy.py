"""`mlapi deploy` says who may call and what costs money before it asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.cli.verbs.deploy import describe_deploy, next_step
from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
MODEL = {"name": "chat", "image": IMAGE, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
SCALING = {"min_capacity": 1, "max_capacity": 3}
URL = "https://x.example/prod"
PUBLIC = "The API is PUBLIC: whoever knows its address may call it, without a key."
FLAGS = ("--stack", "Autumn")


def plan_of(folder: Path, *models: dict[str, Any], **event: Any) -> ApiPlan:
    path = folder / "mine.json"
    path.write_text(json.dumps({"models": models, "event": event}))
    return build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_public_api_and_what_is_billed_are_said(tmp_path: Path) -> None:
    assert describe_deploy(plan_of(tmp_path, MODEL), FLAGS).splitlines() == [
        f"{PUBLIC} All callers together: 100 requests a second, in bursts of up to 200.",
        "Billed by the hour from now until it is destroyed, called or not: chat 1 x ml.g5.2xlarge.",
    ]


def test_a_model_that_sleeps_is_not_billed_called_or_not(tmp_path: Path) -> None:
    scaling = {**SCALING, "invocations_per_instance": 5}
    nap = {**scaling, "min_capacity": 0, "resources": {"memory_mb": 1024}}
    always, naps = {**MODEL, "autoscaling": scaling}, {**MODEL, "name": "naps", "autoscaling": nap}
    while_awake = "Billed by the hour while awake, which it is at first: naps 0 to 3 x ml.g5.2xlarge."
    assert describe_deploy(plan_of(tmp_path, naps), FLAGS).splitlines()[1] == while_awake
    assert describe_deploy(plan_of(tmp_path, naps, always), FLAGS).splitlines()[1] == (
        "Billed by the hour from now until it is destroyed, called or not: chat 1 to 3 x ml.g5.2xlarge. "
        + while_awake
    )


def test_with_teams_it_is_said_where_the_keys_will_be(tmp_path: Path) -> None:
    who, cost = describe_deploy(plan_of(tmp_path, teams=["red"]), FLAGS).splitlines()
    assert who.endswith(" To list their keys, afterwards: mlapi keys --target aws --stack Autumn")
    assert cost == "No instance is started; only calls are billed."


@pytest.mark.parametrize(
    ("teams", "command"),
    [
        ([], f"mlapi smoke {URL}"),
        (["red"], "mlapi keys export --target aws --stack Autumn"),
    ],
)
def test_afterwards_the_next_command_works_as_printed(teams: list[str], command: str, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, **({"teams": teams} if teams else {}))
    assert next_step(plan, URL, FLAGS) == command
