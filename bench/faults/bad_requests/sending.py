"""Sends requests, several at once, and counts what comes back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.faults.answers import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.faults.answers import Answer
    from bench.faults.bad_requests.requests import BadRequest

LIMIT_SECONDS = 32.0
"""The route's limit of 29 seconds, and a moment."""

AT_ONCE = 4
REFUSED = 400
NOTHING = 0
"""In place of a status: the connection ended without an answer, or it came too late."""

_LATER = frozenset({429, 503})
_SHOWN_BYTES = 1_500


@dataclass(slots=True)
class Outcome:
    """What became of requests: how many there were of each status, and those that are findings."""

    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    in_shape: bool = True
    """Whether errors must have the API's shape: a server's own only have a message."""

    def note(self, request: BadRequest, answer: Answer | None) -> None:
        """Counts a request; an answer of 500 or more is a finding, and so is none at all.

        A caller who may come back later was told so for others' sake, and a request without its end gets no
        answer.
        """
        self.statuses[answer.status if answer else NOTHING] += 1
        if answer is None:
            fault = "no answer" if request.complete else ""
        elif answer.status in _LATER and "retry-after" in answer.headers:
            fault = ""
        elif answer.is_server_error:
            fault = str(answer.status)
        else:
            is_readable = answer.is_readable or answer.is_readable_by_anthropic
            is_readable |= not self.in_shape and answer.has_message
            fault = f"{answer.status} out of shape" if answer.is_error and not is_readable else ""
        if fault:
            said = answer.body[:300] if answer else b""
            self.findings.append(f"{fault}: {said!r} to {shorten(request.raw)!r}")


def shorten(raw: bytes) -> bytes:
    """Returns the beginning and the end of a request."""
    return raw if len(raw) <= _SHOWN_BYTES else raw[: _SHOWN_BYTES - 200] + b" ... " + raw[-200:]


def send_bad_requests(
    port: int,
    build: Callable[[random.Random], BadRequest | None],
    *,
    count: int,
    seed: int,
    in_shape: bool = True,
) -> Outcome:
    """Sends `count` requests, the same for a seed, each on a connection of its own.

    Args:
        port: Of a server on 127.0.0.1.
        build: Builds a request; None stands for one that was refused with 400 before it was sent.
        count: How many.
        seed: Makes them the same again.
        in_shape: Whether errors must have the API's shape.
    """
    chance = random.Random(seed)  # noqa: S311  for requests, not for secrets
    outcome = Outcome(in_shape=in_shape)
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            request = build(chance)
            if request is None:
                outcome.statuses[REFUSED] += 1
            else:
                outcome.note(request, await _ask(port, request))

    async def work_all() -> None:
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    asyncio.run(work_all())
    return outcome


async def _ask(port: int, request: BadRequest) -> Answer | None:
    """Returns the answer; None if there is none in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    raw = b""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            writer.write(request.raw)
            if not request.complete:
                writer.write_eof()
            while (answer := read_answer(raw)) is None and (piece := await reader.read(1 << 20)):
                raw += piece
    except (OSError, TimeoutError):
        return read_answer(raw)
    finally:
        writer.transport.abort()
    return answer
