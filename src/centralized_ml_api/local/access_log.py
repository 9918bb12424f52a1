"""Keeps Envoy's access log bounded: past the limit it is begun anew, and one older part is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

LIMIT_BYTES = 50 * 1024 * 1024
LOOK_SECONDS = 10.0


async def keep_bounded(
    log: Path,
    reopen: Callable[[], Awaitable[None]],
    *,
    limit_bytes: int = LIMIT_BYTES,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Looks at `log` again and again until cancelled; `reopen` makes its writer open the file anew."""
    while True:
        await asyncio.sleep(look_seconds)
        if rotate(log, limit_bytes):
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
