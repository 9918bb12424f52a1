"""Describes what is deployed as data: what `mlapi status --target aws` shows and scripts read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.stack.contract import ADDRESS_OUTPUT, START_OUTPUT
from centralized_ml_api.aws.stack.deployed_stack import load_outputs, load_resources, load_state
from centralized_ml_api.aws.stack.ending import load_ending
from centralized_ml_api.aws.stack.live_endpoints import (
    describe_rollback,
    load_live_endpoints,
    repair_component,
    repair_rollback,
)
from centralized_ml_api.aws.stack.mail import load_subscription
from centralized_ml_api.aws.stack.provider_keys import find_empty_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource
    from centralized_ml_api.aws.stack.live_endpoints import LiveEndpoint
    from centralized_ml_api.aws.stack.mail import MailSubscription

_SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack"}
"""The states of SageMaker in which an endpoint answers calls.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
"""

_BROKEN = ("FAILED", "ROLLBACK_COMPLETE")
"""How CloudFormation's states end in which a stack is not what was deployed last."""


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """One endpoint: `entry` is its name in the config, `state` SageMaker's word, or `asleep` or `waking`.

    `instances` are the number and the type of what runs, `trouble` what is wrong, if something is, and `fix`
    what to do about it.
    """

    entry: str
    endpoint: str
    state: str
    instances: tuple[tuple[int, str], ...]
    trouble: str = ""
    fix: str = ""

    @property
    def is_well(self) -> bool:
        """Whether it answers, and runs what was deployed."""
        return self.state in {*_SERVING, "asleep", "waking"} and not self.trouble


@dataclass(frozen=True, slots=True)
class StackStatus:
    """A deployed stack: `state` is CloudFormation's word, `starts` and `ends` are those of its event, if any.

    `is_end_whole` is false where not all of it ends as it should; `latest_end` is then the end that it
    was to move to. `mail` says why nobody gets the stack's mails; it is empty where somebody does, where
    there are none, and where you may not ask. `mail_fix` is what to do. `keyless` are secrets of the stack
    that should hold a provider's key, and hold none.
    """

    stack: str
    region: str
    state: str
    address: str
    ends: datetime | None
    is_end_whole: bool
    endpoints: tuple[EndpointStatus, ...]
    latest_end: datetime | None = None
    starts: datetime | None = None
    mail: str = ""
    mail_fix: str = ""
    keyless: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether everything is as deployed and answers."""
        return (
            self.is_end_whole
            and not self.state.endswith(_BROKEN)
            and not self.keyless
            and all(endpoint.is_well for endpoint in self.endpoints)
        )

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON."""
        described = [
            {
                **asdict(endpoint),
                "instances": [{"count": count, "type": kind} for count, kind in endpoint.instances],
            }
            for endpoint in self.endpoints
        ]
        starts, ends, latest = (
            render_instant(instant) if instant else None
            for instant in (self.starts, self.ends, self.latest_end)
        )
        return {
            **asdict(self),
            "target": "aws",
            "starts": starts,
            "ends": ends,
            "latest_end": latest,
            "endpoints": described,
        }


def load_stack_status(clients: AwsClients, stack: str) -> StackStatus | None:
    """Returns what is deployed, None where there is no such stack.

    Raises:
        DeployError: AWS refused, or could not be asked.
    """
    cloudformation = clients.client("cloudformation")
    try:
        state = load_state(cloudformation, stack)
        if state is None:
            return None
        resources = load_resources(cloudformation, stack)
        ending, mail = load_ending(clients, resources), _ask_for_mail(clients, resources)
        outputs = load_outputs(cloudformation, stack)
        starts = outputs.get(START_OUTPUT)
        return StackStatus(
            stack,
            clients.region,
            state,
            outputs.get(ADDRESS_OUTPUT, ""),
            ending.start if ending else None,
            ending.is_consistent if ending else True,
            tuple(_describe(each, clients.region) for each in load_live_endpoints(clients, stack)),
            ending.latest if ending else None,
            datetime.fromisoformat(starts) if starts else None,
            mail.trouble if mail else "",
            mail.build_fix(clients.region) if mail and mail.trouble else "",
            find_empty_secrets(clients, resources),
        )
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"cannot read the state of {stack}", error) from error


def _ask_for_mail(clients: AwsClients, resources: Iterable[StackResource]) -> MailSubscription | None:
    """Returns who hears of the stack, as far as you may ask: it is no reason to show nothing."""
    try:
        return load_subscription(clients, resources)
    except (BotoCoreError, ClientError):
        return None


def _describe(endpoint: LiveEndpoint, region: str) -> EndpointStatus:
    trouble, fix = endpoint.reason, ""
    if endpoint.is_updating:
        trouble = ""  # the state says that it is updating; what SageMaker says of it, it says afterwards
    elif not endpoint.is_as_deployed:
        trouble, fix = describe_rollback(endpoint), repair_rollback(endpoint, region)
    component, state = endpoint.component, endpoint.status
    if component and state in _SERVING:
        state = component.sleep or state
        if component.status == "Failed":
            state, trouble = component.status, component.reason or trouble or "no copy of it starts"
            fix = repair_component(component, region)
    return EndpointStatus(endpoint.entry, endpoint.name, state, endpoint.running, trouble, fix)
