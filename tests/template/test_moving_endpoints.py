"""Another instance type of a scaled model: the API moves to another endpoint, and every call is served.

The update is walked through in CloudFormation's order, and after each of its steps it is asked what a call
would meet: whether the endpoint that the API or a function calls is there, and may be called.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.deploy.template_diff import compare_templates
from support.stack_update import LARGE, MOVES, SCALED, SMALL, listed, walk
from support.synthesis import Config, Resource, function, package

if TYPE_CHECKING:
    from support.synthesis import Deploys

ENDPOINT, CONFIG = "AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"
CALLERS: dict[str, Config] = {
    "the API": {},
    "a function": {"integration": function()},
    "the function that streams": {"integration": {"type": "stream"}},
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_after_each_step_what_is_called_is_there_and_may_be_called(
    template_of: Deploys, caller: Config, move: tuple[Config, Config]
) -> None:
    before, after = (template_of(package("chat", **caller, **each)) for each in move)
    steps = 0
    for step, world in walk(before, after):
        called = list(world.callers())
        assert called
        for endpoint, role in called:
            assert endpoint in world.resources, f"after {step}, {endpoint} is called and is not there"
            assert endpoint in world.allowed(role), f"after {step}, {role} may not call {endpoint}"
        steps += 1
    assert steps > 3


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_the_old_endpoint_is_left_alone_until_it_is_removed_last(
    template_of: Deploys, move: tuple[Config, Config]
) -> None:
    before, after = (template_of(package("chat", **each)) for each in move)
    changes = compare_templates(before.document, after.document)
    endpoints = [(change.action, change.logical_id) for change in changes if change.type == ENDPOINT]
    assert endpoints == [("add", after.id_of(ENDPOINT)), ("remove", before.id_of(ENDPOINT))]
    order = [(change.action, change.type) for change in changes]
    assert order.index(("remove", ENDPOINT)) > order.index(("update", "AWS::ApiGateway::Stage"))
    assert order.index(("remove", ENDPOINT)) < order.index(("remove", CONFIG)), "while it is in use"


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_the_model_itself_stays(template_of: Deploys, move: tuple[Config, Config]) -> None:
    before, after = (template_of(package("chat", **each)) for each in move)
    changes = compare_templates(before.document, after.document)
    assert not [change for change in changes if change.type == "AWS::SageMaker::Model"]


def test_a_type_without_scaling_changes_in_place(template_of: Deploys) -> None:
    before, after = (template_of(package("chat", **each)) for each in (SMALL, LARGE))
    assert before.id_of(ENDPOINT) == after.id_of(ENDPOINT)


def test_the_api_waits_for_the_policies_by_which_it_calls(template_of: Deploys) -> None:
    template = template_of(package("chat", **SCALED))
    (api,) = [each for each in template.resources.values() if each["Type"] == "AWS::ApiGateway::RestApi"]
    needed = json.dumps(api["DependsOn"])
    policies = [name for name, each in template.resources.items()
                if {"Ref": template.id_of(ENDPOINT)} in listed(statement_of(each).get("Resource"))
                and "ApiRole" in name]  # fmt: skip
    assert policies
    assert all(name in needed for name in policies)


def statement_of(resource: Resource) -> dict[str, Any]:
    """The first statement of a policy."""
    statements = resource.get("Properties", {}).get("PolicyDocument", {}).get("Statement", [{}])
    found: dict[str, Any] = statements[0]
    return found
