"""Wakes a deployed model that sleeps: gives its inference component a copy, and waits until that serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.aws.stack.live_endpoints import load_component, load_live_endpoints, repair_component
from centralized_ml_api.commands import command
from centralized_ml_api.errors import DeployError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.live_endpoints import Component

LOOK_SECONDS = 10.0
"""How often SageMaker is asked; a wake takes minutes."""

LONGEST_WAKE_SECONDS = 30 * 60
"""How long it is asked. A wake takes five to ten minutes, a large model some more; where AWS has no instance
of the type, it never ends."""


def wake_model(
    clients: AwsClients,
    stack: str,
    entry: str,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    """Wakes the model of an entry; returns once a copy of it serves.

    Target tracking lets it sleep again when nobody calls it.

    Args:
        clients: Of the region of the stack.
        stack: The name of the stack.
        entry: The name of the entry in the config.
        say: Tells the user what goes on.
        sleep: Waits for so many seconds.

    Raises:
        UsageError: The stack has no such entry, or its model never sleeps.
        DeployError: The model does not wake, or not in time, or AWS refused.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateInferenceComponentRuntimeConfig.html
    """
    try:
        component = begin_to_wake(clients, stack, entry)
        sagemaker = clients.client("sagemaker")
        if component.sleep == "asleep":
            say(f"{entry} wakes, which takes minutes. Ctrl-C stops only the waiting.")
        for _ in range(int(LONGEST_WAKE_SECONDS / LOOK_SECONDS)):
            found = load_component(sagemaker, component.name)
            if _is_awake(entry, found, clients.region):
                return
            sleep(LOOK_SECONDS)
        raise _build_overdue_error(entry, component, found, clients.region, stack)
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"cannot wake {entry}", error) from error


def begin_to_wake(clients: AwsClients, stack: str, entry: str) -> Component:
    """Asks SageMaker for a copy of an entry's model, if it sleeps; returns its component as it was before.

    Args:
        clients: Of the region of the stack.
        stack: The name of the stack.
        entry: The name of the entry in the config.

    Raises:
        UsageError: The stack has no such entry, or its model never sleeps.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    component = _find(clients, stack, entry)
    if component.sleep == "asleep":
        clients.client("sagemaker").update_inference_component_runtime_config(
            InferenceComponentName=component.name, DesiredRuntimeConfig={"CopyCount": 1}
        )
    return component


def _build_overdue_error(
    entry: str, component: Component, now: Component | None, region: str, stack: str
) -> DeployError:
    """Builds what is said of a model that is not ready in time; AWS goes on with it.

    Args:
        entry: The name of the entry.
        component: Its component.
        now: How that is now.
        region: Where it is.
        stack: The name of the stack.
    """
    reason = f": {now.reason}" if now and now.reason else ""
    again = command("wake", entry, "--target", "aws", *stack_flags(region, stack))
    return DeployError(
        f"{entry} is not ready after {LONGEST_WAKE_SECONDS // 60} minutes{reason}",
        fix=f"AWS goes on trying, and may lack instances of this type in {region}.\n"
        f"  {repair_component(component, region)}\n  wait again: {again}",
    )


def _find(clients: AwsClients, stack: str, entry: str) -> Component:
    endpoints = {endpoint.entry: endpoint for endpoint in load_live_endpoints(clients, stack)}
    if entry not in endpoints:
        names = ", ".join(endpoints) or "none"
        raise UsageError(
            f"{stack} has no endpoint for an entry {entry}",
            fix=f"name one of these: {names}; or another stack with --stack and --region",
        )
    component = endpoints[entry].component
    if component is None:
        raise UsageError(
            f"{entry} never sleeps", fix='give its "autoscaling" a "min_capacity" of 0, and deploy'
        )
    return component


def _is_awake(entry: str, component: Component | None, region: str) -> bool:
    """Returns whether a copy serves.

    Raises:
        DeployError: None will.
    """
    if component is None:
        raise DeployError(f"{entry} was removed")
    if component.status == "Failed":
        raise DeployError(
            f"{entry} did not wake: {component.reason or 'its log says why'}",
            fix=repair_component(component, region),
        )
    if component.sleep == "asleep":
        raise DeployError(f"{entry} was put to sleep before it was ready")
    return component.copies > 0
