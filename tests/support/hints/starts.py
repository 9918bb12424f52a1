"""Situations in which a start, a stop or a look before the start prints a command."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from centralized_ml_api.cli.progress import Announcement
from centralized_ml_api.cli.verbs.up import tell_what_is_next
from centralized_ml_api.local.machine.clock import WALL_CLOCK
from centralized_ml_api.local.machine.ports import bind_loopback
from centralized_ml_api.local.machine.state_folder import Run, StateFolder, read_birth
from centralized_ml_api.local.run.admission_process import SupervisedAdmission
from centralized_ml_api.local.run.first_start import FirstStart
from centralized_ml_api.local.run.gateway_process import SupervisedGateway
from centralized_ml_api.local.run.quotas import QuotaBook
from centralized_ml_api.local.run.reload import load_plan
from centralized_ml_api.local.supervision.process import ServerLog
from support.fake_target import FakeAdmission, FakeEnvoy, FakeProcess, FakeTranslator
from support.hints.stage import AT, FILE, READY, STATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.local.launch import Launch
    from centralized_ml_api.local.status import LocalStatus
    from support.hints.stage import Situation, Stage


@contextmanager
def a_process_that_does_not_answer(stage: Stage) -> Iterator[None]:
    """It can be ended; one with a bug has a log; one of another version is started again."""
    with stage.running() as target:
        (stage.folder / STATE / "logs/up.log").write_text("boom\n")
        as_it_is = target.current
        target.current = None  # type: ignore[assignment]  # a bug
        stage.run("status", *AT)
        target.current = _OfAnotherVersion()  # type: ignore[assignment]
        stage.run("status", *AT)
        target.current = as_it_is
        with StateFolder(stage.folder / "mute") as mute:
            mute.write_run(Run.of_this_process(FILE))
            stage.run("status", "--state", "mute")
            yield


class _OfAnotherVersion:
    def to_json(self) -> dict[str, str]:
        return {}


@contextmanager
def a_start(stage: Stage) -> Iterator[None]:
    """In the foreground, in the background, of nothing that could start, of a gateway that ended."""
    stage.may_fail = {"status"}
    stage.write(event={"teams": ["red"]})
    with stage.running() as target:
        stage.make_keys("red")
        plan = load_plan(stage.folder / FILE)
        stage.printed(lambda: Announcement(plan, "127.0.0.1").show(target.current))
        stage.printed(lambda: tell_what_is_next(stage.folder / STATE))
        stage.log("echo")
        failed = replace(target.current, entries=(replace(READY, state="failed", engine="python"),))
        stage.show_error(lambda: asyncio.run(_first_start(failed)))
        (stage.folder / STATE / "logs/gateway.log").write_text("boom\n")
        stage.show_error(lambda: asyncio.run(_gateway_that_ends(stage.folder / STATE)))
        (stage.folder / STATE / "logs/admission.log").write_text("boom\n")
        stage.show_error(lambda: asyncio.run(_admission_that_does_not_answer(stage.folder / STATE)))
        yield


async def _first_start(status: LocalStatus) -> None:
    start = FirstStart(lambda: None, WALL_CLOCK)
    start.note(status)
    await start.run()


async def _gateway_that_ends(state: Path) -> None:
    envoy, did = FakeEnvoy(), list[str]()
    envoy.starts.clear()

    async def start(_: Launch, __: ServerLog) -> FakeProcess:
        process = FakeProcess(did)
        process.status.set_result(7)
        return process

    quotas = QuotaBook(lambda *_: {}, WALL_CLOCK)
    log = ServerLog(state / "logs/gateway.log")
    await SupervisedGateway(
        envoy,
        log,
        ("127.0.0.1", 0),
        quotas=quotas,
        admission=FakeAdmission(),
        translator=FakeTranslator(),
        changed=lambda: None,
        start_process=start,
    ).start()


async def _admission_that_does_not_answer(state: Path) -> None:
    gateway = state / "gateway"
    await SupervisedAdmission(gateway, ServerLog(state / "logs/admission.log")).wait_ready(0.01)


def a_stop(stage: Stage) -> None:
    """The same can be started again."""
    stage.write()
    with (
        StateFolder(stage.folder / STATE) as state,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process,
    ):
        born = read_birth(psutil.Process(process.pid))
        state.write_run(Run(process.pid, born, str(stage.folder / FILE), ("--port", "9000", *AT)))
        stage.run("down", *AT)


def a_look_before_the_start(stage: Stage) -> None:
    """`doctor` leads to `up`, or to itself; a problem of the config to its page."""
    stage.write()
    with bind_loopback() as free:
        port = str(free.getsockname()[1])
        stage.run("doctor", FILE, "--target", "local", "--port", port, *AT)
    stage.run("doctor", FILE, "--target", "local", "--port", port, *AT)
    stage.write("broken.json", endpoints=[{"name": "a"}])
    stage.run("doctor", "broken.json", "--target", "local", "--port", port, *AT)


SITUATIONS: tuple[Situation, ...] = (
    a_process_that_does_not_answer,
    a_start,
    a_stop,
    a_look_before_the_start,
)
