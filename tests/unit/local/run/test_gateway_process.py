"""The supervised gateway: how it starts, when it restarts, what it says meanwhile, how it stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import (
    ExternalUpstream,
    Gateway,
    ProviderAccess,
    Quotas,
    Signing,
    Upstream,
)
from centralized_ml_api.local.machine.inotify import InotifyInstances
from centralized_ml_api.local.machine.ports import bind_loopback
from support.fake_target import soon
from support.story import story
from support.supervised_gateway import EMPTY, LIMITED, MIDNIGHT, World

if TYPE_CHECKING:
    from pathlib import Path


def test_a_start_launches_envoy_and_waits_until_it_listens(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.starts.clear()
        world.log.write(b"of the one before")
        starting = asyncio.create_task(world.gateway.start())
        await soon(lambda: world.envoy.did == ["launch", "wait 60"])
        await asyncio.sleep(0.01)
        assert not starting.done()
        world.envoy.starts.set()
        await starting
        assert world.log.last_lines() == []
        assert world.envoy.launched == [EMPTY]
        assert world.told == []

    story(tell)


def test_an_envoy_that_ends_before_it_listens_is_told_with_its_last_lines(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.starts.clear()
        starting = asyncio.create_task(world.gateway.start())
        await soon(lambda: world.processes)
        for number in range(10):
            world.log.write(b"line %d" % number)
        world.processes[0].status.set_result(7)
        with pytest.raises(StartError) as refused:
            await starting
        lines = "".join(f"\n    line {number}" for number in range(2, 10))
        assert refused.value.message == f"the gateway ended with status 7; its last lines:{lines}"
        assert refused.value.fix == f"the whole log: mlapi logs gateway --state {tmp_path.parent}"
        assert world.envoy.did[-1] == "stop 3"

    story(tell)


def test_an_envoy_whose_port_is_held_is_told_by_who_holds_it(tmp_path: Path) -> None:
    async def tell() -> None:
        with bind_loopback() as holder:
            holder.listen()
            port = holder.getsockname()[1]
            world = World(tmp_path, port=port)
            world.envoy.starts.clear()
            starting = asyncio.create_task(world.gateway.start())
            await soon(lambda: world.processes)
            world.processes[0].status.set_result(1)
            with pytest.raises(StartError, match=f"port {port} "):
                await starting

    story(tell)


def test_an_envoy_that_may_not_watch_its_files_is_told_with_the_setting(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        keys = tmp_path / "keys"
        elsewhere = (
            ExternalUpstream("plain", "a.example", 443, tls=True),
            ExternalUpstream(
                "sells", "b.example", 443, tls=True, provider=ProviderAccess("x-key", "", keys / "key")
            ),
            ExternalUpstream(
                "signed", "c.example", 443, tls=True, signing=Signing("us-east-1", keys / "credentials")
            ),
            ExternalUpstream("open", "d.example", 443, tls=True, provider=ProviderAccess("x-key", "", None)),
        )
        here = (Upstream("a", ()), Upstream("b", ()))
        await world.gateway.apply(Gateway((*here, *elsewhere), ()))
        for used, said in (
            (118, "ended with status -6; its last lines:\n$"),
            (
                119,
                "its last lines:\n\nit may not be able to watch its files: it needs 10 inotify instances; ",
            ),
        ):
            world.instances = InotifyInstances(used, 128, "fs.inotify.max_user_instances")
            world.envoy.starts.clear()
            world.processes.clear()
            starting = asyncio.create_task(world.gateway.start())
            await soon(lambda: world.processes)
            world.processes[-1].status.set_result(-6)
            with pytest.raises(StartError, match=said) as refused:
                await starting
        assert refused.value.message.endswith("; this user has 119 of 128")
        more, log = refused.value.fix.splitlines()
        assert more == "allow more: sudo sysctl fs.inotify.max_user_instances=1024"
        assert log.startswith("  the whole log: mlapi logs gateway")

    story(tell)


def test_an_envoy_that_does_not_come_up_in_time_is_ended(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.start_error = StartError("the gateway did not start within 20 seconds")
        with pytest.raises(StartError, match="within 20 seconds"):
            await world.gateway.start()
        assert world.envoy.did[-1] == "stop 3"
        await world.gateway.restart()  # nothing runs that could be ended
        assert world.envoy.did.count("stop 3") == 1

    story(tell)


def test_a_start_that_is_called_off_ends_envoy(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.starts.clear()
        starting = asyncio.create_task(world.gateway.start())
        await soon(lambda: "wait 60" in world.envoy.did)
        starting.cancel()
        await asyncio.wait({starting})
        assert world.envoy.did[-1] == "stop 3"

    story(tell)


def test_an_envoy_that_has_begun_to_start_is_ended_by_a_stop(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.starts.clear()
        await world.gateway.begin()
        assert world.envoy.did == ["launch"]
        assert world.admission.did[-1] == "start"
        await world.gateway.stop()
        assert world.envoy.did[-2:] == ["drain 5", "stop 3"]
        assert world.admission.did[-1] == "stop"
        with pytest.raises(RuntimeError, match="no Envoy has been started"):
            await world.gateway.wait_started()

    story(tell)


def test_each_crash_waits_longer_for_the_next_start_until_envoy_was_steady(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.start()
        running = asyncio.create_task(world.gateway.run())
        await asyncio.sleep(0)
        for _ in range(8):
            await world.crash()
        assert world.time.slept == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0])
        await world.crash(after_seconds=9.9)
        assert world.time.slept[-1] == 10.0
        await world.crash(after_seconds=10.0)
        await world.crash()
        assert world.time.slept[-2:] == pytest.approx([0.1, 0.2])
        running.cancel()

    story(tell)


def test_it_says_its_trouble_while_it_does_not_run(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.start()
        running = asyncio.create_task(world.gateway.run())
        await world.crash(-9)
        ended = "the gateway ended with status -9; starting it again"
        assert world.told == [ended, ""]
        world.no_program = StartError("envoy could not be started")
        world.processes[-1].status.set_result(-9)
        await soon(lambda: len(world.time.slept) > 4)
        assert world.told == [ended, "", ended, "envoy could not be started"]
        slept = world.time.slept[1:5]
        assert slept == sorted(slept)
        assert slept[0] < slept[-1]
        world.no_program = None
        await soon(lambda: world.gateway.trouble == "")
        assert world.told[4:] == [""]
        running.cancel()

    story(tell)


def test_it_starts_again_with_what_it_served(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.apply(LIMITED)
        await world.gateway.start()
        running = asyncio.create_task(world.gateway.run())
        await world.crash()
        left = Quotas(MIDNIGHT, (("red", 10),))
        assert [gateway and (gateway.teams, gateway.quotas) for gateway in world.envoy.launched] == [
            (LIMITED.teams, left),
            (LIMITED.teams, left),
        ]
        world.envoy.error = StartError("refused")
        with pytest.raises(StartError, match="refused"):
            await world.gateway.apply(EMPTY)
        await world.crash()
        assert world.envoy.launched[-1] is not None
        assert world.envoy.launched[-1].teams == LIMITED.teams
        running.cancel()

    story(tell)


def test_quotas_are_counted_anew_at_every_start_and_kept_in_between(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.apply(LIMITED)
        world.used = 4
        await world.gateway.start()
        await world.gateway.apply(LIMITED)
        world.used = 6
        await world.gateway.apply(LIMITED)
        running = asyncio.create_task(world.gateway.run())
        await world.crash()

        def left(gateway: Gateway | None) -> int | None:
            return gateway.quotas.left[0][1] if gateway and gateway.quotas else None

        assert [left(gateway) for gateway in world.envoy.launched] == [6, 4]
        assert [left(gateway) for gateway in world.envoy.applied] == [10, 6, 6]
        running.cancel()

    story(tell)


def test_a_restart_ends_envoy_and_run_starts_it_again(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.restart()
        assert world.envoy.did == []
        await world.gateway.start()
        running = asyncio.create_task(world.gateway.run())
        await asyncio.sleep(0)
        await world.gateway.restart()
        assert world.envoy.did[-1] == "stop 3"
        await soon(lambda: len(world.processes) == 2)
        running.cancel()

    story(tell)


def test_a_stop_drains_before_it_ends_envoy(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.start()
        await world.gateway.stop()
        assert world.envoy.did[-2:] == ["drain 5", "stop 3"]
        assert world.admission.did[-1] == "stop"
        await world.gateway.stop()
        assert world.envoy.did[-1] == "drain 5"

    story(tell)


def test_a_stop_ends_envoy_also_when_it_does_not_answer(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.start()
        world.envoy.error = StartError("it does not answer")
        await world.gateway.stop()
        assert world.envoy.did[-2:] == ["drain 5", "stop 3"]

    story(tell)


def test_what_is_asked_of_envoy_is_passed_on(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        assert [await world.gateway.active_requests(name) for name in ("busy@1", "quiet@1")] == [3, 0]
        assert await world.gateway.traffic() == "# nothing\n"
        assert await world.gateway.move([Upstream("a@1", (7001,)), Upstream("b@2", ())])
        assert world.envoy.did[-1] == "move a@1 b@2"
        await world.gateway.reopen_logs()
        assert world.envoy.did[-1] == "reopen"
        world.envoy.error = StartError("it does not answer")
        await world.gateway.reopen_logs()
        with pytest.raises(StartError):
            await world.gateway.traffic()

    story(tell)
