"""`mlapi extend`: a later end of the event, in the config and wherever it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.api.event_end import render_instant, render_left
from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import aws_flags
from centralized_ml_api.cli.confirming import confirm
from centralized_ml_api.cli.editing import check_edit, save_edit
from centralized_ml_api.cli.options import (
    config_argument,
    region_option,
    stack_option,
    state_option,
    target_option,
    yes_option,
)
from centralized_ml_api.cli.reloaded import check_reloaded
from centralized_ml_api.cli.until import Until, UntilArgument
from centralized_ml_api.config.checks.event.ends_form import parse_instant
from centralized_ml_api.config.document import load_document
from centralized_ml_api.config.edit import set_value
from centralized_ml_api.errors import NotRunningError, UsageError

if TYPE_CHECKING:
    from centralized_ml_api.config.document import Document


@click.command()
@click.argument("until", type=UntilArgument())
@config_argument
@target_option("What is told besides the config.")
@region_option
@stack_option
@state_option
@yes_option
def extend(
    *, until: Until, config: Path, target: str, region: str | None, stack: str, state: Path, yes: bool
) -> None:
    """Move the end of the event: write it into the config and tell what runs.

    UNTIL is an instant such as 2030-06-01T18:00:00+02:00, a time from now such as 2h, or one after the
    present end such as +2h. Whatever else stands in the config stays as it is, comments too. An earlier end
    than the present one is asked about first.
    """
    document, now = load_document(config), datetime.now(UTC).replace(microsecond=0)
    before = _end_of(document)
    after = until.resolve(before, now)
    _check_sense(before, after, now, yes=yes)
    text = set_value(document, ("event", "ends"), _written(after))
    check_edit(config, text)
    if target == "aws":
        _tell_aws(config, after, region=region, stack=stack, state=state)
    save_edit(config, document, text)
    was = f" (it was {_written(before)})" if before else ""
    output.data(f"The event ends at {_written(after)}, in {render_left(after - now)}{was}.")
    if target == "local":
        _tell_local(config, after, state)
    else:
        again = aws_flags(region, stack)
        output.next_command(f"mlapi deploy {config}{again}, or else answers go on to name the end as it was")


def _end_of(document: Document) -> datetime | None:
    """The end that is written; None also where it cannot be read as one."""
    event = document.value.get("event") if isinstance(document.value, dict) else None
    ends = event.get("ends") if isinstance(event, dict) else None
    return parse_instant(ends) if isinstance(ends, str) else None


def _check_sense(before: datetime | None, after: datetime, now: datetime, *, yes: bool) -> None:
    if after <= now:
        raise UsageError(
            f"{_written(after)} is past",
            fix="name a later instant; to stop at once: mlapi down, or on AWS mlapi destroy",
        )
    if before is not None and after < before:
        output.talk(f"That is {render_left(before - after)} earlier than now: {_written(before)}.")
        confirm("End it earlier?", yes=yes)


def _written(instant: datetime) -> str:
    """In its own zone, as people write it."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _tell_aws(config: Path, until: datetime, *, region: str | None, stack: str, state: Path) -> None:
    from centralized_ml_api.cli.aws_target import open_target  # noqa: PLC0415  # only these verbs pay for it

    target, clients = open_target(config, region=region, stack=stack, state=state)
    from centralized_ml_api.aws.schedule import extend as move_end  # noqa: PLC0415

    move_end(target, clients, until)
    output.talk(f"AWS knows: the stack {stack} in {target.region} deletes itself then.")


def _tell_local(config: Path, until: datetime, state: Path) -> None:
    """By taking the config anew, which drops no call."""
    from centralized_ml_api.local.machine.state_folder import StateFolder  # noqa: PLC0415
    from centralized_ml_api.local.run.control import ControlClient  # noqa: PLC0415  # only this verb pays for it

    try:
        client = ControlClient(StateFolder(state).load_run())
        served = client.status().config
    except NotRunningError:
        again = f"mlapi extend {_written(until)} {config} --target aws"
        output.next_command(f"mlapi up {config}, or where it is deployed: {again}")
        return
    if Path(served).resolve() != config.resolve():
        output.talk(f"What runs here serves another config, {served}: it goes on as before.")
        return
    check_reloaded(client.reload(None))
    stops = client.status().ends
    if stops == render_instant(until):
        output.talk("What runs here knows.")
    else:
        output.talk(f"What runs here stops earlier, at {stops}: --for says so.")
    output.next_command("mlapi status")
