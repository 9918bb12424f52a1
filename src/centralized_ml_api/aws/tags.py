"""How what belongs to a deployment is marked, for bills and for whoever looks for it."""

from __future__ import annotations

STACK_TAG = "centralized-ml-api:stack"
"""On everything: the name of the stack. A budget counts by it, once it is activated for cost allocation.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
"""

TEAM_TAG = "centralized-ml-api:team"
"""On keys: whose they are."""


def key_tags(stack: str, team: str) -> dict[str, str]:
    """The tags of a team's key."""
    return {STACK_TAG: stack, TEAM_TAG: team}
