"""What the service of a provider reports, and which key the gateway gets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.errors import MlApiError, StartError
from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.servers.provider import ProviderService
from centralized_ml_api.local.servers.provider_models import KeyRefusedError, NotAskedError
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVING = ProviderServing("https://api.test/v1", "m", KeyPlace("env", "KEY"), ("openai-chat",), "openai")


@dataclass
class World:
    """The place of the key, the provider, and the clock, which each look moves on by two seconds."""

    scratch: Path
    key: str | StartError = "sk-first"
    refusal: MlApiError | None = None
    asked: list[str | None] = field(default_factory=list)
    changes: int = 0
    seconds: float = 0.0
    looks: int = 0
    go_on: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def read(self) -> str:
        if isinstance(self.key, StartError):
            raise self.key
        return self.key

    def check(self, serving: ProviderServing, key: str | None) -> bool:
        assert serving is SERVING
        self.asked.append(key)
        if self.refusal:
            raise self.refusal
        return True

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.looks += 1
        await self.go_on.acquire()

    def note_change(self) -> None:
        self.changes += 1

    async def next_looks(self, service: ProviderService, count: int = 1) -> ProviderService:
        """Lets it look so often."""
        for _ in range(count):
            before = self.looks
            self.go_on.release()
            while self.looks == before:  # noqa: ASYNC110  # a thread reads the key in between
                await asyncio.sleep(0.001)
        return service


@contextlib.asynccontextmanager
async def running(world: World, *, with_key: bool = True) -> AsyncIterator[ProviderService]:
    clock = Clock(now=lambda: NotImplemented, sleep=world.sleep, monotonic=lambda: world.seconds)
    keys = world if with_key else None
    service = ProviderService(SERVING, keys, world.scratch, world.note_change, check=world.check, clock=clock)
    task = asyncio.create_task(service.run())
    try:
        await until(lambda: world.looks == 1, "it has looked")
        yield service
    finally:
        task.cancel()
        await asyncio.wait({task})


def key_of(service: ProviderService) -> tuple[Path, str]:
    upstream = service.upstream("gpt@1")
    assert isinstance(upstream, ExternalUpstream)
    assert (upstream.name, upstream.host, upstream.port, upstream.tls, upstream.ready) == (
        "gpt@1",
        "api.test",
        443,
        True,
        True,
    )
    assert upstream.provider
    assert upstream.provider.key
    assert (upstream.provider.header, upstream.provider.prefix) == ("authorization", "Bearer ")
    text = upstream.provider.key.read_text()
    return upstream.provider.key, json.loads(text)["resources"][0]["generic_secret"]["secret"][
        "inline_string"
    ]


def test_a_key_is_handed_to_the_gateway_for_it_alone_and_goes_with_the_service(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def serve() -> Path:
        async with running(world) as service:
            assert (service.report().state, world.asked) == ("ready", ["sk-first"])
            path, key = key_of(service)
            assert key == "sk-first"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert world.changes == 1
            return path

    assert not asyncio.run(serve()).parent.exists()


def test_a_replaced_key_is_handed_over_in_the_same_file_and_asked_about_at_once(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def serve() -> None:
        async with running(world) as service:
            path, _ = key_of(service)
            world.key = "sk-second"
            await world.next_looks(service)
            assert key_of(service) == (path, "sk-second")
            assert world.asked == ["sk-first", "sk-second"]

    asyncio.run(serve())


def test_a_refused_key_is_reported_and_calls_go_out_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path, refusal=KeyRefusedError("openai refuses the key (401)", fix="replace it"))

    async def serve() -> None:
        async with running(world) as service:
            report = service.report()
            assert (report.state, report.detail) == ("unready", "openai refuses the key (401) (replace it)")
            key_of(service)
            world.refusal = None
            await world.next_looks(service, 8)
            assert service.report().state == "ready"

    asyncio.run(serve())


def test_a_provider_is_asked_once_a_minute_and_more_often_while_it_does_not_answer(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def serve() -> None:
        async with running(world) as service:
            await world.next_looks(service, 89)
            assert (world.seconds, len(world.asked)) == (180, 3)
            world.refusal = NotAskedError("api.test did not answer in time")
            await world.next_looks(service, 30)
            assert (world.seconds, len(world.asked)) == (240, 9)
            assert service.report().detail == "api.test did not answer in time"

    asyncio.run(serve())


def test_without_a_key_nothing_is_called(tmp_path: Path) -> None:
    world = World(tmp_path, key=StartError("the variable KEY is not set", fix="set KEY and start again"))

    async def serve() -> None:
        async with running(world) as service:
            assert service.upstream("a") == Upstream("a", ())
            assert service.report().detail == "the variable KEY is not set (set KEY and start again)"
            world.key = "sk-first"
            await world.next_looks(service)
            path, _ = key_of(service)
            world.key = StartError("gone")
            await world.next_looks(service)
            assert service.upstream("a") == Upstream("a", ())
            assert not path.exists()

    asyncio.run(serve())
    assert world.asked == ["sk-first"]


def test_a_file_that_is_deleted_is_written_where_the_gateway_looks_anew(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def serve() -> None:
        async with running(world) as service:
            first, _ = key_of(service)
            shutil.rmtree(first.parent)
            await world.next_looks(service)
            second, key = key_of(service)
            assert (second != first, key) == (True, "sk-first")

    asyncio.run(serve())


def test_a_server_without_a_key_is_asked_without_one(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def serve() -> None:
        async with running(world, with_key=False) as service:
            upstream = service.upstream("a")
            assert isinstance(upstream, ExternalUpstream)
            assert upstream.provider
            assert upstream.provider.key is None
            assert service.report().state == "ready"

    asyncio.run(serve())
    assert world.asked == [None]
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_told(tmp_path: Path) -> None:
    world = World(tmp_path / "none")

    async def serve() -> str:
        async with running(world) as service:
            return service.report().detail

    assert asyncio.run(serve()) == f"{tmp_path / 'none'} cannot be written: No such file or directory"
