"""`mlapi down` stops what runs, and says how to start it again."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from centralized_ml_api.local.machine.state_folder import Run, StateFolder, read_birth
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("config", "folder", "shown"),
    [
        ("config/my.json", ".mlapi", "config/my.json"),
        ("/else where", ".mlapi", "'/else where'"),
        ("my.json", "other", "my.json --port 9000 --state other"),
    ],
)
def test_down_says_how_to_start_the_same_api_again(
    config: str, folder: str, shown: str, tmp_path: Path
) -> None:
    with (
        StateFolder(tmp_path / folder) as state,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process,
    ):
        born = read_birth(psutil.Process(process.pid))
        flags = ("--port", "9000", "--state", folder) if folder != ".mlapi" else ()
        state.write_run(Run(process.pid, born, str(tmp_path / config), flags))
        ran = mlapi("down", "--state", folder, cwd=tmp_path)
    assert ran.status == 0
    assert ran.talk.splitlines()[-1] == f"Next: mlapi up {shown}"
