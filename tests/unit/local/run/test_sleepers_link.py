"""The connection to the admission service: what it is told, what is heard, and when it is made again."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.sleepers import LINE_LIMIT_BYTES, Sleepers
from centralized_ml_api.local.admission.terms import SLEEPERS_SOCKET
from centralized_ml_api.local.admission.turns import Turns
from centralized_ml_api.local.run.sleepers_link import RECONNECT_SECONDS, SleepersLink
from centralized_ml_api.local.sleep.types import Calls
from support.fake_target import HandClock, soon

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WAKING = {"ocr": {"state": "waking", "ready_in": 2.5}}
READY = {"ocr": {"state": "ready", "ready_in": None}}
COUNTS = {"under_way": 1, "waiting": 2, "taken": 3, "refused": 4}


class Service:
    """An admission service that hears, and says what the test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[dict[str, Any]] = []
        self.connections = 0
        self.hung_up = 0
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._hear, self.folder / SLEEPERS_SOCKET)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writer = writer
        while line := await reader.readline():
            self.heard.append(json.loads(line))
        self.hung_up += 1
        writer.close()

    def say(self, number: int, **counts: int) -> None:
        self.write(json.dumps({"number": number, "calls": {"ocr": counts}}).encode() + b"\n")

    def write(self, line: bytes) -> None:
        assert self._writer is not None
        self._writer.write(line)

    def hang_up(self) -> None:
        assert self._writer is not None
        self._writer.close()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()


class World:
    """A link to a service, and how often it said that the calls changed."""

    def __init__(self, folder: Path) -> None:
        self.service = Service(folder)
        self.clock = HandClock()
        self.link = SleepersLink(folder, clock=self.clock.clock)
        self.link.changed = self._note
        self.changes = 0

    def _note(self) -> None:
        self.changes += 1

    async def connect(self) -> None:
        """Until the service has heard how the entry is."""
        await self.service.start()
        self.link.tell(WAKING)
        await soon(lambda: self.service.heard)


