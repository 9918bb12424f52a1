"""Processes that belong to a state folder, wherever they went.

A process group ends with its supervisor, and on Linux a child dies with its parent. Neither reaches a
grandchild that moved to a session of its own, or that outlived a supervisor which was killed. But whoever is
started below us inherits an environment variable, and that can be looked for.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import psutil

from centralized_ml_api.local.supervision.process import MARK

if TYPE_CHECKING:
    from pathlib import Path

KILL_SECONDS = 5.0


def end_orphans(folder: Path) -> int:
    """Kills every process of this user that carries the folder's mark, but this one and those above it.

    Returns:
        How many were killed; when it returns, they are gone.
    """
    strays = [process for process in _every_process() if _carries_mark(process, str(folder))]
    strays = [process for process in strays if process.pid not in _own_line()]
    for process in strays:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(strays, timeout=KILL_SECONDS)
    return len(strays)


def _every_process() -> list[psutil.Process]:
    """None where the machine has no descriptor left to look: what ends must end all the same."""
    with contextlib.suppress(OSError):
        return list(psutil.process_iter())
    return []


def _carries_mark(process: psutil.Process, folder: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get(MARK) == folder
    return False


def _own_line() -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return {os.getpid()}
