"""`mlapi doctor`: finds what would make a deploy or a start fail, before anything is started."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import qualifier_flags, stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    DEFAULT_PORT,
    Target,
    config_argument,
    json_option,
    qualifier_option,
    region_option,
    stack_option,
    state_option,
    target_option,
)
from centralized_ml_api.cli.targets import choose_qualifier
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.extras import build_error, check_installed, find_missing
from centralized_ml_api.plan.finding import Finding, is_healthy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MARKS = {
    "ok": ("ok", "green"),
    "warning": ("warn", "yellow"),
    "error": ("FAIL", "red"),
    "unknown": ("?", "blue"),
}


@click.command()
@config_argument
@target_option(
    "Check for this machine or for AWS. Default: aws where AWS support is installed, otherwise local.",
    default=None,
)
@region_option
@stack_option
@qualifier_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Check that this port is free.",
)
@state_option
@json_option
def doctor(
    config: Path,
    *,
    target: Target | None,
    region: str | None,
    stack: str,
    qualifier: str | None,
    port: int,
    state: Path,
    as_json: bool,
) -> int:
    """Find what would make a deploy, or a start here, fail.

    Each finding comes with its fix. Nothing is changed. The exit status is 1 when something would
    fail.
    """
    target, notes = _choose_target(target)
    if target == "local":
        found = [*_local(config, port, state), *notes]
    else:
        found = [*_aws(config, region, stack, qualifier), *notes]
    healthy = is_healthy(found)
    if as_json:
        output.data_json(
            {"target": target, "ok": healthy, "findings": [asdict(finding) for finding in found]}
        )
        return int(not healthy)
    output.data("\n".join(_render(finding) for finding in found))
    again: tuple[str, ...] = ()
    if target == "aws":
        verb, flags = "deploy", (*stack_flags(region, stack), *qualifier_flags(qualifier))
    else:
        port_flags = () if port == DEFAULT_PORT else ("--port", str(port))
        verb, flags, again = "up", (*port_flags, *state_flags(state)), ("--target", "local")
    if not healthy:
        output.talk("Fix what failed, then look again.")
    output.next_command(
        command(verb, config, *flags) if healthy else command("doctor", config, *again, *flags)
    )
    return int(not healthy)


def _choose_target(asked: Target | None) -> tuple[Target, list[Finding]]:
    """Returns the target that is looked at, and a note where that is not AWS only for want of the extra."""
    if asked is not None:
        return asked, []
    if not find_missing("aws"):
        return "aws", []
    error = build_error("aws")
    title = f"{error.message} (only needed to deploy to AWS)"
    return "local", [Finding("aws", "unknown", title, fix=error.fix)]


def _aws(config: Path, region: str | None, stack: str, qualifier: str | None) -> Sequence[Finding]:
    check_installed("aws")
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.doctor.context import load_context
    from centralized_ml_api.aws.doctor.examine import examine
    from centralized_ml_api.config.resolve import find_root
    from centralized_ml_api.local.doctor.providers import check_providers

    chosen = choose_qualifier(config, qualifier)
    context = load_context(config, AwsClients(region), stack, datetime.now(UTC), chosen)
    folders = (find_root(config), config.absolute().parent)
    return [*examine(context), *check_providers(context.config, folders, region=context.clients.region)]


def _local(config: Path, port: int, state: Path) -> Sequence[Finding]:
    from centralized_ml_api.local.doctor import examine

    return examine(config, port, state, datetime.now(UTC))


def _render(finding: Finding) -> str:
    mark, color = _MARKS[finding.severity]
    lines = [f"{click.style(f'{mark:>4}', fg=color)}  {finding.title}"]
    said = (("", finding.detail), ("fix:  ", finding.fix), ("read: ", finding.page))
    return "\n".join([*lines, *(f"      {label}{text}" for label, text in said if text)])
