"""Functions at once, API Gateway's role for logs, and billing access for the budget."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.doctor.context import load_context
from centralized_ml_api.aws.doctor.service_checks import check_budget, check_concurrency, check_log_role
from support.aws_wire import (
    Answer,
    AwsWire,
    concurrency,
    refusal,
    role_trusted_by,
    stack_resources,
    xml_refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.plan.finding import Finding

    Check = Callable[[DoctorContext], Iterator[Finding]]

ACCOUNT = "lambda.GET /2016-08-19/account-settings"
ROLE = "arn:aws:iam::123456789012:role/service-role/theirs"
GATEWAY = "apigateway.amazonaws.com"


@pytest.fixture
def find(tmp_path: Path) -> Callable[..., list[Finding]]:
    """Runs a check on a config with this event."""

    def run(check: Check, **event: Any) -> list[Finding]:
        entries = [{"name": "adopted", "integration": {"type": "api"}}]
        path = tmp_path / "models.json"
        path.write_text(
            json.dumps({"models": [], "endpoints": entries, **({"event": event} if event else {})})
        )
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return list(check(load_context(path, AwsClients("us-east-1"), "s", now)))

    return run


def test_a_new_account_has_room_for_few_calls(aws: AwsWire, find: Callable[..., list[Finding]]) -> None:
    aws.answers[ACCOUNT] = concurrency(10)
    (finding,) = find(check_concurrency)
    assert finding.severity == "warning"
    assert finding.title == "Lambda has room for 10 calls of chats, streams and functions at once"
    assert "the config lets 200 calls begin at once" in finding.detail
    assert '"Concurrent executions" of AWS Lambda to 1000 in Service Quotas (us-east-1)' in finding.fix


def test_with_keys_calls_that_begin_together_need_two_functions(
    aws: AwsWire, find: Callable[..., list[Finding]]
) -> None:
    aws.answers[ACCOUNT] = concurrency(399)
    (finding,) = find(check_concurrency, teams=["red"])
    assert finding.severity == "warning"
    assert "with keys, for 199 under /v1 that begin together" in finding.detail
    aws.answers[ACCOUNT] = concurrency(400)
    assert find(check_concurrency, teams=["red"])[0].severity == "ok"


def test_what_other_functions_reserve_is_not_there(aws: AwsWire, find: Callable[..., list[Finding]]) -> None:
    aws.answers[ACCOUNT] = concurrency(1000, shared=150)
    (finding,) = find(check_concurrency)
    assert finding.title.startswith("Lambda has room for 150 calls")
    assert finding.detail.startswith("1000 executions at once in us-east-1, 850 of them reserved")


@pytest.mark.parametrize(
    ("role", "severity", "title"),
    [
        (role_trusted_by(GATEWAY), "ok", "API Gateway has a role for logs, which a deploy keeps"),
        (xml_refusal("AccessDenied", "no"), "ok", "API Gateway has a role for logs, which a deploy keeps"),
        (
            xml_refusal("NoSuchEntity", "no", 404),
            "ok",
            "API Gateway's role for logs no longer exists; a deploy replaces it",
        ),
        (
            role_trusted_by("lambda.amazonaws.com"),
            "ok",
            "API Gateway's role for logs does not trust API Gateway; a deploy replaces it",
        ),
    ],
)
def test_another_role_for_logs(
    role: Answer, severity: str, title: str, aws: AwsWire, find: Callable[..., list[Finding]]
) -> None:
    aws.answers |= {"apigateway.GET /account": Answer(200, {"cloudwatchRoleArn": ROLE}), "iam.GetRole": role}
    (finding,) = find(check_log_role)
    assert (finding.severity, finding.title) == (severity, title)


def test_the_own_role_for_logs(aws: AwsWire, find: Callable[..., list[Finding]]) -> None:
    assert find(check_log_role)[0].title == "API Gateway has no role for logs yet; a deploy gives it one"
    aws.answers |= {
        "apigateway.GET /account": Answer(200, {"cloudwatchRoleArn": ROLE}),
        "iam.GetRole": role_trusted_by(GATEWAY),
        "cloudformation.ListStackResources": stack_resources(("AWS::IAM::Role", "Role", "theirs")),
    }
    assert find(check_log_role)[0].title == "API Gateway's role for logs is this stack's own"
    aws.answers["iam.GetRole"] = xml_refusal("NoSuchEntity", "no", 404)
    (finding,) = find(check_log_role)
    assert (finding.severity, "console" in finding.fix) == ("warning", True)


def test_a_budget_needs_access_to_billing(aws: AwsWire, find: Callable[..., list[Finding]]) -> None:
    budget = {"usd": 5, "email": "you@example.com"}
    assert find(check_budget) == [], "without a budget nobody is asked"
    assert find(check_budget, budget=budget)[0].severity == "ok"
    words = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: budgets:ViewBudget"
    aws.answers["budgets.DescribeBudgets"] = refusal("AccessDeniedException", words)
    (finding,) = find(check_budget, budget=budget)
    assert (finding.severity, finding.detail) == ("warning", words)
    assert "IAM user and role access to billing information" in finding.fix
    words = (
        "Account 1 is a linked account. To enable budgets for your account, ask the payer account to enable"
    )
    aws.answers["budgets.DescribeBudgets"] = refusal("AccessDeniedException", words)
    (finding,) = find(check_budget, budget=budget)
    assert (finding.severity, finding.page.partition("#")[2]) == ("error", "linked-account")
