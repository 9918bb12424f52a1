"""Runs all checks on one planned deployment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.doctor.account_checks import (
    check_bootstrap,
    check_credentials,
    check_end,
    check_endpoints,
    check_images,
    check_mail,
    check_stack,
    check_subscriptions,
)
from centralized_ml_api.aws.doctor.config_checks import check_jumpstart, check_limits
from centralized_ml_api.aws.doctor.quotas import check_integration_timeout, check_quotas
from centralized_ml_api.aws.doctor.service_checks import (
    check_bedrock,
    check_budget,
    check_concurrency,
    check_log_role,
)
from centralized_ml_api.aws.failures.explain import explain_failures
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.finding import Finding, build_config_findings, is_healthy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.plan.finding import Look

ACCOUNT_CHECKS = {
    "bootstrap": check_bootstrap,
    "stack": check_stack,
    "endpoints": check_endpoints,
    "end": check_end,
    "mail": check_mail,
    "quota": check_quotas,
    "concurrency": check_concurrency,
    "log role": check_log_role,
    "budget": check_budget,
    "subscription": check_subscriptions,
    "image": check_images,
    "timeout": check_integration_timeout,
    "bedrock": check_bedrock,
}
"""The checks that need credentials, by the word for their findings."""


def examine(context: DoctorContext) -> list[Finding]:
    """Returns all findings; without credentials, names the checks that need them instead of running them."""
    found = [
        *build_config_findings(context.path, context.problems),
        *check_limits(context),
        *check_jumpstart(context),
    ]
    identity = list(check_credentials(context))
    found += identity
    if not is_healthy(identity):
        skipped = ", ".join(ACCOUNT_CHECKS)
        return [*found, Finding("account", "unknown", f"not checked without credentials: {skipped}")]
    for name, check in ACCOUNT_CHECKS.items():
        found += _run(name, partial(check, context))
    return found


def _run(name: str, check: Look) -> Iterable[Finding]:
    """Returns what a check finds, or why it could not run."""
    try:
        return list(check())
    except (BotoCoreError, ClientError, DeployError) as error:
        explained = explain_failures([str(error)])
        failure = explained[0].failure if explained else None
        fix, page = (failure.fix, failure.page) if failure else ("", "")
        first_line = str(error).partition("\n")[0]
        return [Finding(name, "unknown", f"{name}: could not be checked", first_line, fix, page)]
