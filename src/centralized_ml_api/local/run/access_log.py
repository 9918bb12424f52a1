"""Keeps Envoy's access log bounded: past the limit it is begun anew, and one older part is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

LIMIT_BYTES = 50 * 1024 * 1024
LOOK_SECONDS = 10.0
_PATIENCE = 2


async def keep_bounded(
    log: Path,
    reopen: Callable[[], Awaitable[None]],
    collect: Callable[[], Awaitable[bool]],
    *,
    limit_bytes: int = LIMIT_BYTES,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Looks at `log` again and again until cancelled.

    Args:
        log: what its writer adds to.
        reopen: makes the writer open the file anew; done too when the file is gone.
        collect: counts what is new in the log, before each look at its size; says whether it could. While it
            cannot, the log may grow to twice the limit.
        limit_bytes: from this size on it is begun anew.
        look_seconds: between two looks.
    """
    while True:
        await asyncio.sleep(look_seconds)
        collected = await collect()
        if rotate(log, limit_bytes if collected else limit_bytes * _PATIENCE) or is_gone(log):
            await reopen()


def rotate(log: Path, limit_bytes: int) -> bool:
    """Renames a log over the limit to `<name>.1`; says whether it did. A full disk changes nothing."""
    try:
        if log.stat().st_size < limit_bytes:
            return False
        log.replace(log.with_name(f"{log.name}.1"))
    except OSError:
        return False
    return True


def is_gone(log: Path) -> bool:
    """Whether nothing has the log's name, so that its writer writes where nobody reads."""
    return not log.exists()
