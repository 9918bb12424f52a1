"""Tells how long a process had no core: on a busy machine, one that computes must not look as if it hung."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from centralized_ml_api.local.python_engine.mlapi_model_server.call_clock import (
    LONGEST_STRETCH,
    read_waited_seconds,
)

CoreWaits = Mapping[int, float]
"""By the native id of a thread, for how many seconds it was ready to run and had no core so far."""

_PROCESSES = Path("/proc")


def read_core_waits(pid: int, processes: Path = _PROCESSES) -> CoreWaits:
    """Returns the waits of all threads of a process; empty where the system does not tell.

    Args:
        pid: The process.
        processes: Has a folder for each process.
    """
    tasks = processes / str(pid) / "task"
    try:
        threads = [int(task.name) for task in tasks.iterdir()]
    except (OSError, ValueError):
        return {}
    return {thread: read_waited_seconds(thread, tasks) for thread in threads}


def count_seconds(elapsed: float, before: CoreWaits, after: CoreWaits) -> float:
    """Returns how many seconds count as silence: those in which no thread waited for a core. Pure.

    At least a tenth of them count, so that a server that hangs is restarted on a busy machine too.

    Args:
        elapsed: How many seconds passed.
        before: The waits at their beginning.
        after: The waits at their end.
    """
    longest = max((waited - before.get(thread, 0.0) for thread, waited in after.items()), default=0.0)
    return max(elapsed - longest, elapsed / LONGEST_STRETCH)
