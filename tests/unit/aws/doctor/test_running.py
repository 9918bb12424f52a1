"""What already runs in the account is subtracted from the quotas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.doctor.running import count_instances_of, load_running
from support.aws_wire import Answer, AwsWire, refusal, stack_resources

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPE = "ml.g5.2xlarge"
VARIANT = {"VariantName": "All", "InstanceType": TYPE, "InitialInstanceCount": 1}


def summary(name: str, status: str = "InService") -> dict[str, Any]:
    return {"EndpointName": name, "EndpointArn": f"a/{name}", "EndpointStatus": status}


def run_endpoints(aws: AwsWire, *pages: list[dict[str, Any]], live: Mapping[str, Any] | None = None) -> None:
    """Makes these pages of endpoints, all with one variant of two instances, or as `live` says."""

    def answer_list(body: str) -> Answer:
        page = int(json.loads(body).get("NextToken", "0"))
        more = {"NextToken": str(page + 1)} if page + 1 < len(pages) else {}
        return Answer(200, {"Endpoints": pages[page], **more})

    variant = {"VariantName": "All", "CurrentInstanceCount": 2, "DesiredInstanceCount": 2}
    aws.spoken["sagemaker.ListEndpoints"] = answer_list
    aws.answers["sagemaker.DescribeEndpoint"] = Answer(
        200, {"EndpointConfigName": "c", **(live or {"ProductionVariants": [variant]})}
    )
    aws.answers["sagemaker.DescribeEndpointConfig"] = Answer(200, {"ProductionVariants": [VARIANT]})


def test_every_page_counts_and_the_stack_of_our_own_apart(aws: AwsWire) -> None:
    run_endpoints(aws, [summary("ours"), summary("first")], [summary("second", "Updating")])
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/ours"
    aws.answers["cloudformation.ListStackResources"] = stack_resources(
        ("AWS::SageMaker::Endpoint", "Chat", arn), ("AWS::IAM::Role", "Role", "first")
    )
    running = load_running(AwsClients("us-east-1"), "s")
    assert (running.own, running.others) == ({TYPE: 2}, {TYPE: 4})


def test_an_endpoint_whose_name_has_capitals_is_our_own(aws: AwsWire) -> None:
    run_endpoints(aws, [summary("EndpointChat-AbC12"), summary("EndpointChat-AbC13")])
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/endpointchat-abc12"
    aws.answers["cloudformation.ListStackResources"] = stack_resources(
        ("AWS::SageMaker::Endpoint", "Chat", arn)
    )
    running = load_running(AwsClients("us-east-1"), "s")
    assert (running.own, running.others) == ({TYPE: 2}, {TYPE: 2})


def test_what_has_no_instances_is_not_even_described(aws: AwsWire) -> None:
    run_endpoints(aws, [summary("a", "Failed"), summary("b", "Deleting"), summary("c", "OutOfService")])
    assert load_running(AwsClients("us-east-1"), "s").others == {}
    assert "sagemaker.DescribeEndpoint" not in aws.asked


def test_an_endpoint_that_goes_meanwhile_counts_nothing(aws: AwsWire) -> None:
    run_endpoints(aws, [summary("a")])
    aws.answers["sagemaker.DescribeEndpoint"] = refusal("ValidationException", "Could not find endpoint")
    assert load_running(AwsClients("us-east-1"), "s").others == {}


@pytest.mark.slow
def test_a_throttled_call_is_repeated(aws: AwsWire) -> None:
    run_endpoints(aws, [summary("a")])
    described = aws.answers["sagemaker.DescribeEndpoint"]
    refusals = [
        refusal("ThrottlingException", "Rate exceeded"),
        refusal("ThrottlingException", "Rate exceeded"),
    ]
    aws.spoken["sagemaker.DescribeEndpoint"] = lambda _: refusals.pop() if refusals else described
    assert load_running(AwsClients("us-east-1"), "s").others == {TYPE: 2}


@pytest.mark.parametrize(
    ("endpoint", "config", "expected"),
    [
        ({}, {"ProductionVariants": [VARIANT]}, {TYPE: 1}),
        (
            {
                "ProductionVariants": [
                    {"VariantName": "All", "CurrentInstanceCount": 1, "DesiredInstanceCount": 3}
                ]
            },
            {"ProductionVariants": [VARIANT]},
            {TYPE: 3},
        ),
        (
            {
                "ProductionVariants": [
                    {
                        "VariantName": "All",
                        "CurrentInstanceCount": 3,
                        "InstancePools": [
                            {"InstanceType": TYPE, "CurrentInstanceCount": 1},
                            {"InstanceType": "ml.g6.2xlarge", "CurrentInstanceCount": 2},
                        ],
                    }
                ]
            },
            {"ProductionVariants": [{"VariantName": "All", "InstancePools": [{"InstanceType": TYPE}]}]},
            {TYPE: 1, "ml.g6.2xlarge": 2},
        ),
        (
            {"ProductionVariants": [{"VariantName": "All"}]},
            {"ProductionVariants": [{"VariantName": "All", "ServerlessConfig": {"MaxConcurrency": 5}}]},
            {},
        ),
        (
            {},
            {"ProductionVariants": [VARIANT], "ShadowProductionVariants": [{**VARIANT, "VariantName": "S"}]},
            {TYPE: 2},
        ),
    ],
    ids=["being created", "scaling out", "several types", "serverless", "a shadow"],
)
def test_instances_of_an_endpoint(
    endpoint: dict[str, Any], config: dict[str, Any], expected: dict[str, int]
) -> None:
    assert count_instances_of(endpoint, config) == expected
