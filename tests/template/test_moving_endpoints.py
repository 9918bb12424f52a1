"""Another instance type of a scaled model: the API moves to another endpoint, and every call is served.

The update is walked through in CloudFormation's order, and after each of its steps it is asked what a call
would meet: whether the endpoint that the API or a function calls is there, and may be called.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.template_diff import compare_templates
from support.synthesis import Config, Resource, function, package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.synthesis import Deploys, Template

ENDPOINT, CONFIG = "AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"
SCALED = {"autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}}
SMALL, LARGE = {"instance": "ml.g5.2xlarge"}, {"instance": "ml.g5.4xlarge"}
TYPES = ["ml.g5.2xlarge", "ml.g5.4xlarge"]
POOL: Config = {"instance": None, "instances": TYPES}
MOVES = {
    "another type": (SCALED | SMALL, SCALED | LARGE),
    "several types": (SCALED | SMALL, SCALED | POOL),
    "several types in another order": (SCALED | POOL, SCALED | POOL | {"instances": TYPES[::-1]}),
    "another type, and no scaling": (SCALED | SMALL, LARGE),
    "another type, and scaling": (SMALL, SCALED | LARGE),
    "scaling": (SMALL, SCALED | SMALL),
    "no scaling": (SCALED | SMALL, SMALL),
}
CALLERS: dict[str, Config] = {
    "the API": {},
    "a function": {"integration": function()},
    "the function that streams": {"integration": {"type": "stream"}},
}


@dataclass
class World:
    """What is there in the middle of an update: resources by their logical ids, and what the stage serves."""

    resources: dict[str, Resource]
    served: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of_type(self, kind: str) -> dict[str, Resource]:
        return {name: each for name, each in self.resources.items() if each["Type"] == kind}

    def take(self, name: str, resource: Resource) -> None:
        """Makes or changes one; a deployment is a snapshot of its API."""
        self.resources[name] = copy.deepcopy(resource)
        if resource["Type"] == "AWS::ApiGateway::Deployment":
            (api,) = self.of_type("AWS::ApiGateway::RestApi").values()
            self.served[name] = api["Properties"]["Body"]

    def callers(self) -> Iterator[tuple[str, str]]:
        """Yields each endpoint that is called now, and the role that calls it."""
        (stage,) = self.of_type("AWS::ApiGateway::Stage").values()
        body = self.served[stage["Properties"]["DeploymentId"]["Ref"]]
        integrations = [each["x-amazon-apigateway-integration"] for each in body["paths"]["/chat"].values()]
        (called,) = [each for each in integrations if each["type"] in {"aws", "aws_proxy"}]
        role = called["credentials"]["Fn::GetAtt"][0]
        yield from ((name, role) for name in named_endpoints(called["uri"]))
        for made in self.of_type("AWS::Lambda::Function").values():
            role = made["Properties"]["Role"]["Fn::GetAtt"][0]
            yield from ((name, role) for name in named_endpoints(made["Properties"]["Environment"]))

    def allowed(self, role: str) -> set[str]:
        """The endpoints that some policy of the role names."""
        made = self.resources[role]["Properties"]
        managed = [item["Ref"] for item in made.get("ManagedPolicyArns", []) if isinstance(item, dict)]
        policies = [each["Properties"] for name, each in self.resources.items()
                    if name in managed or {"Ref": role} in each["Properties"].get("Roles", [])]  # fmt: skip
        documents = [each["PolicyDocument"] for each in [*made.get("Policies", []), *policies]]
        statements = [statement for document in documents for statement in document["Statement"]]
        named = [item for statement in statements for item in listed(statement["Resource"])]
        return {item["Ref"] for item in named if isinstance(item, dict) and "Ref" in item}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named_endpoints(value: Any) -> Iterator[str]:
    """Yields the logical ids of the endpoints whose name is part of this."""
    if isinstance(value, list):
        for inner in value:
            yield from named_endpoints(inner)
    elif isinstance(value, dict):
        if value.get("Fn::GetAtt", ["", ""])[1] == "EndpointName":
            yield value["Fn::GetAtt"][0]
        for inner in value.values():
            yield from named_endpoints(inner)


def walk(old: Template, new: Template) -> Iterator[tuple[str, World]]:
    """Yields the world after each step of an update, in CloudFormation's order."""
    world = World({})
    for change in compare_templates({}, old.document):
        world.take(change.logical_id, old.resources[change.logical_id])
    for change in compare_templates(old.document, new.document):
        if change.action == "remove":
            del world.resources[change.logical_id]
        else:
            world.take(change.logical_id, new.resources[change.logical_id])
        yield f"{change.action} {change.name}", world


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
