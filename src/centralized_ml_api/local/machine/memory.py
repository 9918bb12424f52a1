"""Says how much memory the machine has."""

from __future__ import annotations

import os


def machine_memory_bytes() -> int:
    """Returns the physical memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
