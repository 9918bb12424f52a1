"""API Gateway's one role for the logs of an account: kept where it works, made where there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers, logging_role, take_inventory

if TYPE_CHECKING:
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {"endpoints": [{"name": "adopted", "integration": {"type": "api"}}], "models": []}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def test_the_role_of_somebody_else_stays(deployment: Deployment) -> None:
    iam, gateway = deployment.aws.client("iam"), deployment.aws.client("apigateway")
    theirs = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    named = {"op": "replace", "path": "/cloudwatchRoleArn", "value": theirs}
    gateway.update_account(patchOperations=[named])
    deployed = deployment.deploy(CONFIG)
    assert f"API Gateway's logs in us-east-1 keep their role: {theirs}" in deployed.stderr
    there = take_inventory(deployment.aws)
    assert logging_role(deployment.aws) == "theirs"
    assert not [name for name in there.roles if "CloudWatchRole" in name], "the stack has none of its own"
    iam.delete_role(RoleName="theirs")
    deployment.deploy(CONFIG)
    assert "CloudWatchRole" in logging_role(deployment.aws), "one that is gone is replaced"


def test_the_role_of_a_stack_serves_the_next_one(deployment: Deployment) -> None:
    deployment.deploy(CONFIG)
    own = logging_role(deployment.aws)
    again = deployment.deploy(CONFIG)
    assert "keep their role" not in again.stderr, "it is the stack's own"
    assert logging_role(deployment.aws) == own
    assert deployment.mlapi("destroy", "--yes").returncode == 0
    kept = deployment.deploy(CONFIG)
    assert "keep their role" in kept.stderr
    assert logging_role(deployment.aws) == own
    assert deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(deployment.aws) == {}, "one role, however often it is deployed"
