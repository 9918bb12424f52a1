"""What AWS and the CDK say -> what it means. The messages are the services' own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from centralized_ml_api.aws.failures.explain import explain_failures
from centralized_ml_api.aws.failures.failure import TROUBLESHOOTING, Failure, Rank
from centralized_ml_api.aws.failures.known import FAILURES, UNKNOWN, failure_of, recognise
from centralized_ml_api.aws.stack.live_endpoints import ROLLED_BACK
from support.aws_messages import load_messages

ROOT = Path(__file__).parents[4]

REAL = load_messages()

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
    "deleted-outside": "Resource of type 'AWS::Logs::LogGroup' with identifier '/mine' was not found.",
}
"""One message for each failure that the first deploys met, in the shortest form that decides."""

SHARED_CODES = (
    "AccessDenied",
    "AccessDeniedException",
    "AlreadyExists",
    "BadRequestException",
    "ConflictException",
    "GeneralServiceException",
    "InvalidParameterValueException",
    "InvalidRequest",
    "LimitExceeded",
    "LimitExceededException",
    "NotFound",
    "NotStabilized",
    "ResourceConflictException",
    "ResourceLimitExceeded",
    "ResourceNotFoundException",
    "ServiceInternalError",
    "ServiceLimitExceeded",
    "UnauthorizedOperation",
    "ValidationError",
    "ValidationException",
)
"""Codes that say no more than the kind of a fault: several failures have each of them."""


def test_every_failure_has_a_message() -> None:
    assert {*MESSAGES, *(message.failure for message in REAL)} == {failure.id for failure in FAILURES}


def test_no_two_failures_have_one_id() -> None:
    assert len({failure.id for failure in FAILURES}) == len(FAILURES)


def test_no_two_failures_of_the_deciding_rank_recognise_a_message() -> None:
    for text in (*MESSAGES.values(), *(message.text for message in REAL)):
        recognised = [failure for failure in FAILURES if failure.recognises(text)]
        rank = min(failure.rank for failure in recognised)
        assert len([failure.id for failure in recognised if failure.rank is rank]) == 1, text


def test_the_lowest_rank_decides() -> None:
    deny = "User: me is not authorized to perform: iam:CreateRole on resource: role/x"
    ranks = {failure_of(id_).rank for id_ in ("no-permission", "name-in-use", "account-limit")}
    assert ranks == {Rank.GENERAL}
    assert _id_of(deny) == "no-permission"
    assert _id_of(f"{deny} because no permissions boundary allows the iam:CreateRole action") == "boundary"
    assert _id_of(f"{deny} with an explicit deny in a resource control policy") == "organization-policy"
    assert _id_of(f"{deny} with an explicit deny") == "explicit-deny"
    assert _id_of("Model m: API Key already exists") == "key-value"
    assert _id_of("Model m already exists") == "name-in-use"


@pytest.mark.parametrize("code", SHARED_CODES)
def test_a_code_that_failures_share_decides_nothing(code: str) -> None:
    assert _id_of(f"An error occurred ({code}) when calling the CreateModel operation: oddly so") is None
    assert _id_of(f"Oddly so (Service: SageMaker; Status Code: 400; Error Code: {code}; Proxy: null)") is None
    assert _id_of(f'"Oddly so" (RequestToken: 1, HandlerErrorCode: {code})') is None


def test_capital_letters_do_not_matter() -> None:
    for message in REAL:
        ids = {_id_of(message.text.upper()), _id_of(message.text.lower()), _id_of(message.text)}
        assert len(ids) == 1, message.text


@pytest.mark.parametrize("id_", ["throttled", "concurrent-change", "new-role", "unknown-principal"])
def test_what_passes_by_itself_says_to_run_it_again_and_to_delete_nothing(id_: str) -> None:
    fix = failure_of(id_).fix
    assert "again" in fix
    assert "minute" in fix
    assert "delete" not in fix


@pytest.mark.parametrize("id_", ["organization-policy", "boundary", "explicit-deny", "endpoint-policy"])
def test_what_a_policy_forbids_is_no_missing_permission_and_has_somebody_who_can_change_it(id_: str) -> None:
    failure = failure_of(id_)
    assert "permission that the message names" not in failure.fix
    assert re.search(
        r"ask (who manages|the account's administrator)|administrator, who can change", failure.fix
    )
    assert failure.docs.startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize(
    "id_", ["resource-count", "template-size", "policy-size", "package-size", "environment-size"]
)
def test_a_fixed_limit_says_so_and_sends_nobody_to_service_quotas(id_: str) -> None:
    fix = failure_of(id_).fix
    assert fix.startswith("a fixed limit: ")
    assert "Quotas" not in fix


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
    known = {failure.id for failure in (*FAILURES, UNKNOWN)}
    silent = ROLLED_BACK.partition("#")[2]  # AWS says nothing then, so there is no message to know
    assert {_anchor(heading) for heading in headings} == {*known, silent}


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


def _id_of(message: str) -> str | None:
    failure = recognise(message)
    return failure.id if failure else None


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")
