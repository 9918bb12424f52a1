from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import aiohttp
import psutil
import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy import EnvoyGateway, Limits
from centralized_ml_api.local.envoy.admin import shorten_path
from centralized_ml_api.local.envoy.ca_bundle import find_ca_bundle
from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.envoy.validate import find_config_error
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, ServedRoute, Upstream
from support.odd_server import OddServer
from support.running_gateway import DEADLINE_SECONDS, read, start_gateway
from support.waiting import until, wait_until

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import Answer, RunningGateway

NOTHING = Gateway((), ())


def settings(folder: Path) -> Settings:
    return Settings("127.0.0.1", 0, Files(folder, folder / "access.log"), find_ca_bundle())


@pytest.mark.slow
def test_envoy_finds_no_fault_in_any_kind_of_route(tmp_path: Path, served: Gateway) -> None:
    tls = (
        ExternalUpstream("by-name", "models.example", 443, tls=True),
        ExternalUpstream("by-address", "192.0.2.1", 8443, tls=True),
        ExternalUpstream("by-ipv6", "2001:db8::1", 80, tls=False),
    )
    routes = tuple(ServedRoute(upstream.name, upstream.name, "/x", ("A" * 40, "B")) for upstream in tls)
    everything = Gateway((*served.upstreams, *tls), (*served.routes, *routes))
    assert asyncio.run(find_config_error(everything, settings(tmp_path), seconds=600)) == ""


@pytest.mark.slow
def test_envoy_says_what_is_wrong(tmp_path: Path, background: Background) -> None:
    wrong = Gateway((Upstream("a", (70_000,)),), (ServedRoute("a", "a", "/x", ()),))
    assert "PortValue" in background.run(find_config_error(wrong, settings(tmp_path)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_validation_that_nobody_waits_for_any_more_is_ended(tmp_path: Path) -> None:
    def find_envoys() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if "validate" in child.cmdline()]

    async def main() -> None:
        validating = asyncio.create_task(find_config_error(NOTHING, settings(tmp_path)))
        await until(find_envoys, "Envoy validates")
        (envoy,) = find_envoys()
        envoy.suspend()
        validating.cancel()
        await asyncio.wait({validating})
        assert not envoy.is_running()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_is_applied_while_it_is_down_is_served_when_it_is_back(
    tmp_path: Path, background: Background
) -> None:
    with OddServer() as server, start_gateway(tmp_path, background, NOTHING) as running:
        running.stop()
        with pytest.raises(StartError, match="does not answer"):
            running.apply(Gateway((Upstream("a", (server.port,)),), (ServedRoute("a", "a", "/echo", ()),)))
        running.start()
        assert running.call("/a").status == 200


@pytest.mark.slow
def test_nobody_else_can_reach_the_admin_interface(tmp_path: Path, background: Background) -> None:
    with start_gateway(tmp_path, background, NOTHING) as running:
        assert running.process is not None
        listening = psutil.Process(running.process.pid).net_connections("inet")
        assert {connection.laddr.port for connection in listening} == {running.port}, (
            "Envoy listens for the API only"
        )
        socket = tmp_path / "envoy/admin.sock"
        assert (socket.stat().st_mode & 0o777, socket.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/quitquitquit",
        "/healthcheck/fail",
        "/logging?level=trace",
        "/runtime_modify?a=b",
        "/config_dump",
        "/stats/recentlookups/enable",
        "/",
    ],
)
def test_the_admin_interface_does_no_more_than_is_needed(
    gateway: RunningGateway, background: Background, path: str
) -> None:
    async def ask() -> int:
        with shorten_path(gateway.folder / "admin.sock") as socket:
            connector = aiohttp.UnixConnector(socket)
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.post(f"http://envoy{path}") as response,
            ):
                return response.status

    assert background.run(ask()) == 403


@pytest.mark.slow
def test_a_folder_may_have_a_name_longer_than_a_socket_may(tmp_path: Path, background: Background) -> None:
    with OddServer() as server:
        served = Gateway((Upstream("a", (server.port,)),), (ServedRoute("a", "a", "/echo", ()),))
        with start_gateway(tmp_path / ("x" * 150) / ("ü" * 60), background, NOTHING) as running:
            running.apply(served)
            assert running.call("/a").status == 200


@pytest.mark.slow
def test_a_dead_gateway_has_no_calls_under_way(tmp_path: Path, background: Background) -> None:
    with start_gateway(tmp_path, background, Gateway((Upstream("a", ()),), ())) as running:
        running.stop()
        assert background.run(running.envoy.active_requests("a")) == 0


