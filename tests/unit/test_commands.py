"""Commands that are printed: they work in the shell that reads them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from centralized_ml_api.commands import command, program, shown_path, state_flags

OURS = Path(sys.executable).with_name("mlapi")


def test_the_program_is_called_by_its_name_where_the_shell_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"/nowhere:{OURS.parent}")
    assert command("status") == "mlapi status"


def test_a_link_to_it_on_the_path_is_the_program_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlapi").symlink_to(OURS)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == ("mlapi",)


def test_uvx_puts_it_on_the_path_of_this_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UV", "/usr/bin/uv")
    monkeypatch.setenv("PATH", f"{OURS.parent}:{tmp_path}")
    assert command("status") == f"{OURS} status"
    monkeypatch.setenv("PATH", f"{tmp_path}:{OURS.parent}")  # uv started the shell around it
    assert command("status") == "mlapi status"
    monkeypatch.setenv("PATH", f"{OURS.parent}:{tmp_path}")
    (tmp_path / "mlapi").symlink_to(OURS)  # installed, too
    assert command("status") == "mlapi status"


@pytest.mark.parametrize("other", [False, True])
def test_where_the_shell_does_not_find_it_its_path_is_printed(
    *, other: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if other:
        (tmp_path / "mlapi").write_text("#!/bin/sh\n")
        (tmp_path / "mlapi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert program() == (str(OURS),)
    monkeypatch.chdir(OURS.parents[2])
    assert program() == (".venv/bin/mlapi",)


def test_without_a_script_python_runs_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert command("up") == f"{tmp_path}/python -m centralized_ml_api up"


def test_every_word_stays_one_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("call", "chat", '{"a": "it\'s"}', "--state", tmp_path / "else where")
    assert shlex.split(command(*words))[1:] == ["call", "chat", '{"a": "it\'s"}', "--state", "else where"]


def test_a_path_is_shown_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "a/b.json") == "a/b.json"
    assert shown_path(tmp_path.parent / "b.json") == str(tmp_path.parent / "b.json")


def test_the_default_state_folder_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_flags(Path(".mlapi")) == state_flags(tmp_path / ".mlapi") == ()
    assert state_flags(tmp_path / "other") == ("--state", "other")
