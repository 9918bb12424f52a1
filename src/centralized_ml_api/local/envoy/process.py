"""One Envoy: how it is started, how it is told what to serve, how it drains."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.admin import Admin
from centralized_ml_api.local.envoy.admission import TELLING_SECONDS
from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.ca_bundle import find_ca_bundle
from centralized_ml_api.local.envoy.clusters import stat_name
from centralized_ml_api.local.envoy.job_listener import JOBS_SOCKET
from centralized_ml_api.local.envoy.listener import STAT_PREFIX
from centralized_ml_api.local.envoy.settings import (
    Files,
    Limits,
    Settings,
    Tls,
    find_envoy,
    fit_connections,
    fit_memory,
    fit_shares,
)
from centralized_ml_api.local.envoy.stats import TRAFFIC_PATTERN
from centralized_ml_api.local.envoy.translator import CALLS_SOCKET, SERVERS_SOCKET
from centralized_ml_api.local.envoy.validate import find_config_error
from centralized_ml_api.local.envoy.xds import (
    UNKNOWN_SNAPSHOT,
    Snapshot,
    build_endpoints_response,
    build_snapshot,
    find_moved,
    refuse_unwritable,
    write_file,
    write_snapshot,
)
from centralized_ml_api.local.envoy.xds_update import ACCEPT_SECONDS, XdsUpdate
from centralized_ml_api.local.gateway import Gateway, Upstream
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.descriptors import most_descriptors
from centralized_ml_api.local.machine.memory import machine_memory_bytes
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from centralized_ml_api.local.gateway import ExternalUpstream

_POLL_SECONDS = 0.02
_START_POLL_SECONDS = 0.005
"""While Envoy starts, the first question waits until it answers any."""
_FLAGS = (
    "--reject-unknown-dynamic-fields",
    "--disable-hot-restart",
    *("--drain-strategy", "immediate"),  # every response closes its connection, not a growing share of them
    *("--log-level", "warning"),
    # At every change of a key it warns that the filter that reads keys is work in progress.
    # And for each end that it cannot tell the admission service, whose own log says why; and for each sum of
    # `stats` of which a call has no value.
    *("--component-log-level", "misc:critical"),
    *("--file-flush-interval-msec", "250"),
)


class EnvoyGateway:
    """One Envoy with its files in `folder` (made, mode 0700).

    It listens on `host`:`port`; 0 takes a free port, which it keeps over restarts. Until it has started,
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
        tls: Tls | None = None,
        find_error: Callable[[Gateway, Settings], Awaitable[str]] = find_config_error,
    ) -> None:
        limits = replace(limits or Limits(), response_seconds=timeout_seconds)
        limits = replace(
            limits,
            connections=fit_connections(limits.connections, most_descriptors()),
            memory_bytes=fit_memory(limits.memory_bytes, machine_memory_bytes()),
            shares=fit_shares(limits.shares, host, limits.unshared),
        )
        files = Files(folder, access_log or folder / "access.log")
        self._settings = Settings(host, port, files, find_ca_bundle(), limits, tls)
        self._find_error = find_error
        self._gateway = Gateway(upstreams=(), routes=())
        self._accepted: Snapshot | None = None  # the last state that Envoy confirmed
        self._accepted_of = self._gateway  # what that state was built from
        self._listeners: Mapping[str, dict[str, Any]] = {}  # all that Envoy may have beside the public one
        self._reading_seconds = 0.0
        self._admin: Admin | None = None
        self._applying = asyncio.Lock()

    def launch(self, gateway: Gateway | None = None) -> Launch:
        """Writes every file and returns the process that reads them. Any process before it must have ended.

        It is to serve `gateway`, or else what was applied last.

        Raises:
            StartError: The files cannot be written, or there is no Envoy for this platform.
        """
        self._forget()
        self._gateway, self._listeners = gateway or self._gateway, {}
        self._accepted, self._accepted_of = self._write_all(), self._gateway
        argv = (str(find_envoy()), "-c", str(self._settings.files.bootstrap), *_FLAGS)
        return Launch(argv=argv, environment={}, cwd=self._settings.files.folder)

    def _forget(self) -> None:
        """Stops talking to that Envoy, and removes the sockets that Envoy leaves behind."""
        self._admin = None
        files = self._settings.files
        sockets = (files.folder / name for name in (SERVERS_SOCKET, CALLS_SOCKET, JOBS_SOCKET))
        for socket in (files.admin_socket, *sockets):
            with refuse_unwritable(socket):
                socket.unlink(missing_ok=True)

    def _write_all(self) -> Snapshot:
        """Writes everything that an Envoy needs to start with what it is to serve."""
        files = self._settings.files
        snapshot = self._keep_listeners(build_snapshot(self._gateway, self._settings))
        self._reading_seconds = snapshot.reading_seconds
        write_snapshot(files, snapshot)
        tables = (snapshot.routes.text, snapshot.job_routes.text)
        write_file(files.bootstrap, json.dumps(build_bootstrap(self._settings, tables)) + "\n")
        return snapshot.without_tables()

    async def wait_started(self, deadline_seconds: float) -> int:
        """Waits until Envoy takes calls, and returns the port on which it does.

        It may take longer by what it needs to read a large table.

        Raises:
            StartError: It does not in time, or it refuses what was applied meanwhile.
        """
        deadline_seconds += self._reading_seconds
        admin = Admin(self._settings.files.admin_socket)
        try:
            async with asyncio.timeout(deadline_seconds):
                await self._wait_live(admin)
        except TimeoutError as error:
            raise StartError(f"the gateway did not start within {deadline_seconds:g} seconds") from error
        port = await admin.bound_port()
        self._settings = replace(self._settings, port=port)
        self._admin = admin
        await self.apply(self._gateway)  # what was only noted while Envoy started
        return port

    async def _wait_live(self, admin: Admin) -> None:
        while True:
            with contextlib.suppress(StartError):
                if await admin.is_live():
                    return
            await asyncio.sleep(_START_POLL_SECONDS)

    async def apply(self, gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
        """Makes Envoy serve `gateway`; returns when it has accepted everything. No call is dropped.

        Only what changed is written: a server that comes or goes is one small file.

        Args:
            gateway: What to serve.
            reached: Called when calls reach its servers, if that is so before everything else is accepted.

        Raises:
            StartError: Envoy rejects it or does not answer, or the files cannot be written. If Envoy runs, it
                goes on serving what it had; the next `apply` is complete again.
        """
        async with self._applying:
            before, self._gateway = self._gateway, gateway
            if self._admin is None:
                return
            self._refuse_cut_off()
            if self._accepted is not None and self._accepted_of == gateway:
                reached()
                return
            try:
                await self._move(find_moved(self._accepted_of, gateway))
                await self._update(self._admin, await self._build(gateway), reached)
                self._accepted_of = gateway
            except StartError as error:
                reason = await self._find_error(gateway, self._settings)
                if not reason:
                    raise
                # The files that Envoy accepted before, for when it is started again.
                self._gateway = before
                snapshot = self._keep_listeners(build_snapshot(before, self._settings))
                write_snapshot(self._settings.files, snapshot)
                raise StartError(f"{error.message}: {reason}") from error

    async def _build(self, gateway: Gateway) -> Snapshot:
        """Builds what Envoy is to have, in a thread: of thousands of entries that takes seconds.

        Raises:
            StartError: Another Envoy has been launched meanwhile, with what was served before.
        """
        admin = self._admin
        snapshot = await asyncio.to_thread(build_snapshot, gateway, self._settings)
        if self._admin is not admin:
            raise StartError("the gateway was started again while it was to serve something else")
        return self._keep_listeners(snapshot)

    def _keep_listeners(self, wanted: Snapshot) -> Snapshot:
        """Returns the snapshot with all listeners that this Envoy was ever given: see `inner_listeners`."""
        self._listeners = {**self._listeners, **wanted.listeners}
        return replace(wanted, listeners=self._listeners)

    async def move(self, upstreams: Iterable[Upstream | ExternalUpstream]) -> bool:
        """Lets calls reach upstreams that Envoy knows where they are now; nothing else changes.

        That is done in a moment, which the next `apply` is not; where it is not possible, that has to do.
        What Envoy does not know has no route, and is left out.

        Returns:
            Whether calls reach all others.
        """
        async with self._applying:
            try:
                has_moved = await self._move(upstreams)
            except StartError:
                return False  # the next `apply` is complete, and says why
            if not has_moved:
                return False
            self._gateway = self._accepted_of
            return True

    async def _move(self, upstreams: Iterable[Upstream | ExternalUpstream]) -> bool:
        accepted = self._accepted
        if self._admin is None or accepted is None or self.cut_off:
            return False
        moved = {upstream.name: upstream for upstream in upstreams if upstream.name in accepted.clusters}
        here = {name: upstream for name, upstream in moved.items() if isinstance(upstream, Upstream)}
        if not moved or here.keys() != moved.keys():
            return False
        endpoints = {name: build_endpoints_response(upstream) for name, upstream in here.items()}
        wanted, self._accepted = replace(accepted, endpoints={**accepted.endpoints, **endpoints}), None
        patient = replace(self._admin, timeout_seconds=ACCEPT_SECONDS + self._reading_seconds)
        await XdsUpdate(patient, self._settings.files, accepted, wanted).put_endpoints()
        kept = tuple(
            replace(upstream, ports=here.get(upstream.name, upstream).ports)
            if isinstance(upstream, Upstream)
            else upstream
            for upstream in self._accepted_of.upstreams
        )
        self._accepted, self._accepted_of = wanted, replace(self._accepted_of, upstreams=kept)
        return True

    @property
    def cut_off(self) -> bool:
        """Returns whether a running Envoy lost its folder; it serves what it has until it is restarted.

        Envoy looks for changes, and can be reached, only in the folder that was there when it started.
        """
        return self._admin is not None and not self._settings.files.admin_socket.exists()

    def _refuse_cut_off(self) -> None:
        """Writes every file anyway, for the next start of Envoy."""
        if self.cut_off:
            self._write_all()
            raise StartError(
                f"the gateway's folder {self._settings.files.folder} was removed while the gateway runs",
                fix="stop the API and start it again; until then it serves what it served before",
            )

    async def _update(self, admin: Admin, wanted: Snapshot, reached: Callable[[], None]) -> None:
        """Updates Envoy from its last confirmed state; after a failure, no state is confirmed."""
        accepted, self._accepted = self._accepted or UNKNOWN_SNAPSHOT, None
        seconds = ACCEPT_SECONDS + wanted.reading_seconds
        patient = replace(admin, timeout_seconds=seconds)
        await XdsUpdate(patient, self._settings.files, accepted, wanted, seconds, reached=reached).run()
        self._accepted = wanted.without_tables()

    async def active_requests(self, upstream: str) -> int | None:
        """Returns how many calls to that upstream are in progress; None if nobody knows.

        An Envoy that refuses connections to its admin socket is dead and has none.
        """
        if self._admin is None:
            return 0
        name = f"{stat_name(upstream)}.upstream_rq_active"
        try:
            return int((await self._admin.stats([name])).get(name, 0))
        except StartError as error:
            is_dead = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ECONNREFUSED
            return 0 if is_dead else None

    async def traffic(self) -> str:
        """Returns the call statistics in Prometheus' text format, under the names of `stats`.

        Raises:
            StartError: Envoy does not run or does not answer.
        """
        if self._admin is None:
            raise StartError("the gateway is not running")
        return await self._admin.prometheus(TRAFFIC_PATTERN)

    async def drain(self, seconds: float) -> None:
        """Asks clients to close their connections; returns when no call is in progress or time is up.

        The ends of those calls are told by then: the admission service gives back what they did not use.
        Nothing more can be asked of that Envoy, whose admin socket is removed: stop it then.

        Raises:
            StartError: Envoy does not answer.
        """
        try:
            if self._admin is None:
                return
            await self._admin.start_draining()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wait_idle(self._admin)
                    if self._gateway.limits_spending:
                        await asyncio.sleep(TELLING_SECONDS)
        finally:
            self._forget()

    async def _wait_idle(self, admin: Admin) -> None:
        name = f"http.{STAT_PREFIX}.downstream_rq_active"
        while True:
            if not (await admin.stats([name])).get(name):
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def reopen_logs(self) -> None:
        """Makes Envoy begin a new access log after the old one was renamed.

        Raises:
            StartError: Envoy does not answer.
        """
        if self._admin is not None:
            await self._admin.reopen_logs()
