"""Changes under load drop no call, and a change that Envoy refuses changes nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import (
    ExternalUpstream,
    Gateway,
    RefusedRoute,
    ServedRoute,
    Upstream,
)
from support.odd_server import OddServer
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import RunningGateway

CLIENTS = 3


def states(port: int, other: int) -> list[Gateway]:
    """Ten gateways in which `untouched` is always the same, and nothing else is."""
    steady = Upstream("steady", (port,))
    route = ServedRoute("untouched", "steady", "/echo", ())

    def with_more(
        upstreams: tuple[Upstream | ExternalUpstream, ...], *routes: ServedRoute | RefusedRoute
    ) -> Gateway:
        return Gateway(upstreams=(steady, *upstreams), routes=(route, *routes))

    moving = ServedRoute("moving", "moving", "/echo", ())
    return [
        with_more(()),
        with_more((Upstream("moving", ()),), moving),
        with_more((Upstream("moving", (other,)),), moving),
        with_more((Upstream("moving", (other, port)),), moving),
        with_more((Upstream("moving", (port,)),), replace(moving, rewrite="/status/418")),
        with_more((ExternalUpstream("moving", "127.0.0.1", other, tls=False),), moving),
        with_more((ExternalUpstream("moving", "localhost", other, tls=False),), moving),
        with_more((Upstream("moving", (other,)),), replace(moving, headers=None, rewrite=None)),
        with_more(
            (Upstream("third", (other,)),), replace(moving, upstream="third"), RefusedRoute("no", "no")
        ),
        with_more((), RefusedRoute("moving", "not any more")),
    ]


EXPECTED = [404, 503, 200, 200, 418, 200, 200, 200, 200, 501]


@pytest.mark.slow
def test_changes_drop_no_call_on_an_untouched_route(tmp_path: Path, background: Background) -> None:
    with OddServer() as first, OddServer() as two:
        gateways = states(first.port, two.port)
        with start_gateway(tmp_path, background, gateways[0]) as running:
            changed = threading.Event()
            with ThreadPoolExecutor(CLIENTS) as clients:
                load = [clients.submit(call_until, running, changed) for _ in range(CLIENTS)]
                try:
                    statuses = [apply_and_call(running, gateway) for gateway in gateways]
                finally:
                    changed.set()
            answered = [status for client in load for status in client.result()]
    assert statuses == EXPECTED
    assert len(answered) > CLIENTS
    assert set(answered) == {200}


def apply_and_call(running: RunningGateway, gateway: Gateway) -> int:
    running.apply(gateway)
    return running.call("/moving", b"{}").status


def call_until(running: RunningGateway, changed: threading.Event) -> list[int]:
    statuses = []
    while not changed.is_set():
        statuses.append(running.call("/untouched", b"{}").status)
    return statuses


@pytest.mark.slow
def test_a_call_under_way_survives_the_removal_of_its_route(tmp_path: Path, background: Background) -> None:
    with OddServer() as server, ThreadPoolExecutor(1) as client:
        served = Gateway(
            upstreams=(Upstream("odd", (server.port,)),),
            routes=(ServedRoute("steps", "odd", "/steps", ()),),
        )
        with start_gateway(tmp_path, background, served) as running:
            call = client.submit(running.call, "/steps")
            while not background.run(running.envoy.active_requests("odd")):
                assert not call.done()
            running.apply(Gateway((), ()))
            assert running.call("/steps").status == 404
            server.steps.set()
            assert call.result().body == b"onetwo"


@pytest.mark.slow
def test_what_is_the_same_is_not_written_again(tmp_path: Path, background: Background) -> None:
    served = states(1, 2)[3]
    with start_gateway(tmp_path, background, served) as running:
        before = written(tmp_path)
        running.apply(served)
        assert written(tmp_path) == before
        running.apply(states(1, 2)[2])
        changed = {name for name, when in written(tmp_path).items() if before[name] != when}
        assert changed == {"moving.json"}


def written(folder: Path) -> dict[str, int]:
    paths = [*folder.glob("envoy/*.json"), *folder.glob("envoy/endpoints/*.json")]
    return {path.name: path.stat().st_ino for path in paths}


@pytest.mark.slow
def test_what_is_gone_leaves_no_file(tmp_path: Path, background: Background) -> None:
    with start_gateway(tmp_path, background, states(1, 2)[2]) as running:
        running.apply(Gateway((), ()))
        assert list((tmp_path / "envoy/endpoints").iterdir()) == []


@pytest.mark.slow
def test_a_refused_change_names_the_reason_and_changes_nothing(
    tmp_path: Path, background: Background
) -> None:
    with OddServer() as server:
        good = states(server.port, server.port)[2]
        bad = replace(good, upstreams=(*good.upstreams[:1], Upstream("moving", (70_000,))))
        with start_gateway(tmp_path, background, good) as running:
            with pytest.raises(StartError, match=r"rejected its new configuration .*PortValue"):
                running.apply(bad)
            assert running.call("/moving").status == 200
            running.apply(states(server.port, server.port)[4])
            assert running.call("/moving").status == 418
            running.stop()
            running.start()
            assert running.call("/moving").status == 418


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a:b", "a/../b", "a.b|c", "ä b", "%2e%2e"])
def test_an_upstream_may_have_any_name(tmp_path: Path, background: Background, name: str) -> None:
    route = ServedRoute("a", name, "/echo", ())
    with OddServer() as server, start_gateway(tmp_path, background, Gateway((), ())) as running:
        running.apply(Gateway((Upstream(name, ()),), (route,)))
        assert running.call("/a").status == 503
        running.apply(Gateway((Upstream(name, (server.port,)),), (route,)))
        assert running.call("/a").status == 200
        assert background.run(running.envoy.active_requests(name)) == 0
