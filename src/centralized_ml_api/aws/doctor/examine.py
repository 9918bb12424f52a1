"""All checks on one deployment to be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.doctor import (
    bootstrap,
    credentials,
    jumpstart,
    limits,
    quotas,
    stack_state,
    subscriptions,
)
from centralized_ml_api.aws.failures import explain_failures
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.finding import Finding, build_config_findings, is_healthy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.plan.finding import Look

OF_THE_CONFIG = (limits, jumpstart)
OF_THE_ACCOUNT = (bootstrap, stack_state, quotas, subscriptions)


def examine(subject: DoctorContext) -> list[Finding]:
    """Everything that is found, at once; what needs credentials is left out where there are none."""
    found = build_config_findings(subject.path, subject.problems)
    found += [one for part in OF_THE_CONFIG for one in part.check(subject)]
    identity = list(credentials.check(subject))
    found += identity
    if not is_healthy(identity):
        left_out = ", ".join(part.CHECK for part in OF_THE_ACCOUNT)
        return [*found, Finding("account", "unknown", f"not looked at without credentials: {left_out}")]
    for part in OF_THE_ACCOUNT:
        found += _look(part.CHECK, partial(part.check, subject))
    return found


def _look(name: str, look: Look) -> Iterable[Finding]:
    """What a check finds, or why it could not look."""
    try:
        return list(look())
    except (BotoCoreError, ClientError, DeployError) as error:
        explained = explain_failures([str(error)])
        failure = explained[0].failure if explained else None
        fix, page = (failure.fix, failure.page) if failure else ("", "")
        first_line = str(error).partition("\n")[0]
        return [Finding(name, "unknown", f"{name}: could not be looked at", first_line, fix, page)]
