"""One Envoy: how it is started, how it is told what to serve, how it lets go."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.admin import Admin
from centralized_ml_api.local.envoy.binary import find_envoy
from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.clusters import stat_name
from centralized_ml_api.local.envoy.discovery import NOTHING, Snapshot, build_snapshot
from centralized_ml_api.local.envoy.listener import STAT_PREFIX
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings
from centralized_ml_api.local.envoy.trust import find_trust_store
from centralized_ml_api.local.envoy.update import Update, write_file, write_snapshot
from centralized_ml_api.local.envoy.whole import find_fault
from centralized_ml_api.local.gateway import Gateway
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.plan.model import GATEWAY_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

_POLL_SECONDS = 0.02
_FLAGS = (
    "--reject-unknown-dynamic-fields",
    "--disable-hot-restart",
    *("--drain-strategy", "immediate"),  # every answer closes its connection, not a growing share of them
    *("--log-level", "warning"),
    # At every change Envoy repeats that the filter that holds answers is young; all of `misc` is like that.
    *("--component-log-level", "misc:error"),
    *("--file-flush-interval-msec", "250"),
)


class EnvoyGateway:
    """One Envoy with its files in `folder` (made, mode 0700).

    It listens on `host`:`port`; 0 takes a free port, which it keeps over restarts. Before it has started,
    `apply` only takes note: Envoy starts with what was applied last.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str,
        port: int,
        access_log: Path | None = None,
        timeout_seconds: float = GATEWAY_TIMEOUT_SECONDS,
        limits: Limits | None = None,
    ) -> None:
        files = Files(folder, access_log or folder / "access.log")
        self._settings = Settings(
            host, port, files, find_trust_store(), replace(limits or Limits(), answer_seconds=timeout_seconds)
        )
        self._gateway = Gateway(upstreams=(), routes=())
        self._taken: Snapshot | None = None  # what Envoy surely has
        self._admin: Admin | None = None
        self._applying = asyncio.Lock()

    def launch(self) -> Launch:
        """Writes every file anew and gives the process that reads them. What ran before must have ended."""
        files = self._settings.files
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.folder.chmod(0o700)
        files.access_log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.admin_address.unlink(missing_ok=True)
        self._admin = None
        write_file(files.bootstrap, json.dumps(build_bootstrap(self._settings), indent=1) + "\n")
        self._taken = build_snapshot(self._gateway, self._settings)
        write_snapshot(files, self._taken)
        argv = (
            str(find_envoy()),
            *("-c", str(files.bootstrap)),
            *("--admin-address-path", str(files.admin_address)),
            *_FLAGS,
        )
        return Launch(argv=argv, environment={}, cwd=files.folder)

    async def wait_started(self, deadline_seconds: float) -> int:
        """Waits until Envoy takes calls; gives the port on which it does.

        Raises:
            StartError: it does not within the time.
        """
        try:
            async with asyncio.timeout(deadline_seconds):
                admin = await self._wait_live()
        except TimeoutError as error:
            raise StartError(f"the gateway did not start within {deadline_seconds:g} seconds") from error
        port = await admin.bound_port()
        self._settings = replace(self._settings, port=port)
        self._admin = admin
        await self.apply(self._gateway)  # what was only noted while Envoy started
        return port

    async def _wait_live(self) -> Admin:
        while True:
            with contextlib.suppress(OSError, StartError):
                admin = Admin(self._settings.files.admin_address.read_text().strip())
                if await admin.is_live():
                    return admin
            await asyncio.sleep(_POLL_SECONDS)

    async def apply(self, gateway: Gateway) -> None:
        """Makes Envoy serve `gateway`; returns when it has taken all of it. No call is dropped.

        Only what changed is written: a server that comes or goes is one small file.

        Raises:
            StartError: Envoy refuses it or does not answer. If it runs, it goes on serving what it had.
        """
        async with self._applying:
            before, self._gateway = self._gateway, gateway
            if self._admin is None:
                return
            try:
                await self._update(self._admin, build_snapshot(gateway, self._settings))
            except StartError as error:
                fault = await find_fault(gateway, self._settings)
                if not fault:
                    raise
                self._go_back(before)
                raise StartError(f"{error.message}: {fault}") from error

    async def _update(self, admin: Admin, wanted: Snapshot) -> None:
        """From what Envoy surely has to what is wanted; if that fails midway, nothing is sure any more."""
        taken, self._taken = self._taken or NOTHING, None
        await Update(admin, self._settings.files, taken, wanted).run()
        self._taken = wanted

    def _go_back(self, gateway: Gateway) -> None:
        """Puts the files back that Envoy accepted before, for when it is started again."""
        self._gateway = gateway
        write_snapshot(self._settings.files, build_snapshot(gateway, self._settings))

    async def active_requests(self, upstream: str) -> int:
        """How many calls are under way to that upstream; none when Envoy does not run."""
        if self._admin is None:
            return 0
        name = f"{stat_name(upstream)}.upstream_rq_active"
        return int((await self._admin.stats([name])).get(name, 0))

    async def drain(self, seconds: float) -> None:
        """Asks clients to close their connections; returns when no call is under way or time is up.

        Raises:
            StartError: Envoy does not answer.
        """
        if self._admin is None:
            return
        await self._admin.start_draining()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wait_idle(self._admin)

    async def _wait_idle(self, admin: Admin) -> None:
        name = f"http.{STAT_PREFIX}.downstream_rq_active"
        while True:
            if not (await admin.stats([name])).get(name):
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def reopen_logs(self) -> None:
        """For log rotation: after the access log was renamed, Envoy writes a new one.

        Raises:
            StartError: Envoy does not answer.
        """
        if self._admin is not None:
            await self._admin.reopen_logs()
