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
from centralized_ml_api.local.envoy.ca_bundle import find_trust_store
from centralized_ml_api.local.envoy.clusters import stat_name
from centralized_ml_api.local.envoy.descriptors import fit_connections
from centralized_ml_api.local.envoy.listener import STAT_PREFIX
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings
from centralized_ml_api.local.envoy.traffic import STATISTICS
from centralized_ml_api.local.envoy.update import Update
from centralized_ml_api.local.envoy.validate import find_fault
from centralized_ml_api.local.envoy.writing import refuse_unwritable, write_file, write_snapshot
from centralized_ml_api.local.envoy.xds import NOTHING, Snapshot, build_snapshot
from centralized_ml_api.local.gateway import Gateway
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.descriptors import most_descriptors
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

_POLL_SECONDS = 0.02
_FLAGS = (
    "--reject-unknown-dynamic-fields",
    "--disable-hot-restart",
    *("--drain-strategy", "immediate"),  # every answer closes its connection, not a growing share of them
    *("--log-level", "warning"),
    # It warns at every change of a key that the filter which reads them is work in progress.
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
        tolerated = _fit(replace(limits or Limits(), answer_seconds=timeout_seconds))
        self._settings = Settings(host, port, files, find_trust_store(), tolerated)
        self._gateway = Gateway(upstreams=(), routes=())
        self._taken: Snapshot | None = None  # what Envoy surely has
        self._admin: Admin | None = None
        self._applying = asyncio.Lock()

    def launch(self, gateway: Gateway | None = None) -> Launch:
        """Writes every file anew and gives the process that reads them. What ran before must have ended.

        It is to serve `gateway`, or else what was applied last.

        Raises:
            StartError: the files cannot be written, or there is no Envoy for this platform.
        """
        self._forget()
        self._gateway = gateway or self._gateway
        self._taken = self._write_anew()
        argv = (str(find_envoy()), "-c", str(self._settings.files.bootstrap), *_FLAGS)
        return Launch(argv=argv, environment={}, cwd=self._settings.files.folder)

    def _forget(self) -> None:
        """Nothing is asked of that Envoy any more; Envoy leaves its socket behind, so it is removed here."""
        self._admin = None
        socket = self._settings.files.admin_socket
        with refuse_unwritable(socket):
            socket.unlink(missing_ok=True)

    def _write_anew(self) -> Snapshot:
        """Everything that an Envoy needs to start with what it is to serve."""
        files = self._settings.files
        snapshot = build_snapshot(self._gateway, self._settings)
        write_snapshot(files, snapshot)
        write_file(files.bootstrap, json.dumps(build_bootstrap(self._settings), indent=1) + "\n")
        return snapshot

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
        admin = Admin(self._settings.files.admin_socket)
        while True:
            with contextlib.suppress(StartError):
                if await admin.is_live():
                    return admin
            await asyncio.sleep(_POLL_SECONDS)

    async def apply(self, gateway: Gateway) -> None:
        """Makes Envoy serve `gateway`; returns when it has taken all of it. No call is dropped.

        Only what changed is written: a server that comes or goes is one small file.

        Raises:
            StartError: Envoy refuses it or does not answer, or the files cannot be written. If it runs, it
                goes on serving what it had; what is applied later is applied in full.
        """
        async with self._applying:
            before, self._gateway = self._gateway, gateway
            if self._admin is None:
                return
            self._refuse_cut_off()
            try:
                await self._update(self._admin, build_snapshot(gateway, self._settings))
            except StartError as error:
                fault = await find_fault(gateway, self._settings)
                if not fault:
                    raise
                self._go_back(before)
                raise StartError(f"{error.message}: {fault}") from error

    @property
    def cut_off(self) -> bool:
        """Whether the folder went from under a running Envoy, which serves what it has until started again.

        It looks for changes, and is reached, in the very folder that was there when it started.
        """
        return self._admin is not None and not self._settings.files.admin_socket.exists()

    def _refuse_cut_off(self) -> None:
        """Everything is written anew all the same, for when Envoy is started again."""
        if self.cut_off:
            self._write_anew()
            raise StartError(
                f"the gateway's folder {self._settings.files.folder} was removed while it runs",
                fix="start it again: mlapi down, then mlapi up; until then what was served is served",
            )

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
        """How many calls are under way to that upstream; none when Envoy does not run, or does not answer."""
        name = f"{stat_name(upstream)}.upstream_rq_active"
        with contextlib.suppress(StartError):
            return int((await self._admin.stats([name])).get(name, 0)) if self._admin else 0
        return 0

    async def traffic(self) -> str:
        """What was called so far, in the text format of Prometheus, under the names of `traffic`.

        Raises:
            StartError: Envoy does not run or does not answer.
        """
        if self._admin is None:
            raise StartError("the gateway does not run")
        return await self._admin.prometheus(STATISTICS)

    async def drain(self, seconds: float) -> None:
        """Asks clients to close their connections; returns when no call is under way or time is up.

        This is the last that is asked of that Envoy, and its admin socket is removed: stop it then.

        Raises:
            StartError: Envoy does not answer.
        """
        if self._admin is None:
            return
        try:
            await self._admin.start_draining()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wait_idle(self._admin)
        finally:
            self._forget()

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


def _fit(limits: Limits) -> Limits:
    """As many clients as this process may open files for."""
    return replace(limits, connections=fit_connections(limits.connections, most_descriptors()))
