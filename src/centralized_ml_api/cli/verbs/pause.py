"""`mlapi pause`: answers calls with 503 and the organizer's words, until `mlapi resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.commands import command, state_flags

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("name", required=False)
@click.option("--say", "words", default="", metavar="WORDS", help="Tell callers why, or until when.")
@state_option
def pause(name: str | None, words: str, state: Path) -> int:
    """Answer no calls to a model, or to any model without NAME.

    Callers get 503 with your words. Calls that are under way are finished; models stay as they are. A pause
    ends with mlapi resume, or when the API stops.
    """
    connect(state).pause(name, words)
    output.data(f"{name or 'Every model'} is paused.")
    output.next_command(command("resume", *([name] if name else []), *state_flags(state)))
    return 0
