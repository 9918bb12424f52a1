"""A process of its own each time: the limits are those of a whole process."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.machine.descriptors import ENOUGH

if TYPE_CHECKING:
    from pathlib import Path

RAISE = """
import resource, sys
from centralized_ml_api.local.machine.descriptors import raise_descriptors
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), hard))
raise_descriptors()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
NONE_LEFT = """
import asyncio, pathlib, resource, sys
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.ports import free_port
from centralized_ml_api.local.supervision.process import ServerLog
from centralized_ml_api.local.supervision.process import start_process

async def main():
    log = ServerLog(pathlib.Path(sys.argv[1]))
    launch = Launch(argv=(sys.executable, "-V"), environment={}, cwd=pathlib.Path.cwd())
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        await start_process(launch, log)
    except StartError as error:
        print(error.message)
    try:
        free_port()
    except StartError as error:
        print(error.message)

asyncio.run(main())
"""


def printed(script: str, argument: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, argument], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("soft", [128, 256])
def test_a_low_limit_of_the_shell_is_raised(soft: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    assert printed(RAISE, str(soft)) == [str(most)]


def test_without_descriptors_nothing_starts_and_that_is_an_expected_error(tmp_path: Path) -> None:
    process, port = printed(NONE_LEFT, str(tmp_path / "log"))
    assert process.endswith("could not be started: Too many open files")
    assert port == "no free port was found: Too many open files"
