"""The xDS files: the discovery responses in them, and how they get onto the disk, each in place at once."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.clusters import build_cluster, build_load_assignment
from centralized_ml_api.local.envoy.inner_listeners import build_inner_listeners
from centralized_ml_api.local.envoy.job_listener import patient
from centralized_ml_api.local.envoy.job_table import build_job_table
from centralized_ml_api.local.envoy.jobs import build_job_filters
from centralized_ml_api.local.envoy.rate_limits import build_rate_limits
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.gateway import Upstream
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from centralized_ml_api.local.envoy.settings import Files, Settings
    from centralized_ml_api.local.gateway import Gateway


@record
class DiscoveryResponse:
    """The text of one xDS file; `version` is a digest of its resources and changes only with them."""

    version: str
    text: str


SMALL_TABLE_BYTES, READ_BYTES_PER_SECOND = 5_000_000, 500_000
"""A table of routes for which no time need be added, and how fast Envoy reads a larger one on a busy machine:
on an idle one it is 7 MB a second. Meanwhile it answers nothing."""


@record
class Snapshot:
    """A gateway as Envoy sees it: clusters by name, endpoints by cluster, routes, rate limits by filter.

    `job_routes` are those of the calls that jobs make; `listeners` are by name those beside the public one.
    """

    clusters: Mapping[str, dict[str, Any]]
    endpoints: Mapping[str, DiscoveryResponse]
    routes: DiscoveryResponse
    rate_limits: Mapping[str, DiscoveryResponse] = field(default_factory=dict)
    job_routes: DiscoveryResponse = DiscoveryResponse(version="", text="")
    listeners: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def reading_seconds(self) -> float:
        """How much longer than usual Envoy may take to read the tables of routes."""
        return count_reading_seconds(len(self.routes.text) + len(self.job_routes.text))

    def without_tables(self) -> Snapshot:
        """Returns the snapshot without the text of its tables of routes: 160 MB for a thousand chats.

        Versions are enough to find what changes.
        """
        routes, job_routes = (replace(each, text="") for each in (self.routes, self.job_routes))
        return replace(self, routes=routes, job_routes=job_routes)


UNKNOWN_SNAPSHOT = Snapshot(clusters={}, endpoints={}, routes=DiscoveryResponse(version="", text=""))
"""Stands for an Envoy of which nothing is known: everything is to be written."""


def count_reading_seconds(table_bytes: int) -> float:
    """Returns how much longer than usual Envoy may take to read so much. Pure."""
    return max(0, table_bytes - SMALL_TABLE_BYTES) / READ_BYTES_PER_SECOND


def build_snapshot(gateway: Gateway, settings: Settings) -> Snapshot:
    """Builds everything dynamic, for thousands of entries in a second or more. Pure."""
    with _without_collection():
        return _build_snapshot(gateway, settings)


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Lets Python look for cycles of garbage only afterwards: a table has none, and millions of objects."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _build_snapshot(gateway: Gateway, settings: Settings) -> Snapshot:
    upstreams = sorted(gateway.upstreams, key=lambda upstream: upstream.name)
    filters = {gateway.jobs.upstream.name: build_job_filters(gateway)} if gateway.jobs else {}
    return Snapshot(
        clusters={
            upstream.name: build_cluster(upstream, settings, filters.get(upstream.name, ()))
            for upstream in upstreams
        },
        endpoints={
            upstream.name: build_endpoints_response(upstream)
            for upstream in upstreams
            if isinstance(upstream, Upstream)
        },
        routes=_build_response([build_routes(gateway, settings.limits)]),
        rate_limits={
            name: _build_response([_build_extension(name, config)])
            for name, config in build_rate_limits(gateway).items()
        },
        job_routes=_build_response([_build_job_table(gateway, settings)]),
        listeners=build_inner_listeners(gateway, settings),
    )


def _build_job_table(gateway: Gateway, settings: Settings) -> dict[str, Any]:
    """Builds the table of jobs, without models until there is one: it takes much memory."""
    served = gateway if gateway.runs_jobs else replace(gateway, routes=(), by_model={})
    return build_job_table(served, patient(settings.limits))


def build_endpoints_response(upstream: Upstream) -> DiscoveryResponse:
    """Builds the file of the endpoints of a local upstream. Pure."""
    return _build_response([build_load_assignment(upstream)])


def find_moved(before: Gateway, after: Gateway) -> list[Upstream]:
    """Returns the servers of this machine that are elsewhere afterwards, of those known before. Pure.

    Telling Envoy needs none of the tables, which take longer to build than a caller should wait.
    """
    ports = {upstream.name: upstream.ports for upstream in before.upstreams if isinstance(upstream, Upstream)}
    return [
        upstream
        for upstream in after.upstreams
        if isinstance(upstream, Upstream) and ports.get(upstream.name, upstream.ports) != upstream.ports
    ]


def build_clusters_response(clusters: Mapping[str, dict[str, Any]]) -> DiscoveryResponse:
    """Builds the file of the clusters, in order of their names. Pure."""
    return _build_response(clusters[name] for name in sorted(clusters))


def build_listeners_response(listeners: Mapping[str, dict[str, Any]]) -> DiscoveryResponse:
    """Builds the file of the listeners beside the public one, in order of their names. Pure."""
    return _build_response(listeners[name] for name in sorted(listeners))


def _build_extension(name: str, config: dict[str, Any]) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    return {"@type": kind, "name": name, "typed_config": config}


def _build_response(resources: Iterable[dict[str, Any]]) -> DiscoveryResponse:
    # Without indentation: with it, Python encodes in Python, and a start costs 0.3 s of processor time more.
    listed = json.dumps(list(resources), separators=(",", ":"))
    version = hashlib.sha256(listed.encode()).hexdigest()[:16]
    text = f'{{"version_info": "{version}", "resources": {listed}}}\n'
    return DiscoveryResponse(version, text)


def write_file(path: Path, text: str) -> None:
    """Puts a file in place by renaming: nobody ever reads half of it, and only its user may read it.

    Raises:
        StartError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.new")
    with refuse_unwritable(path):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        draft.replace(path)


