"""What still exists after a destroy, asked of the services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.deployed_stack import StackResource
from centralized_ml_api.aws.leftovers import find_leftovers, find_log_groups
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
