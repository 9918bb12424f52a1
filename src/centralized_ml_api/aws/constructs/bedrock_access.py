"""Lets the function call models of Bedrock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.aws.constructs.resources import allow
from centralized_ml_api.plan.aws.bedrock import ACCOUNT, INVOKE_BEDROCK, PARTITION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.bedrock import BedrockGrant


def allow_bedrock(grants: Iterable[BedrockGrant], here: StackContext) -> Iterable[Statement]:
    """Yields a statement for all models that are called by themselves, and one for each profile's model."""

    def complete(arn: str) -> str:
        return arn.replace(PARTITION, here.partition).replace(ACCOUNT, here.account)

    known = tuple(grants)
    alone = [complete(grant.resource) for grant in known if grant.profile is None]
    if alone:
        yield allow(INVOKE_BEDROCK, alone)
    for grant in known:
        if grant.profile is not None:
            condition = {"StringEquals": {"bedrock:InferenceProfileArn": complete(grant.profile)}}
            yield allow(INVOKE_BEDROCK, [complete(grant.resource)], condition)
