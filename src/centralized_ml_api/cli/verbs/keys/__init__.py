"""`mlapi keys`: lists, rotates, revokes and hands out the keys of teams."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from centralized_ml_api.api.keys import unknown_team
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import Duration, config_option, json_option, yes_option
from centralized_ml_api.cli.request import check_address
from centralized_ml_api.cli.targets import open_aws_target
from centralized_ml_api.cli.trust import render_trust
from centralized_ml_api.cli.verbs.keys.env_files import remove_env_files, write_env_files, write_sheet
from centralized_ml_api.cli.verbs.keys.handouts import render_key_table, render_sheet
from centralized_ml_api.cli.verbs.keys.place import KeyPlace, place_options
from centralized_ml_api.commands import DEFAULT_CONFIG, command
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.columns import render_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.api.keys import Keys, TeamKeys
    from centralized_ml_api.api.roster import RosterRow
    from centralized_ml_api.local.keys.store import Records

_ALL = "*"  # no team has this name
LONGEST_GRACE_DAYS = 30


class _Keys(click.Group):
    """A group with an option that people take for one of its commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command and its arguments.

        Raises:
            click.UsageError: There is no such command; the message names the option that was meant.
        """
        if args[0] == "show" and not ctx.resilient_parsing:
            ctx.fail("No such command 'show'. Did you mean '--show'?")
        return super().resolve_command(ctx, args)


@click.group(cls=_Keys, invoke_without_command=True)
@place_options
@click.option(
    "--show",
    "shown",
    is_flag=False,
    flag_value=_ALL,
    metavar="[TEAM]",
    help="Print the key of TEAM, or of every team: whoever sees it can call.",
)
@json_option
@click.pass_context
def keys(context: click.Context, place: KeyPlace, shown: str | None, *, as_json: bool) -> None:
    """List the teams and the state of their keys.

    Only the last characters of a key are shown. `mlapi keys export` writes a file for each team to hand out.
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
    active = next((team.team for team in teams if team.state == "active"), None)
    if active:
        output.next_command(_hand_out(place, active, only=False))


def render_keys(teams: Sequence[TeamKeys]) -> str:
    """Returns a table with a line for each team, without the values of keys. Pure."""
    rows = [("TEAM", "STATE", "KEY", "FORMER KEYS")]
    for team in teams:
        former = ", ".join(f"…{key.ending} until {key.until:%Y-%m-%d %H:%M %Z}" for key in team.former)
        rows.append((team.team, team.state, f"…{team.ending}" if team.ending else "-", former or "-"))
    return "\n".join(render_columns(rows))


def key_json(team: TeamKeys) -> dict[str, Any]:
    """Returns a row of the table for scripts. Pure."""
    former = [{"ending": key.ending, "until": key.until.isoformat()} for key in team.former]
    return {"team": team.team, "state": team.state, "ending": team.ending, "former": former}


def _show_values(opened: Keys, shown: str, *, as_json: bool) -> None:
    """Prints one value alone, so that a script can take it; all of them with their teams."""
    if shown != _ALL and not as_json:
        output.data(opened.show(shown))
        return
    teams = [team.team for team in opened.teams() if team.ending] if shown == _ALL else [shown]
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
    help=f"Let the old key work for this long, at most {LONGEST_GRACE_DAYS} days. 0s ends it at once.",
)
@place_options
def rotate(team: str, grace: float, place: KeyPlace) -> None:
    """Give TEAM a new key.

    No call is dropped: the old key works for a while.
    """
    opened = place.open()
    pause = opened.rotate(team, timedelta(seconds=grace))
    now = _find_team(opened, team)
    former = now.former[-1:] if grace else ()
    until = "".join(
        f"; the one ending in {key.ending} works until {key.until:%Y-%m-%d %H:%M %Z}" for key in former
    )
    output.talk(f"Team {team} has a new key, ending in {now.ending}{until}.")
    if pause is not None:
        output.talk("The team is paused, with this key too, until:")
        output.talk(f"  {command('resume', '--team', team, *place.flags)}")
    output.next_command(_hand_out(place, team, only=True))


@keys.command()
@click.argument("team")
@click.option("--former", is_flag=True, help="Revoke only replaced keys that still work.")
@yes_option
@place_options
def revoke(team: str, place: KeyPlace, *, former: bool, yes: bool) -> None:
    """Revoke the keys of TEAM.

    Calls with them are refused within 2 seconds.
    """
    opened = place.open()
    _find_team(opened, team)
    output.confirm(f"Refuse every call of team {team} from now on?", yes=yes or former)
    opened.revoke(team, former_only=former)
    if former:
        output.talk(f"Only the current key of team {team} works now.")
        output.next_command(command("keys", *place.flags))
        return
    output.talk(f"Team {team} no longer has a key.")
    output.talk("The next command gives it a new one.")
    output.next_command(command("keys", "rotate", team, *place.flags))


def _hand_out(place: KeyPlace, team: str, *, only: bool) -> str:
    """Returns the command that writes the teams' files; where no address is known, that shows a key."""
    if place.has_address():
        return command("keys", "export", *(["--team", team] if only else []), *place.flags)
    return command("keys", "--show", team, *place.flags)


