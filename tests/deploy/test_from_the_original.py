"""What happens when this project meets the stack of the original, which has the same name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers, take_inventory
from support.deployment import STACK

if TYPE_CHECKING:
    from support.deployment import Deployment
    from support.moto_server import MotoServer

pytestmark = pytest.mark.slow

PACKAGE = "arn:aws:sagemaker:us-east-1:865070037744:model-package/mine"
NAMES = {"models": "chat", "configs": "chat-config", "endpoints": "chat-endpoint"}
CONFIG = {
    "models": [
        {
            "name": "chat",
            "model_package_arn": PACKAGE,
            "instance": "ml.g5.2xlarge",
            "integration": {"type": "api"},
        }
    ]
}


def original_template() -> str:
    """A model with the fixed names that the original gives, and an API."""
    role = "arn:aws:iam::123456789012:role/mine"
    container = {"PrimaryContainer": {"ModelPackageName": PACKAGE}, "EnableNetworkIsolation": True}
    variant = {
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "VariantName": "AllTraffic",
        "InitialVariantWeight": 1,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.g5.2xlarge",
    }
    config = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    properties: dict[str, tuple[str, dict[str, Any]]] = {
        "Model": (
            "AWS::SageMaker::Model",
            {"ModelName": NAMES["models"], "ExecutionRoleArn": role, **container},
        ),
        "Config": (
            "AWS::SageMaker::EndpointConfig",
            {"EndpointConfigName": NAMES["configs"], "ProductionVariants": [variant]},
        ),
        "Endpoint": (
            "AWS::SageMaker::Endpoint",
            {"EndpointName": NAMES["endpoints"], "EndpointConfigName": config},
        ),
        "Api": ("AWS::ApiGateway::RestApi", {"Name": "original"}),
    }
    resources = {key: {"Type": kind, "Properties": more} for key, (kind, more) in properties.items()}
    return json.dumps({"Resources": resources})


def start_original(aws: MotoServer) -> str:
    """Deploys the original's stack; returns the id of its API."""
    aws.client("cloudformation").create_stack(StackName=STACK, TemplateBody=original_template())
    (api,) = take_inventory(aws).apis
    return api


def test_beside_the_stack_of_the_original_nothing_of_it_changes(deployment: Deployment) -> None:
    original = start_original(deployment.aws)
    deployment.write(CONFIG)
    done = deployment.mlapi("deploy", "--yes", "--bootstrap", "--stack", "Friday")
    assert done.returncode == 0, done.stderr
    both = take_inventory(deployment.aws)
    assert (len(both.apis), len(both.endpoints)) == (2, 2), "no name of one is a name of the other"
    assert deployment.mlapi("destroy", "--yes", "--stack", "Friday").returncode == 0
    left = take_inventory(deployment.aws)
    assert (list(left.apis), list(left.endpoints)) == ([original], [NAMES["endpoints"]])


def test_deployed_over_the_stack_of_the_original_takes_its_place(deployment: Deployment) -> None:
    original = start_original(deployment.aws)
    deployment.deploy(CONFIG)
    there = take_inventory(deployment.aws)
    assert list(there.apis) != [original], "the address is another one"
    assert (len(there.apis), len(there.endpoints), len(there.models)) == (1, 1, 1)
    assert NAMES["endpoints"] not in there.endpoints
    assert deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(deployment.aws) == {}


def test_destroy_takes_down_the_stack_of_the_original(deployment: Deployment) -> None:
    start_original(deployment.aws)
    deployment.write(CONFIG)
    done = deployment.mlapi("destroy", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Nothing billed is left." in done.stdout
    assert take_inventory(deployment.aws).counts() == {}
