"""`mlapi board`: prints the link to the organizer's screen, and serves that of a deployed stack."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    Target,
    json_option,
    region_option,
    stack_option,
    state_option,
    target_option,
)
from centralized_ml_api.cli.targets import connect, open_aws_target
from centralized_ml_api.commands import DEFAULT_CONFIG, command, state_flags
from centralized_ml_api.errors import NotRunningError
from centralized_ml_api.extras import check_installed

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.organizer.board_server import BoardSource


@click.command()
@click.argument("config", type=click.Path(path_type=Path), default=DEFAULT_CONFIG)
@target_option("Show what runs on this machine, or what is deployed.")
@state_option
@region_option
@stack_option
@json_option
def board(
    *, config: Path, target: Target, state: Path, region: str | None, stack: str, as_json: bool
) -> None:
    """Print the link to the organizer's screen.

    Open it in a browser on this machine. It shows models, teams and errors as they are now. The link has a
    token, which is valid until the API stops: show it to nobody. With --target aws this command serves the
    screen itself, until Ctrl-C; CONFIG says which models and limits were deployed.
    """
    if target == "aws":
        _serve_aws(config, region=region, stack=stack, state=state, as_json=as_json)
        return
    link = connect(state).board_link()
    if not link:
        raise NotRunningError("the organizer's screen is still starting", fix="try again in a moment")
    _show(link, as_json=as_json)
    if not as_json:
        output.next_command(command("status", *state_flags(state)))


def _show(link: str, *, as_json: bool) -> None:
    if as_json:
        output.data_json({"link": link})
        return
    output.data(link)
    output.talk("Open it in a browser on this machine. Whoever has it can do what you can.")


def _serve_aws(config: Path, *, region: str | None, stack: str, state: Path, as_json: bool) -> None:
    check_installed("local")  # what serves pages
    target, clients = open_aws_target(config, region=region, stack=stack, state=state)
    from centralized_ml_api.aws.organizer.board import AwsBoard
    from centralized_ml_api.config.load import load_config

    load_config(config, now=datetime.now(UTC))  # a mistake is told before the page is
    source = AwsBoard(target, clients)

    def show(link: str) -> None:
        _show(link, as_json=as_json)
        output.talk(f"It shows the stack {stack} in {target.region}. Ctrl-C ends it.")

    asyncio.run(serve_board(source, show))


async def serve_board(source: BoardSource, show: Callable[[str], None]) -> None:
    """Serves a screen on a free port of loopback until cancelled.

    Args:
        source: What it shows and does.
        show: Gets the link to it, with a new token.
    """
    from centralized_ml_api.local.machine.listen import serve_application
    from centralized_ml_api.local.machine.ports import bind_loopback, url_of
    from centralized_ml_api.organizer.board_server import build_board_application

    async with contextlib.AsyncExitStack() as running:
        token, listening = secrets.token_urlsafe(32), bind_loopback()
        application = build_board_application(source, token)
        await serve_application(running, application, listening, cancels=False)
        show(f"{url_of(listening)}/#token={token}")
        await asyncio.Event().wait()
