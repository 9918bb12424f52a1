"""The life of a host: listen, load the function, serve until told to stop, leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.local.lambda_host.front import HEADERS_LIMIT_BYTES, Front
from centralized_ml_api.local.lambda_host.output import write_line
from centralized_ml_api.local.lambda_host.pool import LoadError, Pool

if TYPE_CHECKING:
    from centralized_ml_api.local.lambda_host.specification import HostSpecification

GRACE_SECONDS = 3.0
"""How long running calls may take to end; less than the supervisor waits before it kills the host."""

KEEPALIVE_SECONDS = 2 * 3600
"""Longer than the gateway keeps an idle connection (a second), so that we never close one under a request."""

PARENT_CHECK_SECONDS = 1.0


class Host:
    """One function, served on its port."""

    def __init__(self, specification: HostSpecification) -> None:
        self._specification = specification
        self._pool = Pool(specification)
        self._loaded = False
        self._stop = asyncio.Event()
        front = Front(specification.name, invoke=self._pool.invoke, ready=lambda: self._loaded)
        self._runner = web.AppRunner(
            front.build_application(),
            access_log=None,
            auto_decompress=False,
            handler_cancellation=True,
            keepalive_timeout=KEEPALIVE_SECONDS,
            max_line_size=HEADERS_LIMIT_BYTES,
            max_field_size=HEADERS_LIMIT_BYTES,
            shutdown_timeout=GRACE_SECONDS,
        )

    async def serve(self) -> int:
        """Serves until SIGTERM, SIGINT or the end of the parent process; returns the exit status.

        The status is 1 when the port is taken or the function could not be loaded, which is then the last
        line of the output.
        """
        self._stop_on_signals()
        self._stop_with(os.getppid())
        try:
            return await self._serve()
        finally:
            await self._close()

    async def _serve(self) -> int:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", self._specification.port).start()
        except OSError as error:
            write_line(f"port {self._specification.port} cannot be listened on: {error.strerror}")
            return 1
        for layer in self._specification.layers:
            write_line(f"WARNING: the layer {layer} is not fetched: install what it holds beside mlapi")
        return await self._load_and_wait()

    async def _load_and_wait(self) -> int:
        loading = asyncio.create_task(self._pool.warm_up())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            loading.cancel()
            return 0
        try:
            loading.result()
        except LoadError as error:
            stopping.cancel()
            write_line(error.failed.reason)
            return 1
        self._loaded = True
        await stopping
        return 0

    async def _close(self) -> None:
        """Takes no new connection, lets running calls end for a moment, ends every worker."""
        for site in list(self._runner.sites):
            await site.stop()
        await self._pool.stop(GRACE_SECONDS)
        await self._runner.cleanup()

    def _stop_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)

    def _stop_with(self, parent: int) -> None:
        """A host without its supervisor has no reason to be, and nobody else would end it."""
        if os.getppid() == parent:
            asyncio.get_running_loop().call_later(PARENT_CHECK_SECONDS, self._stop_with, parent)
        else:
            self._stop.set()


async def serve(specification: HostSpecification) -> int:
    """Hosts the function; see `Host.serve`."""
    return await Host(specification).serve()
