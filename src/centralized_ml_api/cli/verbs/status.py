"""`mlapi status`: shows what runs on this machine, or what is deployed."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.api.event_end import render_end, render_left
from centralized_ml_api.api.event_start import render_start
from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    Target,
    json_option,
    region_option,
    stack_option,
    state_option,
    target_option,
)
from centralized_ml_api.cli.output import counted
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.cli.verbs.logs import has_log
from centralized_ml_api.commands import command, shown_path, state_flags
from centralized_ml_api.errors import DeployError, UsageError
from centralized_ml_api.extras import check_installed
from centralized_ml_api.local.status import ANSWERING, NO_JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.status import EntryStatus, LocalStatus


_LONG = timedelta(minutes=2)
_TROUBLED = {"failed", "restarting", "unready"}


@click.command()
@target_option("Show what runs on this machine, or what is deployed.")
@state_option
@region_option
@stack_option
@json_option
@click.option(
    "--watch", is_flag=True, help="Update every second, with calls, latencies and errors. Leave with q."
)
def status(  # the options
    *, target: Target, state: Path, region: str | None, stack: str, as_json: bool, watch: bool
) -> int:
    """Show what runs here: every model, its state, its restarts.

    The exit status is 1 when one of them is not ready, or when what is saved could not be applied. With
    --target aws it shows what is deployed: every endpoint, its state, its instances, and whether it runs what
    was deployed.
    """
    if target == "aws":
        if watch:
            again = command("status", "--target", "aws", *stack_flags(region, stack))
            raise UsageError("--watch shows this machine only", fix=f"ask again and again: {again}")
        return _show_aws(region, stack, as_json=as_json)
    if watch and as_json:
        again = command("status", "--json", *state_flags(state))
        raise UsageError("--watch and --json cannot be combined", fix=f"ask again and again: {again}")
    if watch:
        from centralized_ml_api.cli.verbs.watch import watch as watch_status

        watch_status(state)
        return 0
    now = connect(state).status()
    if as_json:
        output.data_json(now.to_json())
    else:
        output.data(render_status(now, time.time()))
        output.next_command(command(*_next_words(now, state_flags(state))))
    return int(not is_well(now))


def _show_aws(region: str | None, stack: str, *, as_json: bool) -> int:
    check_installed("aws")
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.status import load_stack_status
    from centralized_ml_api.cli.aws_status import next_words, render_stack

    clients = AwsClients(region)
    now = load_stack_status(clients, stack)
    if now is None:
        raise DeployError(
            f"{stack} is not deployed in {clients.region}",
            fix="name another stack with --stack and --region, or deploy: "
            + command("deploy", *stack_flags(region, stack)),
        )
    flags = stack_flags(region, stack)
    if as_json:
        output.data_json(now.to_json())
    else:
        output.data(render_stack(now, datetime.now(UTC), flags))
        output.next_command(command(*next_words(now, flags)))
    return int(not now.is_well)


def _next_words(status: LocalStatus, flags: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the command that looks into what is wrong; where nothing is, the one that calls the models."""
    if is_well(status) and status.address and status.serving:
        return "smoke", *flags
    if status.unapplied and not status.unapplied.entry and not status.gateway_trouble:
        return "check", shown_path(Path(status.config))
    troubled = [entry.name for entry in status.entries if entry.state in _TROUBLED]
    unapplied = [status.unapplied.entry] if status.unapplied else []
    names = [*(["gateway"] if status.gateway_trouble else []), *troubled, *unapplied]
    with_log = (name for name in names if has_log(Path(status.state_folder), name))
    named = next(with_log, None)
    return ("logs", named, *flags) if named else ("status", "--watch", *flags)


def is_well(status: LocalStatus) -> bool:
    """Returns whether the gateway and every entry that is served are ready, as saved. Pure."""
    return not (status.gateway_trouble or status.unapplied) and all(
        entry.state in {*ANSWERING, "not served"} for entry in status.entries
    )


def render_status(status: LocalStatus, now_seconds: float) -> str:
    """Returns the address, then a line for each entry; `now_seconds` since the epoch. Pure."""
    lasted = render_left(timedelta(seconds=now_seconds - status.started))
    address = status.address or "(starting)"
    lines = [f"Serving {status.config} on {address} for {lasted} (pid {status.pid})"]
    now = datetime.fromtimestamp(now_seconds, UTC)
    if status.starts:
        lines.append(render_start(datetime.fromisoformat(status.starts), now))
    if status.ends:
        lines.append(render_end(datetime.fromisoformat(status.ends), now))
    if status.gateway_trouble:
        lines.append(f"gateway: {status.gateway_trouble}")
    if status.unapplied:
        lines.append(status.unapplied.sentence)
    lines.append(f"SageMaker runtime: {status.sagemaker_runtime}")
    if status.authority:
        lines.append(f"Certificate authority: {status.authority}, SHA-256 {status.authority_fingerprint}")
    if status.metrics:
        lines.append(f"Metrics for Prometheus: {status.metrics}")
    if status.jobs != NO_JOBS:
        waiting, running = counted(status.jobs.waiting, "job"), status.jobs.running
        lines.append(f"Answered later: {waiting} waiting, {running} under way")
    lines += [_line(entry) for entry in status.entries]
    lines += [f"note: {note}" for note in status.notes]
    return "\n".join(lines)


def _sleep(entry: EntryStatus) -> Iterator[str]:
    """Yields how an entry has slept, and when it answers."""
    sleep = entry.sleep
    if sleep is None:
        return
    if entry.state in {"asleep", "waking"} and sleep.ready_in is not None:
        left = timedelta(seconds=math.ceil(sleep.ready_in))
        short = f"{math.ceil(sleep.ready_in)} s"
        yield f"answers in about {short if left < _LONG else render_left(left)}"
    if sleep.wakes:
        yield f"woke {counted(sleep.wakes, 'time')}"
    if sleep.asleep_seconds >= 1:
        yield f"slept for {render_left(timedelta(seconds=sleep.asleep_seconds))}"


def _line(entry: EntryStatus) -> str:
    ready = " ".join(f"{part.name} {part.ready_replicas}/{part.replicas}" for part in entry.parts)
    restarts = sum(part.restarts for part in entry.parts)
    last = next((part.last_restart for part in entry.parts if part.last_restart), "")
    restarted = f"{counted(restarts, 'restart')}{f', last: {last}' if last else ''}" if restarts else ""
    waiting = f"{counted(entry.waiting, 'request')} waiting" if entry.waiting else ""
    facts = [ready, waiting, *_sleep(entry), restarted, entry.detail]
    return f"  {entry.path:24} {entry.state:12} {'  '.join(fact for fact in facts if fact)}"
