"""What a worker reports: how it ended, what a call took, what was too slow."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.lambda_host.runtime_api import Failed, Invocation, Returned
from centralized_ml_api.local.lambda_host.worker import Worker, describe_exit, render_report
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.lambda_host.server import HostSpecification


@pytest.mark.parametrize(
    ("status", "described"),
    [(0, "exit status 0"), (3, "exit status 3"), (-signal.SIGSEGV, "signal SIGSEGV"), (-63, "signal 63")],
)
def test_an_exit_status_is_described_in_the_systems_words(status: int, described: str) -> None:
    assert describe_exit(status) == described


def test_a_report_has_lambdas_lines() -> None:
    end, report = render_report("r-1", 12.345, 67.8, limit_mib=256, peak_mib=100)
    assert end == "END RequestId: r-1"
    assert report.split("\t") == [
        "REPORT RequestId: r-1",
        "Duration: 12.35 ms",
        "Billed Duration: 13 ms",
        "Memory Size: 256 MB",
        "Max Memory Used: 100 MB",
        "Init Duration: 67.80 ms",
    ]


def test_a_report_leaves_out_what_is_not_known() -> None:
    assert render_report("r-1", 12.0, 0, limit_mib=256, peak_mib=None) == [
        "END RequestId: r-1",
        "REPORT RequestId: r-1\tDuration: 12.00 ms\tBilled Duration: 12 ms\tMemory Size: 256 MB",
    ]


def test_memory_that_lambda_would_not_grant_is_warned_about() -> None:
    within = render_report("r-1", 1, 0, limit_mib=256, peak_mib=256)
    assert len(within) == 2
    over = render_report("r-1", 1, 0, limit_mib=256, peak_mib=257)
    assert over[2:] == ["r-1 WARNING: the function used 257 MB; on Lambda it would end at 256 MB"]


def test_a_call_that_is_not_answered_in_time_is_a_504_logged_in_lambdas_words(
    specify: Callable[..., HostSpecification], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    async def run() -> object:
        worker = Worker(specify(timeout_seconds=0), lambda _: None)
        try:
            return await worker.run(Invocation("r-1", b"{}"))
        finally:
            worker._output.close()  # noqa: SLF001  # as `live` does at its end

    assert asyncio.run(run()) == Failed(504, "the function did not answer within 0 seconds")
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines[0] == "START RequestId: r-1 Version: $LATEST"
    assert re.fullmatch(r"\S+Z r-1 Task timed out after 0\.00 seconds", lines[1])
    assert lines[2] == "END RequestId: r-1"
    assert lines[3].startswith("REPORT RequestId: r-1\t")


def test_a_function_that_does_not_load_in_time_is_ended_and_says_so(
    specify: Callable[..., HostSpecification],
) -> None:
    async def live() -> Failed | None:
        return await Worker(specify(), lambda _: None, init_seconds=0).live()

    assert asyncio.run(live()) == Failed(502, "the function did not load within 0 seconds")


def test_a_folder_that_is_gone_is_an_error_of_the_start_and_leaves_nothing(
    specify: Callable[..., HostSpecification], tmp_path: Path
) -> None:
    specification = specify(code="/nowhere")

    async def live() -> Failed | None:
        return await Worker(specification, lambda _: None).live()

    with pytest.raises(FileNotFoundError):
        asyncio.run(live())
    assert list(tmp_path.iterdir()) == []


class Shell(Worker):
    """A worker whose process is a shell with one line."""

    line = "exit 3"

    async def _spawn(self, environment: dict[str, str]) -> asyncio.subprocess.Process:
        self._output.close_writing()
        return await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", self.line, env=environment, process_group=0
        )


def test_a_process_that_ends_in_a_call_is_its_502(specify: Callable[..., HostSpecification]) -> None:
    async def run() -> object:
        worker = Shell(specify(), lambda _: None)
        call = asyncio.create_task(worker.run(Invocation("r-1", b"{}")))
        await asyncio.sleep(0)
        await worker.live()
        return await call

    ended = "the function's process ended during the call (exit status 3)"
    assert asyncio.run(run()) == Failed(502, ended)


def test_a_call_of_a_worker_that_is_ended_is_a_503(specify: Callable[..., HostSpecification]) -> None:
    async def run() -> object:
        worker = Shell(specify(), lambda _: None)
        worker.line = "exec sleep 600"
        call = asyncio.create_task(worker.run(Invocation("r-1", b"{}")))
        life = asyncio.create_task(worker.live())
        await until(lambda: worker._process, "it has started")  # noqa: SLF001  # nothing else tells
        life.cancel()
        outcome = await call
        await asyncio.wait({life})
        assert worker._process is not None  # noqa: SLF001
        await worker._process.wait()  # noqa: SLF001  # else it is reaped in another test
        return outcome

    assert asyncio.run(run()) == Failed(503, "the function is stopping")


def test_the_time_to_load_is_that_since_the_start(specify: Callable[..., HostSpecification]) -> None:
    async def run() -> float:
        worker = Shell(specify(), lambda _: None)
        worker._polled()  # noqa: SLF001  # as the runtime client does
        worker._output.close()  # noqa: SLF001
        return worker._init_milliseconds  # noqa: SLF001

    assert 0 < asyncio.run(run()) < 60_000


class AnsweringApi:
    """A Runtime API whose worker answers at once; `deadlines` are what it was told, by request."""

    def __init__(self) -> None:
        self.deadlines: dict[str, float] = {}

    def give(self, invocation: Invocation, deadline: float) -> None:
        """Answers."""
        self.deadlines[invocation.request_id] = deadline
        invocation.settle(Returned(b"{}"))


def test_a_call_is_handed_over_with_its_deadline_and_only_the_first_report_has_the_time_to_load(
    specify: Callable[..., HostSpecification],
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = AnsweringApi()

    async def run() -> None:
        worker = Worker(specify(timeout_seconds=20), lambda _: None)
        monkeypatch.setattr(worker, "_api", api)
        worker._polled()  # noqa: SLF001  # as the runtime client does
        for name in ("r-1", "r-2"):
            assert await worker.run(Invocation(name, b"{}")) == Returned(b"{}")
        worker._output.close()  # noqa: SLF001

    before = time.time()
    asyncio.run(run())
    assert [*api.deadlines] == ["r-1", "r-2"]
    assert before + 20 <= api.deadlines["r-1"] <= time.time() + 20
    first, second = re.findall(r"REPORT .*", capsysbinary.readouterr().out.decode())
    assert "Init Duration" in first
    assert "Init Duration" not in second


def test_a_worker_that_has_loaded_its_function_ends_without_a_reason(
    specify: Callable[..., HostSpecification],
) -> None:
    async def run() -> object:
        worker = Shell(specify(), lambda _: None)
        worker._polled()  # noqa: SLF001  # as the runtime client does
        return await worker.live()

    assert asyncio.run(run()) is None


def test_a_call_that_takes_too_long_ends_its_process(specify: Callable[..., HostSpecification]) -> None:
    async def run() -> object:
        worker = Shell(specify(timeout_seconds=0), lambda _: None)
        worker.line = "exec sleep 600"
        life = asyncio.create_task(worker.live())
        await until(lambda: worker._process, "it has started")  # noqa: SLF001  # nothing else tells
        await worker.run(Invocation("r-1", b"{}"))
        return await asyncio.wait_for(life, 30)

    ended = asyncio.run(run())
    assert isinstance(ended, Failed)
    assert ended.reason.startswith("the function could not be loaded: its process ended")
