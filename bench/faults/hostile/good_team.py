"""The team that calls as usual: each entry at a steady pace, from a process of its own.

What the hostile team's callers compute must not hold up the calls whose time is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from bench.faults.hostile.chat import chat
from bench.faults.hostile.tables import CSV
from centralized_ml_api.api.keys import KEY_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ANSWER_SECONDS = 120.0
_ROOT = Path(__file__).resolve().parents[3]
_OK = 200
_JSON = "application/json"

USUAL_CALLS: dict[str, tuple[str, str, bytes]] = {
    "chat": ("/v1/chat/completions", _JSON, json.dumps(chat(model="chat", temperature=0)).encode()),
    "table": ("/table", CSV, b"1,2\n3,4\n"),
    "shared": ("/shared", _JSON, json.dumps(chat()).encode()),
}
"""By entry, the path, the type and the body of the team's call to it. `/v1` permits slower answers."""


@dataclass(frozen=True, slots=True)
class UsualCall:
    """One call of the team: its status, 0 if there was no response."""

    entry: str
    status: int
    milliseconds: float
    said: str = ""


@dataclass(slots=True)
class Usual:
    """The calls of the team over some time, in the order in which they ended."""

    calls: list[UsualCall] = field(default_factory=list)

    @property
    def lost(self) -> list[UsualCall]:
        """The calls without their right answer."""
        return [call for call in self.calls if call.status != _OK]

    def of(self, entry: str) -> Usual:
        """Returns the calls of one entry."""
        return Usual([call for call in self.calls if call.entry == entry])

    @property
    def p95(self) -> float:
        """The 95th percentile in milliseconds of what was answered."""
        answered = [call.milliseconds for call in self.calls if call.status == _OK]
        return (
            statistics.quantiles(answered, n=20, method="inclusive")[-1]
            if len(answered) > 1
            else sum(answered)
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the team calls.

    Attributes:
        seconds: From one call to the next, of all entries together.
        waits: Whether it calls an entry only after the call before was answered: a slow machine is then not
            called more than it can answer. Without, slow answers are not followed by fewer calls.
    """

    seconds: float
    waits: bool = False


@contextlib.contextmanager
def calling_as_usual(port: int, key: str, pace: Pace) -> Iterator[Usual]:
    """Calls from another process until the block ends."""
    usual = Usual()
    command = [sys.executable, "-m", __spec__.name, str(port), json.dumps(asdict(pace))]
    with subprocess.Popen(  # noqa: S603  # this file
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdin, "a pipe"  # noqa: S101
        assert caller.stdout, "a pipe"  # noqa: S101
        listener = threading.Thread(target=_hear, args=(caller.stdout, usual))
        listener.start()
        try:
            caller.stdin.write(f"{key}\n")
            caller.stdin.flush()
            yield usual
        finally:
            with contextlib.suppress(BrokenPipeError):
                caller.stdin.close()
            listener.join()
    if caller.returncode:
        raise RuntimeError(f"the team that calls as usual ended with {caller.returncode}")


def _hear(lines: Iterable[str], usual: Usual) -> None:
    for line in lines:
        usual.calls.append(UsualCall(**json.loads(line)))


def main() -> None:
    """Calls until standard input ends, which has the key as its first line; prints a line for each call."""
    port, pace = int(sys.argv[1]), Pace(**json.loads(sys.argv[2]))
    asyncio.run(_call_until_told(port, pace))


async def _call_until_told(port: int, pace: Pace) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    key = sys.stdin.readline().strip()

    def wait_for_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    await _call_all(port, key, pace, stop)


async def _call_all(port: int, key: str, pace: Pace, stop: asyncio.Event) -> None:
    """Calls every entry; returns when told to stop and all calls are over."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector, timeout=timeout) as session,
        asyncio.TaskGroup() as group,
    ):

        async def call_often(entry: str, after_seconds: float) -> None:
            next_at = time.monotonic() + after_seconds
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), max(0, next_at - time.monotonic()))
                    return
                next_at = max(next_at + pace.seconds * len(USUAL_CALLS), time.monotonic())
                call = group.create_task(_call(session, entry, key))
                if pace.waits:
                    await call

        for number, entry in enumerate(USUAL_CALLS):
            group.create_task(call_often(entry, number * pace.seconds))


async def _call(session: aiohttp.ClientSession, entry: str, key: str) -> None:
    path, content_type, body = USUAL_CALLS[entry]
    begun = time.monotonic()
    status, said = 0, ""
    try:
        headers = {"content-type": content_type, KEY_HEADER: key}
        async with session.post(path, data=body, headers=headers) as response:
            text = await response.read()
            status = response.status
            if status != _OK:
                said = text[:200].decode("utf-8", "replace")
            elif not _is_right(entry, json.loads(text)):
                status, said = 0, f"a wrong answer: {text[:200]!r}"
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        said = f"{type(error).__name__}: {error}"
    call = UsualCall(entry, status, (time.monotonic() - begun) * 1000, said)
    sys.stdout.write(f"{json.dumps(asdict(call))}\n")
    sys.stdout.flush()


def _is_right(entry: str, answer: Any) -> bool:
    return bool(answer == {"kind": "ndarray", "size": 4} if entry == "table" else answer["choices"])


if __name__ == "__main__":
    main()
