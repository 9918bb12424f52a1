"""Models sleep and wake among fakes: what is started and stopped, and what everybody is told of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import Gateway, Upstream
from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.run.acts import Acts
from centralized_ml_api.local.run.entry_statuses import OUTSIDE_HOURS
from centralized_ml_api.local.run.options import Terminal
from centralized_ml_api.local.run.registry import RETIRE_SECONDS
from centralized_ml_api.local.run.reload import Reloader
from centralized_ml_api.local.run.sleep_hours import HOURS_LOOK_SECONDS, WARM_UP
from centralized_ml_api.local.run.sleeping import LAUNCH_SECONDS, LOOK_SECONDS
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.servers.parts import ModelSpec
from centralized_ml_api.local.sleep.schedule import LINGER_SECONDS
from centralized_ml_api.local.sleep.types import Calls, NotAwakeError
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.plan.engines import CommandServing, LlamaCppServing
from centralized_ml_api.plan.event import EventPlan
from centralized_ml_api.plan.hours import Window
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import NOON, FakeGateway, FakeLink, FakeService, entry, function, plan
from support.virtual_time import PatientLoop, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import ServiceState
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

NAPS = SleepPlan(idle_seconds=60, on_call=True)
GPU = SleepPlan(shares="gpu")
OTHER = CommandServing(("other",), ping="/ping", invocations="/run")
WAITS = {"error": "calls wait for a", "fix": "try again when they are answered", "failed": False}


def sleeper(name: str, sleep: SleepPlan = NAPS, **changes: Any) -> ModelDeployment:
    return replace(entry(name), sleep=sleep, **changes)


class World:
    """A supervisor among fakes, under a clock of its own. New services are in the state `begins`."""

    def __init__(self, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self.folder = folder
        self.gateway = FakeGateway()
        self.link = FakeLink()
        self.made: list[FakeService] = []
        self.begins: ServiceState = "starting"
        clock = Clock(lambda: NOON + timedelta(seconds=loop.time()), asyncio.sleep, loop.time)
        self.supervisor = Supervisor(
            self.gateway,
            KeyRing(KeyStore(folder), clock),
            self.make,
            link=self.link,
            times=WakeTimes(folder / WAKE_TIMES_FILE),
            show=lambda: None,
            fail=lambda error: pytest.fail(str(error)),
            clock=clock,
        )

    @property
    def reloader(self) -> Reloader:
        """One that nobody sees."""
        terminal = Terminal(lambda _: None, lambda _: None, lambda _: None)
        return Reloader(self.folder / "models.json", self.supervisor, terminal, lambda _: None)

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> FakeService:
        service = FakeService(spec, changed, state=self.begins)
        self.made.append(service)
        return service

    def running(self) -> list[str]:
        """The services that run."""
        return [service.spec.name for service in self.made if service.started and not service.stopped]

    def states(self) -> dict[str, str]:
        return {status.name: status.state for status in self.supervisor.entries()}

    def last(self, name: str) -> FakeService:
        return [service for service in self.made if service.spec.name == name][-1]

    async def call(self, name: str, **calls: int) -> None:
        """Calls that wait, or go on."""
        self.link.note(name, **calls)
        await settle()

    async def become(self, name: str, state: ServiceState, detail: str = "") -> None:
        self.last(name).become(state, detail)
        await settle()


async def settle() -> None:
    """Until nothing more happens at this moment; threads that look at files take a while."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    for _ in range(30):
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(folder: Path, first: ApiPlan) -> AsyncIterator[World]:
    world, tasks = World(folder), asyncio.all_tasks()
    await world.supervisor.start(first)
    running = {
        asyncio.create_task(work) for work in (world.supervisor.run(), world.supervisor.sleeping.run())
    }
    await settle()
    yield world
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    await world.supervisor.stop()
    assert world.running() == [], "something was not stopped"
    await settle()
    assert asyncio.all_tasks() == tasks, "something goes on"


