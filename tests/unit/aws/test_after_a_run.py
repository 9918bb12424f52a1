"""What is read from AWS after the CDK ran: why it failed, what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.deployed import StackResource, load_failure_reasons, load_resources, load_template
from centralized_ml_api.aws.deployment import DestroyReport, check_gone
from centralized_ml_api.aws.leftovers import find_leftovers, find_log_groups
from centralized_ml_api.errors import DeployError
from support.aws_wire import Answer, refusal, stack_events, xml_refusal

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

MODEL = "AWS::SageMaker::Model"
STACK = "AWS::CloudFormation::Stack"
ENDPOINT = StackResource("AWS::SageMaker::Endpoint", "E", "arn:aws:sagemaker:us-east-1:1:endpoint/chat")
FUNCTION = StackResource("AWS::Lambda::Function", "F", "my-function")
ROLE = StackResource("AWS::IAM::Role", "R", "my-role")


def test_the_causes_of_the_last_failure_come_first_without_their_consequences(aws: AwsWire) -> None:
    aws.answers["cloudformation.DescribeStackEvents"] = stack_events(
        ("S", STACK, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [B, A]."),
        ("C", MODEL, "CREATE_FAILED", "Resource creation cancelled"),
        ("B", MODEL, "CREATE_FAILED", "quota"),
        ("A", MODEL, "CREATE_FAILED", "not subscribed"),
        ("S", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
        ("Z", MODEL, "DELETE_FAILED", "of an earlier run"),
    )
    reasons = load_failure_reasons(AwsClients("us-east-1").client("cloudformation"), "S")
    assert reasons == [f"A ({MODEL}): not subscribed", f"B ({MODEL}): quota"]


def test_reasons_that_cannot_be_asked_for_are_none(aws: AwsWire) -> None:
    aws.answers["cloudformation.DescribeStackEvents"] = xml_refusal("AccessDenied", "no")
    assert load_failure_reasons(AwsClients("us-east-1").client("cloudformation"), "S") == []


def test_what_still_exists_is_left_and_what_costs_nothing_is_not_asked_for(aws: AwsWire) -> None:
    aws.answers["sagemaker.DescribeEndpoint"] = Answer(200, {"EndpointName": "chat"})
    aws.answers["lambda.GET /2015-03-31/functions/my-function"] = refusal(
        "ResourceNotFoundException", "gone", 404
    )
    left = find_leftovers(AwsClients("us-east-1"), [ENDPOINT, FUNCTION, ROLE])
    assert left == ["SageMaker endpoint chat"]
    assert aws.asked == ["sagemaker.DescribeEndpoint", "lambda.GET /2015-03-31/functions/my-function"]


def test_a_service_that_does_not_answer_proves_nothing(aws: AwsWire) -> None:
    aws.answers["sagemaker.DescribeEndpoint"] = refusal("AccessDeniedException", "no")
    with pytest.raises(ClientError, match="AccessDenied"):
        find_leftovers(AwsClients("us-east-1"), [ENDPOINT])


def test_the_logs_that_sagemaker_made_are_found_by_their_whole_name(aws: AwsWire) -> None:
    group = "/aws/sagemaker/Endpoints/chat"
    named = [{"logGroupName": f"{group}-of-another"}, {"logGroupName": group}]
    aws.answers["logs.DescribeLogGroups"] = Answer(200, {"logGroups": named})
    assert find_log_groups(AwsClients("us-east-1"), [ENDPOINT, FUNCTION]) == [group]
    aws.answers["logs.DescribeLogGroups"] = Answer(200, {"logGroups": named[:1]})
    assert find_log_groups(AwsClients("us-east-1"), [ENDPOINT]) == []


def test_leftovers_fail_the_destroy_by_name() -> None:
    check_gone(DestroyReport(("API x",), ()))
    with pytest.raises(DeployError, match="SageMaker endpoint chat") as caught:
        check_gone(DestroyReport((), ("SageMaker endpoint chat",)), "mlapi destroy --stack Autumn")
    assert "run it again: mlapi destroy --stack Autumn\n" in caught.value.fix
    assert "troubleshoot-aws.md#still-there" in caught.value.fix


def test_a_stack_that_is_not_there_has_no_template_and_no_resources(aws: AwsWire) -> None:
    absent = xml_refusal("ValidationError", "Stack with id S does not exist", 400)
    aws.answers.update({"cloudformation.GetTemplate": absent, "cloudformation.ListStackResources": absent})
    cloudformation = AwsClients("us-east-1").client("cloudformation")
    assert load_template(cloudformation, "S") is None
    assert load_resources(cloudformation, "S") == ()


def test_a_stack_that_may_not_be_looked_at_is_not_taken_for_none(aws: AwsWire) -> None:
    aws.answers["cloudformation.GetTemplate"] = xml_refusal("AccessDenied", "no")
    with pytest.raises(ClientError, match="AccessDenied"):
        load_template(AwsClients("us-east-1").client("cloudformation"), "S")


@pytest.mark.parametrize(
    ("flag", "environment", "region"),
    [
        ("eu-west-1", {"AWS_REGION": "eu-north-1"}, "eu-west-1"),
        (None, {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-north-1"),
        (None, {"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        (None, {}, "us-east-1"),
    ],
)
def test_the_region_is_the_flags_the_environments_or_the_default(
    flag: str | None, environment: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert AwsClients(flag).region == region


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(DeployError, match="nobody") as caught:
        AwsClients()
    assert "AWS_PROFILE" in caught.value.fix
