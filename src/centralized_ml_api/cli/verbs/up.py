"""`mlapi up`: serves the config on this machine."""

from __future__ import annotations

import ipaddress
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import DEFAULT_PORT, Duration, config_argument, state_option
from centralized_ml_api.commands import command, shown_path, state_flags
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from centralized_ml_api.local.run.early import EarlyServers
    from centralized_ml_api.local.run.options import ServeOptions
    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.plan.types import ApiPlan

_PEM = click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@click.command()
@config_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Listen on this port. 0 takes a free one.",
)
@state_option
@click.option(
    "--detach", is_flag=True, help="Return when the API serves, and keep it running in the background."
)
@click.option("--for", "for_seconds", type=Duration(), help="Stop after this time, such as 48h.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve /metrics for Prometheus on this port of 127.0.0.1. 0 takes a free one.",
)
@click.option("--https", is_flag=True, help="Serve HTTPS, with a certificate of its own.")
@click.option("--certificate", type=_PEM, help="Serve HTTPS with this certificate, a PEM file; needs --key.")
@click.option("--key", type=_PEM, help="Use this private key for --certificate, a PEM file.")
@click.option("--public", is_flag=True, help="Allow other machines to call without a key.")
def up(
    config: Path,
    host: str,
    port: int,
    state: Path,
    for_seconds: float | None,
    *,
    metrics_port: int | None,
    https: bool,
    certificate: Path | None,
    key: Path | None,
    detach: bool,
    public: bool,
) -> int:
    """Serve the models of CONFIG on this machine.

    It ends with Ctrl-C. The exit status is 1 when no model could start.
    """
    address = parse_host(host)
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key belong together", fix="give both, or --https alone")
    if metrics_port and metrics_port == port:
        raise UsageError(f"--port and --metrics-port are both {port}", fix="choose another for one of them")
    from centralized_ml_api.local.run.early_command import take_begun

    early = take_begun(config, state)
    with nullcontext() if detach else early:  # before anything else is imported
        from centralized_ml_api.local.run.options import ServeOptions

        plan = _load_plan(config, address, public=public)
        options = ServeOptions(
            config,
            state,
            host=str(address),
            port=port,
            for_seconds=for_seconds,
            metrics_port=metrics_port,
            public=public,
            https=https or certificate is not None,
            certificate=certificate,
            key=key,
        )
        return _detached(options, plan) if detach else _in_foreground(options, plan, early)


def _load_plan(config: Path, address: Address, *, public: bool) -> ApiPlan:
    from centralized_ml_api.cli.loading import load_and_warn, tell_unknown_models
    from centralized_ml_api.plan.build import build_plan

    loaded = load_and_warn(config)
    plan = build_plan(loaded)
    check_reach(address, plan, public=public)
    if not plan.deployments:
        raise UsageError(f"{shown_path(config)} lists no model", fix='add one to "models"')
    tell_unknown_models(loaded)
    return plan


def _in_foreground(options: ServeOptions, plan: ApiPlan, early: EarlyServers) -> int:
    from centralized_ml_api.cli.progress import Announcement, ProgressLines
    from centralized_ml_api.local.run.options import Terminal
    from centralized_ml_api.local.run.serve import serve

    lines, announcement = ProgressLines(), Announcement(plan, options.host)

    def show(status: LocalStatus) -> None:
        lines.show(status)
        announcement.show(status)

    output.talk(f"Starting {options.config}:")
    status = serve(options, plan, Terminal(show, output.talk, output.fail), early)
    output.talk("Stopped: no process is left.")
    return status


def _detached(options: ServeOptions, plan: ApiPlan) -> int:
    from centralized_ml_api.cli.progress import ProgressLines, show_address
    from centralized_ml_api.local.run.detach import start_detached

    output.talk(f"Starting {options.config} in the background:")
    status = start_detached(options, ProgressLines().show)
    show_address(status, plan, options.host)
    tell_what_is_next(options.state)
    return 0


def tell_what_is_next(state: Path) -> None:
    """Prints how to stop and how to see what runs in the background with a state folder."""
    output.talk(f"To stop it: {command('down', *state_flags(state))}")
    output.next_command(command("status", *state_flags(state)))


def parse_host(host: str) -> Address:
    """Returns the address to listen on.

    Raises:
        UsageError: It is not an IP address.
    """
    try:
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise UsageError(
            f"--host {host} is not an IP address", fix="write --host 127.0.0.1 or --host 0.0.0.0"
        ) from error


def check_reach(host: Address, plan: ApiPlan, *, public: bool) -> None:
    """Returns when the host is loopback, keys are asked for, or `--public` was given.

    Args:
        host: The address that the gateway listens at.
        plan: What it serves.
        public: Whether `--public` was given.

    Raises:
        UsageError: None of these.
    """
    if not (host.is_loopback or plan.event.needs_key or public):
        raise UsageError(
            f"--host {host} lets other machines call without a key",
            fix="list teams in `event.teams`, or allow it with --public",
        )
