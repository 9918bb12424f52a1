"""`mlapi extend`: moves the end of the event, in the config and wherever it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.api.event_end import render_instant, render_left
from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    Duration,
    Target,
    config_argument,
    region_option,
    stack_option,
    state_option,
    target_option,
    yes_option,
)
from centralized_ml_api.cli.targets import connect, open_aws_target, reload_config
from centralized_ml_api.commands import command, shown_path, state_flags
from centralized_ml_api.config.checks.event.ends import parse_instant
from centralized_ml_api.config.revise import Until, move_end, write_instant
from centralized_ml_api.errors import MlApiError, NotRunningError

if TYPE_CHECKING:
    from click.core import Context, Parameter


class UntilArgument(click.ParamType[Until]):
    """`2030-06-01T18:00:00+02:00`, `2h` from now, or `+2h` after the present end, converted to `Until`."""

    name = "until"

    def convert(self, value: object, param: Parameter | None, ctx: Context | None) -> Until:
        """Returns the instant as it was meant.

        Raises:
            click.BadParameter: The value has another form.
        """
        written = str(value)
        instant = parse_instant(written)
        if instant is not None:
            return Until(instant=instant)
        if written[:1].isdigit() and "-" in written:
            self.fail(f"{written!r} is not an instant: write 2030-06-01T18:00:00+02:00", param, ctx)
        seconds = Duration().convert(written.removeprefix("+"), param, ctx)
        return Until(later=timedelta(seconds=seconds), from_now=not written.startswith("+"))


@click.command()
@click.argument("until", type=UntilArgument())
@config_argument
@target_option("Tell what runs on this machine, or what is deployed.")
@region_option
@stack_option
@state_option
@yes_option
def extend(
    *, until: Until, config: Path, target: Target, region: str | None, stack: str, state: Path, yes: bool
) -> None:
    """Move the end of the event.

    UNTIL is an instant such as 2030-06-01T18:00:00+02:00, a time from now such as 2h, or a time after the
    present end such as +2h. It is written into CONFIG; the rest of the file stays as it is, comments too.
    What runs is told. You are asked before the end moves to an earlier instant.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    moved = move_end(config, until, now)
    before, after = moved.before, moved.after
    stop = command("destroy", config, *stack_flags(region, stack))
    if target == "local":
        stop = command("down", *state_flags(state))
    moved.check_is_later(now, f"choose a later instant, or stop at once: {stop}")
    _confirm_earlier(before, after, yes=yes)
    moved.check()
    if target == "aws":
        _tell_aws(config, after, region=region, stack=stack, state=state)
    moved.save()
    was = f" (it was {write_instant(before)})" if before else ""
    output.data(f"The event ends at {write_instant(after)}, in {render_left(after - now)}{was}.")
    output.talk(f"Written to {shown_path(config)}.")
    if target == "local":
        _tell_local(config, after, state)
    else:
        output.talk("Until the next deploy, responses name the old end.")
        output.next_command(command("deploy", config, *stack_flags(region, stack)))


def _confirm_earlier(before: datetime | None, after: datetime, *, yes: bool) -> None:
    if before is not None and after < before:
        output.talk(
            f"That is {render_left(before - after)} earlier than the present end, {write_instant(before)}."
        )
        output.confirm("Move the end earlier?", yes=yes)


def _tell_aws(config: Path, until: datetime, *, region: str | None, stack: str, state: Path) -> None:
    target, clients = open_aws_target(config, region=region, stack=stack, state=state)
    from centralized_ml_api.aws.deploy.deployment import extend as move_end

    move_end(target, clients, until)
    output.talk(f"The stack {stack} in {target.region} now deletes itself then.")


def _tell_local(config: Path, until: datetime, state: Path) -> None:
    """Reloads the config, which drops no call."""
    from centralized_ml_api.organizer.journal import Journal, note_extension, note_not_applied

    try:
        client = connect(state)
        served = client.status().config
    except NotRunningError:
        output.talk(
            f"If it is deployed: {command('extend', write_instant(until), config, '--target', 'aws')}"
        )
        output.next_command(command("up", config, *state_flags(state)))
        return
    if Path(served).resolve() != config.resolve():
        output.talk(f"What runs here serves another config, {shown_path(Path(served))}, and keeps its end.")
        output.next_command(command("extend", write_instant(until), Path(served), *state_flags(state)))
        return
    journal = Journal(state)
    note_extension(journal, until)  # it is in the config, whatever comes of the reload
    try:
        reload_config(client, None)
    except MlApiError as error:
        note_not_applied(journal, str(error))
        raise
    stops = client.status().ends
    if stops == render_instant(until):
        output.talk("What runs here now stops then.")
    else:
        output.talk(f"What runs here stops earlier, at {stops}, because of --for.")
    output.next_command(command("status", *state_flags(state)))
