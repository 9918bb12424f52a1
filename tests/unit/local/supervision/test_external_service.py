"""A server that somebody else runs: when it is probed, and what is known of it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import ExternalUpstream
from centralized_ml_api.local.supervision.server_watch import ServerWatches
from centralized_ml_api.local.supervision.service import (
    ExternalService,
    Report,
)
from centralized_ml_api.plan.url_target import UrlTarget
from support.fake_machine import FakeMachine
from support.service_scene import READY, REFUSED, run_beside
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def external(
    scenario: Callable[[ExternalService, FakeMachine], Awaitable[None]], ping_url: str | None
) -> tuple[FakeMachine, list[Report]]:
    reports: list[Report] = []

    async def main() -> FakeMachine:
        machine = FakeMachine()
        target = UrlTarget("gpu-box", 8000, tls=True, ping_url=ping_url)
        service = ExternalService(target, ServerWatches(machine), lambda: reports.append(service.report()))
        assert service.report() == Report("starting")
        assert service.upstream("echo") == ExternalUpstream("echo", "gpu-box", 8000, tls=True, ready=False)
        await run_beside(service, scenario(service, machine))
        return machine

    return run_in_virtual_time(main()), reports


def test_a_server_of_somebody_else_is_probed_often_at_first_and_then_every_five_seconds() -> None:
    async def scenario(service: ExternalService, __: FakeMachine) -> None:
        await asyncio.sleep(20)
        assert service.upstream("echo") == ExternalUpstream("echo", "gpu-box", 8000, tls=True, ready=True)
        assert service.about() == {}

    machine, reports = external(scenario, "http://gpu-box:8000/health")
    assert [time for time, _ in machine.probes] == pytest.approx([0, 0.2, 0.7, 1.7, 3.7, 8.7, 13.7, 18.7])
    assert {url for _, url in machine.probes} == {"http://gpu-box:8000/health"}
    assert reports == [Report("ready", ready_replicas=1)], "told once"


@pytest.mark.parametrize(
    ("ping_url", "detail"),
    [
        ("http://gpu-box:8000/health", "http://gpu-box:8000/health refuses connections"),
        (None, "gpu-box:8000 refuses connections"),
    ],
)
def test_a_server_of_somebody_else_that_is_gone_is_unready_until_it_is_back(
    ping_url: str | None, detail: str
) -> None:
    async def scenario(_: ExternalService, machine: FakeMachine) -> None:
        machine.answers = deque([REFUSED, REFUSED, READY, REFUSED])
        await asyncio.sleep(10)

    _, reports = external(scenario, ping_url)
    ready, gone = Report("ready", ready_replicas=1), Report("unready", detail)
    assert reports == [gone, ready, gone, ready]


@pytest.mark.parametrize("ping_url", ["http://other-box:8000/health", None])
def test_a_server_of_somebody_else_is_asked_what_it_is_whenever_it_becomes_ready(
    ping_url: str | None,
) -> None:
    kept: list[bool] = []

    async def scenario(service: ExternalService, machine: FakeMachine) -> None:
        machine.keeps = True
        machine.answers = deque([REFUSED, READY, READY, REFUSED])
        await asyncio.sleep(0.1)
        kept.append(service.upstream("echo").keeps_connections)
        await asyncio.sleep(1)
        kept.append(service.upstream("echo").keeps_connections)
        machine.keeps = False
        await asyncio.sleep(10)
        kept.append(service.upstream("echo").keeps_connections)

    machine, _ = external(scenario, ping_url)
    assert kept == [False, True, False]
    assert machine.looks == ["https://gpu-box:8000/"] * 3, "twice as it became ready, and while it kept them"


def test_another_product_in_the_place_of_a_server_of_somebody_else_is_news() -> None:
    kept: list[bool] = []

    async def scenario(service: ExternalService, machine: FakeMachine) -> None:
        machine.keeps = True
        await asyncio.sleep(1)
        kept.append(service.upstream("echo").keeps_connections)
        machine.keeps = False
        await asyncio.sleep(6)
        kept.append(service.upstream("echo").keeps_connections)

    _, reports = external(scenario, None)
    assert kept == [True, False]
    assert reports == [Report("ready", ready_replicas=1)] * 2, (
        "the gateway is told, as it was ready all along"
    )
