"""Records every call: a line of JSON, and counts."""

from __future__ import annotations

import asyncio
import bisect
from collections import Counter
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from pathlib import Path

BUCKETS_MILLISECONDS = tuple(digit * 10**power for power in range(6) for digit in (1, 1.5, 2, 3, 5, 7))
_FLUSH_SECONDS = 0.25


class Records:
    """Collects lines, and writes them four times per second, like Envoy."""

    def __init__(self, path: Path) -> None:
        self._log = path.open("ab", buffering=0)
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self.requests = Counter[tuple[str, str, int]]()
        self.milliseconds = Counter[tuple[str, int]]()

    def add(self, line: dict[str, str | int | float]) -> None:
        """Records an answered call."""
        model, milliseconds = str(line["model"]), float(line["milliseconds"])
        self.requests[model, str(line["team"]), int(line["status"])] += 1
        self.milliseconds[model, bisect.bisect_left(BUCKETS_MILLISECONDS, milliseconds)] += 1
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        lines, self._lines = self._lines, []
        self._log.write(b"".join(lines))
