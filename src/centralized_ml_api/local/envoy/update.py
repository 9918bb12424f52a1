"""How a running Envoy gets from one snapshot to the next without dropping a call.

Nothing may point to what is not there: endpoints, then clusters, then the routes to them; and what is no
longer wanted goes the other way round, once no route points to it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.admin import Admin
from centralized_ml_api.local.envoy.clusters import stat_name
from centralized_ml_api.local.envoy.listener import STAT_PREFIX
from centralized_ml_api.local.envoy.routes import ROUTES_NAME
from centralized_ml_api.local.envoy.settings import Files
from centralized_ml_api.local.envoy.writing import remove_stale_endpoints, write_file
from centralized_ml_api.local.envoy.xds import Document, Snapshot, build_clusters_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACCEPT_SECONDS = 10.0
_POLL_SECONDS = 0.005
_CLUSTERS = "cluster_manager.cds"
_ROUTES = f"http.{STAT_PREFIX}.rds.{ROUTES_NAME}"
_LIMITS = "extension_config_discovery.http_filter"
_WARMING = "cluster_manager.warming_clusters"


@dataclass(frozen=True, slots=True)
class Update:
    """From `old`, which Envoy has, to `new`. `run` once."""

    admin: Admin
    files: Files
    old: Snapshot
    new: Snapshot

    async def run(self) -> None:
        """Writes what changed, in order, and waits for Envoy at each step.

        Raises:
            StartError: Envoy refuses a step, does not take it in time, or does not answer, or a file cannot
                be written.
        """
        await self._put_endpoints()
        both = build_clusters_document({**self.old.clusters, **self.new.clusters})
        await self._put_clusters(build_clusters_document(self.old.clusters), both)
        await self._put_limits()
        if self.new.routes != self.old.routes:
            await self._put({_ROUTES: (self.files.routes, self.new.routes)})
        await self._put_clusters(both, build_clusters_document(self.new.clusters))
        remove_stale_endpoints(self.files, self.new)

    async def _put_endpoints(self) -> None:
        """Endpoints of known clusters are waited for; those of new ones are only laid ready."""
        changed = {
            name: document
            for name, document in self.new.endpoints.items()
            if self.old.endpoints.get(name) != document
        }
        for name in sorted(changed.keys() - self.old.endpoints.keys()):
            write_file(self.files.endpoints_of(name), changed[name].text)
        known = sorted(changed.keys() & self.old.endpoints.keys())
        await self._put({stat_name(name): (self.files.endpoints_of(name), changed[name]) for name in known})

    async def _put_limits(self) -> None:
        """Before the routes that switch them on. One that is the same is left alone: its buckets go on."""
        changed = {name: one for name, one in self.new.limits.items() if self.old.limits.get(name) != one}
        await self._put(
            {f"{_LIMITS}.{name}": (self.files.limit_of(name), one) for name, one in changed.items()}
        )

    async def _put_clusters(self, old: Document, new: Document) -> None:
        if new != old:
            await self._put({_CLUSTERS: (self.files.clusters, new)})

    async def _put(self, documents: Mapping[str, tuple[Path, Document]]) -> None:
        """Writes these documents and waits until Envoy has taken each; keys are prefixes of statistics."""
        if not documents:
            return
        names = [f"{one}.{name}" for one in documents for name in ("version_text", "update_rejected")]
        before = await self.admin.stats([*names, _WARMING])
        for path, document in documents.values():
            write_file(path, document.text)
        wanted = {f"{one}.version_text": document.version for one, (_, document) in documents.items()}
        try:
            async with asyncio.timeout(ACCEPT_SECONDS):
                await self._wait_taken(wanted, names, before)
        except TimeoutError as error:
            raise StartError(
                f"the gateway did not take its new configuration in {ACCEPT_SECONDS:g} s"
            ) from error

    async def _wait_taken(
        self, wanted: Mapping[str, str], names: list[str], before: Mapping[str, object]
    ) -> None:
        while True:
            now = await self.admin.stats([*names, _WARMING])
            rejected = [
                name for name in names if name.endswith("rejected") and now.get(name) != before.get(name)
            ]
            if rejected:
                raise StartError(f"the gateway refused its new configuration ({', '.join(rejected)})")
            if not now.get(_WARMING) and all(now.get(name) == version for name, version in wanted.items()):
                return
            await asyncio.sleep(_POLL_SECONDS)
