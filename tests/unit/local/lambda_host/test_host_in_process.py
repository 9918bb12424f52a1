"""A host without processes: when it is ready, why it ends, and with which status."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.lambda_host.host import Host
from centralized_ml_api.local.lambda_host.runtime_api import Failed
from centralized_ml_api.local.machine.ports import bind_loopback
from support.fake_worker import FakeWorker
from support.own_ports import own_ports
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from centralized_ml_api.local.lambda_host.server import HostSpecification
    from centralized_ml_api.local.lambda_host.worker import Worker

Specify = Callable[..., "HostSpecification"]
Captured = pytest.CaptureFixture[bytes]


class Scene:
    """A host of fake workers on a free port, and what it has returned once it is over."""

    def __init__(self, specification: HostSpecification) -> None:
        self.port = specification.port
        self.workers: list[FakeWorker] = []
        self.serving = asyncio.create_task(Host(specification, self._make).serve())

    def _make(self, specification: HostSpecification, freed: Callable[[Worker], None]) -> Worker:
        self.workers.append(FakeWorker(specification, freed))
        return self.workers[-1]

    async def first(self) -> FakeWorker:
        """The first worker, once the host listens and has started it."""
        await until(lambda: self.workers, "a worker is started")
        return self.workers[0]

    async def ask(self, path: str = "/ping") -> int:
        """The status of a GET."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1])


def play(specification: HostSpecification, scenario: Callable[[Scene], Awaitable[None]]) -> int:
    async def main() -> int:
        scene = Scene(specification)
        await scenario(scene)
        return await asyncio.wait_for(scene.serving, 30)

    return asyncio.run(main())


def test_a_host_is_ready_once_its_function_is_loaded_and_ends_well_when_told(specify: Specify) -> None:
    port = own_ports()

    async def scenario(scene: Scene) -> None:
        worker = await scene.first()
        assert await scene.ask() == 503
        worker.load()
        await asyncio.sleep(0)
        assert await scene.ask() == 200
        os.kill(os.getpid(), signal.SIGTERM)

    assert play(specify(port=port), scenario) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_host_that_is_told_to_end_while_it_loads_ends_well_and_its_worker_too(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.first()
        os.kill(os.getpid(), signal.SIGINT)
        await scene.serving
        assert scene.workers[0].ended

    assert play(specify(port=own_ports()), scenario) == 0


def test_a_function_that_does_not_load_is_the_last_word_of_its_host(
    specify: Specify, capfdbinary: Captured
) -> None:
    async def scenario(scene: Scene) -> None:
        (await scene.first()).end.set_result(Failed(502, "no such module"))

    assert play(specify(port=own_ports(), layers=("arn:of:a-layer",)), scenario) == 1
    first, last = capfdbinary.readouterr().out.decode().splitlines()
    assert "the layer arn:of:a-layer is not downloaded" in first
    assert last == "no such module"


def test_a_taken_port_is_the_last_word_of_its_host(specify: Specify, capfdbinary: Captured) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.serving
        assert scene.workers == []

    with bind_loopback() as taken:
        port = taken.getsockname()[1]
        assert play(specify(port=port), scenario) == 1
    last = capfdbinary.readouterr().out.decode()
    assert last.startswith(f"cannot listen on port {port}: ")
    assert last.lower().endswith(f"{os.strerror(errno.EADDRINUSE).lower()}\n")
