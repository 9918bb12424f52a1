"""An account that somebody else bootstrapped for the CDK, and one that nobody did, with the real CDK CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers

if TYPE_CHECKING:
    from centralized_ml_api.aws.cdk.cdk_cli import CdkCli
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {"endpoints": [{"name": "adopted", "integration": {"type": "api"}}], "models": []}


def stacks(deployment: Deployment) -> list[tuple[str, str]]:
    """Every stack of the account, with its status."""
    found = deployment.aws.client("cloudformation").describe_stacks()["Stacks"]
    return [(stack["StackName"], stack["StackStatus"]) for stack in found]


def roles(deployment: Deployment) -> list[str]:
    """The names of all roles."""
    return [role["RoleName"] for role in deployment.aws.client("iam").list_roles()["Roles"]]


def test_a_foreign_bootstrap_is_never_touched_and_can_be_used(
    first_deployment: Deployment, cdk: CdkCli
) -> None:
    first_deployment.bootstrap(cdk, "acme")
    first_deployment.write(CONFIG)
    before = stacks(first_deployment), roles(first_deployment)
    refused = first_deployment.mlapi("deploy", "--yes", "--bootstrap")
    assert refused.returncode == 1
    assert "us-east-1 is bootstrapped for the CDK with qualifier acme, not hnb659fds" in refused.stderr
    assert "--qualifier acme" in refused.stderr
    assert (stacks(first_deployment), roles(first_deployment)) == before, "nothing was made or changed"
    found = first_deployment.mlapi("doctor", "--target", "aws")
    assert "qualifier acme, not hnb659fds" in found.stdout

    used = first_deployment.mlapi("deploy", "--yes", "--qualifier", "acme")
    assert used.returncode == 0, used.stderr + first_deployment.cdk_log()
    compared = first_deployment.mlapi("diff", "--json")
    assert '"different": false' in compared.stdout, "the deployed stack names its qualifier"
    assert "bootstrapped for the CDK\n      bootstrap version" in first_deployment.mlapi("doctor").stdout
    assert first_deployment.mlapi("destroy", "--yes").returncode == 0
    assert count_leftovers(first_deployment.aws) == {}
    assert stacks(first_deployment) == before[0]


def test_yes_alone_bootstraps_nothing(first_deployment: Deployment) -> None:
    first_deployment.write(CONFIG)
    refused = first_deployment.mlapi("deploy", "--yes")
    assert refused.returncode == 2
    assert "AdministratorAccess" in refused.stderr
    assert "fix: add --bootstrap to confirm" in refused.stderr
    assert (stacks(first_deployment), roles(first_deployment)) == ([], [])
