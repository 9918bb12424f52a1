"""The counting while `mlapi up` runs."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.usage.collector import UsageCollector


class UsageKeeper:
    """Collects as often as asked; `talk` is told when that begins to fail, and when it works again."""

    def __init__(self, collector: UsageCollector, talk: Callable[[str], None]) -> None:
        self._collector = collector
        self._talk = talk
        self._trouble = ""

    async def collect(self) -> bool:
        """Counts what is new, beside the event loop; says whether it could. Disks raise nothing here."""
        try:
            await asyncio.to_thread(self._collector.collect)
        except (sqlite3.Error, OSError) as error:
            self._say(f"calls are not counted for `mlapi usage`: {error}")
            return False
        self._say("")
        return True

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._talk(trouble or "Calls are counted again, with those of meanwhile.")
