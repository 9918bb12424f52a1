"""A company's account, whose organization denies whatever lacks boundary, tags, network or privacy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_inventory import count_leftovers, take_inventory
from support.deployment import ACCOUNT, ROOT, STACK
from support.moto_extension.organization import DEMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.cdk.cdk_cli import CdkCli
    from support.deployment import Config, Deployment
    from support.moto_server import MotoServer

pytestmark = pytest.mark.slow

IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/mine:1"
TAGS = {"CostCenter": "1234", "Owner": "data-science"}
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
FUNCTION = {
    "code": str(ROOT / "functions/example_function"),
    "permissions": ["sagemaker:InvokeEndpoint"],
    "timeout": 20,
    "memory": 512,
}
MODELS = [
    {"name": "chat", "image": IMAGE, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}},
    {
        "name": "through",
        "image": IMAGE,
        "instance": "ml.g5.2xlarge",
        "integration": {"type": "lambda", "properties": FUNCTION},
    },
    {"name": "flow", "image": IMAGE, "instance": "ml.g5.2xlarge", "integration": {"type": "stream"}},
]
EVENT = {"teams": [{"name": "red", "models": ["chat"]}, "blue"], "ends": "2040-06-01T18:00:00+02:00"}
CONFIG: Config = {"models": MODELS, "event": EVENT}


@pytest.fixture
def block(bare_aws: MotoServer) -> dict[str, Any]:
    """What the platform team hands out, as `aws` of the config."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    made = bare_aws.client("iam").create_policy(PolicyName="Boundary", PolicyDocument=json.dumps(policy))
    ec2 = bare_aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="models", Description="Models", VpcId=vpc)["GroupId"]
    return {
        "permissions_boundary": made["Policy"]["Arn"],
        "tags": TAGS,
        "vpc": {"subnets": [subnet], "security_groups": [group]},
        "private": [ENDPOINT],
    }


@pytest.fixture
def company(first_deployment: Deployment, cdk: CdkCli, block: dict[str, Any]) -> Iterator[Deployment]:
    """An account that the platform team bootstrapped, and what the organization demands from then on."""
    first_deployment.bootstrap(cdk, "acme")
    demands = {"boundary": block["permissions_boundary"], "tags": [*TAGS], "private": True, "vpc": True}
    ssm = first_deployment.aws.client("ssm")
    ssm.put_parameter(Name=DEMANDS, Value=json.dumps(demands), Type="String")
    yield first_deployment
    ssm.delete_parameter(Name=DEMANDS)
    first_deployment.aws.client("iam").delete_policy(PolicyArn=block["permissions_boundary"])
    assert count_leftovers(first_deployment.aws) == {}, "nothing is left, in any service"


def deploy(company: Deployment, config: Config) -> None:
    """Deploys with the platform team's bootstrap."""
    company.write(config)
    done = company.mlapi("deploy", "--yes", "--qualifier", "acme")
    assert done.returncode == 0, done.stderr + company.cdk_log()


def test_a_config_with_what_is_demanded_lives_in_a_companys_account(
    company: Deployment, block: dict[str, Any]
) -> None:
    deploy(company, {**CONFIG, "aws": {**block, "jobs": True}})
    check_jobs(company.aws)
    check_boundary(company.aws, block)
    check_tags(company.aws)
    check_network(company.aws, block)
    check_private(company.aws)

    more = {**MODELS[0], "name": "later"}
    deploy(
        company, {**CONFIG, "models": [*MODELS, more], "aws": {**block, "tags": {**TAGS, "Stage": "prod"}}}
    )
    assert len(take_inventory(company.aws).endpoints) == 4
    assert company.aws.client("dynamodb").list_tables()["TableNames"] == [], "jobs go with their table"
    check_boundary(company.aws, block)
    check_tags(company.aws)
    check_network(company.aws, block)

    destroyed = company.mlapi("destroy", "--yes")
    assert destroyed.returncode == 0, destroyed.stderr


