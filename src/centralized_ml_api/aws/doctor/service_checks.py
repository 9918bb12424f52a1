"""Checks of what an API needs besides instances: functions at once, the log role, the budget, Bedrock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from centralized_ml_api.aws.deploy.account import load_account
from centralized_ml_api.aws.deploy.log_role import load_log_role
from centralized_ml_api.aws.failures.known import failure_of, recognise
from centralized_ml_api.plan.bedrock_access import judge_access
from centralized_ml_api.plan.event import build_event
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext

_DENIED = frozenset({"AccessDeniedException", "AccessDenied"})
_BILLING_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/getting-started-account-iam.html"


def check_concurrency(context: DoctorContext) -> Iterator[Finding]:
    """Yields one finding: how many calls the account's functions can answer at once.

    A call under `/v1`, to a stream or to a function holds one execution as long as its answer lasts. With
    keys, a call under `/v1` first runs the key function, so that calls that begin together need two each.
    New accounts may run far fewer than 1,000 functions at once.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    and https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    limit = context.clients.client("lambda").get_account_settings()["AccountLimit"]
    total = int(limit["ConcurrentExecutions"])
    shared = int(limit.get("UnreservedConcurrentExecutions", total))
    event = build_event(context.config.event if context.config else None)
    together = shared // 2 if event.needs_key else shared
    calls = "calls of chats, streams and functions at once"
    title = f"Lambda has room for {shared} {calls}"
    keys = f"; with keys, for {together} under /v1 that begin together" if event.needs_key else ""
    reserved = f", {total - shared} of them reserved by other functions" if total > shared else ""
    numbers = f"{total} executions at once in {context.clients.region}{reserved}{keys}"
    if together >= event.throttle.burst:
        yield Finding("concurrency", "ok", title, numbers)
        return
    burst = event.throttle.burst
    fix = (
        f'request an increase of "Concurrent executions" of AWS Lambda to 1000 in Service Quotas'
        f" ({context.clients.region}); more calls than that get 429"
    )
    said = f"{numbers}; the config lets {burst} calls begin at once"
    yield Finding("concurrency", "warning", title, said, fix, failure_of("concurrency").page)


def check_log_role(context: DoctorContext) -> Iterator[Finding]:
    """Yields one finding: which role writes API Gateway's logs, and what a deploy does about it.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    role = load_log_role(context.clients, context.stack)
    page = failure_of("log-role").page
    if not role.arn:
        yield Finding("log role", "ok", "API Gateway has no role for logs yet; a deploy gives it one")
    elif role.is_kept:
        unread = "; it could not be read" if role.state == "unread" else ""
        title = "API Gateway has a role for logs, which a deploy keeps"
        yield Finding("log role", "ok", title, f"{role.arn}{unread}")
    elif role.own and role.state in {"gone", "foreign"}:
        fix = "name another role in the API Gateway console, under Settings"
        title = "the stack's own role for API Gateway's logs no longer works"
        yield Finding("log role", "warning", title, role.arn, fix, page)
    elif role.own:
        yield Finding("log role", "ok", "API Gateway's role for logs is this stack's own", role.arn)
    else:
        what = "no longer exists" if role.state == "gone" else "does not trust API Gateway"
        title = f"API Gateway's role for logs {what}; a deploy replaces it"
        yield Finding("log role", "ok", title, role.arn)


def check_budget(context: DoctorContext) -> Iterator[Finding]:
    """Yields one finding where the config has a budget: whether this account can have one.

    Budgets need billing data. IAM users and roles get none until the account's owner allows it, the roles by
    which CloudFormation deploys included; nor does a member of an organization until the account that pays
    allows budgets.
    Source: https://docs.aws.amazon.com/cost-management/latest/userguide/control-access-billing.html

    Raises:
        DeployError: AWS does not know who deploys.
        botocore.exceptions.ClientError: AWS refused for another reason.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    if context.config is None or context.config.event is None or context.config.event.budget is None:
        return
    account = load_account(context.clients)
    try:
        context.clients.client("budgets").describe_budgets(AccountId=account, MaxResults=1)
    except ClientError as error:
        message = error.response["Error"].get("Message", "")
        failure = recognise(message)
        if failure is not None and failure.id == "linked-account":
            yield Finding("budget", "error", failure.title, message, failure.fix, failure.page)
            return
        if error.response["Error"]["Code"] not in _DENIED:
            raise
        title = "you may not see budgets, so the deploy may not be able to create one"
        fix = (
            "sign in as the account's root user and activate, under Account, IAM user and role access to"
            " billing information; if it is active, ask for budgets:ViewBudget, or remove the budget from"
            f" the config ({_BILLING_PAGE})"
        )
        yield Finding("budget", "warning", title, message, fix, failure_of("no-permission").page)
        return
    yield Finding("budget", "ok", "this account can have budgets")


def check_bedrock(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each model of Bedrock: whether it is there, and open to the account.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    clients = context.clients
    for entry in context.config.endpoints if context.config else ():
        if entry.bedrock_model_id is None:
            continue
        region = entry.bedrock_region or clients.region
        is_here = region == clients.region
        bedrock = clients.client("bedrock") if is_here else clients.impatient_client("bedrock", region)
        yield judge_access(entry.name, entry.bedrock_model_id, region, bedrock)
