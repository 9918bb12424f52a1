"""The log of one process: a bounded file, and its last lines for the message when it fails."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAST_LINES = 20
LIMIT_BYTES = 10 * 1024 * 1024


class ServerLog:
    """Appends to `path`; past the limit it becomes `<path>.1`, so a log takes at most twice that.

    A disk that is full loses log lines, never the process: its output is always read. `hide` takes out of
    every line what no log may have.
    """

    def __init__(
        self, path: Path, *, limit_bytes: int = LIMIT_BYTES, hide: Callable[[str], str] | None = None
    ) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._hide = hide
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def write(self, line: bytes) -> None:
        """Takes one line (with or without its line end)."""
        if self._hide is not None:
            line = self._hide(line.decode("utf-8", errors="replace")).encode()
        self._last.append(line.decode("utf-8", errors="replace").rstrip())
        try:
            self._append(line if line.endswith(b"\n") else line + b"\n")
        except OSError:
            return

    def last_lines(self, count: int = LAST_LINES) -> list[str]:
        """The newest lines, oldest first, at most `count`."""
        return [line for line in self._last if line][-count:]

    def forget(self) -> None:
        """Starts the last lines anew: what follows belongs to another process."""
        self._last.clear()

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)
            full = file.tell() >= self._limit_bytes
        if full:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
