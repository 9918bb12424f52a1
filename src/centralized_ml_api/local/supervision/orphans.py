"""Finds and kills processes that outlived their supervisor, wherever they moved.

A process group ends with its supervisor, and on Linux a child dies with its parent. Neither reaches a
grandchild that moved to a session of its own or that outlived a killed supervisor. But everything that is
started below a supervisor inherits its mark, an environment variable (`child_setup.MARK`), which can be
searched for.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import psutil

from centralized_ml_api.local.supervision.child_setup import MARK

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

KILL_SECONDS = 5.0


def end_orphans(folder: Path, spared: Collection[int] = ()) -> int:
    """Kills every process of this user that has the folder's mark, except this process and its ancestors.

    Args:
        folder: The state folder.
        spared: The ids of processes that are not killed, either.

    Returns:
        How many were killed. They are gone by then, unless that took longer than `KILL_SECONDS`.
    """
    spared = {*spared, *_find_ancestors()}
    orphans = [
        process
        for process in _list_processes()
        if process.pid not in spared and _has_mark(process, str(folder))
    ]
    for process in orphans:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(orphans, timeout=KILL_SECONDS)
    return len(orphans)


def _list_processes() -> list[psutil.Process]:
    """Lists all processes; none if no file descriptor is left to look, because stopping must go on."""
    with contextlib.suppress(OSError):
        return list(psutil.process_iter())
    return []


def _has_mark(process: psutil.Process, folder: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get(MARK) == folder
    return False


def _find_ancestors() -> set[int]:
    """Returns the ids of this process and, as far as it may know them, of those above it."""
    found = {os.getpid()}
    with contextlib.suppress(psutil.Error):
        found |= {parent.pid for parent in psutil.Process().parents()}
    return found
