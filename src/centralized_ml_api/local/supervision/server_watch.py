"""Watches servers that somebody else runs, each of them once, however many services it stands behind."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

from centralized_ml_api.local.gateway import ExternalUpstream
from centralized_ml_api.local.supervision.probe import ProbeResult
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.supervision.probe import Prober
    from centralized_ml_api.plan.url_target import UrlTarget

PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Between two looks at a server: short at first, then always the last."""

LOOKS_PER_SECOND = 50
"""At all servers together, which takes some hundredths of a core: beyond 250 of them, each is looked at less
often."""

LOOKS_AT_ONCE = 200
"""More would time each other out: a look may take a second, and this process has one core for all of them."""


@record
class Sight:
    """What the last look at a server showed; `result` is None before the first."""

    result: ProbeResult | None = None
    keeps_connections: bool = False


class ServerWatches:
    """All servers that are watched now.

    Args:
        prober: Asks whether they are ready.
    """

    def __init__(self, prober: Prober) -> None:
        self._prober = prober
        self._watches: dict[UrlTarget, _Watch] = {}
        self._room = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._free_at = 0.0

    async def follow(self, target: UrlTarget, note: Callable[[Sight], None]) -> None:
        """Tells `note` what every look at a server shows that begins from now on, until cancelled."""
        watch = self._watches.get(target)
        if watch is None:
            watch = self._watches[target] = _Watch(target, self._prober, self._room, self._pause)
        watch.join(note)
        try:
            await asyncio.shield(watch.task)
        finally:
            if watch.leave(note):
                self._watches.pop(target, None)
                await watch.stop()

    def _pause(self, seconds: float) -> float:
        """Returns how long to wait until the next look, for which a place among all looks is taken.

        Looks that have to wait for theirs come together, once a second: one by one, each takes several times
        the processor time.
        """
        now = asyncio.get_running_loop().time()
        wanted, free_at = now + seconds, self._free_at
        self._free_at = max(wanted, free_at) + 1 / LOOKS_PER_SECOND
        return seconds if wanted >= free_at else math.ceil(free_at) - now


class _Watch:
    """Looks at one server again and again; without a `ping_url`, a port that accepts connections is ready."""

    def __init__(
        self,
        target: UrlTarget,
        prober: Prober,
        room: asyncio.Semaphore,
        pause: Callable[[float], float],
    ) -> None:
        self._target = target
        self._prober = prober
        self._room = room
        self._pause = pause
        self._followers: dict[Callable[[Sight], None], None] = {}
        self._joined = asyncio.Event()
        self._sight = Sight()
        self.task = asyncio.create_task(self._run())

    def join(self, note: Callable[[Sight], None]) -> None:
        """Adds a follower, for whom the server is looked at anew: what was seen before may be over."""
        self._followers[note] = None
        self._sight = Sight()
        self._joined.set()

    def leave(self, note: Callable[[Sight], None]) -> bool:
        """Removes a follower; returns whether it was the last."""
        self._followers.pop(note, None)
        return not self._followers

    async def stop(self) -> None:
        """Looks no more."""
        self.task.cancel()
        await asyncio.wait({self.task})

    async def _run(self) -> None:
        looks = 0
        while True:
            self._joined.clear()
            followers = [*self._followers]
            async with self._room:
                sight = await self._look()
            if not self._joined.is_set():  # otherwise the look is older than a follower
                self._sight = sight
            for note in followers:
                if note in self._followers:
                    note(sight)
            pause = PAUSES_SECONDS[min(looks, len(PAUSES_SECONDS) - 1)]
            looks = 0 if await self._has_joined_within(self._pause(pause)) else looks + 1

    async def _has_joined_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._joined.wait()
        return self._joined.is_set()

    async def _look(self) -> Sight:
        """Looks once; a server that has become ready is also asked what it is.

        One that keeps connections is asked at every look: another product may have taken its place since the
        last one, and would lose calls for as long as nobody noticed.
        """
        before, result = self._sight, await self._probe()
        is_known = before.result is result and not before.keeps_connections
        if result is not ProbeResult.READY or is_known:
            return Sight(result, before.keeps_connections)
        (origin,) = ExternalUpstream("", self._target.host, self._target.port, self._target.tls).origins
        return Sight(result, await self._prober.keeps_connections(f"{origin}/"))

    async def _probe(self) -> ProbeResult:
        if self._target.ping_url is None:
            return await self._prober.probe_port(self._target.host, self._target.port)
        return await self._prober.probe(self._target.ping_url)
