"""Which keys say what model an entry deploys, and which go together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.load import examine_config, load_config
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/p"


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, ["none of them"]),
        ({"model_id": "a", "image": IMAGE}, ['"image" as well as "model_id"']),
        (
            {
                "model_id": "a",
                "model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/p",
                "image": IMAGE,
            },
            ['"model_package_arn" as well as "model_id"', '"image" as well as "model_id"'],
        ),
    ],
)
def test_a_model_has_exactly_one_source(
    keys: dict[str, str], found: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    del good["models"][0]["model_id"]
    good["models"][0] |= keys
    problems = problems_of(good)
    assert [(problem.id, problem.found) for problem in problems] == [("C105", text) for text in found]


def test_for_one_machine_an_entry_with_local_alone_is_complete_and_aws_says_what_is_missing(
    tmp_path: Path,
) -> None:
    local = {"engine": "url", "url": "http://127.0.0.1:9/x"}
    entry = {"name": "chat", "integration": {"type": "api"}, "local": local}
    path = tmp_path / "models.json"
    for config in ({"models": [entry]}, {"endpoints": [entry]}):
        path.write_text(json.dumps(config))
        assert examine_config(path, now=NOW)[1] == ()
        assert build_plan(load_config(path, now=NOW)).deployments[0].local is not None
    path.write_text(json.dumps({"models": [entry]}))
    (problem,) = examine_config(path, now=NOW, region="us-east-1")[1]
    assert (problem.id, problem.location.path) == ("C105", "$.models[0]")
    assert problem.fix == 'to deploy it, add "model_id": "…" and "instance": "ml.g5.2xlarge"'
    path.write_text(json.dumps({"models": [{**entry, "instance": "ml.g5.2xlarge"}]}))
    assert [problem.id for problem in examine_config(path, now=NOW)[1]] == ["C105"]


@pytest.mark.parametrize("model", [0, 1])
def test_artifacts_belong_to_an_image(
    model: int, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][model]["model_data"] = "s3://bucket/model.tar.gz"
    (problem,) = problems_of(good)
    assert (problem.id, problem.location.path) == ("C106", f"$.models[{model}].model_data")


@pytest.mark.parametrize("model", [1, 2])
@pytest.mark.parametrize(
    ("key", "value"),
    [("model_version", "*"), ("inference_config", "lmi"), ("accept_eula", True), ("instance_check", False)],
)
def test_settings_of_jumpstart_belong_to_a_jumpstart_model(
    model: int, key: str, value: Any, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0][key] = value
    assert problems_of(good) == ()
    good["models"][model][key] = value
    (problem,) = problems_of(good)
    assert (problem.id, problem.location.path) == ("C107", f"$.models[{model}].{key}")


def test_a_setting_without_any_source_is_not_a_second_problem(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    del good["models"][0]["model_id"]
    good["models"][0]["accept_eula"] = True
    assert [problem.id for problem in problems_of(good)] == ["C105"]
