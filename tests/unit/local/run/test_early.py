"""Servers that start before the config is read: only as they were started last, and never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from centralized_ml_api.errors import ConfigError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.child_environment import build_environment
from centralized_ml_api.local.run.early import NOTE_NAME, RUN_NAME, EarlyServers
from centralized_ml_api.local.run.early_starter import EarlyStarter
from centralized_ml_api.local.servers.llama_cpp_program import STACK_BYTES
from centralized_ml_api.local.supervision.child_setup import MARK
from centralized_ml_api.local.supervision.process import ServerLog
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAM = (
    sys.executable,
    "-c",
    "import sys, time\nprint(*sys.argv[1:], flush=True)\nwhile True: time.sleep(60)",
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing starts early elsewhere")


class World:
    """A config, a state folder, and the weights of one server."""

    def __init__(self, folder: Path) -> None:
        self.config, self.state, self.weights = folder / "models.json", folder / ".mlapi", folder / "weights"
        self.folder = folder
        self.config.write_text("{}")
        self.weights.write_text("GGUF")
        self.state.mkdir()

    def early(self) -> EarlyServers:
        return EarlyServers(self.config, self.state, PROGRAM)

    def launch(self, port: int) -> Launch:
        """How the server is started, as its engine says it."""
        return Launch(
            argv=(*PROGRAM, "--model", str(self.weights), "--port", str(port)),
            environment=build_environment(os.environ, {}),
            cwd=self.folder,
            needs=(self.weights,),
            stack_bytes=STACK_BYTES,
        )

    def note(self, launch: Launch | None = None, withheld: tuple[str, ...] = ()) -> None:
        """Notes that the last run started the server so."""
        self.early().note([(4711, launch or self.launch(4711))], withheld)

    def has_note(self) -> bool:
        return (self.state / NOTE_NAME).exists()

    def written(self) -> dict[str, object]:
        note: dict[str, object] = json.loads((self.state / NOTE_NAME).read_text())
        return note


class Server:
    """A server with no more than what starts it."""

    ping_path, work_path = "/", None

    def __init__(self, world: World) -> None:
        self._world = world

    def launch(self, port: int) -> Launch:
        return self._world.launch(port)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_the_last_run_started_runs_at_once_and_is_ended_if_nobody_takes_it(world: World) -> None:
    world.note()
    with world.early() as early:
        (pid,) = early.pids
        assert psutil.Process(pid).environ()[MARK] == str(world.state)
    assert not psutil.pid_exists(pid)


def test_a_config_that_can_be_read_only_once_is_left_to_its_reader(world: World) -> None:
    world.config.unlink()
    os.mkfifo(world.config)
    pipe = os.open(world.config, os.O_RDWR)
    try:
        os.write(pipe, b"{}")
        with world.early() as early:
            assert not early.pids
        assert os.read(pipe, 10) == b"{}"
    finally:
        os.close(pipe)


def test_a_config_that_turns_out_bad_leaves_nothing(world: World) -> None:
    world.note()
    with pytest.raises(ConfigError), world.early() as early:  # noqa: PT012  # it is the block that fails
        (pid,) = early.pids
        raise ConfigError([], source="")
    assert not psutil.pid_exists(pid)


def test_it_is_taken_by_the_server_that_would_be_started_just_so(world: World) -> None:
    async def main() -> None:
        world.note()
        with world.early() as early:
            (pid,) = early.pids
            starter = EarlyStarter(early)
            port = starter.choose_port(Server(world))
            log = ServerLog(world.folder / "log")
            process = await starter.start(world.launch(port), log)
            assert process.pid == pid
            assert not early.pids
            await until(log.last_lines, "what it said before is in the log, too")
            assert log.last_lines() == [f"--model {world.weights} --port {port}"]
        assert psutil.pid_exists(pid), "whoever took it ends it"
        await process.stop(5)
        assert await process.wait() < 0
        assert not psutil.pid_exists(pid)

    asyncio.run(main())


@pytest.mark.parametrize(
    "change",
    [{"cwd": None}, {"environment": {"A": "1"}}, {"stack_bytes": None}, {"argv": (*PROGRAM, "--model", "b")}],
    ids=["folder", "environment", "stack", "arguments"],
)
def test_whoever_would_start_it_otherwise_starts_it_anew(world: World, change: Mapping[str, object]) -> None:
    world.note()
    change = {name: world.state if name == "cwd" else value for name, value in change.items()}
    with world.early() as early:

        def launch(port: int) -> Launch:
            return replace(world.launch(port), **change)  # type: ignore[arg-type]  # one field

        assert early.find_port(launch) is None
        assert early.find_port(world.launch) is not None


def test_one_that_has_ended_meanwhile_is_not_taken(world: World) -> None:
    world.note()
    with world.early() as early:
        port = early.find_port(world.launch)
        assert port is not None
        (pid,) = early.pids
        psutil.Process(pid).kill()
        psutil.wait_procs([psutil.Process(pid)], timeout=30)
        assert early.find_port(world.launch) is None
        assert early.take(world.launch(port)) is None


@pytest.mark.parametrize(
    "what",
    ["config", "weights", "no weights", "runs", "readable", "damaged", "nested", "strange", "nothing"],
)
def test_nothing_starts_early_that_is_not_known_to_be_the_same(world: World, what: str) -> None:
    world.note()
    match what:
        case "config":
            world.config.write_text("{ }")
        case "weights":
            os.utime(world.weights, ns=(1, 1))
        case "no weights":
            world.weights.unlink()
        case "runs":
            (world.state / RUN_NAME).write_text("{}")
        case "readable":
            (world.state / NOTE_NAME).chmod(0o644)  # as whoever copies a project leaves it
        case "nested":
            (world.state / NOTE_NAME).write_text("[" * 100_000)
        case "damaged":
            (world.state / NOTE_NAME).write_text("{")
        case "strange":
            (world.state / NOTE_NAME).write_text(json.dumps({**world.written(), "servers": [1]}))
        case _:
            (world.state / NOTE_NAME).unlink()
    with world.early() as early:
        assert not early.pids


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_note_of_another_user_starts_nothing(world: World) -> None:
    world.note()
    os.chown(world.state / NOTE_NAME, 12345, -1)
    with world.early() as early:
        assert not early.pids


def test_without_a_config_nothing_starts(world: World) -> None:
    world.note()
    world.config.unlink()
    with world.early() as early:
        assert not early.pids


def test_the_note_has_no_secrets_and_no_other_programs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "s3cret")
    world.note(replace(world.launch(4711), environment={**world.launch(4711).environment, "B": "s3cret"}))
    assert not world.has_note(), "its environment is the config's"
    world.note(replace(world.launch(4711), argv=("/bin/sh", "-c", "true")))
    assert not world.has_note(), "it is another program"
    world.note()
    assert world.written()["servers"], "as usual"
    assert "s3cret" not in (world.state / NOTE_NAME).read_text()
    assert (world.state / NOTE_NAME).stat().st_mode & 0o077 == 0


def test_a_variable_that_servers_may_not_see_is_withheld_early_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "s3cret")
    own = {name: value for name, value in world.launch(1).environment.items() if name != "A_KEY"}
    world.note(replace(world.launch(4711), environment=own), withheld=("A_KEY",))
    with world.early() as early:
        (pid,) = early.pids
        assert "A_KEY" not in psutil.Process(pid).environ()
        assert early.find_port(lambda port: replace(world.launch(port), environment=own)) is not None


def test_a_start_is_noted_once_it_is_over(world: World) -> None:
    async def main() -> None:
        world.note()
        with world.early() as early:
            (pid,) = early.pids
            starter = EarlyStarter(early)
            log = ServerLog(world.folder / "log")
            (world.weights).write_text("GGUF, another")
            port = starter.choose_port(Server(world))
            world.weights.unlink()
            starter.finish()
            assert not psutil.pid_exists(pid), "nobody took it"
            assert not world.has_note(), "nothing was started"
            process = await starter.start(replace(world.launch(port)), log)
            starter.finish()
            assert not world.has_note(), "what starts later is no part of the start"
            await process.stop(5)

    asyncio.run(main())


def test_what_a_start_has_started_is_noted(world: World) -> None:
    async def main() -> None:
        with world.early() as early:
            starter = EarlyStarter(early)
            port = starter.choose_port(Server(world))
            process = await starter.start(world.launch(port), ServerLog(world.folder / "log"))
            starter.finish()
            await process.stop(5)
        with world.early() as early:
            assert len(early.pids) == 1
            assert early.find_port(world.launch) is not None

    asyncio.run(main())


def test_a_server_that_was_started_again_is_noted_once(world: World) -> None:
    async def main() -> None:
        with world.early() as early:
            starter, log = EarlyStarter(early), ServerLog(world.folder / "log")
            first = await starter.start(world.launch(starter.choose_port(Server(world))), log)
            await first.stop(5)
            second = await starter.start(world.launch(starter.choose_port(Server(world))), log)
            starter.finish()
            await second.stop(5)
        with world.early() as early:
            assert len(early.pids) == 1

    asyncio.run(main())


def test_a_disk_that_refuses_loses_the_note_alone(world: World) -> None:
    world.state.rmdir()
    world.note()
    with world.early() as early:
        assert not early.pids
