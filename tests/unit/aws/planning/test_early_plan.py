"""The plan that is made while Node starts: for which settings it is, what it says, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from centralized_ml_api.aws.planning.early_plan import EarlyPlan, guess_settings, load_stack_plan
from centralized_ml_api.aws.settings import Settings
from centralized_ml_api.errors import ConfigError, UsageError

ENTRY = {
    "name": "a",
    "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
    "instance": "ml.m5.large",
    "integration": {"type": "api"},
}


def settings_of(folder: Path, *models: object) -> Settings:
    config = folder / "models.json"
    config.write_text(json.dumps({"models": models}))
    return Settings(config, "us-east-1", "Mine", None, offline=True)


def test_what_planning_says_waits_until_the_plan_is_taken(tmp_path: Path) -> None:
    early = EarlyPlan(settings_of(tmp_path, ENTRY))
    early.make()
    said: list[str] = []
    direct: list[str] = []
    taken = early.take(said.append)
    assert [model.name for model in taken.plan.models] == ["a"]
    assert taken == load_stack_plan(early.settings, direct.append)
    assert said == direct
    assert any("The API is public" in text for text in said)


def test_a_config_that_is_wrong_fails_only_when_the_plan_is_taken(tmp_path: Path) -> None:
    early = EarlyPlan(settings_of(tmp_path, {**ENTRY, "instance": 3}))
    early.make()
    with pytest.raises(ConfigError) as failure:
        early.take(lambda _: None)
    assert [problem.id for problem in failure.value.problems] == ["C012"]


def test_settings_are_read_from_the_context_and_its_file(tmp_path: Path) -> None:
    overflow = tmp_path / "context.json"
    overflow.write_text('\ufeff{"stack": "Theirs", "config": "other.json"}', encoding="utf-8")
    environment = {"CDK_CONTEXT_JSON": '{"config": "mine.json", "offline": true}', "AWS_REGION": "eu-west-1"}
    expected = Settings(Path("mine.json"), "eu-west-1", "CentralizedMlApiStack", None, offline=True)
    assert guess_settings(environment) == expected
    found = guess_settings({**environment, "CONTEXT_OVERFLOW_LOCATION_ENV": str(overflow)})
    assert found == Settings(Path("other.json"), "eu-west-1", "Theirs", None, offline=True)
    assert guess_settings({}).stack == "CentralizedMlApiStack"


def test_settings_that_are_wrong_are_no_guess(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        guess_settings({"CDK_CONTEXT_JSON": '{"region": "Ireland"}'})
    with pytest.raises(ValueError, match="Expecting"):
        guess_settings({"CDK_CONTEXT_JSON": "{"})
    with pytest.raises(OSError, match="No such file"):
        guess_settings({"CONTEXT_OVERFLOW_LOCATION_ENV": str(tmp_path / "none")})
