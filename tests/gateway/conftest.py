"""One real Envoy in front of one odd server, with a route for everything that server can do."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, RefusedRoute, ServedRoute, Upstream
from support.background import Background, start_background
from support.odd_server import OddServer
from support.running_gateway import RunningGateway, start_gateway
from support.spent import Spent, start_spent

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED = 'add a "local" block: 100% sure, %REQ(host)% \\ é \u202e </script>'
ANSWER_BYTES = 12 * 1024 * 1024
SHORT = Limits(response_bytes=ANSWER_BYTES, headers_seconds=0.5, request_seconds=1.5, stream_idle_seconds=30)
MODELS = {
    "echo": "/echo",
    "same": "/same",
    "teapot": "/status/418",
    "broken": "/status/500",
    "zipped": "/gzip",
    "redirect": "/redirect",
    "half": "/half",
    "half-chunked": "/half-chunked",
    "close": "/close",
    "garbage": "/garbage",
    "hang": "/hang",
    "half-hang": "/half-hang",
    "longest": f"/large/{ANSWER_BYTES}",
    "too-long": f"/large-chunked/{ANSWER_BYTES + 1}",
    "query": "/echo?api-version=1%202",
    "usual": "/echo",
    "listing-teapot": "/status/418",
}
LISTING = {"echo", "same", "listing-teapot"}
"""Models with a list of headers of their own; the others have the usual one."""


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    with start_background() as background:
        yield background


@pytest.fixture(scope="module")
def spent(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spent]:
    with start_spent(background, tmp_path_factory.mktemp("spent")) as spent:
        yield spent


@pytest.fixture(scope="session")
def closed_port() -> Iterator[int]:
    """A port that nobody listens on and that nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def odd() -> Iterator[OddServer]:
    with OddServer() as server:
        yield server


@pytest.fixture(scope="session")
def served(odd: OddServer, closed_port: int) -> Gateway:
    """Every kind of upstream and route."""
    models = [
        ServedRoute(name, "odd", rewrite, ("X-Custom", "accept-language") if name in LISTING else ())
        for name, rewrite in MODELS.items()
    ]
    return Gateway(
        upstreams=(
            Upstream("odd", (odd.port,)),
            Upstream("empty", ()),
            Upstream("gone", (closed_port,)),
            Upstream("one-of-two", (closed_port, odd.port)),
            ExternalUpstream("elsewhere", "localhost", odd.port, tls=False),
            ExternalUpstream("elsewhere-tls", "localhost", odd.port, tls=True),
            ExternalUpstream("elsewhere-unready", "localhost", odd.port, tls=False, ready=False),
        ),
        routes=(
            *models,
            ServedRoute("function", "odd", None, None),
            ServedRoute("function-teapot", "odd", "/status/418", None),
            ServedRoute("stream", "odd", "/steps", (), streams=True),
            ServedRoute("reads-json", "odd", "/echo", (), reads_json=True),
            ServedRoute("identified", "odd", "/echo", ("X-Request-Id",)),
            ServedRoute("starting", "empty", "/echo", ()),
            ServedRoute("gone", "gone", "/echo", ()),
            ServedRoute("one-of-two", "one-of-two", "/echo", ()),
            ServedRoute("elsewhere", "elsewhere", "/echo", ()),
            ServedRoute("elsewhere-tls", "elsewhere-tls", "/echo", ()),
            ServedRoute("elsewhere-unready", "elsewhere-unready", "/echo", ()),
            RefusedRoute("refused", REFUSED),
        ),
        unready=(("starting", "starting"),),
    )


@pytest.fixture(scope="session")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, background: Background, served: Gateway
) -> Iterator[RunningGateway]:
    """The gateway of most tests; it waits 2 seconds for a model."""
    folder = tmp_path_factory.mktemp("gateway")
    with start_gateway(folder, background, served, limits=SHORT, seconds=2) as running:
        yield running
