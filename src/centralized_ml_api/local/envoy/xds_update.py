"""Takes a running Envoy from one snapshot to the next without dropping a call.

Nothing may ever point to something that does not exist. So endpoints come first, then clusters, listeners,
rate limits and routes; and what is no longer wanted goes in reverse, once no route points to it. Listeners
stay: see `inner_listeners`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.clusters import stat_name
from centralized_ml_api.local.envoy.job_listener import JOBS_PREFIX
from centralized_ml_api.local.envoy.jobs import JOB_TABLE_NAME
from centralized_ml_api.local.envoy.listener import STAT_PREFIX
from centralized_ml_api.local.envoy.routes import ROUTE_CONFIG_NAME
from centralized_ml_api.local.envoy.settings import Files
from centralized_ml_api.local.envoy.xds import (
    DiscoveryResponse,
    Snapshot,
    build_clusters_response,
    build_listeners_response,
    remove_stale_endpoints,
    write_file,
)
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ACCEPT_SECONDS = 60.0
"""Apart from what Envoy needs to read large tables of routes; see `Snapshot.reading_seconds`."""

LOG_FIX = "read the log of the gateway"
_POLL_SECONDS = 0.005
_CDS = "cluster_manager.cds"
_RDS = f"http.{STAT_PREFIX}.rds.{ROUTE_CONFIG_NAME}"
_JOB_RDS = f"http.{JOBS_PREFIX}.rds.{JOB_TABLE_NAME}"
_LDS = "listener_manager.lds"
_ECDS = "extension_config_discovery.http_filter"
_WARMING = ("cluster_manager.warming_clusters", "listener_manager.total_listeners_warming")


class StatsReader(Protocol):
    """What tells whether Envoy accepted a file: `Admin`."""

    async def stats(self, names: Iterable[str]) -> dict[str, Any]:
        """Returns the values of the statistics that exist."""
        ...


@record
class XdsUpdate:
    """From `old`, which Envoy has, to `new`; Envoy has `accept_seconds` for each step. `run` once.

    Of `old`, the texts of its tables are not needed.

    `reached` is called when the routes that Envoy has lead to the servers of `new`, if that is so before it
    has new routes: these take ten times as long, and often only documents change with them, such as
    `/health`.
    """

    admin: StatsReader
    files: Files
    old: Snapshot
    new: Snapshot
    accept_seconds: float = ACCEPT_SECONDS
    reached: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Writes what changed, in order, and waits for Envoy at each step.

        Raises:
            StartError: Envoy rejects a step, does not accept it in time, or does not answer; or a file cannot
                be written.
        """
        await self.put_endpoints()
        old_clusters = build_clusters_response(self.old.clusters)
        both_clusters = build_clusters_response({**self.old.clusters, **self.new.clusters})
        new_clusters = build_clusters_response(self.new.clusters)
        if both_clusters == old_clusters:
            self.reached()
        await self._put({_CDS: (self.files.clusters, old_clusters, both_clusters)})
        await self._put_listeners()
        await self._put_rate_limits()
        await self._put_routes()
        await self._put({_CDS: (self.files.clusters, both_clusters, new_clusters)})
        remove_stale_endpoints(self.files, self.new)

    async def put_endpoints(self) -> None:
        """Waits for the endpoints of known clusters; Envoy reads those of a new cluster together with it.

        Raises:
            StartError: As `run`.
        """
        known = self.new.endpoints.keys() & self.old.endpoints.keys()
        for cluster in sorted(self.new.endpoints.keys() - known):
            write_file(self.files.endpoints_of(cluster), self.new.endpoints[cluster].text)
        await self._put(
            {
                stat_name(cluster): (
                    self.files.endpoints_of(cluster),
                    self.old.endpoints[cluster],
                    self.new.endpoints[cluster],
                )
                for cluster in sorted(known)
            }
        )

    async def _put_listeners(self) -> None:
        """Adds listeners, which Envoy has with all that they read once none is warming any more."""
        old, both = self.old.listeners, {**self.old.listeners, **self.new.listeners}
        responses = build_listeners_response(old), build_listeners_response(both)
        await self._put({_LDS: (self.files.listeners, *responses)})

    async def _put_routes(self) -> None:
        """Updates the tables of routes. Where no listener reads that of jobs, Envoy accepts none."""
        tables = {_RDS: (self.files.routes, self.old.routes, self.new.routes)}
        if JOBS_PREFIX in {**self.old.listeners, **self.new.listeners}:
            tables[_JOB_RDS] = (self.files.job_routes, self.old.job_routes, self.new.job_routes)
        elif self.old.job_routes.version != self.new.job_routes.version:
            write_file(self.files.job_routes, self.new.job_routes.text)
        await self._put(tables)

    async def _put_rate_limits(self) -> None:
        """Updates the filters before the routes that enable them. An unchanged file keeps its buckets."""
        await self._put(
            {
                f"{_ECDS}.{name}": (self.files.rate_limit_of(name), self.old.rate_limits.get(name), response)
                for name, response in self.new.rate_limits.items()
            }
        )

    async def _put(
        self, files: Mapping[str, tuple[Path, DiscoveryResponse | None, DiscoveryResponse]]
    ) -> None:
        """Writes the files that differ and waits until Envoy accepts all of them.

        Args:
            files: By the prefix of its statistics, each file's path, old content and new content.
        """
        changed = {
            prefix: (path, new)
            for prefix, (path, old, new) in files.items()
            if old is None or new.version != old.version
        }
        if not changed:
            return
        names = [f"{prefix}.{name}" for prefix in changed for name in ("version_text", "update_rejected")]
        before = await self.admin.stats([*names, *_WARMING])
        for path, response in changed.values():
            write_file(path, response.text)
        versions = {f"{prefix}.version_text": response.version for prefix, (_, response) in changed.items()}
        try:
            async with asyncio.timeout(self.accept_seconds):
                await self._wait_accepted(versions, names, before)
        except TimeoutError as error:
            raise StartError(
                f"the gateway did not accept its new configuration within {self.accept_seconds:g} s",
                fix=LOG_FIX,
            ) from error

    async def _wait_accepted(
        self, versions: Mapping[str, str], names: list[str], before: Mapping[str, object]
    ) -> None:
        while True:
            now = await self.admin.stats([*names, *_WARMING])
            rejected = [
                name for name in names if name.endswith("rejected") and now.get(name) != before.get(name)
            ]
            if rejected:
                raise StartError(
                    f"the gateway rejected its new configuration ({', '.join(rejected)})", fix=LOG_FIX
                )
            is_warm = not any(now.get(name) for name in _WARMING)
            if is_warm and all(now.get(name) == version for name, version in versions.items()):
                return
            await asyncio.sleep(_POLL_SECONDS)
