"""Which IAM actions and resources may be written, and which actions are broad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def found(good: dict[str, Any], problems_of: Callable[..., Any]) -> Callable[[Any], Any]:
    """Gives the id, path, found and fix of each problem with permissions."""

    def check(permissions: Any) -> list[tuple[str, str, str, str]]:
        good["models"][0]["integration"]["properties"]["permissions"] = permissions
        start = "$.models[0].integration.properties.permissions"
        return [
            (problem.id, problem.location.path.removeprefix(start), problem.found, problem.fix)
            for problem in problems_of(good)
        ]

    return check


@pytest.mark.parametrize(
    "permissions",
    [
        [],
        ["sagemaker:InvokeEndpoint", "SageMaker:InvokeEndpointAsync"],
        {"actions": ["s3:Get*", "s3:?", "*"], "resources": ["*", "arn:aws:s3:::my-bucket/*"]},
        {"actions": ["dynamodb:*"], "resources": ["arn:aws-cn:dynamodb:*:123456789012:table/t"]},
    ],
)
def test_actions_on_named_resources_are_fine(permissions: Any, found: Callable[[Any], Any]) -> None:
    assert found(permissions) == []


def test_actions_without_resources_are_one_warning_at_the_first(found: Callable[[Any], Any]) -> None:
    ((identity, path, text, _),) = found(["sagemaker:InvokeEndpoint", "s3:GetObject", "*"])
    assert (identity, path, text) == ("C214", "[1]", '"s3:GetObject" and "*" without resources')


@pytest.mark.parametrize(
    ("action", "fix"),
    [
        ("InvokeEndpoint", 'put the service before it, such as "sagemaker:InvokeEndpoint"'),
        ("GetObject", 'put the service before it, such as "s3:GetObject"'),
        ("arn:aws:s3:::b/*", 'write {"actions": […], "resources": [the ARN]}'),
        ("s3 GetObject", ""),
        ("s3:Get Object", ""),
        ("", ""),
    ],
)
def test_what_is_not_an_action_is_refused(action: str, fix: str, found: Callable[[Any], Any]) -> None:
    assert found([action]) == [("C213", "[0]", f'"{action}"', fix)]
    scoped = {"actions": ["s3:GetObject", action], "resources": ["*"]}
    assert found(scoped) == [("C213", ".actions[1]", f'"{action}"', fix)]


@pytest.mark.parametrize(
    "resource",
    ["s3://my-bucket", "my-bucket", "arn:aws:s3", "arn:aws:s3:::<BUCKET>/*", "arn:aws:s3:::a b", ""],
)
def test_what_is_not_a_resource_is_refused(resource: str, found: Callable[[Any], Any]) -> None:
    scoped = {"actions": ["s3:GetObject"], "resources": ["*", resource]}
    assert [problem[:3] for problem in found(scoped)] == [("C216", ".resources[1]", f'"{resource}"')]
