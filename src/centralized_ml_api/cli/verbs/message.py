"""`mlapi message`: says something to everybody who uses the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("words", required=False, default="")
@click.option("--clear", is_flag=True, help="Take the message away.")
@state_option
def message(words: str, state: Path, *, clear: bool) -> int:
    """Say something to everybody, such as "Lunch is here".

    The page shows WORDS as a banner, and every answer has them in the header x-event-message. They replace
    the message before, and stay until --clear, or until the API stops.
    """
    if clear == bool(words.strip()):
        raise UsageError("say either what the message is, or --clear")
    client, flags = connect(state), state_flags(state)
    before = client.say(words)
    if clear:
        output.data("There is no message any more." if before else "There was no message.")
        output.next_command(command("status", *flags))
        return 0
    output.data("Everybody sees it from now on.")
    output.next_command(command("message", "--clear", *flags))
    return 0
