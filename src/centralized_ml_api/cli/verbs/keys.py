"""`mlapi keys`: who may call."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.confirming import confirm
from centralized_ml_api.cli.duration import Duration
from centralized_ml_api.cli.key_files import write_key_files
from centralized_ml_api.cli.key_place import KeyPlace, place_options
from centralized_ml_api.cli.key_table import key_json, render_keys
from centralized_ml_api.cli.options import json_option, yes_option
from centralized_ml_api.cli.request import check_address
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from centralized_ml_api.api.keys import Keys, TeamKeys

_ALL = "*"  # no team has this name
LONGEST_GRACE_DAYS = 30


@click.group(invoke_without_command=True)
@place_options
@click.option(
    "--show",
    "shown",
    is_flag=False,
    flag_value=_ALL,
    metavar="[TEAM]",
    help="Print the value of a team's key, or of all: whoever sees it can call.",
)
@json_option
@click.pass_context
def keys(context: click.Context, place: KeyPlace, shown: str | None, *, as_json: bool) -> None:
    """List the teams, the last characters of their keys, and whether these work.

    `mlapi keys export` writes a file for each team to hand out.
    """
    if context.invoked_subcommand is not None:
        return
    opened = place.open()
    if shown is not None:
        _show_values(opened, shown, as_json=as_json)
        return
    teams = opened.teams()
    if as_json:
        output.data_json([key_json(team) for team in teams])
        return
    output.data(render_keys(teams))
    output.next_command(f"mlapi keys export{place.flag}, or one value: mlapi keys --show TEAM{place.flag}")


def _show_values(opened: Keys, shown: str, *, as_json: bool) -> None:
    """One value alone, so that a script can take it; of all, with the names."""
    if shown != _ALL and not as_json:
        output.data(opened.show(shown))
        return
    teams = [one.team for one in opened.teams() if one.ending] if shown == _ALL else [shown]
    values = {team: opened.show(team) for team in teams}
    if as_json:
        output.data_json(values)
    else:
        output.data("\n".join(f"{team}  {value}" for team, value in values.items()))


@keys.command()
@click.argument("team")
@click.option(
    "--grace",
    type=Duration(allow_zero=True, longest_days=LONGEST_GRACE_DAYS),
    default="1h",
    show_default=True,
    help=f"How long the old key goes on working, {LONGEST_GRACE_DAYS} days at most; 0s ends it at once.",
)
@place_options
def rotate(team: str, grace: float, place: KeyPlace) -> None:
    """Give TEAM a new key. No call is dropped: the one it had works for a while."""
    opened = place.open()
    opened.rotate(team, timedelta(seconds=grace))
    now = _of(opened, team)
    former = [one for one in now.former if grace][-1:]
    until = "".join(f"; the one ending in {one.ending} until {one.until:%Y-%m-%d %H:%M %Z}" for one in former)
    output.talk(f"Team {team} has a new key, ending in {now.ending}{until}.")
    output.next_command(f"mlapi keys export --team {shlex.quote(team)}{place.flag}")


@keys.command()
@click.argument("team")
@click.option("--former", is_flag=True, help="Only the keys that were replaced and still work.")
@yes_option
@place_options
def revoke(team: str, place: KeyPlace, *, former: bool, yes: bool) -> None:
    """Take TEAM's keys away: whoever has them is refused within 2 seconds."""
    opened = place.open()
    _of(opened, team)
    confirm(f"Refuse every call of team {team} from now on?", yes=yes or former)
    opened.revoke(team, former_only=former)
    if former:
        output.talk(f"Of team {team} only the current key works now.")
        output.next_command(f"mlapi keys{place.flag}")
        return
    output.talk(f"Team {team} has no key any more.")
    output.next_command(f"mlapi keys rotate {shlex.quote(team)}{place.flag} gives it a new one")


@keys.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default="keys")
@click.option("--team", "only", help="Only this team's file.")
@click.option("--url", help="The address that the teams call; without it, the one of what runs.")
@place_options
def export(folder: Path, only: str | None, url: str | None, place: KeyPlace) -> None:
    """Write a file for each team to hand out: its key, the address, and how to call."""
    named = None if url is None else check_address(url)
    opened = place.open()
    teams = [one.team for one in opened.teams() if one.state == "active" and only in {None, one.team}]
    if only and not teams:
        opened.show(only)  # says what is the matter with it
        raise UsageError(f"the config does not list team {only}", fix="add it to `event.teams`")
    written = write_key_files(folder, {team: opened.show(team) for team in teams}, named or place.address())
    for path in written:
        output.data(str(path))
    if url is None:
        output.talk(
            "The address in them is this machine's own; for callers elsewhere: --url http://ADDRESS:PORT"
        )
    output.next_command(f"give each team its file; then delete {folder}: it holds keys")


def _of(opened: Keys, team: str) -> TeamKeys:
    found = {one.team: one for one in opened.teams()}
    if team not in found:
        raise UsageError(f"there is no team {team!r}", fix=f"choose one of: {', '.join(found)}")
    return found[team]
