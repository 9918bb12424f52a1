"""What happens to calls when model servers come, go, hang and die."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, ServedRoute, Upstream
from support.closing_server import ClosingServer
from support.odd_server import OddServer
from support.running_gateway import start_gateway
from support.streaming_server import knows, start_streaming_server

if TYPE_CHECKING:
    from support.background import Background
    from support.running_gateway import RunningGateway

CLIENTS = 4
ROUTE = ServedRoute("echo", "models", "/echo", ())
SERVER = """
from support.odd_server import OddServer
server = OddServer()
print(server.port, flush=True)
"""


def models(*ports: int) -> Gateway:
    return Gateway(upstreams=(Upstream("models", ports),), routes=(ROUTE,))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["close", "half", "half-chunked", "garbage", "hang", "half-hang", "broken"])
def test_a_model_never_runs_a_request_twice(gateway: RunningGateway, odd: OddServer, name: str) -> None:
    before = len(odd.asked)
    assert gateway.call(f"/{name}").status >= 500
    assert len(odd.asked) == before + 1


@pytest.mark.slow
def test_a_server_that_does_not_listen_fails_no_call_to_its_replicas(gateway: RunningGateway) -> None:
    assert [gateway.call("/one-of-two", bytes(2_000_000)).status for _ in range(10)] == [200] * 10


@pytest.mark.slow
def test_calls_go_to_every_replica(tmp_path: Path, background: Background) -> None:
    with (
        OddServer() as first,
        OddServer() as two,
        start_gateway(tmp_path, background, models(first.port, two.port)) as running,
    ):
        assert {running.call("/echo").json["port"] for _ in range(40)} == {first.port, two.port}


@pytest.mark.slow
def test_a_killed_replica_fails_no_call_but_those_under_way(tmp_path: Path, background: Background) -> None:
    support = str(Path(__file__).parents[1])
    with (
        subprocess.Popen(
            [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": support}
        ) as doomed,
        OddServer() as healthy,
    ):
        assert doomed.stdout is not None
        port = int(doomed.stdout.readline())
        with start_gateway(tmp_path, background, models(port, healthy.port)) as running:

            def call(number: int) -> int:
                if number == 100:
                    doomed.kill()
                return running.call("/echo", b"{}").status

            with ThreadPoolExecutor(CLIENTS) as clients:
                statuses = list(clients.map(call, range(300)))
    assert statuses.count(200) >= 300 - CLIENTS, statuses
    assert set(statuses) <= {200, 502}
    assert healthy.asked


@pytest.mark.slow
def test_a_server_that_comes_back_gets_calls_again(tmp_path: Path, background: Background) -> None:
    with OddServer() as server, start_gateway(tmp_path, background, models()) as running:
        assert running.call("/echo").status == 503
        running.apply(models(server.port))
        assert running.call("/echo").status == 200
        running.apply(models())
        assert running.call("/echo").status == 503


@pytest.mark.slow
def test_a_connection_that_the_model_may_close_unannounced_takes_no_second_call(
    tmp_path: Path, background: Background
) -> None:
    with OddServer() as server:
        served = Gateway((Upstream("models", (server.port,), keeps_connections=False),), (ROUTE,))
        with start_gateway(tmp_path, background, served) as running:
            assert [running.call("/echo").status for _ in range(10)] == [200] * 10
        assert server.connections == 10


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_connection_that_the_model_closes_announced_takes_the_next_call(
    tmp_path: Path,
    background: Background,
    elsewhere: bool,  # noqa: FBT001  # a column
) -> None:
    with OddServer() as server:
        upstream = (
            ExternalUpstream("models", "127.0.0.1", server.port, tls=False, keeps_connections=True)
            if elsewhere
            else Upstream("models", (server.port,))
        )
        with start_gateway(tmp_path, background, Gateway((upstream,), (ROUTE,))) as running:
            assert [running.call("/echo").status for _ in range(10)] == [200] * 10
        assert server.connections < 10


@pytest.mark.slow
def test_a_server_of_a_known_kind_loses_no_call_beside_streams_that_are_hung_up(
    tmp_path: Path, background: Background
) -> None:
    routes = (ROUTE, ServedRoute("stream", "models", "/stream", (), streams=True))
    with start_streaming_server(background) as server:
        assert background.run(knows(server.port))
        upstream = ExternalUpstream("models", "127.0.0.1", server.port, tls=False, keeps_connections=True)
        with start_gateway(tmp_path, background, Gateway((upstream,), routes)) as running:

            def call(number: int) -> int:
                if number % 3:
                    return running.call("/echo", b"{}").status
                with contextlib.closing(running.connect()) as connection:
                    connection.request("POST", "/stream", b"{}")
                    answer = connection.getresponse()
                    assert answer.read(4) == b"data"
                    if number % 2:
                        answer.read()
                    return answer.status

            with ThreadPoolExecutor(CLIENTS) as clients:
                statuses = list(clients.map(call, range(600)))
        assert set(statuses) == {200}
        assert len(server.callers) < 300


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_server_that_closes_behind_each_answer_fails_no_call_and_gets_none_twice(
    tmp_path: Path,
    background: Background,
    elsewhere: bool,  # noqa: FBT001  # a column
) -> None:
    with ClosingServer() as server:
        upstream = (
            ExternalUpstream("models", "127.0.0.1", server.port, tls=False)
            if elsewhere
            else Upstream("models", (server.port,), keeps_connections=False)
        )
        with start_gateway(tmp_path, background, Gateway((upstream,), (ROUTE,))) as running:
            sent = [f"call {number}".encode() for number in range(10)]
            assert [running.call("/echo", body).body for body in sent] == sent
        assert server.bodies == sent


@pytest.mark.slow
def test_a_server_that_closes_behind_each_answer_fails_calls_on_a_kept_connection(
    tmp_path: Path, background: Background
) -> None:
    # Why the test above needs its cure. Even here nothing is sent twice.
    with ClosingServer() as server:
        served = Gateway((Upstream("models", (server.port,)),), (ROUTE,))
        with start_gateway(tmp_path, background, served) as running:
            statuses = [running.call("/echo", b"call").status for _ in range(20)]
        assert set(statuses) == {200, 502}
        assert len(server.bodies) == statuses.count(200)


@pytest.mark.slow
def test_a_hung_model_does_not_hold_up_another(tmp_path: Path, background: Background) -> None:
    routes = (ServedRoute("hang", "models", "/hang", ()), ROUTE)
    with OddServer() as server:
        served = Gateway(upstreams=(Upstream("models", (server.port,)),), routes=routes)
        with start_gateway(tmp_path, background, served) as running, ThreadPoolExecutor(32) as clients:
            hanging = [clients.submit(running.call, "/hang") for _ in range(32)]
            assert running.call("/echo").status == 200
            server.released.set()
            assert {call.result().status for call in hanging} == {502}
