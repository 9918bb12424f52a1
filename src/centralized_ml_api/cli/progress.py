"""Shows the progress of long work: the start of `mlapi up`, the downloads of `mlapi pull`."""

from __future__ import annotations

import json
import shlex
import time
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.cli import output
from centralized_ml_api.cli.output import counted
from centralized_ml_api.commands import command, shown_path, state_flags
from centralized_ml_api.config.resolve import resolve_folder
from centralized_ml_api.plan.event import how_often, who_may_call
from centralized_ml_api.plan.sample import sample_file_of, sample_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from centralized_ml_api.local.status import EntryStatus, LocalStatus, PartStatus
    from centralized_ml_api.local.weights import Progress as FetchProgress
    from centralized_ml_api.plan.types import ApiPlan

BETWEEN_DETAILS_SECONDS = 1.0
LOG_LINES = 8
NO_SAMPLE = '{"…": "your own body"}'
"""Stands for the body of a call where the config has none that the model takes."""


class ProgressLines:
    """Shows how a `LocalStatus` changes; `show` may be called any number of times."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, str] = {"gateway": ""}
        self._detail_shown: dict[str, tuple[str, float]] = {}

    def show(self, status: LocalStatus) -> None:
        """Prints what changed since the last call; a changing detail at most once a second."""
        if self._is_new("gateway", status.gateway_trouble) and status.address:
            output.talk(f"  gateway: {status.gateway_trouble or 'ready'}")
        for entry in status.entries:
            if entry.parts:
                for part in entry.parts:
                    self._show_part(part)
            elif entry.detail and self._is_new(entry.name, entry.state):  # none while it starts or ends
                output.talk(f"  {entry.name}: answers 501: {entry.detail}")

    def _show_part(self, part: PartStatus) -> None:
        if self._is_new(part.name, f"{part.state} {part.ready_replicas} {part.restarts}"):
            output.talk(f"  {part.name}: {_words(part)}")
            self._detail_shown[part.name] = (part.detail, self._clock())
            if part.state in {"failed", "restarting"}:
                _show_log(part)
        elif part.state == "preparing" and self._detail_is_due(part):
            output.talk(f"  {part.name}: {part.detail}")

    def _is_new(self, name: str, state: str) -> bool:
        before, self._states[name] = self._states.get(name), state
        return before != state

    def _detail_is_due(self, part: PartStatus) -> bool:
        text, shown = self._detail_shown.get(part.name, ("", -BETWEEN_DETAILS_SECONDS))
        if part.detail == text or self._clock() - shown < BETWEEN_DETAILS_SECONDS:
            return False
        self._detail_shown[part.name] = (part.detail, self._clock())
        return True


class Announcement:
    """Says where the API serves: when slow models are no longer waited for, and when all is settled."""

    def __init__(self, plan: ApiPlan, host: str) -> None:
        self._plan = plan
        self._host = host
        self._early = False
        self._whole = False

    def show(self, status: LocalStatus) -> None:
        """Prints what is due and was not yet said."""
        if self._whole or not status.announced:
            return
        if status.settled:
            self._whole = True
            show_address(status, self._plan, self._host)
            output.talk("Ctrl-C stops everything. The next command is for another terminal.")
            output.next_command(command("status", *state_flags(Path(status.state_folder))))
        elif not self._early:
            self._early = True
            show_call(status, self._plan, self._host)


def show_address(status: LocalStatus, plan: ApiPlan, host: str) -> None:
    """Prints the last lines of a start: what to know, the addresses, a call that works.

    Args:
        status: Of the API, which serves.
        plan: Of its config.
        host: What it listens on.
    """
    for note in status.notes:
        output.talk(f"  note: {note}")
    output.talk(f"  {_who_may_call(status, plan)}")
    if status.ends:
        output.talk(f"  Ends automatically at {status.ends}.")
    output.talk(f"  SageMaker runtime for boto3 and the AWS CLI: {status.sagemaker_runtime}")
    if status.authority:
        output.talk(f"  Certificate authority for callers: {status.authority}")
        output.talk(f"  Its SHA-256 fingerprint: {status.authority_fingerprint}")
    if status.metrics:
        output.talk(f"  Metrics for Prometheus: {status.metrics}")
    output.talk("")
    show_call(status, plan, host)


def show_call(status: LocalStatus, plan: ApiPlan, host: str) -> None:
    """Prints the addresses, what is still starting, and a call that works.

    Args:
        status: Of the API, which serves.
        plan: Of its config.
        host: What it listens on.
    """
    from centralized_ml_api.local.machine.ports import reachable_urls

    missing = ", ".join(status.still_starting)
    output.data(f"Serving on {status.address}" + (f"; still starting: {missing}" if missing else ""))
    for address in reachable_urls(host, status.address):
        output.data(f"From other machines: {address}")
    called = status.first_to_call
    if called is not None:
        state = Path(status.state_folder)
        output.data(f"Try: {curl_of(called, status.address, plan, state, status.authority)}")


def _who_may_call(status: LocalStatus, plan: ApiPlan) -> str:
    if not plan.event.needs_key:
        own = ip_address(status.host).is_loopback
        who = (
            "No key is needed; only programs on this machine can call."
            if own
            else "PUBLIC: whoever reaches the address may call, without a key."
        )
        return f"{who} {how_often(plan.event.throttle)}"
    flags = state_flags(Path(status.state_folder))
    keys = shlex.quote(shown_path(Path(status.state_folder) / "keys.json"))
    if plan.event.join:
        return f"{who_may_call(plan.event)} Keys: {keys}. The link for joining: {command('join', *flags)}"
    export = command("keys", "export", *flags)
    return f"{who_may_call(plan.event)} Keys: {keys}. A file for each team: {export}"


def curl_of(entry: EntryStatus, address: str, plan: ApiPlan, state: Path, authority: str = "") -> str:
    """Returns a curl command that calls the entry with its sample.

    The shell asks `mlapi` for the key of the first team that may call it, so no key is printed. Where only
    teams that join may call it, the key comes from MLAPI_KEY.

    Args:
        entry: What is called.
        address: Of the API.
        plan: Of its config.
        state: The state folder, which has the keys.
        authority: The file of the authority to trust; empty where curl trusts it already.
    """
    call = f"curl -X POST {shlex.quote(address + entry.path)}"
    if authority:
        call += f" --cacert {shlex.quote(shown_path(Path(authority)))}"
    if plan.event.needs_key:
        team = next((team.name for team in plan.event.teams if team.may_call(entry.name)), None)
        key = f"$({command('keys', '--show', team, *state_flags(state))})" if team else "$MLAPI_KEY"
        call += f' -H "x-api-key: {key}"'
    deployment = plan.deployment(entry.name)
    file = sample_file_of(deployment) if deployment else None
    if file:
        header = shlex.quote(f"Content-Type: {file.media_type}")
        at = shlex.quote(f"@{shown_path(resolve_folder(file.path, plan.folders))}")
        return f"{call} -H {header} --data-binary {at}"
    sample = sample_of(deployment) if deployment else None
    body = NO_SAMPLE if sample is None else json.dumps(sample, ensure_ascii=False)
    return f"{call} -d {shlex.quote(body)}"


_WORDS = {"failed": "failed to start", "unready": "not ready"}


def _words(part: PartStatus) -> str:
    reason = f": {part.detail}" if part.detail else ""
    match part.state:
        case "ready":
            count = f" ({part.ready_replicas} of {part.replicas})" if part.replicas > 1 else ""
            restarts = f", restarted {counted(part.restarts, 'time')}" if part.restarts else ""
            return f"ready{count}{restarts}"
        case "preparing":
            return part.detail or "preparing"
        case "asleep":
            return "asleep: starts when it is called"
        case state:
            return f"{_WORDS.get(state, state)}{reason}"


def _show_log(part: PartStatus) -> None:
    for line in part.log[-LOG_LINES:]:
        output.talk(f"    | {line}")


@contextmanager
def show_transfer(name: str) -> Iterator[Callable[[FetchProgress], None]]:
    """Shows a bar on a terminal's stderr while the block runs; the callable takes how far the download is."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    text, *numbers = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    console = Console(stderr=True)
    with Progress(
        text, *numbers, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as bars:
        bar = bars.add_task(name, total=None)

        def show(now: FetchProgress) -> None:
            bars.update(
                bar, description=f"{name}: {now.stage}", completed=now.done_bytes, total=now.total_bytes
            )

        yield show


@contextmanager
def show_work(name: str) -> Iterator[Callable[[str], None]]:
    """Shows a line on a terminal's stderr while the block runs; the callable takes what is being done."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), console=console, disable=not console.is_terminal
    ) as lines:
        line = lines.add_task(name, total=None)
        yield lambda words: lines.update(line, description=f"{name}: {words}")
