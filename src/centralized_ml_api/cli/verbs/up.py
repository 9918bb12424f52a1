"""`mlapi up`: the local target."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import state_flag
from centralized_ml_api.cli.duration import Duration
from centralized_ml_api.cli.loading import load_plan_and_warn
from centralized_ml_api.cli.options import config_argument, state_option
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.run.options import ServeOptions
    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.plan.types import ApiPlan

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@click.command()
@config_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@state_option
@click.option("--detach", is_flag=True, help="Return when the API serves; it goes on in the background.")
@click.option("--for", "for_seconds", type=Duration(), help="Stop by itself after this time, such as 48h.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve /metrics for Prometheus on this port of 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--public", is_flag=True, help="Yes, listen beyond this machine although no keys are asked for."
)
def up(
    config: Path,
    host: str,
    port: int,
    state: Path,
    for_seconds: float | None,
    *,
    metrics_port: int | None,
    detach: bool,
    public: bool,
) -> int:
    """Serve the config on this machine: real models behind one HTTP API."""
    host = "127.0.0.1" if host == "localhost" else host
    address = _parse_host(host)
    from centralized_ml_api.local.run.options import ServeOptions  # noqa: PLC0415  # only this verb pays for the target

    plan = load_plan_and_warn(config)
    _check_reach(address, plan, public=public)
    options = ServeOptions(
        config, state, host=host, port=port, for_seconds=for_seconds, metrics_port=metrics_port
    )
    return _detached(options, plan) if detach else _in_foreground(options, plan)


def _in_foreground(options: ServeOptions, plan: ApiPlan) -> int:
    from centralized_ml_api.cli.progress import Announcement, ProgressLines  # noqa: PLC0415
    from centralized_ml_api.local.run.options import Terminal  # noqa: PLC0415
    from centralized_ml_api.local.run.serve import serve  # noqa: PLC0415

    lines, announcement = ProgressLines(), Announcement(plan, options.host)

    def show(status: LocalStatus) -> None:
        lines.show(status)
        announcement.show(status)

    output.talk(f"Starting {options.config}:")
    status = serve(options, plan, Terminal(show, output.talk, output.fail))
    output.talk("Stopped: no process is left.")
    return status


def _detached(options: ServeOptions, plan: ApiPlan) -> int:
    from centralized_ml_api.cli.progress import ProgressLines, show_address  # noqa: PLC0415
    from centralized_ml_api.local.run.detach import start_detached  # noqa: PLC0415

    output.talk(f"Starting {options.config} in the background:")
    status = start_detached(options, ProgressLines().show)
    show_address(status, plan, options.host)
    again = state_flag(options.state)
    output.next_command(f"mlapi status{again}, mlapi logs{again}, mlapi down{again}")
    return 0


def _parse_host(host: str) -> Address:
    """The address to listen on.

    Raises:
        UsageError: it is none.
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError as error:
        raise UsageError(
            f"--host {host} is not an IP address", fix="write --host 127.0.0.1 or --host 0.0.0.0"
        ) from error


def _check_reach(host: Address, plan: ApiPlan, *, public: bool) -> None:
    """Beyond loopback, without keys, only when that was said."""
    if not (host.is_loopback or plan.event.teams or public):
        raise UsageError(
            f"--host {host} lets other machines call, and no keys are asked for",
            fix="list `event.teams` in the config, or add --public if that is meant",
        )
