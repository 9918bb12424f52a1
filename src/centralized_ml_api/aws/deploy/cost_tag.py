"""Activates the stack's tag for cost allocation, without which a budget counts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.stack.contract import STACK_TAG

if TYPE_CHECKING:
    from centralized_ml_api.aws.clients import AwsClients

CONSOLE = "https://console.aws.amazon.com/costmanagement/home#/tags"
"""Where a person activates it. Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html"""

_LINKED = "linked account"
"""AWS's word for a member of an organization: "Linked account doesn't have access to cost allocation tags".

Source: https://github.com/2i2c-org/infrastructure/pull/4932
"""


def activate_cost_tag(clients: AwsClients) -> str:
    """Asks AWS to count costs by the tag; returns a sentence on what came of it. Never fails a deploy.

    AWS knows a tag up to a day after it is first used, and only the account that pays may activate it.
    Source: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_UpdateCostAllocationTagsStatus.html
    and https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
    """
    entry = {"TagKey": STACK_TAG, "Status": "Active"}
    try:
        answer = clients.client("ce").update_cost_allocation_tags_status(CostAllocationTagsStatus=[entry])
    except (BotoCoreError, ClientError) as error:
        return _explain(str(error))
    failed = answer.get("Errors", [])
    return (
        _explain(failed[0].get("Message", ""))
        if failed
        else f"The budget counts what has the tag {STACK_TAG}."
    )


def _explain(message: str) -> str:
    if _LINKED in message.lower():
        return (
            f"The budget counts nothing yet: this account belongs to an organization, and only its management"
            f" account may activate the cost allocation tag {STACK_TAG} (all accounts share it): {CONSOLE}"
        )
    if "not found" in message.lower() or "validationexception" in message.lower():
        return (
            f"The budget counts nothing yet: AWS learns of the tag {STACK_TAG} up to a day after its first"
            f" use. Deploy again then, which activates it, or activate it there: {CONSOLE}"
        )
    first_line = message.partition("\n")[0]
    return (
        f"The budget counts nothing until somebody activates the cost allocation tag {STACK_TAG}: {CONSOLE}"
        f" (tried with your credentials: {first_line})"
    )
