"""Tells the time and waits: what is handed to everything that does either, so that tests bring their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from centralized_ml_api.record import record


@record
class Clock:
    """The wall clock; a wait in seconds; and seconds that only grow, which measure how long things take."""

    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    monotonic: Callable[[], float] = time.monotonic


WALL_CLOCK = Clock(lambda: datetime.now(UTC), asyncio.sleep)
