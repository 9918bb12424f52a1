"""The process of the admission service."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.terms import SLEEPERS_SOCKET
from centralized_ml_api.local.envoy.admin import shorten_path
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

TOLD = {"number": 1, "entries": {"ocr": {"state": "asleep", "ready_in": None}}}


def connects(supervisor: socket.socket, folder: Path) -> bool:
    try:
        with shorten_path(folder / SLEEPERS_SOCKET) as name:
            supervisor.connect(str(name))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


@pytest.mark.slow
def test_it_ends_without_a_word_while_the_supervisor_is_connected(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "centralized_ml_api.local.admission"]
    with (
        subprocess.Popen(program, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process,
        socket.socket(socket.AF_UNIX) as supervisor,
    ):
        wait_until(lambda: connects(supervisor, tmp_path), "it listens")
        supervisor.sendall(json.dumps(TOLD).encode() + b"\n")
        assert json.loads(supervisor.makefile().readline())["number"] == 1
        process.terminate()
        assert process.stderr is not None
        assert (process.wait(60), process.stderr.read()) == (0, "")
