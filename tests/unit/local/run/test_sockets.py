"""What answers programs of this machine is imported when somebody asks, or a moment after the start."""

from __future__ import annotations

import asyncio
import socket

from centralized_ml_api.local.machine.ports import bind_loopback, quiet_port
from centralized_ml_api.local.run.sockets import Sockets, until_asked

FOREVER = 3600.0


def test_metrics_get_the_port_that_was_asked_for_before_the_runtime_api_may_take_it() -> None:
    port = quiet_port()
    sockets = Sockets(port, port)
    try:
        assert sockets.metrics is not None
        assert sockets.metrics.getsockname()[1] == port
        assert sockets.runtime.getsockname()[1] not in {0, port}
    finally:
        for listening in sockets.all:
            listening.close()


def test_whoever_connects_is_noticed_at_whichever_socket() -> None:
    async def main() -> None:
        with bind_loopback() as first, bind_loopback() as second:
            waiting = asyncio.create_task(until_asked((first, second), FOREVER))
            await asyncio.sleep(0)
            assert not waiting.done(), "nobody has connected"
            with socket.create_connection(second.getsockname()):
                await waiting
                answering, _ = second.accept()  # the connection is still there, for who answers
                answering.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_whoever_came_before_is_noticed_too() -> None:
    async def main() -> None:
        with bind_loopback() as listening, socket.create_connection(listening.getsockname()):
            await until_asked((listening,), FOREVER)

    asyncio.run(asyncio.wait_for(main(), 60))


def test_nobody_is_waited_for_longer_than_that() -> None:
    async def main() -> None:
        with bind_loopback() as listening:
            await until_asked((listening,), 0.0)
            await until_asked((listening,), 0.01)
            loop = asyncio.get_running_loop()
            assert not loop.remove_reader(listening.fileno()), "nothing watches it any more"

    asyncio.run(asyncio.wait_for(main(), 60))
