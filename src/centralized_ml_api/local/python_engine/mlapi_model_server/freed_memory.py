"""Gives the memory that calls have freed back to the machine.

An allocator keeps freed pieces for the next call, each between others that are in use. After one large call a
process would keep hundreds of MiB for as long as it lives.

Source: https://man7.org/linux/man-pages/man3/malloc_trim.3.html (all arenas, whole pages; glibc alone has it)
and https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html (the second and third number)
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 2**20

KEPT_BYTES = 32 * MIB
"""What is not worth the milliseconds that giving it back takes, and taking it again."""

_SIZES = Path("/proc/self/statm")


def read_own_bytes(sizes: Path = _SIZES) -> int:
    """Returns the memory that this process has and shares with nobody; 0 where nothing says that."""
    try:
        _, resident, shared = sizes.read_text(encoding="ascii").split()[:3]
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def find_trim() -> Callable[[], object]:
    """Returns a function that makes the allocator give back what is free, or does nothing if it cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim else (lambda: None)


class FreedMemory:
    """What the calls of one thread have freed, once the model is loaded.

    Args:
        read: Returns the bytes that the process has.
        trim: Gives back what is free.
    """

    def __init__(
        self, read: Callable[[], int] = read_own_bytes, trim: Callable[[], object] | None = None
    ) -> None:
        self._read = read
        self._trim = trim or find_trim()
        self._needed = read()

    def give_back(self, *, is_idle: bool) -> None:
        """Gives back what a call has freed, if the process has more than it last needed between calls.

        Args:
            is_idle: Whether no call is under way. What the process then still has, it needs.
        """
        held = self._read()
        if held > self._needed + KEPT_BYTES:
            self._trim()
            held = self._read()
            if is_idle:
                self._needed = held
        self._needed = min(self._needed, held)
