"""`mlapi doctor`: finds what would make a deploy or a start fail, before anything is started."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    Target,
    aws_flags,
    config_argument,
    json_option,
    region_option,
    stack_option,
    state_option,
    target_option,
)
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
    "Where the API is to run. Default: aws where AWS support is installed, otherwise local.", default=None
)
@region_option
@stack_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port for the local target.",
)
@state_option
@json_option
def doctor(
    config: Path,
    *,
    target: Target | None,
    region: str | None,
    stack: str,
    port: int,
    state: Path,
    as_json: bool,
) -> int:
    """Find what would make a deploy, or a start here, fail.

    Each finding comes with its fix. Nothing is changed. Exit status 1 when something would fail.
    """
    target, notes = _choose_target(target)
    found = [*(_local(config, port, state) if target == "local" else _aws(config, region, stack)), *notes]
    healthy = is_healthy(found)
    if as_json:
        output.data_json(
            {"target": target, "ok": healthy, "findings": [asdict(finding) for finding in found]}
        )
        return int(not healthy)
    output.data("\n".join(_render(finding) for finding in found))
    again = aws_flags(region, stack)
    go_on = f"mlapi up {config}" if target == "local" else f"mlapi deploy {config}{again}"
    where = " --target local" if target == "local" else again
    output.next_command(go_on if healthy else f"fix what failed, then mlapi doctor {config}{where}")
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


def _aws(config: Path, region: str | None, stack: str) -> Sequence[Finding]:
    check_installed("aws")
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.doctor.context import load_context
    from centralized_ml_api.aws.doctor.examine import examine

    return examine(load_context(config, AwsClients(region), stack, datetime.now(UTC)))


def _local(config: Path, port: int, state: Path) -> Sequence[Finding]:
    from centralized_ml_api.local.doctor import examine

    return examine(config, port, state, datetime.now(UTC))


def _render(finding: Finding) -> str:
    mark, color = _MARKS[finding.severity]
    lines = [f"{click.style(f'{mark:>4}', fg=color)}  {finding.title}"]
    said = (("", finding.detail), ("fix:  ", finding.fix), ("read: ", finding.page))
    return "\n".join([*lines, *(f"      {label}{text}" for label, text in said if text)])
