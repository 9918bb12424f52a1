from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.plan.aws.roles import read_location, read_repository
from centralized_ml_api.plan.aws.types import (
    AdoptedEndpoint,
    ArtifactLocation,
    OwnEndpoint,
    Repository,
    StreamRoute,
)
from support.synthesis import build_facts, build_test_plan, container, function, model, package

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/a/b:1", ("763104351884", "us-east-1", "a/b")),
        ("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/a:1", ("727897471807", "cn-north-1", "a")),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/a@sha256:0", ("123456789012", "us-east-1", "a")),
        ("ghcr.io/me/mine:1", None),
    ],
)
def test_the_repository_of_an_image(image: str, found: tuple[str, str, str] | None) -> None:
    assert read_repository(image) == (Repository(*found) if found else None)


def test_the_parts_of_an_address_in_s3() -> None:
    assert read_location("s3://bucket/a/b/") == ArtifactLocation("bucket", "a/b/")


def test_a_function_of_an_existing_endpoint_calls_that(tmp_path: Path) -> None:
    adopted = {"name": "old", "endpoint_name": "Old", "integration": function()}
    plan = build_test_plan({"models": [], "endpoints": [adopted]}, tmp_path)
    assert plan.functions[0].endpoint == AdoptedEndpoint("Old")
    assert plan.models == ()


def test_a_function_of_a_model_calls_its_own(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [model(integration=function())]}, tmp_path)
    assert plan.functions[0].endpoint == OwnEndpoint("a-model")


def test_a_stream_goes_to_its_model(tmp_path: Path) -> None:
    written = {"type": "stream", "headers": ["X-Caller"]}
    plan = build_test_plan({"models": [package(integration=written)]}, tmp_path)
    assert plan.routes == (StreamRoute("a-package", OwnEndpoint("a-package"), ("X-Caller",)),)
    assert [model.name for model in plan.models] == ["a-package"]


def test_the_source_of_the_facts_is_told(tmp_path: Path) -> None:
    facts = build_facts(source="snapshot", fidelity="partial")
    plan = build_test_plan({"models": [model()]}, tmp_path, facts)
    (note,) = [note for note in plan.notes if note.startswith("JumpStart")]
    assert "a-model (huggingface-textgeneration-tiny 1.0.0) from the snapshot" in note
    assert "SageMaker's defaults apply" in note


@pytest.mark.parametrize(
    ("event", "rate", "burst"),
    [
        (None, 100, 200),
        ({"requests_per_second": 2.5}, 2.5, 5),
        ({"requests_per_second": 4, "burst": 3 + 1}, 4, 4),
    ],
)
def test_the_api_is_throttled_always(
    tmp_path: Path, event: dict[str, Any] | None, rate: float, burst: int
) -> None:
    config = {"models": [container()], **({"event": event} if event else {})}
    throttle = build_test_plan(config, tmp_path).throttle
    assert (throttle.requests_per_second, throttle.burst) == (rate, burst)


def test_a_rate_that_is_kept_is_not_called_unkept(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [container()], "event": {"requests_per_second": 2}}, tmp_path)
    assert not [note for note in plan.notes if "throttled" in note]


def test_a_limit_that_aws_does_not_keep_is_told(tmp_path: Path) -> None:
    event = {"teams": ["red"], "requests_at_once": 4}
    plan = build_test_plan({"models": [container()], "event": event}, tmp_path)
    assert [note for note in plan.notes if note.startswith("Not enforced on AWS: requests_at_once.")]


def test_rates_of_teams_are_not_the_apis(tmp_path: Path) -> None:
    event = {"requests_per_second": 2, "teams": ["red"]}
    plan = build_test_plan({"models": [container()], "event": event}, tmp_path)
    assert plan.throttle.requests_per_second == 100
    assert plan.notes[0].startswith("Every call needs the key of a team; there is 1 team.")
