"""More than one server for a model: each call goes to the one with the fewest."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from support.odd_server import OddServer
from support.running_gateway import start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import RunningGateway

CALLS = 60


@pytest.fixture
def servers() -> Iterator[tuple[OddServer, OddServer]]:
    with OddServer() as first, OddServer() as other:
        yield first, other


@contextlib.contextmanager
def running(folder: Path, background: Background, *ports: int) -> Iterator[RunningGateway]:
    routes = (ServedRoute("echo", "model", "/echo", ()), ServedRoute("long", "model", "/hang", ()))
    with start_gateway(folder, background, Gateway((Upstream("model", ports),), routes)) as gateway:
        yield gateway


@contextlib.contextmanager
def one_busy(gateway: RunningGateway, servers: tuple[OddServer, ...]) -> Iterator[OddServer]:
    """One call is under way for as long as the block; gives the server that has it."""
    with contextlib.closing(gateway.connect()) as connection:
        connection.request("POST", "/long")
        wait_until(lambda: any("/hang" in server.asked for server in servers), "a server has the long call")
        yield next(server for server in servers if "/hang" in server.asked)


def answering(gateway: RunningGateway) -> Counter[int]:
    """How many of many calls each port answered."""
    answers = [gateway.call("/echo") for _ in range(CALLS)]
    assert [answer for answer in answers if answer.status != 200] == []
    return Counter(answer.json["port"] for answer in answers)


@pytest.mark.slow
def test_calls_are_spread_over_idle_servers(
    tmp_path: Path, background: Background, servers: tuple[OddServer, OddServer]
) -> None:
    with running(tmp_path, background, *(server.port for server in servers)) as gateway:
        counts = answering(gateway)
    assert counts.keys() == {server.port for server in servers}
    assert min(counts.values()) > CALLS // 6, counts


@pytest.mark.slow
def test_a_busy_server_is_left_alone(
    tmp_path: Path, background: Background, servers: tuple[OddServer, OddServer]
) -> None:
    ports = (server.port for server in servers)
    with running(tmp_path, background, *ports) as gateway, one_busy(gateway, servers) as busy:
        counts = answering(gateway)
    assert counts[busy.port] <= CALLS // 10, "it would have every fourth call if two were drawn"


@pytest.mark.slow
def test_a_dead_server_costs_no_call_though_it_has_the_fewest(
    tmp_path: Path, background: Background, closed_port: int, servers: tuple[OddServer, OddServer]
) -> None:
    alive = servers[:1]
    with running(tmp_path, background, alive[0].port, closed_port) as gateway, one_busy(gateway, alive):
        counts = answering(gateway)
    assert counts == {alive[0].port: CALLS}
