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

if TYPE_CHECKING:
    from pathlib import Path

MARK = "MLAPI_STATE_FOLDER"
KILL_SECONDS = 5.0


def set_mark(folder: Path) -> None:
    """Marks what this process starts from now on as belonging to the state folder."""
    os.environ[MARK] = str(folder)


def inherited_mark() -> dict[str, str]:
    """The mark as an environment to add to a child's; empty where none is set."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}


def end_strays(folder: Path) -> int:
    """Kills every process of this user that carries the folder's mark, but this one and those above it.

    Returns:
        How many were killed; when it returns, they are gone.
    """
    strays = [process for process in psutil.process_iter() if _carries_mark(process, str(folder))]
    strays = [process for process in strays if process.pid not in _own_line()]
    for process in strays:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(strays, timeout=KILL_SECONDS)
    return len(strays)


def _carries_mark(process: psutil.Process, folder: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get(MARK) == folder
    return False


def _own_line() -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return {os.getpid()}
