"""Whether the endpoints that are live run what their stack says, asked of CloudFormation and SageMaker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.aws.cdk.target import AwsTarget
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.doctor.account_checks import check_endpoints
from centralized_ml_api.aws.doctor.context import DoctorContext
from centralized_ml_api.aws.stack.contract import PROVIDER_SECRETS_OUTPUT
from centralized_ml_api.aws.stack.live_endpoints import (
    describe_rollback,
    load_live_endpoints,
    repair_rollback,
)
from centralized_ml_api.aws.stack.status import load_stack_status
from centralized_ml_api.cli.verbs.deploy import complete_deploy
from centralized_ml_api.errors import DeployError
from support.aws_wire import Answer, refusal, stack_in, stack_resources, xml, xml_refusal

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

ARN = "arn:aws:sagemaker:us-east-1:1:"
TEMPLATE = {
    "Resources": {
        "Chat": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["ChatConfig", "EndpointConfigName"]}},
            "Metadata": {"aws:cdk:path": "S/Api/Models/chat/Endpoint"},
        }
    }
}
SMALL = {"VariantName": "AllTraffic", "ModelName": "m1", "InstanceType": "ml.g5.2xlarge"}
POOL = {
    "VariantName": "AllTraffic",
    "ModelName": "m2",
    "InstancePools": [
        {"InstanceType": "ml.g5.4xlarge", "Priority": 2},
        {"InstanceType": "ml.g6.4xlarge", "Priority": 1},
    ],
}
CONFIGS = {"old-config": SMALL, "new-config": POOL}


def deploy(aws: AwsWire, live: str, *, configs: dict[str, Any], **more: Any) -> None:
    """A stack whose endpoint has to be on `new-config` and is on `live`."""
    members = "".join(
        f"<member><LogicalResourceId>{logical}</LogicalResourceId><ResourceType>AWS::SageMaker::{kind}"
        f"</ResourceType><PhysicalResourceId>{ARN}{physical}</PhysicalResourceId></member>"
        for logical, kind, physical in (
            ("Chat", "Endpoint", "endpoint/chat-1"),
            ("ChatConfig", "EndpointConfig", "endpoint-config/new-config"),
        )
    )
    aws.answers["cloudformation.ListStackResources"] = xml(
        "ListStackResources", f"<StackResourceSummaries>{members}</StackResourceSummaries>"
    )
    aws.answers["cloudformation.GetTemplate"] = xml(
        "GetTemplate", f"<TemplateBody>{json.dumps(TEMPLATE)}</TemplateBody>"
    )
    variants = [{"VariantName": "AllTraffic", "CurrentInstanceCount": 2}]
    found = {"EndpointName": "Chat-1", "EndpointConfigName": live, "EndpointStatus": "InService"}
    aws.answers["sagemaker.DescribeEndpoint"] = Answer(200, {**found, "ProductionVariants": variants, **more})
    aws.spoken["sagemaker.DescribeEndpointConfig"] = lambda body: config(json.loads(body), configs)


def test_keys_of_providers_are_put_before_an_endpoint_that_was_rolled_back_fails_the_deploy(
    aws: AwsWire,
) -> None:
    deploy(aws, "Old-Config", configs=CONFIGS)
    aws.answers["secretsmanager.PutSecretValue"] = Answer(200, {})
    target = AwsTarget(Path("models.json"), "S", "us-east-1", Path(".mlapi"))
    outputs = {PROVIDER_SECRETS_OUTPUT: json.dumps({"Env1": f"{ARN}secret"})}
    with pytest.raises(DeployError, match="SageMaker rolled back"):
        complete_deploy(target, AwsClients("us-east-1"), outputs, {"Env1": "sk-one"})
    assert "secretsmanager.PutSecretValue" in aws.asked


def config(asked: dict[str, str], configs: dict[str, Any]) -> Answer:
    name = asked["EndpointConfigName"].lower()
    if name not in configs:
        return refusal("ValidationException", f'Could not find endpoint configuration "{name}".')
    found = configs[name]
    variants = found if isinstance(found, list) else [found]
    return Answer(200, {"EndpointConfigName": name, "ProductionVariants": variants})


def test_an_endpoint_on_the_configuration_of_its_stack_is_as_deployed(aws: AwsWire) -> None:
    deploy(aws, "New-Config", configs=CONFIGS)
    (endpoint,) = load_live_endpoints(AwsClients("us-east-1"), "S")
    assert endpoint.is_as_deployed, "ARNs are in lower case, names are not"
    assert (endpoint.name, endpoint.status, endpoint.entry) == ("Chat-1", "InService", "chat")
    assert endpoint.running == ((2, "ml.g6.4xlarge or ml.g5.4xlarge"),), "SageMaker did not say of which type"
    assert endpoint.deployed.instances == ("ml.g6.4xlarge", "ml.g5.4xlarge"), "by their priority"


def test_instances_of_several_types_are_counted_by_type(aws: AwsWire) -> None:
    pools = [
        {"InstanceType": "ml.g6.4xlarge", "CurrentInstanceCount": 0},
        {"InstanceType": "ml.g5.4xlarge", "CurrentInstanceCount": 3},
    ]
    variants = [{"VariantName": "AllTraffic", "CurrentInstanceCount": 3, "InstancePools": pools}]
    deploy(aws, "New-Config", configs=CONFIGS, ProductionVariants=variants)
    (endpoint,) = load_live_endpoints(AwsClients("us-east-1"), "S")
    assert endpoint.running == ((0, "ml.g6.4xlarge"), (3, "ml.g5.4xlarge"))


def test_a_configuration_with_two_variants_is_told_with_the_types_of_both(aws: AwsWire) -> None:
    canary = {"VariantName": "Canary", "ModelName": "m3", "InstanceType": "ml.g6.xlarge"}
    running = [
        {"VariantName": "Canary", "CurrentInstanceCount": 1},
        {"VariantName": "AllTraffic", "CurrentInstanceCount": 2},
    ]
    configs = {"new-config": POOL, "theirs": [SMALL, canary]}
    deploy(aws, "Theirs", configs=configs, ProductionVariants=running)
    (endpoint,) = load_live_endpoints(AwsClients("us-east-1"), "S")
    assert endpoint.live is not None
    assert endpoint.live.instances == ("ml.g5.2xlarge", "ml.g6.xlarge")
    assert endpoint.running == ((1, "ml.g6.xlarge"), (2, "ml.g5.2xlarge"))
    assert "with m1 on ml.g5.2xlarge and m3 on ml.g6.xlarge (Theirs), but" in describe_rollback(endpoint)


def test_what_is_not_begun_is_not_asked_for(aws: AwsWire) -> None:
    deploy(aws, "New-Config", configs=CONFIGS)
    aws.answers["cloudformation.ListStackResources"] = stack_resources(
        ("AWS::CloudFormation::Stack", "Nested", ""),
        ("AWS::SageMaker::Endpoint", "Chat", ""),
        ("AWS::SageMaker::EndpointConfig", "ChatConfig", f"{ARN}endpoint-config/new-config"),
    )
    assert load_live_endpoints(AwsClients("us-east-1"), "S") == ()
    assert {question.partition(".")[0] for question in aws.asked} == {"cloudformation"}


@pytest.mark.parametrize("gone", ["Chat", "ChatConfig"])
def test_in_the_middle_of_an_update_there_is_nothing_to_compare(aws: AwsWire, gone: str) -> None:
    """The template is the new one at once: an endpoint goes later, a configuration comes later."""
    deploy(aws, "Old-Config", configs=CONFIGS)
    if gone == "Chat":
        aws.answers["cloudformation.GetTemplate"] = xml(
            "GetTemplate", f"<TemplateBody>{json.dumps({'Resources': {}})}</TemplateBody>"
        )
    else:
        only = stack_resources(("AWS::SageMaker::Endpoint", "Chat", f"{ARN}endpoint/chat-1"))
        aws.answers["cloudformation.ListStackResources"] = only
    assert load_live_endpoints(AwsClients("us-east-1"), "S") == ()


def test_a_silent_rollback_is_told_with_what_runs_and_what_should(aws: AwsWire) -> None:
    deploy(aws, "Old-Config", configs=CONFIGS)
    (endpoint,) = load_live_endpoints(AwsClients("us-east-1"), "S")
    assert not endpoint.is_as_deployed
    assert describe_rollback(endpoint) == (
        "the endpoint Chat-1 is InService with m1 on ml.g5.2xlarge (Old-Config), but the stack says that it"
        " runs m2 on ml.g6.4xlarge or ml.g5.4xlarge (new-config)"
    )
    repair = repair_rollback(endpoint, "eu-west-1")
    assert "aws logs tail /aws/sagemaker/Endpoints/Chat-1 --since 2h --region eu-west-1\n" in repair
    update = "--endpoint-name Chat-1 --endpoint-config-name new-config --region eu-west-1"
    assert repair.endswith(f"aws sagemaker update-endpoint {update}")


@pytest.mark.parametrize("state", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_update_under_way_is_no_trouble(aws: AwsWire, state: str) -> None:
    """Until it ends, SageMaker names the configuration of before, and why an earlier update failed."""
    deploy(aws, "Old-Config", configs=CONFIGS, EndpointStatus=state, FailureReason="no capacity")
    aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_COMPLETE")
    status = load_stack_status(AwsClients("us-east-1"), "S")
    assert status
    assert [(each.state, each.trouble, each.fix) for each in status.endpoints] == [(state, "", "")]
    context = DoctorContext(Path("c.json"), AwsClients("us-east-1"), "S", None, ())
    (finding,) = check_endpoints(context)
    assert (finding.severity, finding.title) == ("ok", "the endpoint Chat-1 is updating")
    assert finding.detail == f"SageMaker says {state}; look again later"


@pytest.mark.parametrize("state", ["InService", "Failed", "UpdateRollbackFailed"])
def test_an_update_that_ended_elsewhere_is_told_by_status_and_doctor(aws: AwsWire, state: str) -> None:
    deploy(aws, "Old-Config", configs=CONFIGS, EndpointStatus=state)
    aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_COMPLETE")
    status = load_stack_status(AwsClients("us-east-1"), "S")
    assert status
    assert status.endpoints[0].trouble.startswith(f"the endpoint Chat-1 is {state} with m1 on ml.g5.2xlarge")
    context = DoctorContext(Path("c.json"), AwsClients("us-east-1"), "S", None, ())
    assert [finding.severity for finding in check_endpoints(context)] == ["error"]


def test_a_configuration_that_cloudformation_deleted_is_named_all_the_same(aws: AwsWire) -> None:
    reason = "no capacity"
    deploy(aws, "Old-Config", configs={"new-config": POOL}, FailureReason=reason)
    (endpoint,) = load_live_endpoints(AwsClients("us-east-1"), "S")
    said = describe_rollback(endpoint)
    assert "with a deleted configuration (Old-Config), but" in said
    assert said.endswith(": no capacity")


def test_an_endpoint_that_somebody_deleted_is_absent(aws: AwsWire) -> None:
    deploy(aws, "New-Config", configs=CONFIGS)
    aws.answers["sagemaker.DescribeEndpoint"] = refusal("ValidationException", "Could not find endpoint")
    (endpoint,) = load_live_endpoints(AwsClients("us-east-1"), "S")
    assert (endpoint.status, endpoint.is_as_deployed) == ("Absent", False)
    assert describe_rollback(endpoint).startswith("the endpoint chat-1 is gone, but the stack says")
    assert "deploy again" in repair_rollback(endpoint, "eu-west-1")


@pytest.mark.parametrize("action", ["DescribeEndpoint", "DescribeEndpointConfig"])
def test_what_may_not_be_asked_for_proves_nothing(aws: AwsWire, action: str) -> None:
    deploy(aws, "New-Config", configs=CONFIGS)
    aws.spoken[f"sagemaker.{action}"] = lambda _: refusal("AccessDeniedException", "no")
    with pytest.raises(ClientError, match="AccessDenied"):
        load_live_endpoints(AwsClients("us-east-1"), "S")


def test_without_a_stack_there_is_nothing_to_compare(aws: AwsWire) -> None:
    absent = xml_refusal("ValidationError", "Stack with id S does not exist", 400)
    aws.answers["cloudformation.ListStackResources"] = absent
    assert load_live_endpoints(AwsClients("us-east-1"), "S") == ()
