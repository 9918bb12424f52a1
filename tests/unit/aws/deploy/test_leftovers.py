"""What still exists after a destroy, asked of the services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.deploy.leftovers import (
    describe,
    find_endpoints,
    find_everything_left,
    find_leftovers,
    find_log_groups,
)
from centralized_ml_api.aws.stack.contract import STACK_TAG
from centralized_ml_api.aws.stack.deployed_stack import SCHEDULE, StackResource
from support.aws_wire import Answer, refusal

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

ENDPOINT = StackResource("AWS::SageMaker::Endpoint", "E", "arn:aws:sagemaker:us-east-1:1:endpoint/chat")
COMPONENT = StackResource(
    "AWS::SageMaker::InferenceComponent", "C", "arn:aws:sagemaker:us-east-1:1:inference-component/chat-0a1b"
)
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


def test_the_logs_and_the_rest_of_an_inference_component_are_found_too(aws: AwsWire) -> None:
    group = "/aws/sagemaker/InferenceComponents/chat-0a1b"
    aws.answers["logs.DescribeLogGroups"] = Answer(200, {"logGroups": [{"logGroupName": group}]})
    assert find_log_groups(AwsClients("us-east-1"), [COMPONENT]) == [group]
    aws.answers["sagemaker.DescribeInferenceComponent"] = refusal("ValidationException", "Could not find it")
    assert find_leftovers(AwsClients("us-east-1"), [COMPONENT]) == []


def test_the_logs_of_an_endpoint_have_the_capitals_of_its_name(aws: AwsWire) -> None:
    named = ["EndpointChat-AbC12", "EndpointChat-AbC123", "endpointembed-x"]
    groups = [{"logGroupName": f"/aws/sagemaker/Endpoints/{name}"} for name in named]
    pages: dict[str | None, dict[str, Any]] = {
        None: {"logGroups": groups[1:], "nextToken": "2"},
        "2": {"logGroups": groups[:1]},
    }
    asked = list[dict[str, Any]]()

    def answer(body: str) -> Answer:
        asked.append(json.loads(body))
        return Answer(200, pages[asked[-1].get("nextToken")])

    aws.spoken["logs.DescribeLogGroups"] = answer
    arn = "arn:aws:sagemaker:us-east-1:1:endpoint/endpointchat-abc12"
    resource = StackResource("AWS::SageMaker::Endpoint", "E", arn)
    found = find_log_groups(AwsClients("us-east-1"), [resource])
    assert found == ["/aws/sagemaker/Endpoints/EndpointChat-AbC12"]
    assert {page["logGroupNamePrefix"] for page in asked} == {"/aws/sagemaker/Endpoints/"}


def test_without_an_endpoint_no_logs_are_looked_for(aws: AwsWire) -> None:
    not_begun = StackResource("AWS::SageMaker::Endpoint", "E", "")
    assert find_log_groups(AwsClients("us-east-1"), [not_begun, FUNCTION]) == []
    assert aws.asked == []


@pytest.mark.parametrize("physical_id", ["end-of-it", "default|end-of-it"])
def test_a_schedule_is_asked_for_by_its_name_alone(aws: AwsWire, physical_id: str) -> None:
    resource = StackResource(SCHEDULE, "S", physical_id)
    aws.answers["scheduler.GET /schedules/end-of-it"] = Answer(200, {"Name": "end-of-it"})
    assert find_leftovers(AwsClients("us-east-1"), [resource]) == ["schedule end-of-it"]
    assert describe(resource) == "schedule end-of-it"
    gone = refusal("ResourceNotFoundException", "gone", 404)
    aws.answers["scheduler.GET /schedules/end-of-it"] = gone
    assert find_leftovers(AwsClients("us-east-1"), [resource]) == []


def test_a_wrong_question_means_gone_to_sagemaker_alone(aws: AwsWire) -> None:
    wrong = refusal("ValidationException", "Could not find endpoint")
    aws.answers["sagemaker.DescribeEndpoint"] = wrong
    assert find_leftovers(AwsClients("us-east-1"), [ENDPOINT]) == []
    aws.answers["scheduler.GET /schedules/end"] = wrong
    with pytest.raises(ClientError, match="ValidationException"):
        find_leftovers(AwsClients("us-east-1"), [StackResource(SCHEDULE, "S", "end")])


ENDPOINTS = {
    "Ev-chat": Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Ev"}]}),
    "Ev2-chat": Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Ev2"}]}),
    "Ev-of-somebody": Answer(200, {"Tags": [{"Key": "owner", "Value": "Ev"}]}),
    "other-name": Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Ev"}]}),
    "Ev-just-gone": refusal("ResourceNotFound", "Record not found"),
}
"""Endpoints of an account by their names, with what SageMaker says of their tags."""


def summary(name: str) -> dict[str, Any]:
    """An endpoint as it is listed."""
    return {
        "EndpointName": name,
        "EndpointArn": f"arn:aws:sagemaker:us-east-1:1:endpoint/{name}",
        "CreationTime": 0,
        "LastModifiedTime": 0,
        "EndpointStatus": "InService",
    }


class NotedClients(AwsClients):
    """The clients of a region; remembers for which services it made patient ones."""

    def __init__(self) -> None:
        super().__init__("us-east-1")
        self.patient: list[str] = []

    def patient_client(self, service: str) -> Any:
        self.patient.append(service)
        return super().patient_client(service)


def test_the_tags_of_every_endpoint_are_read_patiently(aws: AwsWire) -> None:
    aws.answers["sagemaker.ListEndpoints"] = Answer(200, {"Endpoints": [summary("a"), summary("b")]})
    aws.answers["sagemaker.ListTags"] = Answer(200, {"Tags": []})
    clients = NotedClients()
    assert find_endpoints(clients, "Ev") == []
    assert clients.patient == ["sagemaker"]


def test_an_endpoint_that_is_left_is_named_once_and_by_its_own_name(aws: AwsWire) -> None:
    aws.answers["sagemaker.ListEndpoints"] = Answer(200, {"Endpoints": [summary("Chat")]})
    aws.answers["sagemaker.ListTags"] = Answer(200, {"Tags": [{"Key": STACK_TAG, "Value": "Ev"}]})
    aws.answers["sagemaker.DescribeEndpoint"] = Answer(200, {"EndpointName": "Chat"})
    aws.answers["lambda.GET /2015-03-31/functions/my-function"] = Answer(200, {})
    left = find_everything_left(AwsClients("us-east-1"), [ENDPOINT, FUNCTION], "Ev")
    assert left == ("Lambda function my-function", "SageMaker endpoint Chat")


def test_endpoints_belong_to_a_stack_by_their_tag_and_not_by_their_name(aws: AwsWire) -> None:
    listed = [summary(name) for name in ENDPOINTS]
    aws.answers["sagemaker.ListEndpoints"] = Answer(200, {"Endpoints": listed})
    aws.spoken["sagemaker.ListTags"] = lambda body: ENDPOINTS[
        json.loads(body)["ResourceArn"].rpartition("/")[2]
    ]
    found = find_endpoints(AwsClients("us-east-1"), "Ev")
    assert found == ["SageMaker endpoint Ev-chat", "SageMaker endpoint other-name"]


def test_tags_that_may_not_be_read_prove_nothing(aws: AwsWire) -> None:
    aws.answers["sagemaker.ListEndpoints"] = Answer(200, {"Endpoints": [summary("chat")]})
    aws.answers["sagemaker.ListTags"] = refusal("AccessDeniedException", "no")
    with pytest.raises(ClientError, match="AccessDenied"):
        find_endpoints(AwsClients("us-east-1"), "Ev")
