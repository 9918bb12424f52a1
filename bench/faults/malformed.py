"""Sends requests that no client should send, and counts how the API responds."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.faults.answers import read_answer
from bench.faults.malformed_kinds import KINDS
from centralized_ml_api.api.error_shape import UNKNOWN_TRANSFER_CODING

if TYPE_CHECKING:
    from random import Random

    from bench.faults.answers import Answer

AT_ONCE = 64
ANSWER_SECONDS = 30.0
QUIET_SECONDS = 0.5
"""How long to wait for more of a response: the API rightly waits for the end of an incomplete request."""


@dataclass(slots=True)
class Replies:
    """How the API responded to malformed requests.

    `silent` requests got no response: the API waits for the rest, or only closed the connection.
    """

    sent: int = 0
    silent: int = 0
    out_of_shape: int = 0
    server_errors: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    """What was wrong, for whoever fixes it."""

    def add(self, other: Replies) -> None:
        """Adds the counts of `other`."""
        self.sent += other.sent
        self.silent += other.silent
        self.out_of_shape += other.out_of_shape
        self.server_errors += other.server_errors
        self.statuses += other.statuses
        self.examples += other.examples

    def count(self, kind: str, request: bytes, answer: Answer | None) -> None:
        """Counts one request."""
        self.sent += 1
        if answer is None:
            self.silent += 1
            return
        self.statuses[answer.status] += 1
        is_failure = answer.is_server_error and answer.status != UNKNOWN_TRANSFER_CODING.status
        is_wrong = answer.is_error and not answer.in_shape
        self.out_of_shape += is_wrong
        self.server_errors += is_failure
        if is_wrong or is_failure:
            self.examples.append(f"{kind}: {request[:120]!r} -> {answer.status} {answer.body[:120]!r}")


async def send_malformed(port: int, count: int, random: Random, paths: list[str]) -> Replies:
    """Sends `count` requests, each on its own connection, `AT_ONCE` at a time."""
    replies, free = Replies(), asyncio.Semaphore(AT_ONCE)

    async def send_one(kind: str, request: bytes) -> None:
        async with free:
            replies.count(kind, request, await _ask(port, request))

    kinds = [random.choice(sorted(KINDS)) for _ in range(count)]
    requests = [(kind, KINDS[kind](random, random.choice(paths).encode())) for kind in kinds]
    await asyncio.gather(*(send_one(kind, request) for kind, request in requests))
    return replies


async def _ask(port: int, request: bytes) -> Answer | None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(request)
    raw = b""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while (answer := read_answer(raw)) is None and (piece := await _piece(reader)):
                raw += piece
    except (OSError, TimeoutError):
        return read_answer(raw)
    finally:
        writer.transport.abort()
    return answer


async def _piece(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(1 << 20), QUIET_SECONDS)
