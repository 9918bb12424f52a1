"""What of a template exceeds a quota of AWS, and by how much."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.planning.limits import LIMITS, find_exceeded, read_templates, render_limits
from centralized_ml_api.aws.planning.template_amounts import attached, inline_characters

if TYPE_CHECKING:
    from pathlib import Path

NAMED = {limit.name: limit for limit in LIMITS}
ARN = {"Fn::GetAtt": ["Endpoint", "Arn"]}
PATHS: dict[str, Any] = {f"/model-{number}": {} for number in range(290)}
OWN: dict[str, Any] = {
    "/": {},
    "/models": {},
    "/health": {},
    "/{proxy+}": {},
    "/v1/chat/completions": {},
    "/v1/models": {},
}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def stack(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A template with these resources."""
    return {"Resources": {f"R{number}": item for number, item in enumerate(resources)}, **more}


def policy(*arns: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a", "Resource": [*arns]}]}


def api(paths: dict[str, Any], authorizers: int = 0) -> dict[str, Any]:
    schemes: dict[str, Any] = {
        f"A{number}": {"x-amazon-apigateway-authorizer": {}} for number in range(authorizers)
    }
    body = {"paths": paths, "components": {"securitySchemes": {**schemes, "api_key": {}}}}
    return resource("AWS::ApiGateway::RestApi", Body=body)


def function(**properties: Any) -> dict[str, Any]:
    return resource("AWS::Lambda::Function", **properties)


def model(environment: dict[str, str]) -> dict[str, Any]:
    return resource("AWS::SageMaker::Model", PrimaryContainer={"Environment": environment})


def plain(count: int) -> list[dict[str, Any]]:
    return [resource("AWS::SNS::Topic") for _ in range(count)]


CASES: dict[str, tuple[dict[str, Any], int]] = {
    "bytes of a template": (stack(resource("A", Text="x" * 1024 * 1024)), 1_048_634),
    "resources of a stack": (stack(*plain(501)), 501),
    "outputs of a stack": (stack(Outputs={str(number): {} for number in range(201)}), 201),
    "parameters of a stack": (stack(Parameters={str(number): {} for number in range(201)}), 201),
    "mappings of a template": (stack(Mappings={str(number): {} for number in range(201)}), 201),
    "attributes of a mapping": (stack(Mappings={"M": {str(number): {} for number in range(201)}}), 201),
    "managed policies of a role": (stack(resource("AWS::IAM::Role", ManagedPolicyArns=["arn"] * 11)), 11),
    "characters of a managed policy": (
        stack(resource("AWS::IAM::ManagedPolicy", PolicyDocument=policy(*[ARN] * 45))),
        6_203,
    ),
    "characters of a role's inline policies": (
        stack(resource("AWS::IAM::Role", Policies=[{"PolicyDocument": policy("x" * 5_200)}] * 2)),
        10_572,
    ),
    "resources of an API": (stack(api({**PATHS, **OWN, "/v1/a/b/c": {}})), 301),
    "authorizers of an API": (stack(api({}, authorizers=11)), 11),
    "usage plans of an account": (stack(*[resource("AWS::ApiGateway::UsagePlan")] * 301), 301),
    "API keys of an account": (stack(*[resource("AWS::ApiGateway::ApiKey")] * 10_001), 10_001),
    "bytes of a function's environment": (
        stack(function(Environment={"Variables": {"NAME": "x" * 4093}})),
        4097,
    ),
    "layers of a function": (stack(function(Layers=["arn"] * 6)), 6),
    "variables of a container": (stack(model({str(number): "" for number in range(101)})), 101),
    "characters of a container's variable": (stack(model({"A": "x" * 1025})), 1025),
    "scalable targets for SageMaker": (
        stack(*[resource("AWS::ApplicationAutoScaling::ScalableTarget")] * 501),
        501,
    ),
    "characters of a parameter": (
        stack(
            resource(
                "AWS::SSM::Parameter",
                Value={"Fn::Join": ["", ["x" * 4034, {"Fn::GetAtt": ["E", "EndpointName"]}]]},
            )
        ),
        4097,
    ),
}


def test_every_limit_has_a_case() -> None:
    assert list(CASES) == list(NAMED)


@pytest.mark.parametrize("name", CASES)
def test_a_template_over_a_limit_is_found_with_the_amount(name: str) -> None:
    template, amount = CASES[name]
    (found,) = [each for each in find_exceeded({"Event": template}) if each.limit is NAMED[name]]
    assert found.amount == amount
    allowed = f"{found.amount:,} {name}; AWS allows {found.limit.most:,}"
    assert str(found).startswith("Event")
    assert allowed in str(found)
    assert ("unless AWS raises it" in str(found)) is found.limit.adjustable


def test_a_template_at_its_limits_exceeds_nothing() -> None:
    roles = resource("AWS::IAM::Role", ManagedPolicyArns=["arn"] * 10)
    assert find_exceeded({"Event": stack(*plain(499), roles), "Nested": stack(*plain(500))}) == ()


def test_the_templates_of_an_assembly_are_read_nested_ones_too(tmp_path: Path) -> None:
    for name in ("Event.template.json", "EventModels1ABC.nested.template.json"):
        (tmp_path / name).write_text(json.dumps(stack()))
    (tmp_path / "tree.json").write_text("[]")
    assert list(read_templates(tmp_path)) == ["Event", "EventModels1ABC"]


def test_the_page_has_a_row_for_each_limit_with_its_source() -> None:
    rows = render_limits().splitlines()[2:]
    assert len(rows) == len(LIMITS)
    assert all(limit.source in row for limit, row in zip(LIMITS, rows, strict=True))
    assert rows[0].startswith("| [1,048,576 bytes of a template](https://docs.aws.amazon.com/")


def test_policies_that_attach_themselves_count_for_their_role() -> None:
    role = resource("AWS::IAM::Role", ManagedPolicyArns=["arn"] * 9)
    managed = resource("AWS::IAM::ManagedPolicy", PolicyDocument=policy(), Roles=[{"Ref": "R0"}])
    assert dict(attached(stack(role, managed, managed))) == {"R0": 11}
    inline = resource("AWS::IAM::Policy", PolicyDocument=policy("x" * 100), Roles=[{"Ref": "R0"}])
    assert dict(inline_characters(stack(role)))["R0"] == 0
    assert dict(inline_characters(stack(role, inline)))["R0"] > 100
