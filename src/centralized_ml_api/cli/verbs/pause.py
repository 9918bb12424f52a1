"""`mlapi pause`: answers calls with 503 and the organizer's words, until `mlapi resume`."""

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
@click.argument("name", required=False)
@click.option("--team", help="Answer no calls of this team instead.")
@click.option("--say", "words", default="", metavar="WORDS", help="Tell callers why, or until when.")
@state_option
def pause(name: str | None, team: str | None, words: str, state: Path) -> int:
    """Answer no calls to a model, or to any model without NAME.

    With --team, the calls of one team are refused, and others go on. Callers get 503 with your words. Calls
    that are under way are finished; models stay as they are. A pause ends with mlapi resume, or when the API
    stops.
    """
    check_one(name, team)
    connect(state).pause(name, words, team=team)
    output.data(f"{name or team or 'Every model'} is paused.")
    output.next_command(command("resume", *pause_subject(name, team), *state_flags(state)))
    return 0


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