def write_snapshot(files: Files, snapshot: Snapshot) -> None:
    """Makes the folders and writes every xDS file, for an Envoy that has yet to start.

    Only this user may look into the folders.

    Raises:
        StartError: Something cannot be written.
    """
    with refuse_unwritable(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.folder.chmod(0o700)
        files.endpoints.mkdir(mode=0o700, exist_ok=True)
    with refuse_unwritable(files.access_log.parent):
        files.access_log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for cluster, response in snapshot.endpoints.items():
        write_file(files.endpoints_of(cluster), response.text)
    for name, response in snapshot.rate_limits.items():
        write_file(files.rate_limit_of(name), response.text)
    write_file(files.clusters, build_clusters_response(snapshot.clusters).text)
    write_file(files.listeners, build_listeners_response(snapshot.listeners).text)
    write_file(files.routes, snapshot.routes.text)
    write_file(files.job_routes, snapshot.job_routes.text)
    remove_stale_endpoints(files, snapshot)


def remove_stale_endpoints(files: Files, snapshot: Snapshot) -> None:
    """Removes the endpoint files of clusters that no longer exist.

    Raises:
        StartError: A file cannot be removed.
    """
    wanted = {files.endpoints_of(cluster) for cluster in snapshot.endpoints}
    with refuse_unwritable(files.endpoints):
        for path in sorted(set(files.endpoints.iterdir()) - wanted):
            path.unlink()


@contextlib.contextmanager
def refuse_unwritable(path: Path) -> Iterator[None]:
    """Turns every `OSError` of the block into a `StartError` that names `path` and the reason.

    Raises:
        StartError: The disk refused something.
    """
    try:
        yield
    except OSError as error:
        raise StartError(
            f"the gateway's {path} cannot be written: {error.strerror or error}",
            fix="free disk space, or give this user write access",
        ) from error
