"""What AWS and the CDK say -> what it means. The messages are the services' own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from centralized_ml_api.aws.failures import explain_failures
from centralized_ml_api.aws.known_failures import (
    FAILURES,
    TROUBLESHOOTING,
    UNKNOWN,
    Failure,
    failure_of,
)

ROOT = Path(__file__).parents[3]

MESSAGES = {
    "not-subscribed": (
        "An error occurred (ValidationException) when calling the CreateModel operation: Caller is "
        "not subscribed to the marketplace offering."
    ),
    "quota": (
        "The account-level service limit 'ml.g5.2xlarge for endpoint usage' is 0 Instances, with "
        "current utilization of 0 Instances and a request delta of 1 Instances. Please use AWS "
        "Service Quotas to request an increase for this quota. (Service: SageMaker, Status Code: 400)"
    ),
    "capacity": (
        "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
        " Please retry using a different ML instance type or after some time."
    ),
    "instance-unsupported": (
        "The instance type ml.m4.xlarge is not supported for model package arn:aws:sagemaker:x."
    ),
    "stuck": (
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    ),
    "model-data": (
        "Could not access model data at s3://bucket/model.tar.gz. Please ensure that the role exists."
    ),
    "eula": "You must accept the EULA: set AcceptEula to true in ModelAccessConfig.",
    "name-in-use": ('Cannot create already existing model "arn:aws:sagemaker:us-east-1:1:model/open-llama".'),
    "wrong-region": "The ARN arn:aws:sagemaker:us-west-2:1:model-package/x is of a different region.",
    "not-bootstrapped": (
        "SSM parameter /cdk-bootstrap/hnb659fds/version not found. Has the environment been "
        "bootstrapped? Please run 'cdk bootstrap'"
    ),
    "expired-credentials": "ExpiredToken: The security token included in the request is expired",
    "no-credentials": (
        "Unable to resolve AWS account to use. It must be either configured when you define your CDK "
        "Stack, or through the environment"
    ),
    "wrong-account": (
        "Need to perform AWS calls for account 111111111111, but the current credentials are for 222222222222"
    ),
    "stack-busy": (
        "Stack:arn:aws:cloudformation:us-east-1:1:stack/S/1 is in UPDATE_IN_PROGRESS state and can "
        "not be updated."
    ),
    "account-limit": "Maximum number of REST APIs for this account has been reached.",
    "log-role": "CloudWatch Logs role ARN must be set in account settings to enable logging",
    "layer": "Layer version arn:aws:lambda:us-east-1:1:layer:mine:3 does not exist.",
    "no-permission": "User: arn:aws:iam::1:user/me is not authorized to perform: sagemaker:CreateModel",
    "no-network": "getaddrinfo ENOTFOUND sts.mars-east-1.amazonaws.com",
    "still-there": "DELETE_FAILED: the following resource(s) could not be deleted: [Role].",
}


def test_every_failure_has_a_message_here() -> None:
    assert set(MESSAGES) == {failure.id for failure in FAILURES}


@pytest.mark.parametrize(("id_", "message"), MESSAGES.items())
def test_a_message_is_recognised_as_what_it_is(id_: str, message: str) -> None:
    assert [each.failure.id for each in explain_failures([message])] == [id_]


@pytest.mark.parametrize("failure", [*FAILURES, UNKNOWN], ids=lambda failure: failure.id)
def test_a_failure_leads_to_an_entry_of_the_page_and_has_a_fix(failure: Failure) -> None:
    page = (ROOT / TROUBLESHOOTING).read_text(encoding="utf-8")
    anchors = {_anchor(heading) for heading in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    assert failure.id in anchors
    assert failure.page == f"{TROUBLESHOOTING}#{failure.id}"
    assert failure.fix


def test_the_page_has_no_entry_that_nothing_leads_to() -> None:
    page = (ROOT / TROUBLESHOOTING).read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert {_anchor(heading) for heading in headings} == {failure.id for failure in (*FAILURES, UNKNOWN)}


def test_what_a_successful_deploy_says_is_no_failure() -> None:
    said = [
        "CentralizedMlApiStack: success: Published Fn/Code (123456789012-us-east-1-e12c1836)",
        "Stack | 1/9 | 3:44:05 PM | CREATE_COMPLETE | AWS::SageMaker::Model | Model (ModelA1)",
        "✅  CentralizedMlApiStack",
    ]
    assert explain_failures(said) == ()


def test_several_failures_are_all_found_each_once() -> None:
    found = explain_failures([MESSAGES["quota"], MESSAGES["not-subscribed"], MESSAGES["quota"]])
    assert [finding.failure.id for finding in found] == ["quota", "not-subscribed"]


def test_the_words_of_aws_are_kept() -> None:
    (found,) = explain_failures([f"  Model: {MESSAGES['capacity']}  "])
    assert found.line == f"Model: {MESSAGES['capacity']}"
    assert found.failure is failure_of("capacity")


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")
