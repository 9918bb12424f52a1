"""Says how much memory the machine has, and lets this process hold less of it."""

from __future__ import annotations

import ctypes
import os
import sys

_M_ARENA_MAX = -8
"""Source: https://man7.org/linux/man-pages/man3/mallopt.3.html"""


def machine_memory_bytes() -> int:
    """Returns the physical memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def share_heap() -> None:
    """Lets all threads of this process share one heap, where the C library can.

    glibc gives each thread a heap of its own, and what one has freed none of the others uses: some 4 MiB
    after a start. Of the threads of `mlapi up` only one does much at a time.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
