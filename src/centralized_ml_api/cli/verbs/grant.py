"""`mlapi grant`: lets one team use more than its limits, until the event ends or that is taken back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    Target,
    region_option,
    stack_option,
    state_option,
    target_option,
)
from centralized_ml_api.cli.targets import connect, open_aws_acts
from centralized_ml_api.cli.verbs.pause import target_flags
from centralized_ml_api.commands import DEFAULT_CONFIG, command
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.aws.organizer.acts import AwsActs


@click.command()
@click.argument("team")
@click.option("--usd", type=click.FloatRange(min=0, min_open=True), help="So many US dollars more.")
@click.option("--tokens", type=click.IntRange(min=1), help="So many tokens more.")
@click.option("--requests", type=click.IntRange(min=1), help="So many requests a day more.")
@click.option("--take-back", is_flag=True, help="Take back all that TEAM was granted.")
@target_option("Grant it on this machine, or where it is deployed.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="Read from this config, with --target aws, what is limited.",
)
@state_option
@region_option
@stack_option
def grant(
    *,
    team: str,
    usd: float | None,
    tokens: int | None,
    requests: int | None,
    take_back: bool,
    target: Target,
    config: Path,
    state: Path,
    region: str | None,
    stack: str,
) -> int:
    """Let a team use more, until the event ends or you take it back.

    It is added to the limits of TEAM per day and for the whole event, without a reload, and kept over
    restarts. The config stays as it is. Grants add up; --take-back ends them all. With --target aws, dollars
    and tokens can be granted, and --config says what is limited; it takes effect within five seconds.
    """
    named = {"usd": usd, "tokens": tokens, "requests": requests}
    amounts = {unit: amount for unit, amount in named.items() if amount is not None}
    if take_back == bool(amounts):
        raise UsageError("say either how much more, or --take-back", fix="add --usd, --tokens or --requests")
    flags = target_flags(target, state, region, stack)
    giver = (
        _OnAws(open_aws_acts(config, region=region, stack=stack, state=state))
        if target == "aws"
        else connect(state)
    )
    if take_back:
        giver.take_back(team)
        output.data(f"{team} has the limits of the config again.")
        output.next_command(command("status", *flags))
        return 0
    until = "the event ends" if giver.grant(team, amounts) else "you take it back"
    output.data(f"{team} may use more until {until}.")
    output.next_command(command("grant", team, "--take-back", *flags))
    return 0


class _OnAws:
    """Grants to teams of a stack, as `ControlClient` does to those of this machine."""

    def __init__(self, acts: AwsActs) -> None:
        self._acts = acts

    def grant(self, team: str, amounts: Mapping[str, float]) -> bool:
        """Grants it; returns whether the event has an end."""
        ends: bool = self._acts.do("grant", {"team": team, **amounts})["ends"]
        return ends

    def take_back(self, team: str) -> None:
        """Takes everything back."""
        self._acts.do("take-back", {"team": team})
