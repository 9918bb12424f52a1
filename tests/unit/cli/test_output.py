"""What verbs say on the way: warnings on one line, the end of a log, a disk that is full, what to do next."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from centralized_ml_api.cli.verbs.logs import BLOCK_BYTES, TAIL_LINES
from centralized_ml_api.local.machine.state_folder import Run, StateFolder, read_birth
from support.local_api import MLAPI, mlapi

FULL = Path("/dev/full")
ONLY_WITH_FULL = pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
ENDPOINT = {"name": "a", "integration": {"type": "api", "headers": ["Accept"]}}


@pytest.mark.parametrize("verb", [["plan"], ["pull", "--config"]])
def test_warnings_are_one_line_that_says_where_to_read_them(verb: list[str], tmp_path: Path) -> None:
    (tmp_path / "my models.json").write_text(json.dumps({"models": [], "endpoints": [ENDPOINT]}))
    ran = mlapi(*verb, "my models.json", cwd=tmp_path)
    assert ran.status == 0
    assert ran.talk.splitlines()[0] == "my models.json: 1 warning, see: mlapi check 'my models.json'"
    assert "C204" not in ran.talk


@ONLY_WITH_FULL
@pytest.mark.parametrize("arguments", [["explain"], ["explain", "C102"], ["schema"], ["--help"]])
def test_a_full_disk_is_one_line_and_status_1(arguments: list[str], tmp_path: Path) -> None:
    with FULL.open("w") as full:
        ran = subprocess.run(
            [*MLAPI, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert (ran.returncode, ran.stderr) == (1, b"error: cannot write: No space left on device\n")


@ONLY_WITH_FULL
def test_when_nobody_can_be_told_either_the_status_still_says_it(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        ran = subprocess.run(
            [*MLAPI, "explain"], cwd=tmp_path, stdout=full, stderr=full, check=False, timeout=60
        )
    assert ran.returncode == 1


LONG = "x" * (BLOCK_BYTES // 20)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line, not ended",
        "\n".join(str(number) for number in range(TAIL_LINES + 1)),
        "\n".join(f"{number} {LONG}" for number in range(200)) + "\n",
        "\n" * 200,
        LONG * 100 + "\nend\n",
    ],
    ids=["empty", "unended", "one-more", "blocks", "blank", "long-line"],
)
def test_the_end_of_a_log_is_its_last_lines_however_they_lie_in_blocks(text: str, tmp_path: Path) -> None:
    logs = tmp_path / ".mlapi" / "logs"
    logs.mkdir(parents=True)
    (logs / "up.log").write_text(text)
    assert mlapi("logs", "up", cwd=tmp_path).out == "".join(text.splitlines(keepends=True)[-TAIL_LINES:])


@pytest.mark.parametrize(
    ("config", "folder", "shown"),
    [
        ("config/my.json", ".mlapi", "config/my.json"),
        ("/else where", ".mlapi", "'/else where'"),
        ("my.json", "other", "my.json --state other"),
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
        state.write_run(Run(process.pid, born, str(tmp_path / config)))
        ran = mlapi("down", "--state", folder, cwd=tmp_path)
    assert ran.status == 0
    assert ran.talk.splitlines()[-1] == f"Next: mlapi up {shown}"
