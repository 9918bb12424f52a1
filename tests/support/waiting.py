"""Waiting on events with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEADLINE_SECONDS = 30.0
LOOK_SECONDS = 0.02


def wait_until(condition: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Returns when `condition` is true; fails naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(LOOK_SECONDS)


async def until(condition: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """The same for an event loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        await asyncio.sleep(LOOK_SECONDS)


def text_of(log: Path) -> str:
    """What a log says so far; nothing before there is one, which a process makes with its first line."""
    return log.read_text() if log.exists() else ""
