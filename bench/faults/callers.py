"""Many connections that call at a steady pace, and the outcome of every call."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import select
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from bench.faults.answers import read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.faults.answers import Answer

OK, MODEL_FAILED, COME_BACK = 200, 502, 503
ANSWER_SECONDS = 60.0
CONNECT_PAUSE_SECONDS = 0.05
AWAY_SECONDS = 120.0
_MOST_BYTES = 1 << 20


@dataclass(slots=True)
class Tally:
    """The outcomes of calls.

    `lost` calls were sent and got no response, or got 502 because their model died. `lost_again` calls
    are lost calls on a connection that had already lost a call to the same kill: killing a process may
    lose the call in progress on a connection, but no further one. Calls that were sent before the process
    was gone do not count: the kernel closes what it listens on last, so it still takes new connections.
    """

    kills: int = 0
    """How many processes were killed so far."""
    answered: int = 0
    lost: int = 0
    lost_again: int = 0
    again: list[str] = field(default_factory=list)
    """How each call was lost that a connection lost again."""
    turned_away: int = 0
    """503 with `Retry-After`: the model is restarting."""
    out_of_shape: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    gone_at: float = 0.0
    """When the process that was killed last was gone; infinite until it is."""

    @contextlib.contextmanager
    def killing(self) -> Iterator[None]:
        """Counts a kill. The block must not end before the process is gone."""
        self.kills += 1
        self.gone_at = math.inf
        yield
        self.gone_at = time.monotonic()

    @property
    def calls(self) -> int:
        """The number of all calls."""
        return self.answered + self.lost + self.turned_away

    def __sub__(self, before: Tally) -> Tally:
        """Returns the outcomes since `before`."""
        return Tally(
            self.kills - before.kills,
            self.answered - before.answered,
            self.lost - before.lost,
            self.lost_again - before.lost_again,
            self.again[len(before.again) :],
            self.turned_away - before.turned_away,
            self.out_of_shape - before.out_of_shape,
            self.statuses - before.statuses,
        )

    def __add__(self, other: Tally) -> Tally:
        """Adds two tallies."""
        return Tally(
            self.kills + other.kills,
            self.answered + other.answered,
            self.lost + other.lost,
            self.lost_again + other.lost_again,
            self.again + other.again,
            self.turned_away + other.turned_away,
            self.out_of_shape + other.out_of_shape,
            self.statuses + other.statuses,
        )

    def copy(self) -> Tally:
        """Returns a copy."""
        return self + Tally()


class Caller:
    """One connection with one call in progress at a time."""

    def __init__(
        self, number: int, port: int, entry: str, pause_seconds: float, tally: Tally, *, chats: bool = False
    ) -> None:
        self._port = port
        self._pause_seconds = pause_seconds
        self._tally = tally
        self._entry = entry
        self._names = (f"{number}-{call}" for call in itertools.count()) if chats else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._lost_in = -1
        """The number of kills when the last call was lost."""
        self._lost_at = 0.0
        self._began = 0.0
        self._random = Random(number)  # noqa: S311  # spreads the load

    async def run(self, stop: asyncio.Event) -> None:
        """Calls until told to stop; finishes a call in progress."""
        while not stop.is_set():
            self._count(await self._call())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._pause_seconds * self._random.uniform(0.5, 1.5))
        self._close()

    async def _call(self) -> Answer | None:
        """Returns the response, None if a sent call gets none. Like any client, it retries connecting."""
        try:
            reader, writer = await self._connect()
            self._began = time.monotonic()
            writer.write(self._build_request())
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await _receive(reader)
        except (OSError, TimeoutError):
            answer = None
        if answer is None or answer.closes:
            self._close()
        return answer

    def _build_request(self) -> bytes:
        """Builds an empty call, or a chat whose text no other call has."""
        chat = {"messages": [{"role": "user", "content": next(self._names)}]} if self._names else {}
        body = json.dumps(chat)
        return (
            f"POST /{self._entry} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams and not _is_closed(*self._streams):
            return self._streams
        self._close()
        end = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(CONNECT_PAUSE_SECONDS)
            else:
                return self._streams

    def _close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    def _count(self, answer: Answer | None) -> None:
        tally = self._tally
        if answer is None or answer.status == MODEL_FAILED:
            tally.lost += 1
            now = time.monotonic()
            if self._lost_in == tally.kills and self._began >= tally.gone_at:
                tally.lost_again += 1
                how = "502" if answer else "no response"
                tally.again.append(
                    f"{self._entry}: {how}, {now - self._began:.2f} s after it was sent, "
                    f"{now - self._lost_at:.2f} s after the loss before"
                )
            self._lost_in, self._lost_at = tally.kills, now
        elif answer.status == COME_BACK and "retry-after" in answer.headers:
            tally.turned_away += 1
        else:
            tally.answered += 1
        if answer is not None:
            tally.statuses[answer.status] += 1
            tally.out_of_shape += answer.is_error and not answer.in_shape


def _is_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Returns whether the other side closed the connection: between calls there is nothing else to read."""
    looking = select.poll()
    looking.register(writer.get_extra_info("socket").fileno(), select.POLLIN)
    return reader.at_eof() or bool(looking.poll(0))


async def _receive(reader: asyncio.StreamReader) -> Answer | None:
    raw = b""
    while piece := await reader.read(_MOST_BYTES):
        raw += piece
        if answer := read_answer(raw):
            return answer
    return None


@contextlib.contextmanager
def calling(
    port: int, entries: Sequence[str], connections: int, pause_seconds: float, *, chats: bool = False
) -> Iterator[Tally]:
    """Calls the entries on `connections` connections until the block ends, on another thread.

    With `chats`, each call has a text that no other one has.
    """
    tally = Tally()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def call_all() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(connections):
                entry = entries[number % len(entries)]
                caller = Caller(number, port, entry, pause_seconds, tally, chats=chats)
                group.create_task(_begin_late(caller, stop, pause_seconds * number / connections))

    thread = threading.Thread(target=lambda: loop.run_until_complete(call_all()))
    thread.start()
    try:
        yield tally
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _begin_late(caller: Caller, stop: asyncio.Event, seconds: float) -> None:
    """Delays a caller, so that the load is steady instead of coming in waves."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    await caller.run(stop)
