"""`mlapi pause`: answers calls with 503 and the organizer's words, until `mlapi resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import Target, region_option, stack_option, state_option, target_option
from centralized_ml_api.cli.targets import connect, open_aws_acts
from centralized_ml_api.commands import DEFAULT_CONFIG, command, state_flags
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("name", required=False)
@click.option("--team", help="Answer no calls of this team instead.")
@click.option("--say", "words", default="", metavar="WORDS", help="Tell callers why, or until when.")
@target_option("Pause what runs on this machine, or what is deployed.")
@state_option
@region_option
@stack_option
def pause(
    name: str | None,
    team: str | None,
    words: str,
    *,
    target: Target,
    state: Path,
    region: str | None,
    stack: str,
) -> int:
    """Answer no calls to a model, or to any model without NAME.

    With --team, the calls of one team are refused, and others go on. Callers get 503 with your words. Calls
    that are under way are finished; models stay as they are. A pause ends with mlapi resume, or when the API
    stops. With --target aws it begins within ten seconds, and needs keys: those of teams.
    """
    check_one(name, team)
    if target == "aws":
        acts = open_aws_acts(DEFAULT_CONFIG, region=region, stack=stack, state=state)
        acts.do("pause", {**name_paused(name, team), "words": words})
    else:
        connect(state).pause(name, words, team=team)
    output.data(f"{name or team or 'Every model'} is paused.")
    flags = target_flags(target, state, region, stack)
    output.next_command(command("resume", *pause_subject(name, team), *flags))
    return 0


def target_flags(target: Target, state: Path, region: str | None, stack: str) -> tuple[str, ...]:
    """Returns the words with which a next command names the same target.

    Args:
        target: Where the API runs.
        state: The state folder of this machine.
        region: The region of the stack, if it was named.
        stack: The name of the stack.
    """
    return ("--target", "aws", *stack_flags(region, stack)) if target == "aws" else state_flags(state)


def name_paused(name: str | None, team: str | None) -> dict[str, str]:
    """Returns what is paused as an act is told it; nothing where that is everything."""
    return {"team": team} if team else {"name": name} if name else {}


def check_one(name: str | None, team: str | None) -> None:
    """Checks that a pause is that of a model or of a team.

    Raises:
        UsageError: Both are named.
    """
    if name and team:
        raise UsageError(
            "a pause is that of a model or of a team, not of one team at one model", fix="name one of them"
        )


def pause_subject(name: str | None, team: str | None) -> list[str]:
    """Returns the words of a command that name what is paused."""
    return ["--team", team] if team else [name] if name else []
