"""The sockets on which this process answers programs of this machine, and when it begins to.

All listen from the start on, so that nobody is refused; who connects before anything answers waits. What
answers takes a fifth of a second of a processor to import, most of it aiohttp's server. That comes once the
API serves: before, it would only make the start longer. The first call has the processor for itself, too,
unless somebody already asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import secrets
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.ports import bind_loopback, url_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterable
    from contextlib import AsyncExitStack
    from typing import Protocol

    from centralized_ml_api.local.machine.state_folder import Run
    from centralized_ml_api.local.run.board import Board
    from centralized_ml_api.local.run.control import Controlled
    from centralized_ml_api.local.run.jobs import Jobs
    from centralized_ml_api.local.run.joining import Entrance
    from centralized_ml_api.local.run.supervisor import Supervisor
    from centralized_ml_api.local.traffic.metrics import MetricsSource

    class Target(Controlled, MetricsSource, Protocol):
        """What is shown and changed."""


MOST_SECONDS = 2.0
"""How long a start may take before its status can be asked."""
FIRST_CALL_SECONDS = 0.5
"""How long the first call has the processor for itself: a short one takes a tenth of that."""


class Sockets:
    """The sockets of one run, bound and listening.

    Args:
        runtime_port: Where SageMaker's runtime API is to be, if that port is free.
        metrics_port: Where Prometheus asks; 0 takes a free port, None has no such place.
    """

    def __init__(self, runtime_port: int, metrics_port: int | None) -> None:
        self.metrics = (
            None if metrics_port is None else bind_loopback(metrics_port)
        )  # asked for: it comes first
        self.runtime = bind_loopback(runtime_port)
        self.control = bind_loopback()
        self.token = secrets.token_urlsafe(32)

    @property
    def all(self) -> tuple[socket.socket, ...]:
        """All of them."""
        return tuple(filter(None, (self.runtime, self.metrics, self.control)))

    @property
    def runtime_url(self) -> str:
        """Where functions and boto3 find SageMaker's runtime API."""
        return url_of(self.runtime)

    def tell(self, run: Run) -> Run:
        """Returns the run with where `mlapi status` and others ask this process, and with what token."""
        return run.reachable(url_of(self.control), self.token)


async def answer(
    stack: AsyncExitStack,
    sockets: Sockets,
    target: Target,
    supervisor: Supervisor,
    *,
    doors: tuple[Entrance, Jobs],
    board: Board,
    until: Callable[[float], Awaitable[None]],
    started: Callable[[], None],
) -> str:
    """Answers on all sockets until the stack unwinds; returns the link to the organizer's screen.

    Args:
        stack: Ends the answering.
        sockets: Where.
        target: What is shown and changed.
        supervisor: What is served.
        doors: Where the gateway brings teams that join, and calls that are answered later.
        board: What the organizer's screen shows.
        until: Waits until the API serves, no longer than so many seconds.
        started: Called then.

    Raises:
        StartError: The jobs that an earlier run left cannot be read.
    """
    entrance, jobs = doors
    await jobs.load()
    await until(MOST_SECONDS)
    started()
    calls_back = any(entry.function for entry in supervisor.plan.deployments)  # the first call asks here, too
    asked = (*sockets.all, entrance.socket, jobs.socket)
    await until_asked(asked, 0.0 if calls_back else FIRST_CALL_SECONDS)
    listeners = await asyncio.to_thread(importlib.import_module, "centralized_ml_api.local.run.listeners")
    await listeners.listen_for_functions(stack, supervisor, sockets.runtime)
    await listeners.listen_to_gateway(stack, entrance, supervisor, jobs)
    link: str = await listeners.listen_for_organizer(stack, board)
    if sockets.metrics is not None:
        await listeners.listen_for_prometheus(stack, target, sockets.metrics)
    await listeners.listen_to_control(stack, target, sockets.token, sockets.control)
    return link


async def until_asked(listening: Iterable[socket.socket], seconds: float) -> None:
    """Waits until somebody connects, which may have happened already, no longer than so many seconds.

    Args:
        listening: The sockets; nothing accepts connections on them yet.
        seconds: How long.
    """
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    watched = [each.fileno() for each in listening]
    for descriptor in watched:
        loop.add_reader(descriptor, asked.set)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asked.wait()
    finally:
        for descriptor in watched:
            loop.remove_reader(descriptor)