def story(tell: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        with TemporaryDirectory() as folder:
            world = World(Path(folder))
            running = asyncio.create_task(world.link.run())
            try:
                await asyncio.wait_for(tell(world), 60)
            finally:
                world.service.stop()
                running.cancel()
                await asyncio.wait({running})
                assert running.cancelled(), "the link must never end by itself"

    asyncio.run(main())


def test_nobody_connects_before_there_is_something_to_tell() -> None:
    async def tell(world: World) -> None:
        await world.service.start()
        world.link.tell({})
        for _ in range(20):
            await asyncio.sleep(0)
        assert (world.service.connections, world.clock.slept) == (0, [])
        world.link.tell(WAKING)
        await soon(lambda: world.service.heard)
        assert world.service.connections == 1

    story(tell)


def test_what_is_told_has_a_number_and_comes_in_order() -> None:
    async def tell(world: World) -> None:
        await world.service.start()
        assert world.link.tell(WAKING) == 1
        await soon(lambda: world.service.heard)
        assert [world.link.tell(READY), world.link.tell({})] == [2, 3]
        await soon(lambda: len(world.service.heard) == 3)
        assert world.service.heard == [
            {"number": 1, "entries": WAKING},
            {"number": 2, "entries": READY},
            {"number": 3, "entries": {}},
        ]

    story(tell)


def test_calls_are_known_once_the_service_has_obeyed() -> None:
    async def tell(world: World) -> None:
        assert not world.link.sees_calls
        await world.connect()
        assert not world.link.sees_calls
        world.service.say(0, **COUNTS)
        await soon(lambda: world.changes == 1)
        assert not world.link.sees_calls, "it reports what it counted before it heard anything"
        world.service.say(1, **COUNTS)
        await soon(lambda: world.changes == 2)
        assert world.link.sees_calls
        assert world.link.calls("ocr") == Calls(under_way=1, waiting=2, taken=3, refused=4)
        assert world.link.calls("other") == Calls()

    story(tell)


def test_who_waits_for_a_number_goes_on_once_that_or_a_later_one_is_obeyed() -> None:
    async def tell(world: World) -> None:
        await world.connect()
        second, third = world.link.tell(READY), world.link.tell(WAKING)
        waiting = [asyncio.create_task(world.link.obeyed(number)) for number in (second, third, third + 1)]
        world.service.say(1)
        await soon(lambda: world.changes == 1)
        assert [task.done() for task in waiting] == [False, False, False]
        world.service.say(third)
        await asyncio.wait(waiting[:2], timeout=30)
        assert [task.done() for task in waiting] == [True, True, False]
        await asyncio.wait_for(world.link.obeyed(third), 30)
        waiting[2].cancel()

    story(tell)


def test_once_the_service_has_obeyed_the_calls_are_those_of_that_moment() -> None:
    """The service says of itself what has changed, but not more often than every 50 milliseconds."""

    async def tell() -> None:
        with TemporaryDirectory() as folder:
            turns = Turns(time.monotonic)
            service = Sleepers(turns, time.monotonic)
            served: list[asyncio.StreamWriter] = []

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await service.serve(reader, writer)
                await writer.wait_closed()
                served.append(writer)

            server = await asyncio.start_unix_server(serve, Path(folder) / SLEEPERS_SOCKET)
            link = SleepersLink(Path(folder))
            running = asyncio.create_task(link.run())
            await link.obeyed(link.tell(WAKING))
            call = asyncio.create_task(
                turns.take("call", "ocr", "red", places=None, at_once=None, sleeper="ocr")
            )
            await soon(lambda: link.calls("ocr").waiting == 1)
            await link.obeyed(link.tell(READY))
            await call
            turns.end("call")
            await link.obeyed(link.tell(READY))
            assert link.calls("ocr") == Calls(taken=1)
            running.cancel()
            await asyncio.wait({running})
            await soon(lambda: served)
            server.close()

    asyncio.run(asyncio.wait_for(tell(), 60))


def test_a_service_that_ends_is_told_again_and_its_calls_are_forgotten() -> None:
    async def tell(world: World) -> None:
        await world.connect()
        world.service.say(1, **COUNTS)
        await soon(lambda: world.link.sees_calls)
        world.service.hang_up()
        await soon(lambda: world.changes == 2)
        assert not world.link.sees_calls, "those of the one before may still be under way"
        assert world.link.calls("ocr") == Calls(under_way=1, taken=3, refused=4), (
            "nobody waits there any more"
        )
        await soon(lambda: len(world.service.heard) == 2)
        assert world.service.heard[1] == world.service.heard[0] == {"number": 1, "entries": WAKING}
        assert (world.clock.slept, world.service.connections) == ([RECONNECT_SECONDS], 2)
        assert world.clock.seconds < 1, "calls are held meanwhile"

    story(tell)


def test_a_service_that_is_not_there_yet_hears_what_was_told_last() -> None:
    async def tell(world: World) -> None:
        world.link.tell(WAKING)
        await soon(lambda: len(world.clock.slept) == 3)
        assert set(world.clock.slept) == {RECONNECT_SECONDS}
        world.link.tell(READY)
        await world.service.start()
        await soon(lambda: world.service.heard)
        assert world.service.heard == [{"number": 2, "entries": READY}]
        assert world.changes == 0, "the calls were unknown before"

    story(tell)


def test_a_service_that_talks_nonsense_is_left_and_called_again() -> None:
    async def tell(world: World) -> None:
        await world.connect()
        for number, nonsense in enumerate((b"{\n", b"1" * LINE_LIMIT_BYTES + b"1\n"), start=1):
            world.service.write(nonsense)
            await soon(lambda done=number: len(world.service.heard) == done + 1)  # type: ignore[misc]
            await soon(lambda done=number: world.service.hung_up == done)  # type: ignore[misc]

    story(tell)


def test_a_long_line_is_read() -> None:
    async def tell(world: World) -> None:
        await world.connect()
        calls = {f"entry-{number}": COUNTS for number in range(2000)}
        line = json.dumps({"number": 1, "calls": calls}).encode()
        assert len(line) > 2**16, "more than asyncio takes unless told otherwise"
        world.service.write(line + b"\n")
        await soon(lambda: world.link.sees_calls)
        assert world.link.calls("entry-1999") == Calls(**COUNTS)

    story(tell)


def test_the_connection_ends_with_the_link() -> None:
    async def tell() -> None:
        with TemporaryDirectory() as folder:
            world = World(Path(folder))
            running = asyncio.create_task(world.link.run())
            await world.connect()
            running.cancel()
            await asyncio.wait({running})
            await soon(lambda: world.service.hung_up == 1)
            world.service.stop()

    asyncio.run(asyncio.wait_for(tell(), 60))