@pytest.mark.slow
def test_draining_lets_calls_end_and_tells_clients_to_go(tmp_path: Path, background: Background) -> None:
    with (
        OddServer() as server,
        ThreadPoolExecutor(2) as clients,
        start_gateway(tmp_path, background, stepping(server)) as running,
    ):
        call = start_call(running, background, clients)
        drained = clients.submit(background.run, running.envoy.drain(30))
        wait_until(lambda: connection_header(running) == "close", "clients are told to go")
        assert not call.done()
        assert not drained.done()
        server.steps.set()
        drained.result()
        assert call.result().body == b"onetwo"


@pytest.mark.slow
def test_draining_ends_when_time_is_up_and_leaves_no_socket(tmp_path: Path, background: Background) -> None:
    with (
        OddServer() as server,
        ThreadPoolExecutor(1) as clients,
        start_gateway(tmp_path, background, stepping(server)) as running,
    ):
        call = start_call(running, background, clients)
        background.run(running.envoy.drain(0.05))
        assert not call.done()
        assert not (tmp_path / "envoy/admin.sock").exists()
        server.steps.set()
        assert call.result().body == b"onetwo"


@pytest.mark.slow
def test_a_dead_gateway_leaves_no_socket_either(tmp_path: Path, background: Background) -> None:
    with start_gateway(tmp_path, background, NOTHING) as running:
        running.stop()
        assert (tmp_path / "envoy/admin.sock").exists(), "nothing to remove: this test shows nothing"
        with pytest.raises(StartError, match="does not answer"):
            background.run(running.envoy.drain(1))
        assert not (tmp_path / "envoy/admin.sock").exists()


def stepping(server: OddServer) -> Gateway:
    return Gateway((Upstream("odd", (server.port,)),), (ServedRoute("steps", "odd", "/steps", ()),))


def start_call(
    running: RunningGateway, background: Background, clients: ThreadPoolExecutor
) -> Future[Answer]:
    """A call that has arrived at the model and does not end before `server.steps` is set."""
    call = clients.submit(running.call, "/steps")
    while not background.run(running.envoy.active_requests("odd")):
        assert not call.done()
    return call


def connection_header(running: RunningGateway) -> str | None:
    with contextlib.closing(running.connect()) as connection:
        connection.request("GET", "/health")
        return read(connection).header("connection")


@pytest.mark.slow
def test_a_connection_on_which_nothing_comes_is_closed(tmp_path: Path, background: Background) -> None:
    """Long before one that is idle after a request: that one belongs to a client that means to call again."""
    limits = Limits(first_seconds=0.5, keep_alive_seconds=DEADLINE_SECONDS)
    with (
        start_gateway(tmp_path, background, NOTHING, limits=limits) as running,
        contextlib.closing(running.connect()) as kept,
        socket.create_connection(("127.0.0.1", running.port), DEADLINE_SECONDS) as silent,
    ):
        kept.request("GET", "/health")
        assert read(kept).status == 200
        assert silent.recv(1) == b""
        kept.request("GET", "/health")
        assert read(kept).status == 200


@pytest.mark.slow
def test_no_address_has_all_connections_but_those_of_this_machine(
    tmp_path: Path, background: Background
) -> None:
    """For the test only one address is of this machine: the network 127.0.0.0/8 has many."""
    limits = Limits(connections=32, unshared=("127.0.0.1/32",))
    with start_gateway(tmp_path, background, NOTHING, limits=limits) as running:

        def count_open(source: str, wanted: int, connections: contextlib.ExitStack) -> int:
            """How many connections from that address are answered and stay open."""
            answered = 0
            for _ in range(wanted):
                connection = http.client.HTTPConnection(
                    "127.0.0.1", running.port, timeout=DEADLINE_SECONDS, source_address=(source, 0)
                )
                connections.enter_context(contextlib.closing(connection))
                with contextlib.suppress(ConnectionError):
                    connection.request("GET", "/health")
                    answered += read(connection).status == 200
            return answered

        with contextlib.ExitStack() as connections:
            assert count_open("127.0.0.1", 10, connections) == 10
            assert count_open("127.0.0.9", 10, connections) == 8, "a quarter of 32"
            others = [count_open(f"127.0.0.{number}", 1, connections) for number in range(10, 20)]
            assert sum(others) >= 5, "most addresses are in other groups"


@pytest.mark.slow
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
