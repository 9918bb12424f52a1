"""What a real Envoy writes is counted to the last call, over rotations and deaths."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import Gateway, RefusedRoute
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.file_watcher import watch_access_log
from centralized_ml_api.local.usage.collector import UsageCollector, UsageRecorder
from support.running_gateway import start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import RunningGateway

LIMIT_BYTES = 2000
"""Of the log: some ten calls."""


@pytest.fixture
def running(tmp_path: Path, background: Background) -> Iterator[RunningGateway]:
    gateway = Gateway((), (RefusedRoute("chat", "not here"),))
    with start_gateway(tmp_path, background, gateway) as serving:
        yield serving


@pytest.fixture
def collector(tmp_path: Path) -> UsageCollector:
    return UsageCollector.of_state(tmp_path)


@contextlib.contextmanager
def _kept_bounded(
    running: RunningGateway, collector: UsageCollector, background: Background
) -> Iterator[None]:
    recorder = UsageRecorder(collector, pytest.fail)

    async def start() -> asyncio.Task[None]:
        keeping = watch_access_log(
            collector.log,
            running.envoy.reopen_logs,
            recorder.collect,
            limit_bytes=LIMIT_BYTES,
            clock=Clock(lambda: datetime.now(UTC), lambda _: asyncio.sleep(0.02)),
        )
        return asyncio.create_task(keeping)

    async def stop(task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait([task])

    task = background.run(start())
    try:
        yield
    finally:
        background.run(stop(task))


@pytest.mark.slow
def test_rotations_in_the_middle_of_calls_lose_none_and_double_none(
    running: RunningGateway, collector: UsageCollector, background: Background
) -> None:
    older = collector.log.with_name("access.log.1")
    rotated: set[str] = set()
    calls = 0
    with _kept_bounded(running, collector, background), contextlib.closing(running.connect()) as connection:
        while len(rotated) < 3:
            for _ in range(10):
                connection.request("POST", "/chat")
                connection.getresponse().read()
            calls += 10
            if older.exists():
                rotated.add(older.read_text().partition("\n")[0])
            assert calls < 100_000, "the log is rotated"
        wait_until(lambda: collector.load_table(None).requests >= calls, "all calls are counted")
    assert collector.load_table(None).requests == calls


@pytest.mark.slow
def test_a_gateway_that_is_killed_loses_nothing_that_it_had_written(
    running: RunningGateway, collector: UsageCollector
) -> None:
    for _ in range(2):
        answers = [running.call("/chat") for _ in range(5)]
        for answer in answers:
            running.logged(answer.header("x-request-id"))
        running.stop()
        running.start()
    assert collector.load_table(None).requests == 10


@pytest.mark.slow
def test_models_and_unknown_paths_have_a_row_each(running: RunningGateway, collector: UsageCollector) -> None:
    for path in ("/chat", "/chat", "/no", "/such", "/path?here=1", "/health"):
        answer = running.call(path)
    running.logged(answer.header("x-request-id"))
    wait_until(lambda: collector.load_table(None).requests == 6, "all calls are counted")
    rows = collector.load_table(None).rows
    assert [(row.team, row.model, row.statuses) for row in rows] == [
        ("-", "-", ((404, 3), (405, 1))),
        ("-", "chat", ((501, 2),)),
    ]
    assert all(row.p95_milliseconds is not None and row.bytes_out for row in rows)
