"""How much of each of AWS's quotas a synthesized template has. Pure.

Each function yields what it measures, by name, and how much it has.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Template = dict[str, Any]
Amounts: TypeAlias = "Iterator[tuple[str, int]]"


def _of_type(template: Template, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] in types:
            yield name, resource.get("Properties", {})


def characters(template: Template) -> Amounts:
    """Yields the bytes of the whole template."""
    yield "", len(json.dumps(template, separators=(",", ":")).encode())


def count(section: str) -> Callable[[Template], Amounts]:
    """Returns what counts the items of a section, such as `Resources`."""
    return lambda template: iter([("", len(template.get(section, {})))])


def mapping_attributes(template: Template) -> Amounts:
    """Yields the attributes of each mapping."""
    for name, mapping in template.get("Mappings", {}).items():
        yield name, len(mapping)


def attached(template: Template) -> Amounts:
    """Yields the managed policies of each role, those that attach themselves included."""
    for name, role in _of_type(template, "AWS::IAM::Role"):
        own = _attached_to(template, name, "AWS::IAM::ManagedPolicy")
        yield name, len(role.get("ManagedPolicyArns", [])) + len(own)


def _attached_to(template: Template, role: str, kind: str) -> list[dict[str, Any]]:
    """Returns the policies of a type that attach themselves to a role."""
    policies = (policy for _, policy in _of_type(template, kind))
    return [policy for policy in policies if {"Ref": role} in policy.get("Roles", [])]


def policy_characters(template: Template) -> Amounts:
    """Yields the characters of each managed policy."""
    for name, policy in _of_type(template, "AWS::IAM::ManagedPolicy"):
        yield name, _resolved_length(policy["PolicyDocument"])


def inline_characters(template: Template) -> Amounts:
    """Yields the characters of all inline policies of each role."""
    for name, role in _of_type(template, "AWS::IAM::Role"):
        policies = [*role.get("Policies", []), *_attached_to(template, name, "AWS::IAM::Policy")]
        yield name, sum(_resolved_length(policy["PolicyDocument"]) for policy in policies)


ARN_CHARACTERS, NAME_CHARACTERS = 133, 63
"""The longest ARN of an endpoint or of a function, and the longest name of an endpoint."""

PARTITION_CHARACTERS, REGION_CHARACTERS, ACCOUNT_CHARACTERS = 10, 14, 12
_KNOWN = {
    "AWS::Partition": PARTITION_CHARACTERS,
    "AWS::Region": REGION_CHARACTERS,
    "AWS::AccountId": ACCOUNT_CHARACTERS,
}


def _resolved_length(value: Any) -> int:
    """Returns the characters of a JSON value without white space, references at their longest."""
    if isinstance(value, list):
        return 1 + sum(1 + _resolved_length(item) for item in value)
    if isinstance(value, dict) and not _is_function(value):
        return 1 + sum(len(key) + 4 + _resolved_length(inner) for key, inner in value.items())
    return 2 + _text_length(value)


def _text_length(value: Any) -> int:
    """Returns the characters of a text, references at their longest."""
    if not isinstance(value, dict):
        return len(str(value))
    ((function, inner),) = value.items()
    if function == "Fn::Join":
        return sum(_text_length(part) for part in inner[1])
    if function == "Ref":
        return _KNOWN.get(inner, ARN_CHARACTERS)
    return NAME_CHARACTERS if str(inner[-1]).endswith("EndpointName") else ARN_CHARACTERS


def _is_function(value: Mapping[str, Any]) -> bool:
    """Returns whether it is one of CloudFormation's functions, not an object."""
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def paths(template: Template) -> Amounts:
    """Yields the resources of the API: each part of a path is one, and the root."""
    for name, api in _of_type(template, "AWS::ApiGateway::RestApi"):
        yield name, count_resources(api.get("Body", {}).get("paths", {}))


def count_resources(paths: Iterable[str]) -> int:
    """Returns how many resources API Gateway makes of these paths."""
    split = [path.split("/")[1:] for path in paths]
    parts = {tuple(path[:end]) for path in split for end in range(1, len(path) + 1)}
    return len(parts - {("",)}) + 1


def authorizers(template: Template) -> Amounts:
    """Yields the authorizers of the API."""
    for name, api in _of_type(template, "AWS::ApiGateway::RestApi"):
        schemes = api.get("Body", {}).get("components", {}).get("securitySchemes", {}).values()
        yield name, sum("x-amazon-apigateway-authorizer" in scheme for scheme in schemes)


def number(kind: str) -> Callable[[Template], Amounts]:
    """Returns what counts the resources of a type."""
    return lambda template: iter([("", sum(1 for _ in _of_type(template, kind)))])


def environment(template: Template) -> Amounts:
    """Yields the bytes of each function's environment."""
    for name, function in _of_type(template, "AWS::Lambda::Function"):
        variables = function.get("Environment", {}).get("Variables", {})
        yield name, sum(len(key) + _text_length(value) for key, value in variables.items())


def layers(template: Template) -> Amounts:
    """Yields the layers of each function."""
    for name, function in _of_type(template, "AWS::Lambda::Function"):
        yield name, len(function.get("Layers", []))


def container_variables(template: Template) -> Amounts:
    """Yields the variables of each model's container."""
    for name, model in _of_type(template, "AWS::SageMaker::Model"):
        yield name, len(model.get("PrimaryContainer", {}).get("Environment", {}))


def container_values(template: Template) -> Amounts:
    """Yields the longest value among the variables of each model's container."""
    for name, model in _of_type(template, "AWS::SageMaker::Model"):
        values = model.get("PrimaryContainer", {}).get("Environment", {}).values()
        yield name, max(map(_text_length, values), default=0)


def parameter_characters(template: Template) -> Amounts:
    """Yields the characters of each parameter."""
    for name, parameter in _of_type(template, "AWS::SSM::Parameter"):
        yield name, _text_length(parameter["Value"])
