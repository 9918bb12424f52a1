"""What the gateway does around Envoy's process, with a fake Envoy that only has an admin interface."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.process import EnvoyGateway
from centralized_ml_api.local.envoy.xds import SMALL_TABLE_BYTES, count_reading_seconds
from centralized_ml_api.local.gateway import Gateway, RefusedRoute, ServedRoute
from support.started_envoy import Started, prepare, run_started, serving
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_applied_before_the_start_is_what_envoy_starts_with(tmp_path: Path) -> None:
    started = prepare(tmp_path)
    asyncio.run(started.gateway.apply(serving("chat")))
    assert not started.files.folder.exists()
    launch = started.gateway.launch()
    assert '"/chat"' in started.routes()
    assert launch.cwd == started.files.folder
    assert launch.argv[1:3] == ("-c", str(started.files.bootstrap))
    assert launch.environment == {}


def test_an_envoy_that_starts_with_many_entries_may_hold_more(tmp_path: Path) -> None:
    started = prepare(tmp_path)

    def most(*names: str) -> int:
        listing = tuple(ServedRoute(name, name, "/invocations", ("X-One",)) for name in names)
        started.gateway.launch(replace(serving(*names), routes=listing))
        overload = json.loads(started.files.bootstrap.read_text())["overload_manager"]
        return int(overload["resource_monitors"][1]["typed_config"]["max_heap_size_bytes"])

    assert most("a") == most("a", "b") < most(*(f"model-{number}" for number in range(400)))


def test_a_socket_left_by_an_envoy_that_died_is_removed_before_the_next_start(tmp_path: Path) -> None:
    started = prepare(tmp_path)
    started.files.folder.mkdir()
    started.files.admin_socket.touch()
    started.gateway.launch()
    assert not started.files.admin_socket.exists()


def test_what_is_applied_while_envoy_starts_is_served_once_it_has_started(tmp_path: Path) -> None:
    async def story() -> None:
        started = prepare(tmp_path)
        started.gateway.launch()
        started.envoy.start()
        await started.gateway.apply(serving("chat"))
        assert '"/chat"' not in started.routes()
        async with started.envoy.serve():
            assert await started.gateway.wait_started(5) == 4711
        assert started.envoy.accepted == ["clusters.json", "routes.json"]

    asyncio.run(story())


def test_a_free_port_is_kept_for_the_next_start(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        started.gateway.launch()
        bootstrap = json.loads(started.files.bootstrap.read_text())
        listener = bootstrap["static_resources"]["listeners"][0]
        assert listener["address"]["socket_address"]["port_value"] == 4711

    run_started(tmp_path, story)


def test_an_envoy_that_does_not_come_up_is_given_up_when_time_is_up(tmp_path: Path) -> None:
    started = prepare(tmp_path)
    started.gateway.launch()
    with pytest.raises(StartError, match=r"^the gateway did not start within 0\.05 seconds$"):
        asyncio.run(started.gateway.wait_started(0.05))


def test_what_is_built_while_another_envoy_is_launched_is_refused_and_not_written(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        applying = asyncio.create_task(started.gateway.apply(serving("chat")))
        await asyncio.sleep(0)  # it is built in a thread, and everybody else goes on meanwhile
        assert not applying.done()
        started.gateway.launch(serving("old"))
        with pytest.raises(StartError, match="was started again"):
            await applying
        assert '"/old"' in started.routes()
        assert '"/chat"' not in started.routes()

    run_started(tmp_path, story)


def test_a_gateway_with_many_entries_has_longer_to_start(tmp_path: Path) -> None:
    started = prepare(tmp_path)
    started.gateway.launch(Gateway((), (RefusedRoute("many", "x" * SMALL_TABLE_BYTES),)))
    tables = started.files.routes, started.files.job_routes
    more = count_reading_seconds(sum(table.stat().st_size for table in tables))
    assert 0 < more < 1
    with pytest.raises(StartError, match=rf"^the gateway did not start within {more + 0.1:g} seconds$"):
        asyncio.run(started.gateway.wait_started(0.1))


def test_a_folder_that_was_removed_is_made_again_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        assert not started.gateway.cut_off
        shutil.rmtree(started.files.folder)
        assert started.gateway.cut_off
        with pytest.raises(StartError) as refused:
            await started.gateway.apply(serving("new"))
        assert refused.value.message == (
            f"the gateway's folder {started.files.folder} was removed while the gateway runs"
        )
        assert refused.value.fix == (
            "stop the API and start it again; until then it serves what it served before"
        )
        assert '"/new"' in started.routes()
        assert started.files.bootstrap.exists()

    run_started(tmp_path, story)


def test_calls_in_progress_are_those_of_one_upstream(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        started.envoy.stats_values["cluster.a%2Fb.upstream_rq_active"] = 3
        assert await started.gateway.active_requests("a/b") == 3
        assert await started.gateway.active_requests("other") == 0

    run_started(tmp_path, story)


def test_nobody_knows_the_calls_of_an_envoy_that_does_not_answer(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        started.files.admin_socket.unlink()
        assert await started.gateway.active_requests("a") is None

    run_started(tmp_path, story)


def test_a_gateway_that_does_not_run_has_no_calls_and_no_traffic(tmp_path: Path) -> None:
    gateway = prepare(tmp_path).gateway
    assert asyncio.run(gateway.active_requests("a")) == 0
    asyncio.run(gateway.drain(1))
    asyncio.run(gateway.reopen_logs())
    with pytest.raises(StartError, match=r"^the gateway is not running$"):
        asyncio.run(gateway.traffic())


def test_draining_waits_for_calls_and_leaves_no_socket(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        active = "http.gateway.downstream_rq_active"
        started.envoy.stats_values[active] = 1
        draining = asyncio.create_task(started.gateway.drain(30))
        await until(lambda: started.envoy.asked, "Envoy drains")
        looks = started.envoy.looks
        await until(lambda: started.envoy.looks > looks + 1, "it is asked again for calls in progress")
        assert started.envoy.asked == ["POST /drain_listeners?graceful&skip_exit"]
        assert not draining.done()
        started.envoy.stats_values[active] = 0
        (started.files.folder / "servers.sock").touch()
        await draining
        assert not started.files.admin_socket.exists()
        assert not (started.files.folder / "servers.sock").exists()

    run_started(tmp_path, story)


def test_draining_ends_when_time_is_up(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        started.envoy.stats_values["http.gateway.downstream_rq_active"] = 1
        await started.gateway.drain(0.05)
        assert not started.files.admin_socket.exists()

    run_started(tmp_path, story)


def test_the_log_is_opened_again_and_traffic_is_read(tmp_path: Path) -> None:
    async def story(started: Started) -> None:
        await started.gateway.reopen_logs()
        assert await started.gateway.traffic() == "OK\n"
        reopen, prometheus = started.envoy.asked
        assert reopen == "POST /reopen_logs"
        assert prometheus.startswith("GET /stats/prometheus?filter=")

    run_started(tmp_path, story)


def test_an_envoy_that_has_gone_is_said_not_to_answer(tmp_path: Path) -> None:
    async def story() -> None:
        started = prepare(tmp_path)
        started.gateway.launch()
        started.envoy.start()
        async with started.envoy.serve():
            await started.gateway.wait_started(5)
        started.files.admin_socket.touch()
        with pytest.raises(StartError, match=r"^the gateway does not answer on its admin socket: "):
            await started.gateway.apply(Gateway((), (RefusedRoute("a", "no"),)))

    asyncio.run(story())


def test_a_full_disk_stops_a_start_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / ".bootstrap.json.new").symlink_to("/dev/full")
    with pytest.raises(StartError, match=r"bootstrap\.json cannot be written: No space left on device"):
        EnvoyGateway(tmp_path, host="127.0.0.1", port=0).launch()


def test_a_folder_that_cannot_be_made_stops_a_start_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"file/gateway\S* cannot be written: Not a directory"):
        EnvoyGateway(tmp_path / "file/gateway", host="127.0.0.1", port=0).launch()


def test_nothing_in_the_folder_can_be_read_by_others(tmp_path: Path) -> None:
    launch = EnvoyGateway(tmp_path / "state", host="127.0.0.1", port=0).launch()
    folder = tmp_path / "state"
    assert launch.cwd == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}
