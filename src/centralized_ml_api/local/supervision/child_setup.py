"""Sets a child process up before its program runs. Imports little: the first child starts very early."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.launch import Launch

MARK = "MLAPI_STATE_FOLDER"
"""The mark: an environment variable with the state folder, inherited by all processes below a supervisor."""

_PR_SET_PDEATHSIG = 1
_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")
_STRICT = "2"
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def set_mark(folder: Path) -> None:
    """Marks everything that this process starts from now on as belonging to the state folder."""
    os.environ[MARK] = str(folder)


def inherited_mark() -> dict[str, str]:
    """Returns the mark as variables for a child's environment; empty if none is set."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}


def build_child_setup(launch: Launch) -> Callable[[], None] | None:
    """Returns what the child runs before its program; None where there is nothing to set up."""
    steps = [step for step in (_die_with(os.getpid()), _allow_stack(launch.stack_bytes)) if step]

    def set_up() -> None:
        for step in steps:
            step()

    return set_up if steps else None


def _allow_stack(stack_bytes: int | None, overcommit: Path = _OVERCOMMIT) -> Callable[[], None] | None:
    """Returns what lets the threads of a child recurse deeper than the system's default.

    A stack takes memory only where it is used. A kernel that counts all that could be used would refuse it.

    Source: https://man7.org/linux/man-pages/man3/pthread_create.3.html (RLIMIT_STACK is what a thread's stack
    gets) and https://docs.kernel.org/mm/overcommit-accounting.html (2: no overcommit)
    """
    with contextlib.suppress(OSError):
        if overcommit.read_text().strip() == _STRICT:
            return None
    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    if stack_bytes is None or sys.platform != "linux":
        return None
    allowed = stack_bytes if most == resource.RLIM_INFINITY else min(stack_bytes, most)

    def set_stack() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (allowed, most))

    return set_stack


def _die_with(parent: int) -> Callable[[], None] | None:
    """Returns what the child runs before its program, so that the kernel kills it when we die.

    Source: https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html
    """
    libc = _libc
    if libc is None:
        return None

    def set_death_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died between fork and prctl
            os.kill(os.getpid(), signal.SIGKILL)

    return set_death_signal