@keys.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="keys",
    show_default=True,
    help="Write to this folder.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print a table with the keys instead.")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write a page of slips to cut out instead.",
)
@click.option("--team", "only", help="Write only the file of this team.")
@click.option("--url", help="Write this address for the teams. Default: that of the API that runs here.")
@place_options
def export(
    folder: Path, only: str | None, url: str | None, sheet: Path | None, place: KeyPlace, *, as_csv: bool
) -> None:
    """Write a file for each team to hand out.

    It holds the key of the team, the address of the API, and how to call it. The file of a team without a key
    is removed. Slips have a QR code each, which opens the page, signed in.
    """
    if as_csv and sheet:
        raise UsageError("--csv and --sheet are two ways to hand out keys", fix="choose one of them")
    named = None if url is None else check_address(url)
    opened = place.open()
    found = opened.teams()
    teams = [team.team for team in found if team.state == "active" and only in {None, team.team}]
    if only and not teams:
        opened.show(only)  # raises the reason
        raise UsageError(f"the config does not list team {only}", fix="add it to `event.teams`")
    api = None if named else place.api()
    address, trust = (named or "", "") if api is None else (api.address, render_trust(api))
    values = {team: opened.show(team) for team in teams}
    if as_csv:
        output.data(render_key_table(values, address))
        output.talk("Whoever has this table can call as every team in it.")
    elif sheet:
        write_sheet(sheet, render_sheet(values, address, place.load_title()))
        output.data(str(sheet))
        output.talk(f"Print it, cut it, then delete {sheet}: it holds keys.")
    if as_csv or sheet:
        if url is None and place.target == "local":
            tell_address(address)
        output.next_command(_after_export(place))
        return
    examples = place.load_examples(address, values)
    for path in write_env_files(folder, values, address, examples, trust):
        output.data(str(path))
    for path in remove_env_files(folder, [team.team for team in found if team.state != "active"]):
        output.talk(f"Removed {path}: its key no longer works.")
    if url is None and place.target == "local":
        tell_address(address)
    output.talk(f"Give each team its file, then delete the folder {folder}: it holds keys.")
    output.next_command(_after_export(place))


def _after_export(place: KeyPlace) -> str:
    return command("usage" if place.target == "aws" else "status", *place.flags)


@keys.command("import")
@click.argument("roster", type=click.Path(path_type=Path, dir_okay=False))
@config_option
@place_options
def import_(roster: Path, config: Path, place: KeyPlace) -> None:
    """Give a place to each team of ROSTER.

    It is a CSV file with the column team and, for teams that bring theirs, key. The config, or the deployed
    stack, must have places: event.join. Teams that are there already stay as they are. With --target aws,
    --config is not read.
    """
    from centralized_ml_api.api.roster import read_roster

    rows = read_roster(_read_text(roster))
    added = _import_on_aws(rows, place) if place.target == "aws" else _import_here(rows, config, place.state)
    output.talk(
        f"{output.counted(added, 'team')} added; {len(rows) - added} of the roster were there already."
    )
    output.next_command(command("keys", *place.flags))


def _import_on_aws(rows: Sequence[RosterRow], place: KeyPlace) -> int:
    target, clients = open_aws_target(
        DEFAULT_CONFIG, region=place.region, stack=place.stack, state=place.state
    )
    from centralized_ml_api.aws.event.joining import AwsJoining

    known = [team.team for team in place.open().teams() if team.state != "not listed"]
    return AwsJoining(target, clients).add_teams(rows, known)


def _import_here(rows: Sequence[RosterRow], config: Path, state: Path) -> int:
    from centralized_ml_api.local.keys import KeyStore
    from centralized_ml_api.local.keys.roster import add_roster
    from centralized_ml_api.local.run.reload import load_plan
    from centralized_ml_api.organizer.journal import Journal

    event = load_plan(config).event
    if event.join is None:
        raise UsageError("the config has no places", fix='add them, such as "event": {"join": {"teams": 40}}')
    places, listed = event.join.places, {team.name for team in event.teams}
    if not state.is_dir():
        raise UsageError(f"nothing was served with {state} yet", fix=f"serve it: {command('up', config)}")
    before: set[str] = set()

    def decide(records: Records) -> Records:
        before.update(record.team for record in records)
        return add_roster(records, rows, places=places, listed=listed)

    after = KeyStore(state).change(decide)
    added = len(after) - len(before)
    if added:
        Journal(state).note("import", detail=output.counted(added, "team"))
    return added


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise UsageError(f"{file} cannot be read: {reason}") from error


def tell_address(address: str, they_name: str = "They name") -> None:
    """Says from where an address that is handed out can be reached; `they_name` begins the sentence."""
    from centralized_ml_api.local.machine.ports import LOOPBACK_NAMES

    if urlsplit(address).hostname in LOOPBACK_NAMES:
        own = f"{they_name} this machine's own address"
        output.talk(f"{own}. Other machines need --url, and `up` with --host.")
    else:
        output.talk(f"{they_name} {address}. If callers reach this machine at another address, add --url.")


def _find_team(opened: Keys, name: str) -> TeamKeys:
    teams = {team.team: team for team in opened.teams()}
    if name not in teams:
        raise unknown_team(name, teams)
    return teams[name]
