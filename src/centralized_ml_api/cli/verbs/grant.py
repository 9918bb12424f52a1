"""`mlapi grant`: lets one team use more than its limits, until the event ends or that is taken back."""

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
@click.argument("team")
@click.option("--usd", type=click.FloatRange(min=0, min_open=True), help="So many US dollars more.")
@click.option("--tokens", type=click.IntRange(min=1), help="So many tokens more.")
@click.option("--requests", type=click.IntRange(min=1), help="So many requests a day more.")
@click.option("--take-back", is_flag=True, help="Take back all that TEAM was granted.")
@state_option
def grant(
    *,
    team: str,
    usd: float | None,
    tokens: int | None,
    requests: int | None,
    take_back: bool,
    state: Path,
) -> int:
    """Let a team use more, until the event ends or you take it back.

    It is added to the limits of TEAM per day and for the whole event, without a reload, and kept over
    restarts. The config stays as it is. Grants add up; --take-back ends them all.
    """
    named = {"usd": usd, "tokens": tokens, "requests": requests}
    amounts = {unit: amount for unit, amount in named.items() if amount is not None}
    if take_back == bool(amounts):
        raise UsageError("say either how much more, or --take-back", fix="add --usd, --tokens or --requests")
    client, flags = connect(state), state_flags(state)
    if take_back:
        client.take_back(team)
        output.data(f"{team} has the limits of the config again.")
        output.next_command(command("status", *flags))
        return 0
    until = "the event ends" if client.grant(team, amounts) else "you take it back"
    output.data(f"{team} may use more until {until}.")
    output.next_command(command("grant", team, "--take-back", *flags))
    return 0
