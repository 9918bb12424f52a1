"""`mlapi completion` prints what a shell evaluates; it then completes verbs and flags."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.verbs import mlapi

PROGRAM = Path(sys.executable).with_name("mlapi")


@pytest.mark.parametrize(
    ("shell", "function"),
    [
        ("bash", "complete -o nosort -F _mlapi_completion mlapi"),
        ("zsh", "compdef _mlapi_completion mlapi"),
        ("fish", 'complete --no-files --command mlapi --arguments "(_mlapi_completion)"'),
    ],
)
def test_the_script_is_that_of_the_shell(shell: str, function: str, tmp_path: Path) -> None:
    ran = mlapi("completion", shell, cwd=tmp_path)
    assert (ran.status, ran.talk) == (0, "")
    assert f"_MLAPI_COMPLETE={shell}_complete" in ran.out
    assert function in ran.out


def test_another_shell_is_a_usage_error(tmp_path: Path) -> None:
    assert mlapi("completion", "ksh", cwd=tmp_path).status == 2


@pytest.mark.parametrize(
    ("shell", "asked", "answer"),
    [
        ("bash", {"COMP_WORDS": "mlapi stat", "COMP_CWORD": "1"}, "plain,status\n"),
        ("bash", {"COMP_WORDS": "mlapi up --met", "COMP_CWORD": "2"}, "plain,--metrics-port\n"),
        ("zsh", {"COMP_WORDS": "mlapi stat", "COMP_CWORD": "1"}, "plain\nstatus\nShow what runs here: "),
        ("fish", {"COMP_WORDS": "mlapi stat", "COMP_CWORD": "stat"}, "plain,status\tShow what runs here: "),
    ],
)
def test_the_shell_is_answered_what_it_asks(
    shell: str, asked: dict[str, str], answer: str, tmp_path: Path
) -> None:
    environment = {**os.environ, **asked, "_MLAPI_COMPLETE": f"{shell}_complete"}
    ran = subprocess.run(
        [PROGRAM], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.startswith(answer)
    assert ran.stdout.count("plain") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("shell", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_script_is_valid_where_its_shell_is_installed(shell: str, check: str, tmp_path: Path) -> None:
    """What the README says for zsh and fish can be tried only there."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed here")
    script = tmp_path / f"mlapi.{shell}"
    script.write_text(mlapi("completion", shell, cwd=tmp_path).out)
    checked = subprocess.run(
        [program, check, script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (checked.returncode, checked.stderr) == (0, "")
