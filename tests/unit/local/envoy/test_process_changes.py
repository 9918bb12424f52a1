"""What Envoy is told of a change, and what of a server that moved, with a fake Envoy that did start."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, RefusedRoute, ServedRoute, Upstream
from support.started_envoy import NOTHING, Started, prepare, run_started, serving
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_rejected_change_names_the_reason_and_puts_the_files_back(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        before = {path.name: path.read_text() for path in started.files.folder.rglob("*.json")}
        started.envoy.rejects, started.reason = {"clusters.json"}, "PortValue: too large"
        with pytest.raises(StartError) as refused:
            await started.gateway.apply(serving("chat", "new"))
        assert refused.value.message == (
            "the gateway rejected its new configuration (cluster_manager.cds.update_rejected):"
            " PortValue: too large"
        )
        assert {path.name: path.read_text() for path in started.files.folder.rglob("*.json")} == before
        started.gateway.launch()
        assert '"/new"' not in started.routes(), "the next start is with what Envoy accepted"

    run_started(tmp_path, story, serving("chat"))


def test_a_failure_that_is_not_the_configurations_keeps_the_change_for_later(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        draft = started.files.folder / ".routes.json.new"
        draft.symlink_to("/dev/full")
        with pytest.raises(StartError, match=r"routes\.json cannot be written: No space left on device$"):
            await started.gateway.apply(serving("chat", "new"))
        draft.unlink()
        started.gateway.launch()
        assert '"/new"' in started.routes()

    run_started(tmp_path, story, serving("chat"))


def test_after_a_failure_the_next_change_is_complete(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        started.envoy.rejects, started.reason = {"routes.json"}, "a reason"
        with pytest.raises(StartError, match="a reason"):
            await started.gateway.apply(serving("chat", "new"))
        started.envoy.rejects.clear()
        inodes = {path.name: path.stat().st_ino for path in started.files.folder.rglob("*.json")}
        await started.gateway.apply(serving("chat"))
        after = {path.name: path.stat().st_ino for path in started.files.folder.rglob("*.json")}
        as_before = {name for name, inode in after.items() if inodes.get(name) == inode}
        assert as_before <= {"bootstrap.json", "listeners.json"}, "no listener was ever added"
        await started.gateway.apply(serving("chat"))
        unchanged = {path.name: path.stat().st_ino for path in started.files.folder.rglob("*.json")}
        assert unchanged == after, "then Envoy certainly has it"

    run_started(tmp_path, story, serving("chat"))


def test_a_listener_that_envoy_was_given_stays_with_it_until_its_next_start(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        def listeners() -> list[str]:
            text = started.files.listeners.read_text()
            return [listener["name"] for listener in json.loads(text)["resources"]]

        assert listeners() == []
        await started.gateway.apply(replace(serving("chat"), runs_jobs=True))
        assert listeners() == ["jobs"]
        await started.gateway.apply(serving("chat"))
        assert listeners() == ["jobs"], "to take it away would end its connections"
        started.envoy.rejects, started.reason = {"routes.json"}, "a reason"
        with pytest.raises(StartError, match="a reason"):
            await started.gateway.apply(serving("chat", "new"))
        assert listeners() == ["jobs"], "nor do the files of before take it away"
        started.gateway.launch()
        assert listeners() == [], "no job runs"

    run_started(tmp_path, story, serving("chat"))


def test_changes_that_come_at_the_same_time_are_made_one_after_the_other(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        gateways = [serving("chat"), serving("chat", "other"), serving("other"), NOTHING, serving("last")]
        await asyncio.gather(*(started.gateway.apply(gateway) for gateway in gateways))
        assert '"/last"' in started.routes()

    run_started(tmp_path, story)


def test_calls_reach_servers_that_moved_by_one_small_file(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        moved = [Upstream("chat", (40002,)), Upstream("nobody", (40003,))]
        assert await started.gateway.move(moved)
        assert started.envoy.accepted == ["chat.json"]
        assert "40002" in started.files.endpoints_of("chat").read_text()
        await started.gateway.apply(replace(serving("chat", "b"), upstreams=(moved[0], Upstream("b", (1,)))))
        assert started.envoy.accepted == ["chat.json", "b.json"], "Envoy has it already"

    run_started(tmp_path, story, serving("chat", "b"))


def test_where_a_server_moved_to_is_refused_as_any_change_is(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        before = {path.name: path.read_text() for path in started.files.folder.rglob("*.json")}
        started.envoy.rejects, started.reason = {"chat.json"}, "PortValue: too large"
        with pytest.raises(StartError, match=r"rejected its new configuration .*: PortValue: too large"):
            await started.gateway.apply(replace(serving("chat"), upstreams=(Upstream("chat", (70_000,)),)))
        assert {path.name: path.read_text() for path in started.files.folder.rglob("*.json")} == before

    run_started(tmp_path, story, serving("chat"))


def test_calls_reach_servers_that_moved_before_the_tables_are_built(tmp_path: Path) -> None:
    seen = threading.Event()

    class Slow(tuple[ServedRoute | RefusedRoute, ...]):
        """Routes that take until somebody has seen where calls go."""

        __slots__ = ()

        def __iter__(self) -> Iterator[ServedRoute | RefusedRoute]:
            assert seen.wait(30)
            return super().__iter__()

    async def story(started: Started) -> None:
        moved, routes = Upstream("chat", (40002,)), Slow(serving("chat").routes)
        applying = asyncio.create_task(
            started.gateway.apply(Gateway((moved,), routes, unready=(("chat", "why"),)))
        )
        await until(lambda: started.envoy.accepted == ["chat.json"], "calls reach it")
        assert not applying.done()
        seen.set()
        await applying
        assert started.envoy.accepted == ["chat.json", "routes.json"]

    run_started(tmp_path, story, serving("chat"))


def test_what_else_is_new_of_a_server_that_moved_comes_with_the_next_change(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        moved = Upstream("chat", (40002,), keeps_connections=False)
        assert await started.gateway.move([moved])
        await started.gateway.apply(replace(serving("chat"), upstreams=(moved,)))
        assert started.envoy.accepted == ["chat.json", "clusters.json"]
        assert "max_requests_per_connection" in started.files.clusters.read_text()

    run_started(tmp_path, story, serving("chat"))


def test_what_envoy_has_is_reached_at_once_until_something_else_is_applied(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        reached: list[str] = []
        looks = started.envoy.looks
        await started.gateway.apply(serving("chat"), lambda: reached.append("the same"))
        assert (reached, started.envoy.looks) == (["the same"], looks)
        assert await started.gateway.move([Upstream("chat", (40002,))])
        await started.gateway.apply(serving("chat"), lambda: reached.append("moved back"))
        assert "40001" in started.files.endpoints_of("chat").read_text()
        started.envoy.rejects = {"clusters.json"}
        with pytest.raises(StartError):
            await started.gateway.apply(serving("chat", "new"))
        started.envoy.rejects, looks = set(), started.envoy.looks
        await started.gateway.apply(serving("chat"), lambda: reached.append("whatever Envoy had"))
        assert started.envoy.looks > looks
        assert len(reached) == 2, "it may not have the clusters"

    run_started(tmp_path, story, serving("chat"))


def test_an_envoy_that_starts_anew_finds_servers_where_they_moved_to(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        assert await started.gateway.move([Upstream("chat", (40002,))])
        started.gateway.launch()
        assert "40002" in started.files.endpoints_of("chat").read_text()
        assert "40001" in started.files.endpoints_of("b").read_text()

    run_started(tmp_path, story, serving("chat", "b"))


def test_what_cannot_move_by_itself_waits_for_the_whole_change(tmp_path: Path) -> None:
    elsewhere = ExternalUpstream("far", "127.0.0.1", 4711, tls=False)
    first = replace(serving("chat"), upstreams=(Upstream("chat", (40001,)), elsewhere))

    async def story(started: Started) -> None:
        gateway = started.gateway
        assert not await gateway.move([]), "nothing is known to have moved"
        assert not await gateway.move([Upstream("nobody", (1,))])
        assert not await gateway.move([replace(elsewhere, port=4712), Upstream("chat", (40002,))])
        assert started.envoy.accepted == []
        started.envoy.rejects = {"chat.json"}
        assert not await gateway.move([Upstream("chat", (40002,))])
        started.envoy.rejects = set()
        started.envoy.accepted.clear()
        assert not await gateway.move([Upstream("chat", (40003,))]), "it is not known what Envoy has"
        await gateway.apply(replace(first, upstreams=(Upstream("chat", (40002,)), elsewhere)))
        assert "40002" in started.files.endpoints_of("chat").read_text()
        assert await gateway.move([Upstream("chat", (40003,))])
        shutil.rmtree(started.files.folder)
        assert not await gateway.move([Upstream("chat", (40004,))])

    run_started(tmp_path, story, first)


def test_nothing_moves_at_an_envoy_that_does_not_run(tmp_path: Path) -> None:
    started = prepare(tmp_path)
    started.gateway.launch(serving("chat"))
    assert not asyncio.run(started.gateway.move([Upstream("chat", (40002,))]))
