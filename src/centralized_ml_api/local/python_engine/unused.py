"""Environments of the cache that nobody used for long: they may have gigabytes, and are built again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import filelock

from centralized_ml_api.local.python_engine.environment import FOLDER, Environment
from centralized_ml_api.local.weights.cache import LOCK_NAME, cache_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNUSED_DAYS = 30
"""Longer than any event takes, so that nothing that runs loses its environment."""

_DAY_SECONDS = 86400


def remove_unused(cache: Path | None = None, *, now: float | None = None) -> tuple[int, int]:
    """Removes the environments that no start, no pull and no build touched for 30 days.

    Args:
        cache: Root of the cache; None takes `MLAPI_CACHE` or the user's own cache folder.
        now: Seconds since 1970; None takes the clock's.

    Returns:
        How many were removed, and how many bytes they had.
    """
    before = (time.time() if now is None else now) - UNUSED_DAYS * _DAY_SECONDS
    sizes = [_remove(one) for one in _unused(cache_root(cache) / FOLDER, before)]
    removed = [size for size in sizes if size is not None]
    return len(removed), sum(removed)


def _unused(folder: Path, before: float) -> Iterator[Environment]:
    for one in sorted(folder.glob("*/")):
        environment = Environment(one)
        is_empty = all(part.name == LOCK_NAME for part in one.iterdir())
        if not is_empty and environment.last_used < before:
            yield environment


def _remove(environment: Environment) -> int | None:
    """Its bytes; None when another process has it in its hands."""
    lock = filelock.FileLock(environment.folder / LOCK_NAME)
    try:
        with lock.acquire(blocking=False):
            size = sum(one.lstat().st_size for one in environment.folder.rglob("*") if not one.is_dir())
            environment.clear()
    except filelock.Timeout:
        return None
    return size
