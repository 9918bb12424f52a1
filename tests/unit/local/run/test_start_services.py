"""Which services start with a plan, and which sleep until their entry is called."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.run.registry import Registry, Running
from centralized_ml_api.local.run.specs import DesiredState, build_desired_state, services_of
from centralized_ml_api.local.run.start_services import find_kept_awake, find_to_start, start_services
from centralized_ml_api.plan.engines import CommandServing
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import FakeService, entry, function, plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

ON_CALL = SleepPlan(on_call=True)
IDLE = SleepPlan(idle_seconds=60)
GPU = SleepPlan(shares="gpu")
DISK = SleepPlan(shares="disk")
OTHER = CommandServing(("other",), ping="/ping", invocations="/run")


def sleeper(name: str, sleep: SleepPlan | None, **changes: Any) -> ModelDeployment:
    return replace(entry(name), sleep=sleep, **changes)


class Machine:
    """The services that have names here; none of them ever ends by itself."""

    def __init__(self) -> None:
        self.registry = Registry(FakeService, lambda: None)
        self.plan = plan()

    def services(self, name: str) -> tuple[Running, ...]:
        found = self.plan.deployment(name)
        return tuple(filter(None, map(self.registry.find, services_of(found)))) if found else ()

    def start(self, served: ApiPlan, *, is_first: bool = True) -> dict[str, str]:
        """Starts all of a plan, and returns how each service begins."""
        specs = list(build_desired_state(served).specs.values())
        return self.start_only(served, specs, is_first=is_first)

    def start_only(self, served: ApiPlan, specs: list[ServiceSpec], *, is_first: bool) -> dict[str, str]:
        first = {"is_first": True} if is_first else {}
        started = start_services(self.registry, served, specs, self.services, **first)
        for running in started:
            self.registry.install(running)
        self.plan = served
        return {running.spec.name: "asleep" if running.is_asleep else "runs" for running in started}

    def to_start(self, served: ApiPlan, again: str = "") -> list[str]:
        desired = build_desired_state(served)
        return [spec.name for spec in find_to_start(served, desired, self.registry.find, again=again)]


def story(tell: Callable[[Machine], Awaitable[None]]) -> None:
    async def main() -> None:
        machine = Machine()
        await tell(machine)
        await machine.registry.stop_all()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_with_the_api_all_start_but_those_that_wait_for_a_call() -> None:
    async def tell(machine: Machine) -> None:
        served = plan(entry("a"), sleeper("idle", IDLE), sleeper("called", ON_CALL))
        assert machine.start(served) == {"a": "runs", "idle": "runs", "called": "asleep"}

    story(tell)


def test_of_each_group_the_first_that_needs_no_call_starts_with_the_api() -> None:
    async def tell(machine: Machine) -> None:
        served = plan(
            sleeper("late", SleepPlan(on_call=True, shares="gpu")),
            sleeper("first", GPU),
            sleeper("second", GPU),
            sleeper("elsewhere", DISK),
            sleeper("alone", IDLE),
            sleeper("alone too", IDLE),
        )
        assert machine.start(served) == {
            "late": "asleep",
            "first": "runs",
            "second": "asleep",
            "elsewhere": "runs",
            "alone": "runs",
            "alone too": "runs",
        }
        found = machine.registry.find("first"), machine.registry.find("alone")
        assert [running and running.shares for running in found] == ["gpu", ""]

    story(tell)


def test_what_is_new_in_a_group_waits_while_the_api_serves() -> None:
    async def tell(machine: Machine) -> None:
        assert machine.start(plan(sleeper("a", GPU), sleeper("b", IDLE)), is_first=False) == {
            "a": "asleep",
            "b": "runs",
        }

    story(tell)


def test_a_new_version_does_as_the_old_one_did_except_in_a_group() -> None:
    async def tell(machine: Machine) -> None:
        entries = (sleeper("called", ON_CALL), sleeper("idle", IDLE), sleeper("shares", GPU))
        machine.start(plan(*entries))
        changed = [replace(found, local=entry("x", OTHER).local) for found in entries]
        assert machine.start(plan(*changed), is_first=False) == {
            "called": "asleep",
            "idle": "runs",
            "shares": "asleep",
        }

    story(tell)


def test_an_entry_sleeps_or_runs_as_a_whole(tmp_path: Path) -> None:
    async def tell(machine: Machine) -> None:
        wrapped = sleeper("a", ON_CALL, function=function(tmp_path), integration="lambda")
        assert machine.start(plan(wrapped)) == {"a": "asleep", "a.function": "asleep"}
        model = machine.registry.find("a")
        assert model is not None
        model.wake()
        assert machine.start(plan(wrapped), is_first=False) == {"a": "runs", "a.function": "runs"}

    story(tell)


def test_services_of_others_start_only_where_they_are_asked_for() -> None:
    async def tell(machine: Machine) -> None:
        served = plan(sleeper("a", GPU), sleeper("b", GPU), entry("c"))
        (spec,) = (spec for spec in build_desired_state(served).specs.values() if spec.name == "b")
        assert machine.start_only(served, [spec], is_first=True) == {"b": "runs"}, "a has no place here"

    story(tell)


def test_what_is_new_changed_failed_or_asked_for_starts() -> None:
    async def tell(machine: Machine) -> None:
        first = plan(entry("same"), entry("changed"), entry("failed"), entry("gone"))
        machine.start(first)
        failed = machine.registry.find("failed")
        assert failed is not None
        assert isinstance(failed.service, FakeService)
        failed.service.state = "failed"
        second = plan(entry("same"), entry("changed", OTHER), entry("failed"), entry("new"))
        assert machine.to_start(second) == ["changed", "failed", "new"]
        assert machine.to_start(second, again="same") == ["same", "changed", "failed", "new"]

    story(tell)


@pytest.mark.parametrize(("sleep", "starts"), [(None, ["a"]), (IDLE, [])])
def test_what_sleeps_starts_once_it_may_not_sleep_any_more(
    sleep: SleepPlan | None, starts: list[str]
) -> None:
    async def tell(machine: Machine) -> None:
        machine.start(plan(sleeper("a", ON_CALL), entry("b")))
        assert machine.to_start(plan(sleeper("a", sleep), entry("b"))) == starts

    story(tell)


def test_nothing_starts_for_an_entry_that_is_refused() -> None:
    async def tell(machine: Machine) -> None:
        assert find_to_start(plan(entry("a")), DesiredState({}, {"a": "no"}, ()), machine.registry.find) == []

    story(tell)


def test_those_that_may_not_sleep_any_more_are_waited_for() -> None:
    async def tell(machine: Machine) -> None:
        before = plan(sleeper("was", IDLE), sleeper("is", IDLE), entry("never"), sleeper("gone", IDLE))
        machine.start(before)
        after = plan(entry("was"), sleeper("is", IDLE), entry("never"), entry("new"))
        kept = find_kept_awake(before, after, machine.services)
        assert [running.spec.name for running in kept] == ["was"]

    story(tell)
