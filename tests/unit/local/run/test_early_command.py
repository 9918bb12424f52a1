"""Of a command line, so much is understood before click is there: nothing starts that `up` would not use."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click
import psutil
import pytest

from centralized_ml_api.cli.verbs.up import up
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.child_environment import build_environment
from centralized_ml_api.local.run.early import EarlyServers
from centralized_ml_api.local.run.early_command import (
    ALONE,
    WITH_VALUE,
    begun,
    find_files,
    take_begun,
)
from centralized_ml_api.local.servers.llama_cpp_program import STACK_BYTES

PROGRAM = (sys.executable, "-c", "import time\nwhile True: time.sleep(60)")
DEFAULTS = (Path("config/models.json"), Path(".mlapi"))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A config and a state folder whose last start had one server."""
    config, state = tmp_path / "models.json", tmp_path / ".mlapi"
    config.write_text("{}")
    state.mkdir()
    environment = build_environment(os.environ, {})
    launch = Launch((*PROGRAM, "--port", "4711"), environment, tmp_path, stack_bytes=STACK_BYTES)
    EarlyServers(config, state, PROGRAM).note([(4711, launch)], ())
    assert json.loads((state / "started.json").read_text())["servers"]
    return config, state


def running() -> list[int]:
    return [child.pid for child in psutil.Process().children() if PROGRAM[-1] in child.cmdline()]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("up", DEFAULTS),
        ("up a.json", (Path("a.json"), DEFAULTS[1])),
        ("up --port 8080 a.json --state s --public", (Path("a.json"), Path("s"))),
        ("up --state s --https --for 2h", (DEFAULTS[0], Path("s"))),
        ("up --state a --state b", (DEFAULTS[0], Path("b"))),
        ("", None),
        ("check a.json", None),
        ("up a.json b.json", None),
        ("up --state", None),
        ("up --state=s", None),
        ("up --detach", None),
        ("up --help", None),
        ("up -- a.json", None),
        ("--version up", None),
    ],
)
def test_a_plain_command_line_is_read_as_click_reads_it(line: str, found: tuple[Path, Path] | None) -> None:
    words = line.split()
    assert find_files(words) == found
    if found is not None:
        parsed = up.make_context("up", words[1:], resilient_parsing=True).params
        assert (parsed["config"] or DEFAULTS[0], parsed["state"]) == found


def test_each_option_is_known_with_its_value_or_without() -> None:
    options = [option for option in up.params if isinstance(option, click.Option)]
    alone = {name for option in options if option.is_flag for name in option.opts}
    valued = {name for option in options if not option.is_flag for name in option.opts}
    assert alone - {"--detach"} == ALONE
    assert valued == WITH_VALUE


@pytest.mark.skipif(sys.platform != "linux", reason="nothing starts early elsewhere")
def test_what_has_begun_is_taken_over_by_the_verb_for_the_same_files(files: tuple[Path, Path]) -> None:
    config, state = files
    with begun(["up", str(config), "--state", str(state)], PROGRAM):
        (pid,) = running()
        early = take_begun(config, state)
        with early:
            assert running() == [pid], "it begins once"
            assert early.pids == {pid}
    assert running() == []


@pytest.mark.skipif(sys.platform != "linux", reason="nothing starts early elsewhere")
def test_whoever_took_it_over_ends_it(files: tuple[Path, Path]) -> None:
    config, state = files
    with begun(["up", str(config), "--state", str(state)], PROGRAM):
        early = take_begun(config, state)
    assert len(running()) == 1
    early.end()
    assert running() == []


@pytest.mark.skipif(sys.platform != "linux", reason="nothing starts early elsewhere")
@pytest.mark.parametrize("why", [KeyboardInterrupt, SystemExit])
def test_what_nobody_takes_over_is_ended_however_the_command_ends(
    files: tuple[Path, Path], why: type[BaseException]
) -> None:
    config, state = files
    with pytest.raises(why), begun(["up", str(config), "--state", str(state)], PROGRAM):  # noqa: PT012
        assert len(running()) == 1
        assert not take_begun(config, state.with_name("another")).pids
        raise why
    assert running() == []


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_no_pipe_takes_the_place_of_a_closed_stream(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    config, state = files
    with monkeypatch.context() as closed:
        closed.setattr(sys, stream, None)
        with begun(["up", str(config), "--state", str(state)], PROGRAM):
            assert running() == []


def test_for_any_other_command_line_nothing_begins(files: tuple[Path, Path]) -> None:
    config, state = files
    with begun(["check", str(config), "--state", str(state)], PROGRAM):
        assert running() == []


@pytest.mark.parametrize("which", ["config", "state"])
def test_a_path_at_which_no_file_can_be_is_left_to_the_verb(files: tuple[Path, Path], which: str) -> None:
    config, state = files
    too_long = config.with_name("a" * 300)
    paths = (too_long, state) if which == "config" else (config, too_long)
    with begun(["up", str(paths[0]), "--state", str(paths[1])], PROGRAM):
        assert running() == []
        assert not take_begun(*paths).pids