def check_jobs(aws: MotoServer) -> None:
    """Both functions of jobs know the table, and Lambda runs the second one once."""
    (table,) = aws.client("dynamodb").list_tables()["TableNames"]
    functions = take_inventory(aws).functions
    (runner,) = (name for name, function in functions.items() if function["Handler"] == "job.handler")
    (streams,) = (function for function in functions.values() if function["Handler"] == "index.handler")
    for function in (streams, functions[runner]):
        assert function["Environment"]["Variables"]["JOBS_TABLE"] == table
    assert streams["Environment"]["Variables"]["JOB_FUNCTION"] == runner
    settings = aws.client("lambda").get_function_event_invoke_config(FunctionName=runner)
    assert (settings["MaximumRetryAttempts"], settings["MaximumEventAgeInSeconds"]) == (0, 300)


def check_boundary(aws: MotoServer, block: dict[str, Any]) -> None:
    """Every role has it."""
    iam = aws.client("iam")
    names = [*take_inventory(aws).roles]
    assert len(names) > 5
    for name in names:
        role = iam.get_role(RoleName=name)["Role"]
        boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
        assert boundary == block["permissions_boundary"], name


def check_tags(aws: MotoServer) -> None:
    """Every resource that can have tags has them."""
    there = take_inventory(aws)
    found: dict[str, dict[str, str]] = {}
    iam, sagemaker, functions = (aws.client(service) for service in ("iam", "sagemaker", "lambda"))
    for name in there.roles:
        found[name] = pairs(iam.list_role_tags(RoleName=name)["Tags"])
    for kind, items in (
        ("Model", there.models),
        ("EndpointConfig", there.endpoint_configs),
        ("Endpoint", there.endpoints),
    ):
        for item in items.values():
            arn = item[f"{kind}Arn"]
            found[arn] = pairs(sagemaker.list_tags(ResourceArn=arn)["Tags"])
    for name, function in there.functions.items():
        found[name] = functions.list_tags(Resource=function["FunctionArn"])["Tags"]
    for item in (*there.apis.values(), *there.keys.values(), *there.usage_plans.values()):
        found[item["id"]] = item["tags"]
    for name in there.log_groups:
        found[name] = aws.client("logs").list_tags_log_group(logGroupName=name)["tags"]
    assert len(found) > 20
    assert {name: tags for name, tags in found.items() if not TAGS.items() <= tags.items()} == {}


def pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags as most services write them."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def check_network(aws: MotoServer, block: dict[str, Any]) -> None:
    """Every function and every model is in the VPC."""
    there, vpc = take_inventory(aws), block["vpc"]
    assert (len(there.functions), len(there.models)) >= (3, 3)
    for function in there.functions.values():
        assert function["VpcConfig"]["SubnetIds"] == vpc["subnets"]
        assert function["VpcConfig"]["SecurityGroupIds"] == vpc["security_groups"]
    for model in there.models.values():
        assert model["VpcConfig"] == {
            "SecurityGroupIds": vpc["security_groups"],
            "Subnets": vpc["subnets"],
        }


def check_private(aws: MotoServer) -> None:
    """The API is reachable through the VPC endpoint alone."""
    (api,) = take_inventory(aws).apis.values()
    assert api["endpointConfiguration"] == {"types": ["PRIVATE"], "vpcEndpointIds": [ENDPOINT]}
    _, deny = json.loads(api["policy"])["Statement"]
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"StringNotEquals": {"aws:SourceVpce": [ENDPOINT]}}


def test_a_config_without_it_is_told_that_the_organization_forbids_it(company: Deployment) -> None:
    company.write(CONFIG)
    done = company.mlapi("deploy", "--yes", "--qualifier", "acme")
    assert done.returncode == 1
    assert f"deploying {STACK} failed: a policy of the organization (SCP or RCP) forbids it" in done.stderr
    assert "with an explicit deny in a service control policy" in done.stderr
    assert "name them under `aws` in the config" in done.stderr
    assert "ask who manages the AWS organization for an exemption" in done.stderr
    assert "troubleshoot-aws.md#organization-policy" in done.stderr
    assert company.mlapi("destroy", "--yes").returncode == 0
