"""What a plan would exceed of AWS's quotas, before anything is synthesized."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.planning.limit_estimates import (
    ESTIMATED,
    OF_ENTRIES,
    OF_PLANS,
    estimate_exceeded,
    find_exceeded_by_entries,
)
from centralized_ml_api.aws.planning.limits import LIMITS
from centralized_ml_api.config.schema import ModelEntry
from centralized_ml_api.config.shape.read import read_object
from centralized_ml_api.plan.aws.nested_stacks import TemplateSize
from support.synthesis import build_test_plan, function, package

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.aws.types import AwsPlan

SCALING = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
ONLY_MEASURED = {
    "outputs of a stack",
    "parameters of a stack",
    "mappings of a template",
    "attributes of a mapping",
    "characters of a managed policy",
    "characters of a role's inline policies",
    "authorizers of an API",
    "characters of a parameter",
}
"""What only the synthesized templates tell."""


def plan_of(folder: Path, count: int, **more: Any) -> AwsPlan:
    return build_test_plan(
        {"models": [package(f"model-{number}", **more) for number in range(count)]}, folder
    )


def amounts_of(plan: AwsPlan) -> dict[str, int]:
    return {each.limit.name: each.amount for each in estimate_exceeded(plan)}


def test_every_limit_is_estimated_or_only_measured() -> None:
    names = {limit.name for limit in LIMITS}
    assert set(OF_PLANS) | set(OF_ENTRIES) | ONLY_MEASURED == names
    assert len(OF_PLANS) + len(OF_ENTRIES) + len(ONLY_MEASURED) == len(names)
    assert set(ESTIMATED) < set(OF_PLANS)


def test_200_models_exceed_nothing(tmp_path: Path) -> None:
    assert estimate_exceeded(plan_of(tmp_path, 200, speaks="openai-chat", autoscaling=SCALING)) == ()


def test_of_300_models_the_template_and_the_resources_of_the_api_are_named(tmp_path: Path) -> None:
    template, resources = estimate_exceeded(plan_of(tmp_path, 300, speaks="openai-chat"))
    assert 1_400_000 < template.amount < 1_600_000
    assert str(template).startswith("main stack: about 1,")
    assert "bytes of a template; AWS allows 1,048,576, and AWS does not raise it" in str(template)
    assert str(resources) == "API: 310 resources of an API; AWS allows 300, unless AWS raises it"
    assert "split the config" in template.limit.fix
    assert '"integration": {"type": "stream"}' in template.limit.fix


@pytest.mark.parametrize(("count", "names"), [(285, {}), (300, {"resources of an API": 310})])
def test_streamed_models_take_less_of_the_template(count: int, names: dict[str, int], tmp_path: Path) -> None:
    streamed = {"speaks": "openai-chat", "integration": {"type": "stream"}}
    assert amounts_of(plan_of(tmp_path, count, **streamed)) == names


def test_a_role_with_more_than_ten_policies_is_named(tmp_path: Path) -> None:
    plan = replace(plan_of(tmp_path, 1), endpoint_policies=(("model-0",),) * 10)
    assert amounts_of(plan) == {"managed policies of a role": 11}


def test_teams_and_scaled_models_are_counted(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, 1, autoscaling=SCALING)
    teams = replace(plan.access, teams=({},) * 301)  # type: ignore[arg-type]  # only counted
    many = replace(plan, access=teams, models=plan.models * 501)
    assert amounts_of(many) == {"usage plans of an account": 301, "scalable targets for SageMaker": 501}


def test_a_nested_stack_is_named(tmp_path: Path) -> None:
    full = replace(plan_of(tmp_path, 1), sizes={None: TemplateSize(), "Models3": TemplateSize(501, 10)})
    (found,) = estimate_exceeded(full)
    assert str(found).startswith("nested stack Models3: about 501 resources of a stack; AWS allows 500")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"environment": {f"V{number}": "" for number in range(101)}}, "a: 101 variables of a container;"),
        ({"environment": {"V": "x" * 1025}}, "a, V: 1,025 characters of a container's variable;"),
        (
            {
                "integration": function(
                    layers=[f"arn:aws:lambda:us-east-1:123456789012:layer:l:{number}" for number in range(6)]
                )
            },
            "a: 6 layers of a function;",
        ),
        ({"integration": function(environment={"V": "x" * 4096})}, "a: 4,097 bytes of a function's environ"),
    ],
)
def test_what_an_entry_exceeds_is_named_with_the_entry(more: dict[str, Any], said: str) -> None:
    (found,) = find_exceeded_by_entries([read_object(ModelEntry, package("a", **more))])
    assert str(found).startswith(said)
