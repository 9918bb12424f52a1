"""An update of a stack, walked through in CloudFormation's order: what is there after each of its steps."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.deploy.template_diff import compare_templates
from support.synthesis import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.synthesis import Config, Template

SCALED: Config = {"autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}}
SMALL: Config = {"instance": "ml.g5.2xlarge"}
LARGE: Config = {"instance": "ml.g5.4xlarge"}
TYPES = ["ml.g5.2xlarge", "ml.g5.4xlarge"]
POOL: Config = {"instance": None, "instances": TYPES}
MOVES: dict[str, tuple[Config, Config]] = {
    "another type": (SCALED | SMALL, SCALED | LARGE),
    "several types": (SCALED | SMALL, SCALED | POOL),
    "several types in another order": (SCALED | POOL, SCALED | POOL | {"instances": TYPES[::-1]}),
    "another type, and no scaling": (SCALED | SMALL, LARGE),
    "another type, and scaling": (SMALL, SCALED | LARGE),
    "scaling": (SMALL, SCALED | SMALL),
    "no scaling": (SCALED | SMALL, SMALL),
}
"""Edits of a scaled model by which another endpoint takes over: the entry before and after."""


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

    @property
    def document(self) -> dict[str, Any]:
        """What the stage serves now."""
        (stage,) = self.of_type("AWS::ApiGateway::Stage").values()
        return self.served[stage["Properties"]["DeploymentId"]["Ref"]]

    def callers(self) -> Iterator[tuple[str, str]]:
        """Yields each endpoint that is called now, and the role that calls it."""
        paths = self.document["paths"]
        integrations = [each["x-amazon-apigateway-integration"] for each in paths["/chat"].values()]
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
