"""What CloudFormation tells of a stack: its template, its resources, and why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.stack.deployed_stack import (
    load_endpoint_history,
    load_failure_reasons,
    load_resources,
    load_template,
)
from support.aws_wire import Answer, stack_events, stack_resources, xml_refusal

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

MODEL = "AWS::SageMaker::Model"
STACK = "AWS::CloudFormation::Stack"


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


def test_a_nested_stack_has_the_reasons_of_its_own_resources(aws: AwsWire) -> None:
    embedded = "Embedded stack id-of-N was not successfully created: The following resource(s) failed"
    whole = stack_events(
        ("S", STACK, "CREATE_FAILED", "the stack itself"),
        ("M", STACK, "CREATE_FAILED", "an empty one"),
        ("N", STACK, "CREATE_FAILED", embedded),
        ("S", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
    )
    nested = stack_events(("A", MODEL, "CREATE_FAILED", "not subscribed"))
    events = {"id-of-N": nested, "id-of-M": stack_events()}
    aws.spoken["cloudformation.DescribeStackEvents"] = lambda body: next(
        (answer for name, answer in events.items() if name in body), whole
    )
    reasons = load_failure_reasons(AwsClients("us-east-1").client("cloudformation"), "S")
    assert reasons == [
        f"A ({MODEL}): not subscribed",
        f"M ({STACK}): an empty one",
        f"S ({STACK}): the stack itself",
    ]


def test_reasons_that_cannot_be_asked_for_are_none(aws: AwsWire) -> None:
    aws.answers["cloudformation.DescribeStackEvents"] = xml_refusal("AccessDenied", "no")
    assert load_failure_reasons(AwsClients("us-east-1").client("cloudformation"), "S") == []


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


def test_an_endpoint_that_another_one_replaced_is_remembered(aws: AwsWire) -> None:
    aws.answers["cloudformation.ListStackResources"] = Answer(
        200,
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries/>"
        "</ListStackResourcesResult></ListStackResourcesResponse>",
    )
    kind = "AWS::SageMaker::Endpoint"
    aws.answers["cloudformation.DescribeStackEvents"] = stack_events(
        ("EndpointOld", kind, "DELETE_COMPLETE", ""),
        ("EndpointNew", kind, "CREATE_COMPLETE", ""),
        ("Api", "AWS::ApiGateway::RestApi", "CREATE_COMPLETE", ""),
        ("EndpointOld", kind, "CREATE_COMPLETE", ""),
    )
    found = load_endpoint_history(AwsClients("us-east-1").client("cloudformation"), "S")
    assert [each.physical_id for each in found] == ["id-of-EndpointOld", "id-of-EndpointNew"]


def test_a_nested_stack_that_is_not_begun_has_no_events(aws: AwsWire) -> None:
    aws.answers["cloudformation.ListStackResources"] = stack_resources((STACK, "Nested", ""))
    aws.answers["cloudformation.DescribeStackEvents"] = stack_events(
        ("Chat", "AWS::SageMaker::Endpoint", "CREATE_COMPLETE", "")
    )
    found = load_endpoint_history(AwsClients("us-east-1").client("cloudformation"), "S")
    assert [resource.physical_id for resource in found] == ["id-of-Chat"]
    assert aws.asked == ["cloudformation.ListStackResources", "cloudformation.DescribeStackEvents"]
