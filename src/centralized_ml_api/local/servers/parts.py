"""What every engine's service is made of: the model's spec, its environment, its weights."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from centralized_ml_api.local.launch import Server
from centralized_ml_api.local.machine.child_environment import build_environment, inherited_environment
from centralized_ml_api.local.supervision.probe import Prober
from centralized_ml_api.local.supervision.process import ServerLog, start_process
from centralized_ml_api.local.supervision.replica import ChoosePort, Start, Timeouts, choose_quiet_port
from centralized_ml_api.local.supervision.server_watch import ServerWatches
from centralized_ml_api.local.supervision.service import ReplicatedService
from centralized_ml_api.local.weights import Progress, fetch_weights, render_bytes
from centralized_ml_api.plan.types import LocalPlan
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.local.supervision.service import Service

Say = Callable[[str], None]
"""Hears in a few words how far a service is before it starts."""

Prepare = Callable[[Say, ServerLog], Awaitable[Server]]
"""Makes a server: its weights fetched, its packages installed; the log gets what is longer."""

T = TypeVar("T")


@record
class ModelSpec:
    """A model to serve; equal specs are the same service. `fingerprint` changes when its code does.

    `max_output_tokens` is set only where the server itself is told.
    """

    name: str
    local: LocalPlan
    folders: tuple[Path, ...]
    fingerprint: str = ""
    max_output_tokens: int | None = None

    @property
    def entry(self) -> str:
        """The entry that it serves."""
        return self.name

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its process, see `build_environment`."""
        return build_environment(inherited_environment(), self.local.environment)


@record
class ServiceParts:
    """What services are made of.

    Attributes:
        logs: The folder of their logs.
        scratch: The folder where they may write.
        prober: Asks servers whether they are ready.
        watches: Watches the servers that somebody else runs.
        runtime_url: Where functions find the models.
        timeouts: How long servers may take to start and to answer.
        start: Starts the processes of models.
        choose_port: Returns the port for the next process of a model.
    """

    logs: Path
    scratch: Path
    prober: Prober
    watches: ServerWatches
    runtime_url: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    start: Start = start_process
    choose_port: ChoosePort = choose_quiet_port

    def replicate(self, spec: ModelSpec, prepare: Prepare, changed: Callable[[], None]) -> Service:
        """Makes the service of a model that processes of this machine serve.

        Args:
            spec: The model.
            prepare: Makes its server; raises an `MlApiError` when it cannot.
            changed: Called after each change of the service's report.
        """
        return ReplicatedService(
            spec.name,
            prepare,
            replicas=spec.local.replicas,
            logs=self.logs,
            prober=self.prober,
            changed=changed,
            timeouts=self.timeouts,
            keeps_connections=spec.local.serving.keeps_connections,
            about_path=spec.local.serving.about_path,
            start=self.start,
            choose_port=self.choose_port,
        )


async def fetch(weights: Weights, folders: tuple[Path, ...], say: Say) -> Path:
    """Fetches weights.

    Args:
        weights: What to fetch.
        folders: Where relative paths of the config start.
        say: Hears how far that is.

    Raises:
        WeightsError: They cannot be had.
    """
    return await in_thread(
        lambda say, cancelled: fetch_weights(
            weights, folders=folders, progress=lambda now: say(render_progress(now)), cancelled=cancelled
        ),
        say,
    )


async def in_thread(work: Callable[[Say, threading.Event], T], say: Say) -> T:
    """Runs work that blocks; when this is cancelled, the work's event is set, and its thread has ended."""
    loop = asyncio.get_running_loop()
    cancelled = threading.Event()

    def say_there(words: str) -> None:
        loop.call_soon_threadsafe(say, words)

    running = asyncio.ensure_future(asyncio.to_thread(work, say_there, cancelled))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        await asyncio.wait({running})
        running.exception()  # that the work was cancelled is no news
        raise


def render_progress(now: Progress) -> str:
    """Renders progress, such as `downloading weights: 12.3 MB of 93.8 MB (13%)`."""
    words = {
        "waiting": "waiting for another process that fetches the same weights",
        "downloading": "downloading weights",
        "unpacking": "unpacking weights",
        "verifying": "verifying weights",
    }[now.stage]
    if now.total_bytes:
        share = f"{now.done_bytes / now.total_bytes:.0%}"
        return f"{words}: {render_bytes(now.done_bytes)} of {render_bytes(now.total_bytes)} ({share})"
    return f"{words}: {render_bytes(now.done_bytes)}" if now.done_bytes else words
