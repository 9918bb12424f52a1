"""Services that lost their name end once nobody calls them any more."""

from __future__ import annotations

import asyncio

import pytest

from centralized_ml_api.local.run.registry import (
    RETIRE_LOOK_SECONDS,
    RETIRE_QUIET_LOOKS,
    RETIRE_SECONDS,
    Retirement,
    Running,
)
from support.fake_target import FakeService, HandClock, running, soon
from support.registered import OTHER, SPEC
from support.story import story


class Gateway:
    """How many calls are under way at each look, None if it does not say; the last one stays."""

    def __init__(self, *looks: int | None) -> None:
        self.looks = list(looks)
        self.asked: list[str] = []

    async def active_requests(self, upstream: str) -> int | None:
        self.asked.append(upstream)
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


async def retire(gateway: Gateway, time: HandClock, service: Running) -> list[Running]:
    """Retires it to the end; those who were told of, one for each time."""
    told: list[Running] = []
    retirement = Retirement(gateway.active_requests, lambda: told.append(service), time.clock)
    retirement.add([service])
    assert retirement.services == (service,)
    retirement.finish([service])
    retirement.finish([service])
    await soon(lambda: not retirement.services)
    return told


def test_a_quiet_service_ends_after_several_looks_in_a_row() -> None:
    async def tell() -> None:
        time, service, gateway = HandClock(), await running(SPEC), Gateway(0)
        await asyncio.sleep(0)
        assert await retire(gateway, time, service) == [service]
        assert isinstance(service.service, FakeService)
        assert service.service.stopped
        assert time.slept == [RETIRE_LOOK_SECONDS] * RETIRE_QUIET_LOOKS
        assert set(gateway.asked) == {"echo@1"}

    story(tell)


@pytest.mark.parametrize("calls", [1, None])
def test_a_call_that_is_or_may_be_under_way_begins_the_quiet_looks_anew(calls: int | None) -> None:
    async def tell() -> None:
        time, service = HandClock(), await running(SPEC)
        await asyncio.sleep(0)
        await retire(Gateway(0, 0, calls, 0), time, service)
        assert len(time.slept) == 3 + RETIRE_QUIET_LOOKS

    story(tell)


def test_calls_that_do_not_pass_the_gateway_count_too() -> None:
    async def tell() -> None:
        time, service = HandClock(), await running(SPEC)
        await asyncio.sleep(0)
        with service.calls:
            retiring = asyncio.create_task(retire(Gateway(0), time, service))
            await soon(lambda: len(time.slept) >= 3 * RETIRE_QUIET_LOOKS)
            assert not service.task.done()
            assert service.calls.count == 1
        await retiring
        assert service.calls.count == 0

    story(tell)


def test_one_that_is_never_quiet_ends_when_its_callers_have_long_had_their_504() -> None:
    async def tell() -> None:
        time, service = HandClock(), await running(SPEC)
        await asyncio.sleep(0)
        await retire(Gateway(1), time, service)
        assert RETIRE_SECONDS <= time.seconds < RETIRE_SECONDS + 2 * RETIRE_LOOK_SECONDS
        assert service.task.done()

    story(tell)


def test_a_retiring_service_runs_on_until_no_route_leads_to_it() -> None:
    async def tell() -> None:
        time, service, stranger = HandClock(), await running(SPEC), await running(OTHER)
        retirement = Retirement(Gateway(0).active_requests, lambda: None, time.clock)
        retirement.add([service])
        retirement.finish([stranger])
        for _ in range(20):
            await asyncio.sleep(0)
        assert (time.slept, service.task.done(), retirement.services) == ([], False, (service,))

    story(tell)


def test_a_stop_ends_those_that_finish_and_those_that_do_not_yet() -> None:
    async def tell() -> None:
        time, first, second = HandClock(), await running(SPEC), await running(OTHER)
        await asyncio.sleep(0)
        retirement = Retirement(Gateway(1).active_requests, lambda: None, time.clock)
        retirement.add([first, second])
        retirement.finish([first])
        await asyncio.sleep(0)
        await retirement.stop()
        assert first.task.done()
        assert second.task.done()
        slept = len(time.slept)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(time.slept) == slept

    story(tell)
