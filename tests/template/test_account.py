"""What a company's account demands: boundary, network, who reaches the API, and by which name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.linting import lint_template
from support.synthesis import REGION, STACK, build_test_plan, container, function, model, package

if TYPE_CHECKING:
    from pathlib import Path

    from support.synthesis import Deploys, Template

BOUNDARY = "arn:aws:iam::123456789012:policy/Boundary"
VPC = {"subnets": ["subnet-0a1b2c3d4e5f60718"], "security_groups": ["sg-0a1b2c3d4e5f60718"]}
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
NETWORKS = ["203.0.113.0/24", "198.51.100.7/32"]
ACL = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/Ours/1a2b3c4d-1111-2222-3333-444455556666"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d-1111-2222-3333-444455556666"
DOMAIN = {"name": "models.example.com", "certificate": CERTIFICATE}
EVENT = {"teams": ["red", {"name": "blue", "models": ["direct"]}], "ends": "2099-06-01T18:00:00Z"}
MODELS = (
    model("direct"),
    model("through", integration=function()),
    container("own", inference_ami="al2-ami-sagemaker-inference-gpu-3-1"),
    package("streamed", integration={"type": "stream"}),
)


@pytest.fixture
def demanding(template_of: Deploys) -> Template:
    """Everything that a public API can have, with an event."""
    aws = {
        "permissions_boundary": BOUNDARY,
        "tags": {"CostCenter": "1234"},
        "vpc": VPC,
        "log_retention_days": 90,
        "allow_from": NETWORKS,
        "waf_acl": ACL,
        "domain": DOMAIN,
        "integration_timeout": 120,
    }
    return template_of(*MODELS, event=EVENT, aws=aws)


def test_every_role_has_the_boundary(demanding: Template, template_of: Deploys) -> None:
    roles = demanding.of_type("AWS::IAM::Role")
    assert len(roles) > 5
    assert {role.get("PermissionsBoundary") for role in roles} == {BOUNDARY}
    assert "PermissionsBoundary" not in json.dumps(template_of(*MODELS, event=EVENT).document)


def test_every_function_and_every_model_is_in_the_network(demanding: Template, template_of: Deploys) -> None:
    functions, models = (
        demanding.of_type(kind) for kind in ("AWS::Lambda::Function", "AWS::SageMaker::Model")
    )
    assert (len(functions), len(models)) == (3, 4)
    groups, subnets = VPC["security_groups"], VPC["subnets"]
    for each in functions:
        assert each["VpcConfig"] == {"SecurityGroupIds": groups, "SubnetIds": subnets}
    for each in models:
        assert each["VpcConfig"] == {"SecurityGroupIds": groups, "Subnets": subnets}
    assert [each["EnableNetworkIsolation"] for each in models] == [False, False, False, True]
    isolated = template_of(*MODELS, aws={"vpc": {**VPC, "isolation": True}})
    assert {each["EnableNetworkIsolation"] for each in isolated.of_type("AWS::SageMaker::Model")} == {True}


def test_roles_of_models_and_functions_may_make_network_interfaces(
    demanding: Template, template_of: Deploys
) -> None:
    policies = {
        service: policy_of(demanding, f"Api{name}")
        for service, name in (
            ("sagemaker.amazonaws.com", "Network"),
            ("lambda.amazonaws.com", "FunctionNetwork"),
        )
    }
    for role in demanding.of_type("AWS::IAM::Role"):
        (assumes,) = role["AssumeRolePolicyDocument"]["Statement"]
        attached = role.get("ManagedPolicyArns", [])
        has = [service for service, (policy, _) in policies.items() if {"Ref": policy} in attached]
        own = assumes["Principal"]["Service"]
        assert has == ([own] if own in policies else []), role.get("Description")
    for _, (allows, *_) in policies.values():
        assert (allows["Effect"], allows["Resource"]) == ("Allow", "*"), (
            "an interface has no ARN before it is"
        )
        assert all(action.startswith("ec2:") for action in allows["Action"])
    assert "ec2:" not in json.dumps(template_of(*MODELS).document)


def policy_of(template: Template, prefix: str) -> tuple[str, list[dict[str, Any]]]:
    """The logical id and the statements of the only policy whose id begins so."""
    (policy,) = [name for name in template.resources if name.startswith(prefix)]
    return policy, template.resources[policy]["Properties"]["PolicyDocument"]["Statement"]


def test_functions_get_fewer_rights_than_models_and_their_code_none(demanding: Template) -> None:
    """Lambda's own requests do not name a function; those of a function's code do."""
    _, (for_models,) = policy_of(demanding, "ApiNetwork")
    _, (for_functions, denies) = policy_of(demanding, "ApiFunctionNetwork")
    permissions = {"ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission"}
    assert permissions <= set(for_models["Action"])
    assert not permissions & set(for_functions["Action"])
    assert {"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"} <= set(for_functions["Action"])
    assert denies == {
        "Action": for_functions["Action"],
        "Effect": "Deny",
        "Resource": "*",
        "Condition": {"ArnLike": {"lambda:SourceFunctionArn": "arn:*:lambda:*:*:function:*"}},
    }


def test_logs_are_kept_as_long_as_the_account_demands(demanding: Template) -> None:
    assert {group["RetentionInDays"] for group in demanding.of_type("AWS::Logs::LogGroup")} == {90}


def denied(template: Template) -> list[dict[str, Any]]:
    """The conditions under which the policy of the API denies a call."""
    allow, *denies = template.api["x-amazon-apigateway-policy"]["Statement"]
    for statement in (allow, *denies):
        assert statement["Principal"] == "*"
        assert (statement["Action"], statement["Resource"]) == ("execute-api:Invoke", "execute-api:/*")
    assert (allow["Effect"], {deny["Effect"] for deny in denies}) == ("Allow", {"Deny"})
    return [deny["Condition"] for deny in denies]


def test_only_the_networks_may_call(demanding: Template, template_of: Deploys) -> None:
    assert denied(demanding) == [{"NotIpAddress": {"aws:SourceIp": NETWORKS}}]
    assert "x-amazon-apigateway-policy" not in template_of(*MODELS).api


def test_a_change_of_the_networks_deploys_the_stage_anew(template_of: Deploys) -> None:
    kind = "AWS::ApiGateway::Deployment"
    ids = {template_of(model(), aws={"allow_from": [network]}).id_of(kind) for network in NETWORKS}
    assert len(ids) == 2


def test_a_private_api_is_reached_through_its_endpoint_alone(template_of: Deploys) -> None:
    template = template_of(*MODELS, aws={"private": [ENDPOINT], "allow_from": ["10.0.0.0/8"]})
    api = template.only("AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": [ENDPOINT]}
    assert denied(template) == [
        {"StringNotEquals": {"aws:SourceVpce": [ENDPOINT]}},
        {"NotIpAddress": {"aws:VpcSourceIp": ["10.0.0.0/8"]}},
    ]
    address = json.dumps(template.document["Outputs"]["MyApiEndpoint"])
    assert f"-{ENDPOINT}.execute-api." in address


def test_a_web_acl_filters_the_stage(demanding: Template) -> None:
    association = demanding.only("AWS::WAFv2::WebACLAssociation")
    assert association["WebACLArn"] == ACL
    stage = demanding.id_of("AWS::ApiGateway::Stage")
    assert {"Ref": stage} in association["ResourceArn"]["Fn::Join"][1]


def test_a_name_of_your_own_leads_to_the_stage(demanding: Template) -> None:
    name = demanding.only("AWS::ApiGateway::DomainName")
    assert (name["DomainName"], name["RegionalCertificateArn"]) == (DOMAIN["name"], CERTIFICATE)
    mapping = demanding.only("AWS::ApiGateway::BasePathMapping")
    stage = {"Ref": demanding.id_of("AWS::ApiGateway::Stage")}
    assert (mapping["BasePath"], mapping["Stage"]) == ("prod", stage)
    outputs = demanding.document["Outputs"]
    address = outputs["MyApiEndpoint"]["Value"]["Fn::Join"][1]
    assert address == ["https://models.example.com/", stage, "/"]
    target = {"Fn::GetAtt": [demanding.id_of("AWS::ApiGateway::DomainName"), "RegionalDomainName"]}
    assert outputs["DomainTarget"]["Value"] == target


def test_the_api_waits_as_long_as_the_quota_allows_and_says_so(
    demanding: Template, template_of: Deploys
) -> None:
    for path in ("/direct", "/through"):
        wait = demanding.api["paths"][path]["post"]["x-amazon-apigateway-integration"]["timeoutInMillis"]
        assert wait == 120_000
    too_slow = demanding.api["x-amazon-apigateway-gateway-responses"]["INTEGRATION_TIMEOUT"]
    assert "120 seconds" in json.dumps(too_slow)
    usual = template_of(*MODELS).api["paths"]["/direct"]["post"]["x-amazon-apigateway-integration"]
    assert usual["timeoutInMillis"] == 29_000


def test_an_existing_role_runs_the_models_and_none_is_made(template_of: Deploys) -> None:
    role = "arn:aws:iam::123456789012:role/SageMakerExecution"
    template = template_of(*MODELS, aws={"execution_role": role})
    assert {each["ExecutionRoleArn"] for each in template.of_type("AWS::SageMaker::Model")} == {role}
    assert "sagemaker.amazonaws.com" not in json.dumps(template.of_type("AWS::IAM::Role"))


def test_the_stack_has_the_tags(tmp_path: Path) -> None:
    from aws_cdk import App  # noqa: PLC0415

    from centralized_ml_api.aws.constructs.stack import CentralizedMlApiStack  # noqa: PLC0415  # after Node

    config = {"models": [model()], "aws": {"tags": {"CostCenter": "1234", "mlapi:stack": "mine"}}}
    app = App(analytics_reporting=False, outdir=str(tmp_path / "out"))
    stack = CentralizedMlApiStack(app, STACK, plan=build_test_plan(config, tmp_path))
    tags = stack.tags.tag_values()
    assert tags["CostCenter"] == "1234"
    assert STACK in tags.values(), "the tag by which the stack knows its own cannot be changed"


@pytest.mark.slow
def test_both_are_clean(demanding: Template, template_of: Deploys) -> None:
    private = template_of(*MODELS, event=EVENT, aws={"private": [ENDPOINT], "vpc": VPC})
    assert lint_template(demanding, REGION) == []
    assert lint_template(private, REGION) == []
