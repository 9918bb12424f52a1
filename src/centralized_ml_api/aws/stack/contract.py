"""What a template writes and the verbs read back: keys of outputs, tags, the form of an instant."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.plan.aws.event import END_RETRY_MINUTES, ENDPOINTS_FIRST_MINUTES

if TYPE_CHECKING:
    from datetime import datetime

ADDRESS_OUTPUT = "MyApiEndpoint"
"""The address of the API."""

PAGE_OUTPUT = "CatalogueUrl"
"""The address of the page, which is that of the API, for people."""

KEY_IDS_OUTPUT = "TeamKeyIds"
"""API Gateway's ids of the teams' first keys, as JSON. Never their values."""

PROVIDER_SECRETS_OUTPUT = "ProviderSecrets"
"""The ARNs of the secrets for providers' keys by their ids in the plan, as JSON. Never their values."""

JOINING_OUTPUT = "Joining"
"""What `mlapi join` needs, as JSON: the `table` of who has joined, the number of `places`, and until when."""

DASHBOARD_OUTPUT = "DashboardUrl"
"""The address of the dashboard in the CloudWatch console."""

START_OUTPUT = "EventStarts"
"""The instant from which on keys work, where the config has one."""

DOMAIN_TARGET_OUTPUT = "DomainTarget"
"""What a name of your own must be a CNAME of."""

KEY_ENDS_OUTPUT = "KeyEndsRole"
"""The ARN of the role by which AWS ends a rotated key after its grace period."""

LOG_ROLE_PARAMETER = "AccountLogRole"
"""The parameter that says what becomes of API Gateway's role for logs: `make` one of the stack, or `keep`."""

STACK_TAG = "centralized-ml-api:stack"
"""On every resource: the name of the stack. A budget counts by it once it is activated for cost allocation.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
"""

TEAM_TAG = "centralized-ml-api:team"
"""On keys: the name of the team."""


PLACES_PLAN = "(places)"
"""The name of the usage plan of all places. No team has it."""

PAUSED_VARIABLE, NOTHING_PAUSED = "PAUSED", "{}"
"""The variable of the function that hands keys on with what is paused, as JSON; and its first value."""

MESSAGE_VARIABLE, NO_MESSAGE = "EVENT_MESSAGE", '""'
"""The variable of the function that streams with what is said to everybody, as JSON; and its first value."""

STREAM_FUNCTION = "StreamFunction"
"""What the logical id has of that function."""

HASH_CHARACTERS = 16
"""How much of the SHA-256 of a key, in hexadecimal, stands for it in `PAUSED_VARIABLE`."""

KEY_FUNCTION = "KeyFunction"
"""What the logical id has of the function that hands keys on."""

SPENDING_TABLE = "Spending"
"""What the logical id has of the table that counts what teams spend."""

END_RATE = f"rate({END_RETRY_MINUTES} minutes)"
"""How often the end of an event deletes what there is, from its `StartDate` on, until nothing is left of it.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
"""

DELETE_STACK = "cloudformation:deleteStack"
"""The call of the schedule that deletes the stack, as EventBridge Scheduler names it."""

DELETE_ENDPOINT = "sagemaker:deleteEndpoint"
"""The call of a schedule that deletes an endpoint."""

DELETE_COMPONENT = "sagemaker:deleteInferenceComponent"
"""The call of a schedule that deletes an inference component."""


def stack_start(ends: datetime, *, has_endpoints: bool) -> datetime:
    """Returns when the stack is deleted: at the end, or once its endpoints had time to go."""
    return ends + timedelta(minutes=ENDPOINTS_FIRST_MINUTES) if has_endpoints else ends


def key_tags(stack: str, team: str) -> dict[str, str]:
    """Builds the tags of a team's key."""
    return {STACK_TAG: stack, TEAM_TAG: team}


def render_start(instant: datetime) -> str:
    """Renders the instant from which a schedule repeats: `2030-06-01T16:00:00Z`."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def render_schedule(instant: datetime) -> str:
    """Renders an instant for EventBridge Scheduler: `at(2030-06-01T16:00:00)`, once, for a schedule in UTC.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#one-time
    """
    return f"at({instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S})"
