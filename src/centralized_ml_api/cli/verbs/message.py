"""`mlapi message`: says something to everybody who uses the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import Target, region_option, stack_option, state_option, target_option
from centralized_ml_api.cli.targets import connect, open_aws_acts
from centralized_ml_api.cli.verbs.pause import target_flags
from centralized_ml_api.commands import DEFAULT_CONFIG, command
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("words", nargs=-1)
@click.option("--clear", is_flag=True, help="Take the message away.")
@target_option("Tell who uses what runs on this machine, or what is deployed.")
@state_option
@region_option
@stack_option
def message(
    words: tuple[str, ...], *, clear: bool, target: Target, state: Path, region: str | None, stack: str
) -> int:
    """Say something to everybody, such as "Lunch is here".

    The page shows WORDS as a banner, and answers have them in the header x-event-message. They replace the
    message before, and stay until --clear, or until the API stops. With --target aws the page shows them
    within half a minute; a deploy that changes the function that streams takes them away, too.
    """
    text = " ".join(words)
    if clear == bool(text.strip()):
        raise UsageError("say either what the message is, or --clear")
    if target == "aws":
        acts = open_aws_acts(DEFAULT_CONFIG, region=region, stack=stack, state=state)
        before = acts.do("message", {"words": text})["before"]
    else:
        before = connect(state).say(text)
    flags = target_flags(target, state, region, stack)
    if clear:
        output.data("There is no message any more." if before else "There was no message.")
        output.next_command(command("status", *flags))
        return 0
    output.data("Everybody sees it from now on.")
    output.next_command(command("message", "--clear", *flags))
    return 0
