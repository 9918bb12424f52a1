"""Services come and go under their names, and some sleep."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import ExternalUpstream
from centralized_ml_api.local.run.registry import (
    SEEN_SECONDS,
    until_seen,
)
from centralized_ml_api.local.supervision.service import Report
from support.fake_target import FakeService, running
from support.registered import OTHER, SPEC, registry
from support.story import story
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from centralized_ml_api.local.supervision.service import ServiceState


def test_a_started_service_has_no_name_until_it_is_installed() -> None:
    async def tell() -> None:
        services = registry()
        first = services.start(SPEC)
        assert (first.spec, first.upstream, services.find("echo")) == (SPEC, "echo@1", None)
        assert services.install(first) is None
        assert services.find("echo") is first
        second = services.start(SPEC)
        assert second.upstream == "echo@2"
        assert services.find("echo") is first
        assert services.install(second) is first
        assert services.find("echo") is second
        assert not first.task.done()

    story(tell)


def test_one_takes_the_upstream_of_the_one_before_where_one_of_the_two_sleeps() -> None:
    async def tell() -> None:
        services = registry()
        services.install(services.start(SPEC, asleep=True))
        second = services.start(SPEC)
        services.install(second)
        assert second.upstream == "echo@1", "calls that wait for the first have their route"
        third = services.start(SPEC)
        services.install(third)
        assert third.upstream == "echo@3"
        fourth = services.start(SPEC, asleep=True)
        services.install(fourth)
        assert fourth.upstream == "echo@3"
        await asyncio.gather(second.stop(), third.stop())

    story(tell)


def test_names_that_are_not_used_any_more_are_taken_away() -> None:
    async def tell() -> None:
        services = registry()
        echo, other = services.start(SPEC), services.start(OTHER)
        services.install(echo)
        services.install(other)
        assert services.remove_all_but(["echo"]) == [other]
        assert (services.find("other"), services.find("echo")) == (None, echo)
        assert not other.task.done()

    story(tell)


def test_all_end_at_the_same_time_and_are_gone_on_return() -> None:
    async def tell() -> None:
        told: list[int] = []
        services = registry(lambda: told.append(1))
        started = [services.start(spec) for spec in (SPEC, OTHER)]
        for each in started:
            services.install(each)
        await asyncio.sleep(0)
        await services.stop_all()
        assert [each.service.stopped for each in started if isinstance(each.service, FakeService)] == [
            True
        ] * 2
        assert [services.find(spec.name) for spec in (SPEC, OTHER)] == [None, None]
        await asyncio.sleep(0)
        assert told == [1, 1]

    story(tell)


def test_to_stop_is_to_wait_until_everything_is_gone() -> None:
    async def tell() -> None:
        slow = await running(SPEC)
        assert isinstance(slow.service, FakeService)
        slow.service.may_end.clear()
        await asyncio.sleep(0)
        stopping = asyncio.create_task(slow.stop())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not stopping.done()
        again = asyncio.create_task(slow.stop())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not again.done(), "nothing interrupts what it ends"
        slow.service.may_end.set()
        await stopping
        await again
        assert slow.service.stopped

    story(tell)


def test_which_states_are_settled_and_which_have_failed() -> None:
    async def tell() -> None:
        states: tuple[ServiceState, ...] = (
            *("preparing", "starting", "restarting"),
            *("ready", "unready", "failed"),
        )
        each = [await running(SPEC, state) for state in states]
        assert [service.settled for service in each] == [False, False, False, True, True, True]
        assert [service.failed for service in each] == [False] * 5 + [True]

    story(tell)


def test_a_service_that_a_bug_of_ours_ended_has_failed() -> None:
    async def tell() -> None:
        broken = await running(SPEC, bug=ValueError("oops"))
        assert isinstance(broken.service, FakeService)
        broken.service.broken.set()
        await asyncio.wait({broken.task})
        report = broken.report()
        assert (report.state, report.detail) == ("failed", "unexpected: ValueError('oops')")
        ended = await running(SPEC)
        await asyncio.sleep(0)
        await ended.stop()
        assert ended.report().state == "ready"

    story(tell)


def test_a_service_that_sleeps_is_made_anew_when_it_wakes_and_keeps_its_name() -> None:
    async def tell() -> None:
        told: list[int] = []
        services = registry(lambda: told.append(1))
        first = services.start(SPEC, shares="gpu", asleep=True)
        assert (first.is_asleep, first.settled, first.failed, first.shares) == (True, True, False, "gpu")
        assert first.report().state == "asleep"
        first.wake()
        first.wake()
        before = first.service
        assert isinstance(before, FakeService)
        before.description = {"tools": True}
        assert (first.is_asleep, first.report().state, first.upstream) == (False, "ready", "echo@1")
        await asyncio.sleep(0)
        await first.sleep()
        assert before.stopped
        assert (first.is_asleep, first.report().state, first.about()) == (True, "asleep", {"tools": True})
        assert told
        first.wake()
        assert first.service is not before
        assert (first.about(), first.upstream) == ({"tools": True}, "echo@1")
        await first.stop()

    story(tell)


def test_one_that_sleeps_has_no_task_and_is_stopped_already() -> None:
    async def tell() -> None:
        first = registry().start(SPEC, asleep=True)
        await first.stop()
        with pytest.raises(RuntimeError, match="echo@1 sleeps"):
            _ = first.task

    story(tell)


def test_one_that_failed_and_sleeps_since_says_so_until_it_wakes() -> None:
    async def tell() -> None:
        first = registry().start(SPEC)
        assert isinstance(first.service, FakeService)
        first.service.become("failed", "no memory", ("last words",))
        await first.sleep()
        report = first.report()
        assert (report.state, report.detail, report.log) == ("failed", "no memory", ("last words",))
        assert first.failed
        first.wake()
        assert first.report().state == "ready"
        await first.stop()

    story(tell)


def test_calls_that_begin_and_end_are_told() -> None:
    async def tell() -> None:
        echo = registry().start(SPEC, asleep=True)
        told: list[int] = []
        echo.calls.changed = lambda: told.append(echo.calls.count)
        with echo.calls, echo.calls:
            assert echo.calls.count == 2
        assert told == [1, 2, 1, 0]

    story(tell)


def test_one_that_sleeps_says_so_and_keeps_the_number_of_its_replicas() -> None:
    async def tell() -> None:
        told: list[bool] = []
        echo = registry(lambda: told.append(echo.is_asleep)).start(SPEC)
        service = echo.service
        assert isinstance(service, FakeService)
        service.report = lambda: Report("ready", replicas=3)  # type: ignore[method-assign]
        await asyncio.sleep(0)
        await echo.sleep()
        assert echo.report() == Report("asleep", replicas=3)
        assert told[-1], "whoever looks then sees that it sleeps"
        with pytest.raises(RuntimeError, match="echo@1 sleeps"):
            _ = echo.task

    story(tell)


ELSEWHERE = ExternalUpstream("echo", "gpu-box", 8000, tls=False)


@pytest.mark.parametrize("state", ["ready", "unready"])
def test_a_start_waits_until_it_is_known_whether_servers_elsewhere_answer(state: ServiceState) -> None:
    async def tell() -> None:
        changed = asyncio.Event()
        services = [await running(SPEC, "starting", elsewhere=ELSEWHERE) for _ in range(100)]
        waiting = asyncio.create_task(until_seen(services, changed))
        for number, each in enumerate(services):
            await asyncio.sleep(0.001)
            assert not waiting.done(), f"{number} of them are known"
            assert isinstance(each.service, FakeService)
            each.service.state = state
            changed.set()
        await waiting
        assert asyncio.get_running_loop().time() == pytest.approx(0.1)

    run_in_virtual_time(tell())


def test_a_start_waits_no_longer_than_the_gateway_would_need_for_them_once_more() -> None:
    async def tell() -> None:
        services = [await running(SPEC, "starting", elsewhere=ELSEWHERE) for _ in range(10)]
        await until_seen(services, asyncio.Event())
        assert asyncio.get_running_loop().time() == pytest.approx(10 * SEEN_SECONDS)

    run_in_virtual_time(tell())


def test_a_start_does_not_wait_for_servers_of_this_machine() -> None:
    async def tell() -> None:
        services = [await running(SPEC, "starting") for _ in range(10)]
        await until_seen(services, asyncio.Event())
        assert asyncio.get_running_loop().time() == 0

    run_in_virtual_time(tell())
