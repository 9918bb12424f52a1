"""What does not change while Envoy runs: where it listens, where its files are, what it tolerates."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from centralized_ml_api.plan.types import BODY_LIMIT_BYTES, GATEWAY_TIMEOUT_SECONDS

ADMIN_SOCKET = "admin.sock"
"""The admin interface, relative to the folder in which Envoy runs: a whole path may be too long for Envoy."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gateway tolerates. Tests make these small; users do not see them.

    Attributes:
        answer_seconds: from the last byte of the request to the last byte of the answer; then 504.
        body_bytes: the largest request body; then 413.
        answer_bytes: the largest answer of a route that does not stream; it is held until complete. At
            least twice `body_bytes`: it is all that one call may hold, and the request must fit in easily.
        headers_kib: request line and headers; then 431.
        headers_count: lines of headers; then 431 too.
        headers_seconds: for the headers to arrive; then 408.
        request_seconds: for the whole request to arrive; then 408.
        stream_idle_seconds: between two pieces of a streamed answer. Source:
            https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
        keep_alive_seconds: for an idle connection of a client.
        upstream_idle_seconds: for an idle connection to a model server. Shorter than the servers' own
            (gunicorn 2 s, uvicorn and cpp-httplib 5 s): a request sent on a connection that the server
            is about to close would be a 502, and must not be sent twice.
        connections: clients at once; more are refused. Fewer where descriptors are scarce (`descriptors`).
    """

    answer_seconds: float = GATEWAY_TIMEOUT_SECONDS
    body_bytes: int = BODY_LIMIT_BYTES
    answer_bytes: int = 64 * 1024 * 1024
    headers_kib: int = 60
    headers_count: int = 100
    headers_seconds: float = 10
    request_seconds: float = 60
    stream_idle_seconds: float = 300
    keep_alive_seconds: float = 75
    upstream_idle_seconds: float = 1
    connections: int = 4096


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one Envoy: `folder`, which only its user may read, and the log, which may be elsewhere.

    `access_log` gets one JSON object a line for each answer.
    """

    folder: Path
    access_log: Path

    @property
    def bootstrap(self) -> Path:
        """What Envoy starts with."""
        return self.folder / "bootstrap.json"

    @property
    def routes(self) -> Path:
        """The route table (RDS)."""
        return self.folder / "routes.json"

    @property
    def clusters(self) -> Path:
        """The upstreams (CDS)."""
        return self.folder / "clusters.json"

    @property
    def endpoints(self) -> Path:
        """The folder with the ready ports, a file for each upstream (EDS)."""
        return self.folder / "endpoints"

    def endpoints_of(self, upstream: str) -> Path:
        """The ready ports of one upstream, whatever characters its name has."""
        return self.endpoints / f"{quote(upstream, safe='')}.json"

    def limit_of(self, name: str) -> Path:
        """The options of the filter of that name (ECDS)."""
        return self.folder / f"limit-{name}.json"

    @property
    def admin_socket(self) -> Path:
        """Where Envoy's admin interface listens."""
        return self.folder / ADMIN_SOCKET


@dataclass(frozen=True, slots=True)
class Settings:
    """Where Envoy listens (port 0: any free one), its files, its limits, and whom it trusts for TLS."""

    host: str
    port: int
    files: Files
    trust_store: Path
    limits: Limits = field(default_factory=Limits)


def render_seconds(seconds: float) -> str:
    """A duration as protobuf's JSON writes it, such as `29s` or `0.25s`."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