def story(tell: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await tell()

    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        runner.run(main())


def test_an_entry_starts_with_its_first_call_and_calls_go_on_once_the_gateway_knows(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            assert world.running() == ["b"]
            assert (world.states()["a"], world.link.states) == ("asleep", {"a": "asleep"})
            await world.call("a", waiting=1)
            assert (world.running(), world.states()["a"]) == (["a", "b"], "waking")
            await world.call("a", waiting=5)
            assert world.running() == ["a", "b"], "one wake, however many call"
            told = len(world.gateway.applied)
            world.last("a").ports = (7001,)
            await world.become("a", "ready")
            assert (world.states()["a"], world.link.states) == ("ready", {"a": "ready"})
            assert len(world.gateway.applied) > told
            assert Upstream("a@1", (7001,)) in world.gateway.applied[told].upstreams

    story(tell)


def test_calls_go_on_as_soon_as_they_reach_the_server_before_documents_say_so(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            world.gateway.can_move = False
            world.gateway.takes_routes.clear()
            await world.become("a", "ready")
            assert world.link.states == {"a": "ready"}
            world.gateway.takes_routes.set()
            await settle()
            assert (world.states()["a"], world.link.states) == ("ready", {"a": "ready"})

    story(tell)


def test_calls_go_on_as_soon_as_the_gateway_has_the_ports_before_anything_else_is_composed(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            await world.call("a", waiting=1)
            assert world.gateway.moved == [], "no other change is told apart"
            apply, known = world.gateway.apply, []

            async def apply_later(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                known.append(world.link.states)
                await apply(gateway, reached)

            world.gateway.apply = apply_later  # type: ignore[method-assign]
            world.gateway.takes.clear()
            world.last("a").ports = (7001,)
            await world.become("a", "ready")
            assert known[0] == {"a": "ready"}, "the admission service does not wait for what takes longer"
            assert world.gateway.moved == [[Upstream("a@1", (7001,))]]
            assert world.link.states == {"a": "ready"}
            assert "a" in dict(world.gateway.applied[-1].asleep)
            world.gateway.takes.set()
            await settle()
            assert (world.states()["a"], [*world.gateway.applied[-1].asleep]) == ("ready", [])
            assert len(world.gateway.moved) == 1

    story(tell)


def test_calls_wait_for_the_whole_change_where_the_ports_alone_cannot_be_told(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            world.gateway.can_move = False
            world.gateway.takes.clear()
            await world.become("a", "ready")
            assert world.link.states == {"a": "waking"}
            world.gateway.takes.set()
            await settle()
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_a_function_and_its_model_reach_the_gateway_together(tmp_path: Path) -> None:
    async def tell() -> None:
        wrapped = sleeper("a", function=function(tmp_path), integration="lambda")
        async with serving(tmp_path, plan(wrapped)) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            assert (world.gateway.moved, world.link.states) == ([], {"a": "waking"})
            await world.become("a.function", "ready")
            (moved,) = world.gateway.moved
            assert [upstream.name for upstream in moved] == ["a.function@2", "a@1"]
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_nobody_is_told_of_a_wake_before_its_process_has_started_or_that_takes_long(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"), sleeper("c"))) as world:
            for service in world.made:
                service.state = "preparing"
            told = len(world.gateway.applied)
            await world.call("a", waiting=1)
            assert (world.states()["a"], len(world.gateway.applied)) == ("waking", told)
            await world.become("a", "starting")
            assert world.gateway.applied[told:][0].asleep[0] == ("a", "waking")
            told = len(world.gateway.applied)
            await world.call("b", waiting=1)
            await world.become("b", "preparing", "downloading weights")
            assert world.gateway.applied[told:][0].asleep[1] == ("b", "waking")
            told = len(world.gateway.applied)
            await world.call("c", waiting=1)
            assert len(world.gateway.applied) == told
            await asyncio.sleep(LAUNCH_SECONDS)
            await settle()
            assert world.gateway.applied[told:][0].asleep[2] == ("c", "waking")

    story(tell)


def test_what_the_gateway_was_told_before_a_sleep_says_nothing_of_the_wake_after_it(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            apply, may_end = world.gateway.apply, asyncio.Event()

            async def apply_slowly(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                await may_end.wait()
                await apply(gateway, reached)

            world.gateway.apply = apply_slowly  # type: ignore[method-assign]
            world.supervisor.note_change()
            await settle()  # the gateway is being told that it is ready
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            await world.call("a", waiting=1, taken=1)
            assert len(world.made) == 2
            may_end.set()
            await settle()
            assert world.link.states == {"a": "waking"}
            await world.become("a", "ready")
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_an_idle_entry_closes_then_stops_and_leaves_its_upstream_empty(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", under_way=1, taken=1)
            await asyncio.sleep(500)
            assert world.states() == {"a": "ready"}
            await world.call("a", taken=1)
            await asyncio.sleep(59)
            assert world.states() == {"a": "ready"}
            world.link.obeys.clear()
            await asyncio.sleep(1)
            await settle()
            assert (world.link.states, world.running()) == ({"a": "asleep"}, ["a"]), "it may still be called"
            world.link.obeys.set()
            await settle()
            assert (world.states(), world.running()) == ({"a": "asleep"}, [])
            await world.call("a", waiting=1, taken=1)
            assert world.running() == ["a"]
            assert len(world.made) == 2

    story(tell)


@pytest.mark.parametrize("calls", [1, None])
def test_an_entry_with_a_call_that_only_the_gateway_knows_is_not_stopped(
    tmp_path: Path, calls: int | None
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            world.gateway.busy["a@1"] = calls
            await asyncio.sleep(600)
            assert world.running() == ["a"]
            world.gateway.busy.clear()
            await asyncio.sleep(2 * LOOK_SECONDS)
            assert world.running() == []

    story(tell)


def test_nothing_sleeps_while_the_admission_service_is_away(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            world.link.reachable = False
            world.link.changed()
            await asyncio.sleep(600)
            assert world.running() == ["a"]
            world.link.reachable = True
            world.link.changed()
            await settle()
            assert world.running() == []

    story(tell)


def test_of_a_group_one_runs_and_the_called_one_takes_its_place(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU), sleeper("b", GPU), sleeper("c", GPU))) as world:
            assert world.running() == ["a"]
            await world.become("a", "ready")
            await asyncio.sleep(LINGER_SECONDS)
            world.last("a").may_end.clear()
            await world.call("b", waiting=1)
            assert (world.running(), world.states()["b"]) == (["a"], "asleep"), "a has not ended yet"
            world.last("a").may_end.set()
            await settle()
            assert (world.running(), world.states()) == (
                ["b"],
                {"a": "asleep", "b": "waking", "c": "asleep"},
            )

    story(tell)


def test_wakes_are_measured_and_told_without_downloads(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            await world.call("a", waiting=1)
            await world.call("b", waiting=1)
            await asyncio.sleep(1)
            await world.become("b", "preparing", "downloading weights: 3%")
            await asyncio.sleep(2)
            await world.become("a", "ready")
            await world.become("b", "ready")
            for name in ("a", "b"):
                await world.call(name, taken=1)
            await asyncio.sleep(60)
            await settle()
            assert world.link.told[-1] == {
                "a": {"state": "asleep", "ready_in": pytest.approx(3)},
                "b": {"state": "asleep", "ready_in": None},
            }
        assert WakeTimes(tmp_path / WAKE_TIMES_FILE).expect("a", "command: echo") == pytest.approx(3)

    story(tell)


def test_what_does_not_wake_is_stopped_left_alone_and_tried_again(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "failed", "no memory")
            assert (world.running(), world.link.told[-1]) == ([], {"a": {"state": "failed", "ready_in": 10}})
            (status,) = world.supervisor.entries()
            assert (status.state, status.detail) == ("failed", "no memory")
            assert world.gateway.applied[-1].unready == (("a", "could not be started"),)
            await asyncio.sleep(10)
            await world.call("a", waiting=1)
            assert world.running() == ["a"]
            await world.become("a", "ready")
            assert world.states() == {"a": "ready"}

    story(tell)


def test_an_entry_with_a_function_sleeps_and_wakes_as_a_whole(tmp_path: Path) -> None:
    async def tell() -> None:
        wrapped = sleeper("a", function=function(tmp_path), integration="lambda")
        async with serving(tmp_path, plan(wrapped)) as world:
            assert world.running() == []
            await world.call("a", waiting=1)
            assert sorted(world.running()) == ["a", "a.function"]
            await world.become("a", "ready")
            assert world.link.states == {"a": "waking"}
            await world.become("a.function", "ready")
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_it_keeps_the_hours_of_the_event_by_the_wall_clock(tmp_path: Path) -> None:
    async def tell() -> None:
        hours = tuple(
            Window(NOON + timedelta(hours=begins), NOON + timedelta(hours=ends))
            for begins, ends in [(-1, 1), (2, 3)]
        )
        naps = sleeper("a", SleepPlan(on_call=True))
        served = plan(naps, event=EventPlan(hours=hours))
        async with serving(tmp_path, served) as world:
            assert world.running() == [], "nobody calls"
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            await asyncio.sleep(3599)
            assert world.states() == {"a": "ready"}
            await asyncio.sleep(HOURS_LOOK_SECONDS)
            await settle()
            (status,) = world.supervisor.entries()
            assert (status.state, status.detail, world.running()) == ("asleep", OUTSIDE_HOURS, [])
            assert world.link.states == {"a": "closed"}
            await world.call("a", waiting=1, taken=1)
            assert world.running() == []
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            acts = Acts(world.supervisor, world.reloader, tmp_path, WALL_CLOCK)
            for act in ("wake", "restart"):
                refused = await acts.do(act, {"name": "a"}, "command line")
                assert refused["error"] == "a sleeps outside the hours of the event"
            await world.call("a", taken=1)
            world.begins = "ready"
            await asyncio.sleep((timedelta(hours=1) - WARM_UP).total_seconds())
            await settle()
            assert (world.states(), world.running()) == ({"a": "ready"}, ["a"]), "it woke before they begin"
            await asyncio.sleep(2 * 3600)
            assert world.link.told[-1] == {"a": {"state": "closed", "ready_in": None}}
            await world.supervisor.change_to(plan(naps))
            await settle()
            assert world.states() == {"a": "ready"}, "without hours it may be awake"

    story(tell)


def test_it_is_woken_and_put_to_sleep_by_hand(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            sleeping = world.supervisor.sleeping
            assert "a" in sleeping
            assert "b" not in sleeping
            sleeping.wake("a")
            await settle()
            assert world.running() == ["a"]
            await world.become("a", "ready")
            await world.call("a", under_way=1, taken=1)
            assert sleeping.sleep("a")
            await settle()
            assert (world.link.states, world.running()) == ({"a": "asleep"}, ["a"])
            await world.call("a", taken=1)
            assert world.running() == []
            await world.call("a", waiting=1, taken=1)
            assert not sleeping.sleep("a"), "a call waits for it"
            await world.become("a", "ready")
            await world.call("a", taken=2)
            world.link.counts["a"] = Calls(waiting=1, taken=2)
            assert not sleeping.sleep("a"), "a call has come at this very moment"
            assert sleeping.view("b") is None

    story(tell)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        pytest.param(Calls(taken=1), {}, id="answered"),
        pytest.param(Calls(waiting=1), WAITS, id="waiting"),
        pytest.param(None, WAITS, id="nobody says"),
    ],
)
def test_whether_calls_wait_is_asked_before_it_is_put_to_sleep_by_hand(
    tmp_path: Path, now: Calls | None, told: dict[str, Any]
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            acts = Acts(world.supervisor, world.reloader, tmp_path, WALL_CLOCK)
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            world.link.obeys.clear()
            asked = asyncio.create_task(acts.do("sleep", {"name": "a"}, "command line"))
            await settle()
            assert not asked.done(), "the last report may be older than an answer"
            if now is not None:
                world.link.counts["a"] = now
                world.link.obeys.set()
            assert await asked == told
            world.link.obeys.set()
            await settle()
            assert world.states() == {"a": "ready" if told else "asleep"}

    story(tell)


def test_one_that_a_reload_removes_is_not_put_to_sleep(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            acts = Acts(world.supervisor, world.reloader, tmp_path, WALL_CLOCK)
            world.link.obeys.clear()
            asked = asyncio.create_task(acts.do("sleep", {"name": "a"}, "command line"))
            await settle()
            await world.supervisor.change_to(plan(sleeper("b")))
            world.link.obeys.set()
            assert (await asked)["error"] == "there is no entry a"

    story(tell)


def test_calls_that_do_not_pass_the_gateway_wait_here(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            await world.supervisor.admit("b", 60)
            calls = [asyncio.create_task(world.supervisor.admit("a", 60)) for _ in range(2)]
            await settle()
            assert world.running() == ["a", "b"]
            await world.become("a", "ready")
            await asyncio.gather(*calls)
            found = world.supervisor.find("a")
            assert found is not None
            with found.calls:
                await asyncio.sleep(600)
                assert "a" in world.running(), "it is called"
            await asyncio.sleep(61)
            assert "a" not in world.running()

    story(tell)


def test_a_function_whose_call_is_under_way_reaches_its_model_while_the_entry_closes(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", under_way=1, taken=1)
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            assert world.link.states == {"a": "asleep"}
            await asyncio.wait_for(world.supervisor.admit("a", 60), 1)
            found = world.supervisor.find("a")
            assert found is not None
            with found.calls:
                await world.call("a", taken=1)
                assert world.running() == ["a"]
            await settle()
            assert world.running() == []

    story(tell)


def test_calls_that_do_not_pass_the_gateway_are_told_when_it_does_not_wake(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            began = asyncio.get_running_loop().time()
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            assert asyncio.get_running_loop().time() == began + 60
            call = asyncio.create_task(world.supervisor.admit("a", 60))
            await world.become("a", "failed", "no memory")
            with pytest.raises(NotAwakeError):
                await call

    story(tell)


def test_a_call_that_does_not_pass_the_gateway_wakes_what_failed_once_its_pause_is_over(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            call = asyncio.create_task(world.supervisor.admit("a", 60))
            await settle()
            await world.become("a", "failed", "no memory")
            with pytest.raises(NotAwakeError):
                await call
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            await asyncio.sleep(5)
            assert world.running() == [], "its pause is not over"
            await asyncio.sleep(5)
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            await settle()
            assert world.running() == ["a"]
            await world.become("a", "ready")
            await asyncio.wait_for(world.supervisor.admit("a", 60), 1)

    story(tell)


def test_a_reload_keeps_who_sleeps_and_starts_a_new_version_beside_the_old(tmp_path: Path) -> None:
    async def tell() -> None:
        first = plan(sleeper("a"), sleeper("b"), sleeper("g", GPU))
        async with serving(tmp_path, first) as world:
            await world.call("b", waiting=1)
            for name in ("b", "g"):
                await world.become(name, "ready")
            world.begins = "ready"
            changed = {name: entry(name, OTHER).local for name in ("a", "b", "g")}
            second = plan(
                sleeper("a", local=changed["a"]),
                sleeper("b", local=changed["b"]),
                sleeper("g", GPU, local=changed["g"]),
                sleeper("new", SleepPlan(idle_seconds=5)),
                sleeper("late", GPU),
            )
            reloaded = await world.supervisor.change_to(second)
            assert (reloaded.changed, reloaded.added) == (("a", "b", "g"), ("new", "late"))
            await settle()
            assert world.states() == {
                "a": "asleep",
                "b": "ready",
                "g": "asleep",
                "new": "ready",
                "late": "asleep",
            }
            await world.call("g", waiting=1)
            running = [service for service in world.made if service.spec.name == "g" and service.started]
            assert len(running) == 1, "the old version has the place until it has ended"
            await asyncio.sleep(5)
            assert [service.stopped for service in world.made if service.spec.name == "g"] == [True, False]

    story(tell)


def test_a_call_that_waits_reaches_the_new_version_by_the_route_that_it_has(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            await world.call("b", waiting=1)
            await world.become("b", "ready")
            world.begins = "ready"
            other = entry("a", OTHER).local
            await world.supervisor.change_to(plan(sleeper("a", local=other), sleeper("b", local=other)))
            await settle()
            upstreams = {upstream.name: upstream for upstream in world.gateway.applied[-1].upstreams}
            assert sorted(upstreams) == ["a@1", "b@2", "b@4"], "b was awake: both versions run for a while"
            world.begins = "starting"
            await world.call("a", waiting=1)
            spec = world.last("a").spec
            assert isinstance(spec, ModelSpec)
            assert spec.local == other
            world.last("a").ports = (7009,)
            await world.become("a", "ready")
            assert Upstream("a@1", (7009,)) in world.gateway.applied[-1].upstreams

    story(tell)


def test_a_reload_tells_how_many_calls_the_new_version_answers_at_once(tmp_path: Path) -> None:
    """Those that wait came when there were others, and nobody may call again."""

    def with_slots(count: int, replicas: int = 1) -> ApiPlan:
        weights = parse_weights("hf://o/r/m.gguf")
        serving = LlamaCppServing(weights, 2048, "auto", parallel=count)
        return plan(replace(entry("a", serving, replicas=replicas), sleep=NAPS))

    async def tell() -> None:
        async with serving(tmp_path, with_slots(4)) as world:
            asleep = {"state": "asleep", "ready_in": None}
            assert world.link.told[-1] == {"a": {**asleep, "places": 4, "servers": 1}}
            await world.supervisor.change_to(with_slots(2))
            await settle()
            assert world.link.told[-1] == {"a": {**asleep, "places": 2, "servers": 1}}
            await world.supervisor.change_to(with_slots(2, replicas=3))
            await settle()
            assert world.link.told[-1] == {"a": {**asleep, "places": 6, "servers": 3}}

    story(tell)


def test_calls_are_held_before_the_routes_of_a_group_lead_to_a_version_that_sleeps(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU))) as world:
            await world.become("a", "ready")
            apply, seen = world.gateway.apply, list[dict[str, str]]()

            async def apply_and_look(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                seen.append(world.link.states)
                await apply(gateway, reached)

            world.gateway.apply = apply_and_look  # type: ignore[method-assign]
            world.gateway.busy["a@1"] = 1
            await world.supervisor.change_to(plan(sleeper("a", GPU, local=entry("a", OTHER).local)))
            assert seen[0] == {"a": "asleep"}
            (upstream,) = world.gateway.applied[-1].upstreams
            assert upstream == Upstream("a@1", (7000,)), "the calls under way end where they began"
            world.gateway.busy.clear()
            await world.call("a", waiting=1)
            await asyncio.sleep(5)
            assert world.states() == {"a": "waking"}

    story(tell)


def test_a_reload_that_the_gateway_refuses_lets_held_calls_go_on(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU))) as world:
            await world.become("a", "ready")
            world.gateway.refusal = StartError("no")
            with pytest.raises(StartError):
                await world.supervisor.change_to(plan(sleeper("a", GPU, local=entry("a", OTHER).local)))
            world.gateway.refusal = None
            await settle()
            assert (world.link.states, world.running()) == ({"a": "ready"}, ["a"])

    story(tell)


def test_an_entry_becomes_a_sleeper_and_stops_being_one_without_a_restart(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            await world.become("a", "ready")
            await world.supervisor.change_to(plan(sleeper("a", SleepPlan(idle_seconds=600))))
            await settle()
            assert (world.states(), world.link.states) == ({"a": "ready"}, {"a": "ready"})
            await world.supervisor.change_to(plan(entry("a")))
            await asyncio.sleep(1000)
            assert (world.states(), len(world.made)) == ({"a": "ready"}, 1)

    story(tell)


def test_an_entry_that_slept_wakes_when_it_may_not_sleep_any_more(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            world.begins = "ready"
            await world.supervisor.change_to(plan(entry("a")))
            await settle()
            assert (world.states(), world.running()) == ({"a": "ready"}, ["a"])

    story(tell)


def test_calls_held_for_one_that_may_not_sleep_any_more_go_on_once_it_is_ready(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("waking"), sleeper("asleep"))) as world:
            await world.call("waking", waiting=1)
            changing = asyncio.create_task(world.supervisor.change_to(plan(entry("waking"), entry("asleep"))))
            await settle()
            assert world.link.states == {"waking": "waking", "asleep": "asleep"}
            await world.become("asleep", "ready")
            assert not changing.done()
            await world.become("waking", "ready")
            await changing
            await settle()
            assert world.link.states == {}, "the admission service lets them go on"
            assert {upstream.name for upstream in world.gateway.applied[-1].upstreams} == {
                "waking@1",
                "asleep@2",
            }
            assert len(world.made) == 3

    story(tell)


def test_stopping_while_one_wakes_and_one_goes_to_sleep_leaves_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b", SleepPlan(idle_seconds=60)))) as world:
            await world.become("b", "ready")
            world.last("b").may_end.clear()
            await asyncio.sleep(60)
            await world.call("a", waiting=1)
            assert world.states() == {"a": "waking", "b": "asleep"}
            asyncio.get_running_loop().call_later(1, world.last("b").may_end.set)

    story(tell)


def test_one_that_closes_again_waits_for_its_own_confirmation(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            world.gateway.busy["a@1"] = 1
            assert world.supervisor.sleeping.sleep("a")
            await settle()  # confirmed, but the gateway has a call under way
            await world.call("a", waiting=1, taken=1)
            assert world.states() == {"a": "ready"}, "it is called while it closes, and goes on"
            world.link.obeys.clear()
            await world.call("a", taken=2)
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            world.gateway.busy.clear()
            await asyncio.sleep(3 * LOOK_SECONDS)
            await settle()
            assert world.running() == ["a"], "the service has not said that calls wait again"
            world.link.obeys.set()
            await settle()
            assert world.running() == []

    story(tell)


def test_nobody_looks_for_the_last_call_of_a_version_that_was_replaced(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            world.gateway.busy["a@1"] = None
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            world.begins = "ready"
            await world.supervisor.change_to(plan(sleeper("a", local=entry("a", OTHER).local)))
            await asyncio.sleep(2 * RETIRE_SECONDS)
            looked = list[str]()

            class Looks(dict[str, int | None]):
                """What the gateway has under way, and for which upstreams somebody asked."""

                def get(self, upstream: str, default: Any = None) -> int | None:
                    looked.append(upstream)
                    return super().get(upstream, default)

            world.gateway.busy = Looks(world.gateway.busy)
            await asyncio.sleep(60)
            assert "a@1" not in looked

    story(tell)


def test_calls_are_held_before_the_routes_change_but_a_service_that_is_away_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU))) as world:
            await world.become("a", "ready")
            applied = len(world.gateway.applied)
            world.link.obeys.clear()
            began = asyncio.get_running_loop().time()
            changing = asyncio.create_task(
                world.supervisor.change_to(plan(sleeper("a", GPU, local=entry("a", OTHER).local)))
            )
            await settle()
            assert (world.link.states, len(world.gateway.applied)) == ({"a": "asleep"}, applied)
            await changing
            assert asyncio.get_running_loop().time() - began == pytest.approx(5), "five seconds are enough"
            assert len(world.gateway.applied) > applied
            world.link.obeys.set()
            await world.call("a", waiting=1)
            await asyncio.sleep(RETIRE_SECONDS)
            await world.become("a", "ready")
            assert world.link.states == {"a": "ready"}, "nobody is held any more"

    story(tell)


def test_one_that_sleeps_meanwhile_keeps_no_other_from_being_ready(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            await world.call("b", waiting=1)
            apply, turns = world.gateway.apply, asyncio.Semaphore(0)

            async def apply_in_turn(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                await turns.acquire()
                await apply(gateway, reached)

            world.gateway.apply = apply_in_turn  # type: ignore[method-assign]
            await world.become("b", "ready")  # the gateway is being told that both are ready
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            turns.release()
            await settle()
            assert world.link.states == {"a": "asleep", "b": "ready"}
            for _ in range(9):
                turns.release()
            await settle()

    story(tell)


def test_a_call_too_short_to_be_seen_counts_as_a_use(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            await asyncio.sleep(50)
            await world.supervisor.admit("a", 60)
            await asyncio.sleep(59)
            assert world.running() == ["a"]
            await asyncio.sleep(2)
            assert world.running() == []

    story(tell)


def test_many_calls_leave_no_timers_behind(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=600)))) as world:
            await world.become("a", "ready")
            before = len(asyncio.all_tasks())
            for number in range(20):
                await world.call("a", taken=number)
            assert len(asyncio.all_tasks()) == before

    story(tell)


def test_a_call_that_waited_and_is_over_keeps_nobody_awake(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            call = asyncio.create_task(world.supervisor.admit("a", 60))
            await settle()
            await world.become("a", "ready")
            await call
            await asyncio.sleep(61)
            assert world.running() == []

    story(tell)


def test_nobody_is_admitted_while_an_entry_makes_room_for_another(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU), sleeper("b", GPU))) as world:
            await world.become("a", "ready")
            await asyncio.sleep(LINGER_SECONDS)
            world.link.obeys.clear()
            await world.call("b", waiting=1)
            await asyncio.sleep(0.1)
            call = asyncio.create_task(world.supervisor.admit("a", 600))
            await settle()
            assert (world.link.states["a"], world.running(), call.done()) == ("asleep", ["a"], False)
            world.link.obeys.set()
            await settle()
            assert world.running() == ["b"]
            call.cancel()

    story(tell)


def test_stopping_while_one_closes_leaves_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            world.link.obeys.clear()
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            assert world.running() == ["a"]

    story(tell)


def test_an_entry_stops_within_half_a_second_after_its_last_call(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            world.gateway.busy["a@1"] = 1
            await asyncio.sleep(70)
            world.gateway.busy.clear()
            await asyncio.sleep(0.5)
            await settle()
            assert world.running() == []

    story(tell)


def test_only_downloads_make_a_wake_another_than_the_next(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "preparing")
            await world.become("a", "starting", "loading the model")
            await asyncio.sleep(3)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            assert WakeTimes(tmp_path / WAKE_TIMES_FILE).expect("a", "command: echo") == pytest.approx(3)

    story(tell)


def test_a_version_that_takes_over_while_it_runs_has_not_woken(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await asyncio.sleep(3)
            await world.become("a", "ready")
            world.begins = "ready"
            await world.supervisor.change_to(plan(sleeper("a", local=entry("a", OTHER).local)))
            await settle()
            assert world.states() == {"a": "ready"}
            times = WakeTimes(tmp_path / WAKE_TIMES_FILE)
            assert times.expect("a", "command: echo") == pytest.approx(3)
            assert times.expect("a", "command: other") is None

    story(tell)


def test_wakes_of_former_runs_are_told_and_news_of_others_are_not_told_again(tmp_path: Path) -> None:
    WakeTimes(tmp_path / WAKE_TIMES_FILE).note("a", "command: echo", 7)

    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            assert world.link.told[-1] == {"a": {"state": "asleep", "ready_in": 7}}
            told = len(world.link.told)
            for _ in range(4):
                await asyncio.sleep(1)
                world.supervisor.note_change()
                await settle()
            assert len(world.link.told) == told, "it sleeps as before"
            await world.call("a", waiting=1)
            told = len(world.link.told)
            assert world.link.told[-1] == {"a": {"state": "waking", "ready_in": pytest.approx(7)}}
            for count in range(4):
                await asyncio.sleep(1)
                await world.call("a", waiting=count + 2)
            assert len(world.link.told) == told, "it will be ready when that was said"
            await asyncio.sleep(2)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            assert world.link.told[-1] == {"a": {"state": "ready", "ready_in": 0}}
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            assert world.link.told[-1] == {"a": {"state": "asleep", "ready_in": pytest.approx(6.5)}}, (
                "on average"
            )

    story(tell)


@pytest.mark.parametrize("known", [True, False])
def test_one_that_slept_all_along_is_told_that_the_hours_are_over(tmp_path: Path, *, known: bool) -> None:
    if known:
        WakeTimes(tmp_path / WAKE_TIMES_FILE).note("a", "command: echo", 7)

    async def tell() -> None:
        begins, ends = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
        served = plan(sleeper("a", SleepPlan(on_call=True)), event=EventPlan(hours=(Window(begins, ends),)))
        async with serving(tmp_path, served) as world:
            assert world.link.states == {"a": "asleep"}
            await asyncio.sleep(3600 + HOURS_LOOK_SECONDS)
            await settle()
            assert world.link.told[-1] == {"a": {"state": "closed", "ready_in": None}}

    story(tell)
