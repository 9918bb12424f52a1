"""The simulated AWS refuses what the real one refuses; otherwise the other tests here would prove little."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from support.aws_inventory import take_inventory
from support.moto_server import start_moto

if TYPE_CHECKING:
    from pathlib import Path

    from support.moto_server import MotoServer

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::123456789012:role/mine"


def template(image: str, name: str | None = None) -> str:
    """A model, its configuration and its endpoint; the model with a fixed name, or without."""
    named = {"ModelName": name} if name else {}
    model = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": image}, **named}
    variant = {
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "VariantName": "V",
        "InitialVariantWeight": 1,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.g5.2xlarge",
    }
    config = {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}}
    resources: dict[str, Any] = {
        "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": config},
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
        "Model": {"Type": "AWS::SageMaker::Model", "Properties": model},
    }
    return json.dumps({"Resources": resources})


def test_a_fixed_name_collides_with_itself_on_an_update(tmp_path: Path) -> None:
    with start_moto(tmp_path) as aws:
        cloudformation = aws.client("cloudformation")
        cloudformation.create_stack(StackName="s", TemplateBody=template("mine:1", "fixed"))
        with pytest.raises(ClientError, match="already existing model_name: fixed"):
            cloudformation.update_stack(StackName="s", TemplateBody=template("mine:2", "fixed"))


def test_what_names_a_replaced_resource_follows_it(aws: MotoServer) -> None:
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=template("mine:1"))
    (before,) = take_inventory(aws).endpoints.values()
    cloudformation.update_stack(StackName="s", TemplateBody=template("mine:2"))
    there = take_inventory(aws)
    (after,) = there.endpoints.values()
    assert there.model_of(after)["PrimaryContainer"]["Image"] == "mine:2"
    assert after["EndpointConfigName"] != before["EndpointConfigName"]
    assert (len(there.models), len(there.endpoint_configs)) == (1, 1), "the replaced ones are deleted"


def keys_of_teams(*, in_order: bool) -> str:
    """Two teams with a key and a plan each, the second of which waits for the first or not."""
    resources: dict[str, Any] = {}
    for team in ("red", "blue"):
        joined = {"KeyId": {"Ref": f"{team}Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": f"{team}Plan"}}
        kind = "AWS::ApiGateway::UsagePlan"
        resources[f"{team}Plan"] = {"Type": kind, "Properties": {"ApiStages": []}}
        resources[f"{team}Key"] = {"Type": "AWS::ApiGateway::ApiKey", "Properties": {}}
        resources[f"{team}Joined"] = {"Type": f"{kind}Key", "Properties": joined}
    if in_order:
        resources["bluePlan"]["DependsOn"] = "redJoined"
    return json.dumps({"Resources": resources})


def test_keys_that_join_their_plans_at_once_are_refused(aws: MotoServer) -> None:
    cloudformation = aws.client("cloudformation")
    with pytest.raises(ClientError, match=r"concurrent modification\. Please try again later.*409"):
        cloudformation.create_stack(StackName="unordered", TemplateBody=keys_of_teams(in_order=False))
    cloudformation.create_stack(StackName="ordered", TemplateBody=keys_of_teams(in_order=True))
    plans = take_inventory(aws).usage_plans
    assert len(plans) == 2


def test_a_type_that_it_does_not_know_is_a_complaint(tmp_path: Path) -> None:
    unknown = json.dumps({"Resources": {"A": {"Type": "AWS::GameLift::Fleet", "Properties": {}}}})
    with start_moto(tmp_path) as aws:
        aws.client("cloudformation").create_stack(StackName="s", TemplateBody=unknown)
        assert aws.complaints() == ["No Moto CloudFormation support for AWS::GameLift::Fleet"]
