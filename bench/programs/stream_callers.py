"""Callers that each read one stream: `python -m bench.programs.stream_callers STREAMS OPENING SECONDS`.

It reads the call from standard input, so that no process list shows its key: a line of JSON with `url`,
`body` and `headers`. It opens all streams within `OPENING` seconds and prints `open` once each has had an
event; then it measures for `SECONDS` and prints, as JSON, how late the events came after they were sent. The
streams stay open until standard input ends, so that whoever reads the outcome can look at what they hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

OPEN = "open"
SILENT_SECONDS = 5.0
"""After so long without an event, where one is due each second, a stream counts as broken."""
OPEN_SECONDS = 30
"""How long all streams may take to have their first event, after the last was asked for."""
_SENT = re.compile(rb'"content": ?"(\d+)"')
_MILLE = 1_000_000


@dataclass(slots=True)
class Tally:
    """What all callers have seen: how many streams began, how many broke, how late events were."""

    streams: int
    opened: int = 0
    broken: int = 0
    measures: bool = False
    ends: bool = False
    nanoseconds: list[int] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def note_open(self) -> None:
        """Takes note of a stream's first event."""
        self.opened += 1
        if self.opened == self.streams:
            self.told.set()


class Caller(asyncio.Protocol):
    """Reads one stream."""

    def __init__(self, request: bytes, tally: Tally) -> None:
        self._request, self._tally, self._rest, self._is_open = request, tally, b"", False
        self._heard, self.is_closed = 0, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the call."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._request)

    def is_silent(self, now: int) -> bool:
        """Tells whether the last event came long before `now`, in nanoseconds of the monotonic clock."""
        return now - self._heard > SILENT_SECONDS * 1e9

    def data_received(self, data: bytes) -> None:
        """Takes note of the events that are whole by now."""
        now, end = time.monotonic_ns(), 0
        self._rest += data
        for found in _SENT.finditer(self._rest):
            end, self._heard = found.end(), now
            if not self._is_open:
                self._is_open = True
                self._tally.note_open()
            if self._tally.measures:
                self._tally.nanoseconds.append(now - int(found[1]))
        self._rest = self._rest[end:]

    def connection_lost(self, _: Exception | None) -> None:
        """Takes note of a stream that did not last."""
        self._tally.broken += not self._tally.ends
        self.is_closed = True


async def read_streams(
    call: Mapping[str, Any],
    streams: int,
    opening: float,
    seconds: float,
    tell: Callable[[Tally], Awaitable[None]],
) -> None:
    """Opens the streams, says so, measures, and tells the outcome before it closes them.

    Args:
        call: `url`, `body` and `headers` of each.
        streams: How many.
        opening: The seconds over which they are opened.
        seconds: How long it measures.
        tell: Gets the outcome; the streams are open until it returns.

    Raises:
        TimeoutError: Not all streams have had an event in time.
    """
    loop, address, tally = asyncio.get_running_loop(), urlsplit(call["url"]), Tally(streams)
    request, transports, callers = render_request(call), [], []
    begun = loop.time()
    for number in range(streams):
        await asyncio.sleep(max(0.0, begun + number * opening / streams - loop.time()))
        transport, caller = await loop.create_connection(
            lambda: Caller(request, tally), address.hostname, address.port
        )
        transports.append(transport)
        callers.append(caller)
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await tally.told.wait()
    except TimeoutError as error:
        seen = f"{tally.opened} of {streams} streams began, {tally.broken} broke"
        raise TimeoutError(seen) from error
    sys.stdout.write(f"{OPEN}\n")
    sys.stdout.flush()
    tally.measures = True
    await asyncio.sleep(seconds)
    tally.measures, tally.ends = False, True
    now = time.monotonic_ns()
    tally.broken += sum(caller.is_silent(now) for caller in callers if not caller.is_closed)
    await tell(tally)
    for transport in transports:
        transport.abort()


async def print_outcome(tally: Tally) -> None:
    """Prints the outcome, and waits until standard input ends."""
    sys.stdout.write(json.dumps(describe(tally)) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


def render_request(call: Mapping[str, Any]) -> bytes:
    """Renders the request that asks for a stream."""
    address, body = urlsplit(call["url"]), call["body"].encode()
    headers = {**call["headers"], "host": address.netloc, "content-length": str(len(body))}
    lines = [f"POST {address.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return b"".join(["\r\n".join([*lines, "", ""]).encode(), body])


def describe(tally: Tally) -> dict[str, Any]:
    """Returns the outcome; delays are in milliseconds."""
    delays = sorted(tally.nanoseconds)
    return {
        "broken": tally.broken,
        "events": len(delays),
        "p50": find_share(delays, 0.5) / _MILLE,
        "p99": find_share(delays, 0.99) / _MILLE,
        "slowest": delays[-1] / _MILLE if delays else 0.0,
    }


def find_share(ordered: Sequence[int], share: float) -> int:
    """Returns the value that this share of the ordered values does not exceed; 0 of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    with contextlib.suppress(KeyboardInterrupt):
        numbers = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
        asyncio.run(read_streams(asked, *numbers, print_outcome))
