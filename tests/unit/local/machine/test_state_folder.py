"""The state folder: one owner at a time, private, and honest about who that is."""

from __future__ import annotations

import re
import shutil
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from centralized_ml_api.errors import NotRunningError, StartError
from centralized_ml_api.local.machine.state_folder import Run, StateFolder, read_birth
from centralized_ml_api.local.run.control_client import ControlClient


def test_a_second_owner_is_told_who_holds_it(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as first:
        first.write_run(Run.of_this_process("config/models.json"))
        with (
            pytest.raises(
                StartError, match=r"held by mlapi \(pid \d+\) serving config/models.json"
            ) as caught,
            StateFolder(tmp_path / "state"),
        ):
            pass
        assert "mlapi down" in caught.value.fix
    with StateFolder(tmp_path / "state"):
        pass


@pytest.mark.slow
def test_of_many_that_make_it_at_once_none_takes_it_for_anothers(tmp_path: Path) -> None:
    def take(path: Path) -> str:
        try:
            with StateFolder(path):
                return ""
        except StartError as error:
            return error.message

    paths = [tmp_path / str(number // 8) for number in range(800)]
    with ThreadPoolExecutor(8) as pool:
        said = set(filter(None, pool.map(take, paths)))
    assert [message for message in said if "is held by another mlapi" not in message] == []


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as state:
        state.write_run(Run.of_this_process("models.json").reachable("http://127.0.0.1:1", "secret"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [state.path, *state.path.iterdir()]}
    assert modes == {
        "state": 0o700,
        ".gitignore": 0o600,
        "logs": 0o700,
        "gateway": 0o700,
        "lock": 0o600,
        "run.json": 0o600,
        "scratch": 0o700,
    }


def test_git_takes_nothing_of_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    with StateFolder(tmp_path / "state") as state:
        state.write_run(Run.of_this_process("models.json"))
    added = subprocess.run(
        ["git", "-C", str(tmp_path), "add", "--all", "--dry-run"], capture_output=True, check=True
    )
    assert added.stdout == b""


def test_the_run_is_gone_with_its_owner(tmp_path: Path) -> None:
    with StateFolder(tmp_path) as state:
        state.write_run(Run.of_this_process("models.json"))
        assert state.load_run() == Run.of_this_process("models.json")
    with pytest.raises(NotRunningError, match="nothing runs"):
        state.load_run()


def test_the_advice_to_stop_what_holds_a_folder_stops_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with StateFolder(folder), pytest.raises(StartError) as held, StateFolder(folder):
        pass
    stop = f"mlapi down --state {folder}"
    assert held.value.fix == f"name another folder with --state, or stop what runs with this one: {stop}"
    client = ControlClient(Run.of_this_process("models.json"), folder)
    with pytest.raises(NotRunningError) as silent:
        client.status()
    assert silent.value.fix == f"try again, or end it: {stop}"


def test_the_run_of_a_process_that_was_killed_is_not_believed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    state = StateFolder(tmp_path)
    state.write_run(Run(int(done.stdout), 1.0, "models.json"))
    with pytest.raises(NotRunningError):
        state.load_run()


def test_a_process_id_given_to_another_program_is_not_believed(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.write_run(replace(Run.of_this_process("models.json"), born=1.0))
    with pytest.raises(NotRunningError):
        state.load_run()


def test_a_process_of_before_the_machine_started_is_not_taken_for_one_with_its_id_now(
    tmp_path: Path,
) -> None:
    state = StateFolder(tmp_path / "state")
    with state:
        here = Run.of_this_process("models.json", ("--port", "81"))
        state.write_run(here)
        assert state.load_run() == here
        state.write_run(replace(here, boot="another"))
        with pytest.raises(NotRunningError):
            state.load_run()
        assert state.last_run() == replace(here, boot="another")


def test_stopping_a_run_ends_its_process_and_stopping_it_again_does_nothing() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        run = Run(process.pid, read_birth(psutil.Process(process.pid)), "models.json")
        assert run.alive
        run.stop()
        assert not run.alive
        run.stop()
        assert process.wait() == -signal.SIGTERM


def test_stopping_a_run_spares_another_program_with_the_same_process_id() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        Run(process.pid, 1.0, "models.json").stop()
        assert process.poll() is None
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system itself keeps the wall clock's time")
def test_a_clock_that_is_set_hides_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.of_this_process("models.json")
    system = Path("/proc/stat").read_text()
    started = re.search(r"btime (\d+)", system)
    assert started is not None
    (tmp_path / "stat").write_text(system.replace(started[0], f"btime {int(started[1]) - 3600}"))
    (tmp_path / str(run.pid)).symlink_to(f"/proc/{run.pid}")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert run.alive


def test_a_folder_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    run = Run.of_this_process("models.json")
    with StateFolder(tmp_path / "state") as state:
        state.write_run(run)
        assert not state.restore(run)
        shutil.rmtree(state.path)
        assert state.restore(run)
        assert state.load_run() == run


def test_a_run_file_that_cannot_be_read_just_now_is_there_all_the_same(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as state:
        (state.path / "run.json").mkdir()
        assert not state.restore(Run.of_this_process("models.json"))
        (state.path / "run.json").rmdir()


def test_a_folder_that_another_has_taken_is_not_taken_back(tmp_path: Path) -> None:
    run = Run.of_this_process("models.json")
    with StateFolder(tmp_path / "state") as state:
        state.path.rename(tmp_path / "away")
        with StateFolder(state.path), pytest.raises(StartError, match="is held by another mlapi"):
            state.restore(run)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "other": 2}'])
def test_a_damaged_run_file_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(NotRunningError):
        StateFolder(tmp_path).load_run()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="cannot be written"), StateFolder(tmp_path / "file" / "state"):
        pass
