"""`mlapi wake`: wakes a model that sleeps, before somebody calls it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import click

from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import Target, region_option, stack_option, state_option, target_option
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import StartError
from centralized_ml_api.extras import check_installed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.status import EntryStatus, LocalStatus

_LOOK_SECONDS = 0.2


class StatusReader(Protocol):
    """Tells how the entries are: `ControlClient`."""

    def status(self) -> LocalStatus:
        """Returns how they are now."""
        ...


@click.command()
@click.argument("name")
@target_option("Wake a model of this machine, or a deployed one.")
@state_option
@region_option
@stack_option
def wake(name: str, *, target: Target, state: Path, region: str | None, stack: str) -> int:
    """Wake a model that sleeps, before somebody calls it.

    Returns when it is ready. In a group, it waits for its turn. With --target aws that takes minutes.
    """
    if target == "aws":
        return _wake_on_aws(name, region, stack)
    client = connect(state)
    client.wake(name)
    entry = await_awake(client, name)
    if entry.state == "failed":
        raise StartError(
            f"{name} did not wake: {entry.detail or 'its log says why'}",
            fix=f"read its log: {command('logs', name, *state_flags(state))}",
        )
    output.data(f"{name} is ready.")
    output.next_command(command("call", name, *state_flags(state)))
    return 0


def _wake_on_aws(name: str, region: str | None, stack: str) -> int:
    check_installed("aws")
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.event.waking import wake_model

    wake_model(AwsClients(region), stack, name, say=output.talk, sleep=time.sleep)
    output.data(f"{name} is ready.")
    output.next_command(command("status", "--target", "aws", *stack_flags(region, stack)))
    return 0


def await_awake(client: StatusReader, name: str, sleep: Callable[[float], None] = time.sleep) -> EntryStatus:
    """Returns how an entry is once it is ready, or did not wake; tells meanwhile what it waits for.

    Args:
        client: Asks how it is.
        name: The entry.
        sleep: Waits between two looks.

    Raises:
        StartError: The entry is gone, or was put to sleep before it was ready.
    """
    said = ""
    while True:
        entry = next((entry for entry in client.status().entries if entry.name == name), None)
        if entry is None:
            raise StartError(f"{name} was removed", fix="look at the config that is served")
        if entry.state in {"ready", "failed"}:
            return entry
        if entry.state == "asleep" and not (entry.sleep and entry.sleep.wanted):
            raise StartError(f"{name} was put to sleep before it was ready")
        words = f"{name}: {entry.state}{f', {entry.detail}' if entry.detail else ''}"
        if words != said:
            output.talk(words)
        said = words
        sleep(_LOOK_SECONDS)
