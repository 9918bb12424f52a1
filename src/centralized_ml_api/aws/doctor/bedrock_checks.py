"""Checks that the account may call the models of Bedrock that the config names. Calls no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.plan.bedrock_access import judge_access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.plan.finding import Finding


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
