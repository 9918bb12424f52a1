"""A gateway that has started, with a fake Envoy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.local.envoy.process import EnvoyGateway
from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from support.fake_envoy import FakeEnvoy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

NOTHING = Gateway((), ())


def serving(*names: str) -> Gateway:
    return Gateway(
        tuple(Upstream(name, (40001,)) for name in names),
        tuple(ServedRoute(name, name, "/invocations", ()) for name in names),
    )


@dataclass
class Started:
    """A gateway, and the fake Envoy that it started."""

    gateway: EnvoyGateway
    envoy: FakeEnvoy
    reason: str = ""

    @property
    def files(self) -> Files:
        return self.envoy.files

    def routes(self) -> str:
        return self.files.routes.read_text()


def prepare(folder: Path) -> Started:
    async def find_error(gateway: Gateway, settings: Settings) -> str:
        del gateway, settings
        return started.reason

    gateway = EnvoyGateway(folder / "gateway", host="127.0.0.1", port=0, find_error=find_error)
    started = Started(gateway, FakeEnvoy(Files(folder / "gateway", folder / "gateway/access.log")))
    return started


def run_started(folder: Path, story: Callable[[Started], Awaitable[None]], first: Gateway = NOTHING) -> None:
    """Runs the story with a gateway that has started and serves `first`."""

    async def run() -> None:
        started = prepare(folder)
        started.gateway.launch(first)
        started.envoy.start()
        async with started.envoy.serve():
            await started.gateway.wait_started(5)
            started.envoy.accepted.clear()
            started.envoy.asked.clear()
            await story(started)

    asyncio.run(run())
