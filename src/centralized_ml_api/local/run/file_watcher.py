"""Watches files while the API serves: edits, a deleted state folder, an access log that grows too large."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.machine.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 0.25
LOG_LOOK_SECONDS = 10.0
LOG_LIMIT_BYTES = 50 * 1024 * 1024


async def watch_edits(
    paths: Callable[[], Iterable[Path]],
    changed: Callable[[], Awaitable[None]],
    clock: Clock = WALL_CLOCK,
    *,
    is_applied: Callable[[], Awaitable[bool]],
) -> None:
    """Calls `changed` after every edit, until cancelled.

    Args:
        paths: Returns the files and folders to look at. A path that is new is only remembered.
        changed: Several edits in a row count as one, once the files have rested for a moment.
        clock: Waits between two looks.
        is_applied: Returns whether what is saved is applied; asked once, for an edit before the first look.
    """
    known = await _look(paths)
    if not await is_applied():
        known = await _rest(paths, known, clock)
        await changed()
    while True:
        await clock.sleep(LOOK_SECONDS)
        seen = await _look(paths)
        edited = any(known.get(path, seen[path]) != seen[path] for path in seen)
        known = seen
        if edited:
            known = await _rest(paths, seen, clock)
            await changed()


async def _rest(paths: Callable[[], Iterable[Path]], seen: dict[Path, str], clock: Clock) -> dict[Path, str]:
    """Waits until two looks in a row show the same, and returns that."""
    while True:
        await clock.sleep(SETTLE_SECONDS)
        again = await _look(paths)
        if again == seen:
            return seen
        seen = again


async def _look(paths: Callable[[], Iterable[Path]]) -> dict[Path, str]:
    return await asyncio.to_thread(lambda chosen: {path: fingerprint(path) for path in chosen}, list(paths()))


async def watch_state_folder(
    restore: Callable[[], bool],
    restored: Callable[[], Awaitable[None]],
    say: Callable[[str], None],
    clock: Clock = WALL_CLOCK,
) -> None:
    """Makes a deleted state folder again, until cancelled: `status` and `down` must still find this process.

    Args:
        restore: Makes the folder again where it was deleted, and returns whether it was. After an `OSError`
            the next look tries again.
        restored: Called after that.
        say: Takes a sentence when making the folder begins to fail.
        clock: Waits between two looks.

    Raises:
        StartError: As `restore` does: the folder belongs to another process now.
    """
    trouble = ""
    while True:
        await clock.sleep(LOOK_SECONDS)
        before, trouble = trouble, ""
        try:
            if restore():
                await restored()
        except OSError as error:
            trouble = f"the state folder cannot be made again; trying on: {error.strerror or error}"
        if trouble and trouble != before:
            say(trouble)


async def watch_access_log(
    log: Path,
    reopen: Callable[[], Awaitable[None]],
    collect: Callable[[], Awaitable[bool]],
    *,
    limit_bytes: int = LOG_LIMIT_BYTES,
    clock: Clock = WALL_CLOCK,
) -> None:
    """Keeps `log` bounded until cancelled: past the limit a new one begins, and one older part is kept.

    Args:
        log: The file that the gateway appends to.
        reopen: Makes the gateway open the file anew; called also when the file is gone.
        collect: Counts what is new in the log, before each look at its size, and returns whether it could.
            While it cannot, the log may grow to twice the limit.
        limit_bytes: From this size on a new log begins.
        clock: Waits between two looks.
    """
    while True:
        await clock.sleep(LOG_LOOK_SECONDS)
        most_bytes = limit_bytes if await collect() else limit_bytes * 2
        if rotate(log, most_bytes) or _is_gone(log):
            await reopen()


def _is_gone(log: Path) -> bool:
    return not log.exists()


def rotate(log: Path, limit_bytes: int) -> bool:
    """Renames a log over the limit to `<name>.1`; returns whether it did. A full disk changes nothing."""
    try:
        if log.stat().st_size < limit_bytes:
            return False
        log.replace(log.with_name(f"{log.name}.1"))
    except OSError:
        return False
    return True
