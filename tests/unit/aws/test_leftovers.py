"""What still exists after a destroy, asked of the services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.deployed_stack import StackResource
from centralized_ml_api.aws.leftovers import find_endpoints, find_leftovers, find_log_groups
from centralized_ml_api.aws.stack_contract import STACK_TAG
from support.aws_wire import Answer, refusal

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

ENDPOINT = StackResource("AWS::SageMaker::Endpoint", "E", "arn:aws:sagemaker:us-east-1:1:endpoint/chat")
FUNCTION = StackResource("AWS::Lambda::Function", "F", "my-function")
ROLE = StackResource("AWS::IAM::Role", "R", "my-role")


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


ENDPOINTS = {
    "Ev-chat": Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Ev"}]}),
    "Ev2-chat": Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Ev2"}]}),
    "Ev-of-somebody": Answer(200, {"Tags": [{"Key": "owner", "Value": "Ev"}]}),
    "other-name": Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Ev"}]}),
    "Ev-just-gone": refusal("ResourceNotFound", "Record not found"),
}
"""Endpoints of an account by their names, with what SageMaker says of their tags."""


def test_endpoints_belong_to_a_stack_by_their_tag_and_not_by_their_name(aws: AwsWire) -> None:
    listed = [
        {
            "EndpointName": name,
            "EndpointArn": f"arn:aws:sagemaker:us-east-1:1:endpoint/{name}",
            "CreationTime": 0,
            "LastModifiedTime": 0,
            "EndpointStatus": "InService",
        }
        for name in ENDPOINTS
    ]
    aws.answers["sagemaker.ListEndpoints"] = Answer(200, {"Endpoints": listed})
    aws.spoken["sagemaker.ListTags"] = lambda body: ENDPOINTS[
        json.loads(body)["ResourceArn"].rpartition("/")[2]
    ]
    found = find_endpoints(AwsClients("us-east-1"), "Ev")
    assert found == ["SageMaker endpoint Ev-chat", "SageMaker endpoint other-name"]


def test_tags_that_may_not_be_read_prove_nothing(aws: AwsWire) -> None:
    endpoint = {
        "EndpointName": "chat",
        "EndpointArn": ENDPOINT.physical_id,
        "CreationTime": 0,
        "LastModifiedTime": 0,
        "EndpointStatus": "InService",
    }
    aws.answers["sagemaker.ListEndpoints"] = Answer(200, {"Endpoints": [endpoint]})
    aws.answers["sagemaker.ListTags"] = refusal("AccessDeniedException", "no")
    with pytest.raises(ClientError, match="AccessDenied"):
        find_endpoints(AwsClients("us-east-1"), "Ev")
