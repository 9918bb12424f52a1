"""Runs a host: listens, loads the function, serves until told to stop, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.local.lambda_host.output import write_line
from centralized_ml_api.local.lambda_host.pool import LoadError, Pool
from centralized_ml_api.local.lambda_host.proxy_integration import ProxyIntegration
from centralized_ml_api.local.lambda_host.worker import Worker

if TYPE_CHECKING:
    from centralized_ml_api.local.lambda_host.pool import MakeWorker
    from centralized_ml_api.local.lambda_host.server import HostSpecification

GRACE_SECONDS = 3.0
"""How long calls may take to finish after a stop; less than the supervisor waits before it kills the host."""

HEADERS_LIMIT_BYTES = 128 * 1024
"""The largest request line, and the largest header: more than the gateway lets through."""

PARENT_CHECK_SECONDS = 1.0


class Host:
    """One function, served on its port.

    Args:
        specification: The function, its port and its limits.
        make_worker: Makes the workers, as `Pool` calls it.
    """

    def __init__(self, specification: HostSpecification, make_worker: MakeWorker = Worker) -> None:
        self._specification = specification
        self._pool = Pool(specification, make_worker)
        self._loaded = False
        self._stop = asyncio.Event()
        integration = ProxyIntegration(
            specification.name, invoke=self._pool.invoke, ready=lambda: self._loaded
        )
        self._runner = web.AppRunner(
            integration.build_application(),
            access_log=None,
            auto_decompress=False,
            handler_cancellation=True,
            max_line_size=HEADERS_LIMIT_BYTES,
            max_field_size=HEADERS_LIMIT_BYTES,
            shutdown_timeout=GRACE_SECONDS,
        )

    async def serve(self) -> int:
        """Serves until SIGTERM, SIGINT or the end of the parent process.

        Returns:
            The exit status: 1 if the port is taken or the function could not be loaded. The last line of the
            output then says why.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
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
            write_line(f"cannot listen on port {self._specification.port}: {error.strerror}")
            return 1
        for layer in self._specification.layers:
            write_line(
                f"WARNING: the layer {layer} is not downloaded: install its packages beside mlapi's own"
            )
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
        """Stops listening, gives running calls a moment to finish, and ends every worker."""
        for site in list(self._runner.sites):
            await site.stop()
        await self._pool.stop(GRACE_SECONDS)
        await self._runner.cleanup()

    def _stop_with(self, parent: int) -> None:
        """Stops the host once its supervisor is gone: nobody else would."""
        if os.getppid() == parent:
            asyncio.get_running_loop().call_later(PARENT_CHECK_SECONDS, self._stop_with, parent)
        else:
            self._stop.set()


async def serve(specification: HostSpecification) -> int:
    """Hosts the function; see `Host.serve`."""
    return await Host(specification).serve()
