"""Envoy as its admin interface shows it, in this process: it accepts or rejects the xDS files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from support.route_table import list_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from centralized_ml_api.local.envoy.settings import Files

_FIXED_PREFIXES = {
    "clusters.json": "cluster_manager.cds",
    "listeners.json": "listener_manager.lds",
    "routes.json": "http.gateway.rds.routes",
    "job-routes.json": "http.jobs.rds.job-routes",
}


class FakeEnvoy:
    """Looks at its files whenever somebody asks for its statistics, and fails if something points to nothing.

    Attributes:
        accepted: The names of the files that it accepted, in this order.
        rejects: The names of files that it rejects.
        ignores: The names of files of which it takes no notice.
        delay: How many looks it needs to accept a file.
        warming: How many looks a new cluster needs to be warm once it is accepted.
        stats_values: Statistics by name, to which tests add their own.
        asked: Method and path of what came over the socket, statistics aside.
        looks: How often somebody asked for statistics.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.accepted: list[str] = []
        self.rejects: set[str] = set()
        self.ignores: set[str] = set()
        self.delay = 0
        self.warming = 0
        self.stats_values: dict[str, Any] = {}
        self.asked: list[str] = []
        self.looks = 0
        self._texts: dict[Path, str] = {}
        self._pending: dict[Path, int] = {}
        self._clusters: dict[str, Any] = {}
        self._warming: dict[str, int] = {}

    def start(self) -> None:
        """Takes everything that is there, as Envoy does when it starts."""
        for path in self._paths():
            self._texts[path] = path.read_text()
            self._accept(path)
        self._warming.clear()
        self.accepted.clear()

    async def stats(self, names: Iterable[str]) -> dict[str, Any]:
        """Returns the values of those of these statistics that exist."""
        values = self._look()
        return {name: values[name] for name in names if name in values}

    def _look(self) -> dict[str, Any]:
        self.looks += 1
        self._warming = {name: looks - 1 for name, looks in self._warming.items() if looks > 1}
        for path in self._paths():
            if path.name not in self.ignores and self._texts.get(path) != path.read_text():
                self._texts[path] = path.read_text()
                self._pending[path] = self.delay
        for path, looks in list(self._pending.items()):
            self._pending[path] = looks - 1
            if looks <= 0:
                del self._pending[path]
                self._judge(path)
        self._check_references()
        return {**self.stats_values, "cluster_manager.warming_clusters": len(self._warming)}

    def _paths(self) -> list[Path]:
        known = {self.files.endpoints_of(name) for name in self._clusters}
        return sorted(known & set(self.files.endpoints.glob("*.json"))) + [
            path for path in sorted(self.files.folder.glob("*.json")) if path.name != "bootstrap.json"
        ]

    def _judge(self, path: Path) -> None:
        if path.name in self.rejects:
            name = f"{self._prefix(path)}.update_rejected"
            self.stats_values[name] = self.stats_values.get(name, 0) + 1
        else:
            self._accept(path)

    def _accept(self, path: Path) -> None:
        response = json.loads(self._texts[path])
        self.stats_values[f"{self._prefix(path)}.version_text"] = response["version_info"]
        self.accepted.append(path.name)
        if path == self.files.clusters:
            clusters = {cluster["name"]: cluster for cluster in response["resources"]}
            new = clusters.keys() - self._clusters.keys() if self.warming else ()
            self._warming = dict.fromkeys(new, self.warming)
            self._clusters = clusters
            for name in clusters:
                endpoints = self.files.endpoints_of(name)
                if endpoints.exists() and endpoints not in self._texts:
                    self._texts[endpoints] = endpoints.read_text()

    def _prefix(self, path: Path) -> str:
        if path.parent == self.files.endpoints:
            return next(
                f"cluster.{quote(name, safe='')}"
                for name in self._clusters
                if self.files.endpoints_of(name) == path
            )
        filter_name = path.stem.removeprefix("limit-")
        return _FIXED_PREFIXES.get(path.name) or f"extension_config_discovery.http_filter.{filter_name}"

    def _check_references(self) -> None:
        """Nothing on the disk may point to what is not there, or is not accepted and warm yet."""
        clusters = _resources(self.files.clusters)
        for cluster in clusters:
            if cluster["type"] == "EDS":
                path = Path(cluster["eds_cluster_config"]["eds_config"]["path_config_source"]["path"])
                assert path.exists(), f"cluster {cluster['name']} has no file of endpoints"
        usable = {cluster["name"] for cluster in clusters} & self._clusters.keys()
        tables = [table for file in (self.files.routes, self.files.job_routes) for table in _resources(file)]
        for route in (route for table in tables for route in list_routes(table)):
            if "route" in route:
                name = route["route"]["cluster"]
                assert name in usable, f"a route points to cluster {name}, which Envoy does not have"
                assert name not in self._warming, f"a route points to cluster {name}, which is warming"

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        """Listens on the admin socket until the end of the block."""

        async def stats(request: web.Request) -> web.Response:
            pattern = re.compile(request.query["filter"])
            values = self._look()
            found = [{"name": name, "value": value} for name, value in values.items() if pattern.search(name)]
            return web.json_response({"stats": [{"histograms": {}}, *found]})

        async def other(request: web.Request) -> web.Response:
            self.asked.append(f"{request.method} {request.path_qs}")
            return web.Response(text="LIVE\n" if request.path == "/ready" else "OK\n")

        async def listeners(_: web.Request) -> web.Response:
            address = {"local_address": {"socket_address": {"port_value": 4711}}}
            return web.json_response({"listener_statuses": [address]})

        application = web.Application()
        application.add_routes(
            [
                web.get("/stats", stats),
                web.get("/listeners", listeners),
                web.route("*", "/{path:.*}", other),
            ]
        )
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.UnixSite(runner, str(self.files.admin_socket)).start()
            yield
        finally:
            await asyncio.sleep(0)  # a connection that came a moment ago is accepted, which `cleanup` leaves
            await runner.cleanup()
            await asyncio.sleep(0)  # what was accepted a moment ago is a task that has yet to take its socket


def _resources(path: Path) -> list[dict[str, Any]]:
    resources: list[dict[str, Any]] = json.loads(path.read_text())["resources"]
    return resources
