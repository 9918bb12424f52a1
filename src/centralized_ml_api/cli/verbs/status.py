"""`mlapi status`: how the local target is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.api.event_end import render_left
from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import state_flag
from centralized_ml_api.cli.counting import counted
from centralized_ml_api.cli.options import json_option, state_option
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.status import EntryStatus, LocalStatus


@click.command()
@state_option
@json_option
@click.option("--watch", is_flag=True, help="Look every second: calls, latencies, errors too. q leaves.")
def status(state: Path, *, as_json: bool, watch: bool) -> int:
    """Show what runs here: every model, its state, its restarts. Exit status 1 when one is not ready."""
    if watch:
        return _watch(state, as_json=as_json)
    from centralized_ml_api.local.machine.state_folder import StateFolder  # noqa: PLC0415
    from centralized_ml_api.local.run.control import ControlClient  # noqa: PLC0415  # only this verb pays for it

    now = ControlClient(StateFolder(state).load_run()).status()
    if as_json:
        output.data_json(now.to_json())
    else:
        output.data(render_status(now))
        again = state_flag(state)
        output.next_command(f"mlapi logs NAME{again}, mlapi call NAME{again}, mlapi down{again}")
    return int(bool(now.gateway_trouble) or any(not _is_well(entry) for entry in now.entries))


def _watch(state: Path, *, as_json: bool) -> int:
    if as_json:
        raise UsageError("--watch and --json do not go together", fix="call `mlapi status --json` repeatedly")
    from centralized_ml_api.cli.watching import watch  # noqa: PLC0415
    from centralized_ml_api.local.machine.state_folder import StateFolder  # noqa: PLC0415

    watch(StateFolder(state))
    return 0


def _is_well(entry: EntryStatus) -> bool:
    return entry.state in {"ready", "not served"}


def render_status(now: LocalStatus) -> str:
    """The address, then a line an entry."""
    minutes = (time.time() - now.started) / 60
    lines = [
        f"Serving {now.config} on {now.address or '(starting)'} for {minutes:.0f} min (pid {now.pid})",
        *_end_lines(now.ends),
        *([f"gateway: {now.gateway_trouble}"] if now.gateway_trouble else []),
        f"SageMaker runtime: {now.sagemaker_runtime}",
        *([f"Metrics for Prometheus: {now.metrics}"] if now.metrics else []),
        *(_line(entry) for entry in now.entries),
        *(f"note: {note}" for note in now.notes),
    ]
    return "\n".join(lines)


def _end_lines(ends: str) -> list[str]:
    """When it stops by itself, where it does."""
    if not ends:
        return []
    left = datetime.fromisoformat(ends) - datetime.now(UTC)
    return [f"Ends in {render_left(left)}, at {ends}"]


def _line(entry: EntryStatus) -> str:
    ready = " ".join(f"{part.name} {part.ready_replicas}/{part.replicas}" for part in entry.parts)
    restarts = sum(part.restarts for part in entry.parts)
    facts = [ready, counted(restarts, "restart") if restarts else "", entry.detail]
    return f"  {entry.path:24} {entry.state:12} {'  '.join(fact for fact in facts if fact)}"
