"""Notices that files were edited: a look a second at their sizes and times."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 0.25


async def watch_files(paths: Callable[[], Iterable[Path]], changed: Callable[[], Awaitable[None]]) -> None:
    """Calls `changed` after every edit, until cancelled.

    `paths` may differ from look to look: one that is new is only remembered. Several edits in a row count as
    one, once the files have rested for a moment.
    """
    known = await _look(paths)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        seen = await _look(paths)
        edited = any(known.get(path, seen[path]) != seen[path] for path in seen)
        known = seen
        if edited:
            known = await _rest(paths, seen)
            await changed()


async def _rest(paths: Callable[[], Iterable[Path]], seen: dict[Path, str]) -> dict[Path, str]:
    while True:
        await asyncio.sleep(SETTLE_SECONDS)
        again = await _look(paths)
        if again == seen:
            return seen
        seen = again


async def _look(paths: Callable[[], Iterable[Path]]) -> dict[Path, str]:
    return await asyncio.to_thread(lambda chosen: {path: fingerprint(path) for path in chosen}, list(paths()))
