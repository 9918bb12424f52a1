from __future__ import annotations

import contextlib
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import aiohttp
import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy import EnvoyGateway, Limits
from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.envoy.trust import find_trust_store
from centralized_ml_api.local.envoy.whole import find_fault
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, ServedRoute, Upstream
from support.odd_server import OddServer
from support.running_gateway import read, start_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import RunningGateway

pytestmark = pytest.mark.slow
NOTHING = Gateway((), ())


def settings(folder: Path) -> Settings:
    return Settings("127.0.0.1", 0, Files(folder, folder / "access.log"), find_trust_store())


def test_envoy_finds_no_fault_in_any_kind_of_route(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    tls = (
        ExternalUpstream("by-name", "models.example", 443, tls=True),
        ExternalUpstream("by-address", "192.0.2.1", 8443, tls=True),
        ExternalUpstream("by-ipv6", "2001:db8::1", 80, tls=False),
    )
    routes = tuple(ServedRoute(one.name, one.name, "/x", ("A" * 40, "B")) for one in tls)
    everything = Gateway((*served.upstreams, *tls), (*served.routes, *routes))
    assert background.run(find_fault(everything, settings(tmp_path))) == ""


def test_envoy_says_what_is_wrong(tmp_path: Path, background: Background) -> None:
    wrong = Gateway((Upstream("a", (70_000,)),), (ServedRoute("a", "a", "/x", ()),))
    assert "PortValue" in background.run(find_fault(wrong, settings(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_nothing_in_the_folder_can_be_read_by_others(tmp_path: Path) -> None:
    launch = EnvoyGateway(tmp_path / "state", host="127.0.0.1", port=0).launch()
    folder = tmp_path / "state"
    assert launch.cwd == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}


def test_a_port_that_is_held_is_not_shared(
    tmp_path: Path, gateway: RunningGateway, background: Background
) -> None:
    second = EnvoyGateway(tmp_path, host="127.0.0.1", port=gateway.port)
    launch = second.launch()
    ended = subprocess.run(launch.argv, env={}, cwd=launch.cwd, capture_output=True, text=True, timeout=30)  # noqa: PLW1510
    assert ended.returncode != 0
    assert "Address already in use" in ended.stderr
    with pytest.raises(StartError, match=r"did not start within 0\.1 seconds"):
        background.run(second.wait_started(0.1))


def test_a_gateway_that_died_comes_back_on_its_port_with_what_it_served(
    tmp_path: Path, background: Background
) -> None:
    with OddServer() as server, start_gateway(tmp_path, background, NOTHING) as running:
        port = running.port
        running.apply(Gateway((Upstream("a", (server.port,)),), (ServedRoute("a", "a", "/echo", ()),)))
        running.stop()
        running.start()
        assert running.port == port
        assert running.call("/a").status == 200


def test_what_is_applied_while_it_is_down_is_served_when_it_is_back(
    tmp_path: Path, background: Background
) -> None:
    with OddServer() as server, start_gateway(tmp_path, background, NOTHING) as running:
        running.stop()
        with pytest.raises(StartError, match="does not answer"):
            running.apply(Gateway((Upstream("a", (server.port,)),), (ServedRoute("a", "a", "/echo", ()),)))
        running.start()
        assert running.call("/a").status == 200


def test_the_admin_port_cannot_stop_envoy(tmp_path: Path, background: Background) -> None:
    async def ask(path: str) -> int:
        address = (tmp_path / "envoy/admin-address").read_text()
        async with aiohttp.ClientSession() as session, session.post(f"http://{address}{path}") as response:
            return response.status

    with start_gateway(tmp_path, background, NOTHING):
        for path in ("/quitquitquit", "/healthcheck/fail", "/logging?level=trace", "/runtime_modify?a=b"):
            assert background.run(ask(path)) == 403


def test_draining_lets_calls_end_and_tells_clients_to_go(tmp_path: Path, background: Background) -> None:
    routes = (ServedRoute("steps", "odd", "/steps", ()),)
    with OddServer() as server, ThreadPoolExecutor(1) as client:
        served = Gateway((Upstream("odd", (server.port,)),), routes)
        with start_gateway(tmp_path, background, served) as running:
            call = client.submit(running.call, "/steps")
            while not background.run(running.envoy.active_requests("odd")):
                assert not call.done()
            background.run(running.envoy.drain(0.05))
            assert not call.done()
            with contextlib.closing(running.connect()) as connection:
                connection.request("GET", "/health")
                assert read(connection).header("connection") == "close"
            server.steps.set()
            background.run(running.envoy.drain(30))
            assert call.result().body == b"onetwo"


def test_more_clients_than_the_limit_are_turned_away(tmp_path: Path, background: Background) -> None:
    with (
        start_gateway(tmp_path, background, NOTHING, limits=Limits(connections=2)) as running,
        contextlib.ExitStack() as open_connections,
    ):
        for _ in range(2):
            connection = open_connections.enter_context(contextlib.closing(running.connect()))
            connection.request("GET", "/health")
            assert read(connection).status == 200
        third = open_connections.enter_context(socket.create_connection(("127.0.0.1", running.port), 30))
        with contextlib.suppress(ConnectionError):
            third.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert third.recv(1) == b""
