"""How much memory a process has used at most."""

from __future__ import annotations

import re
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_memory_mib(pid: int) -> int | None:
    """The peak of its resident memory; None where the kernel does not say (Linux does: proc(5), VmHWM)."""
    try:
        peak = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return None
    return int(peak[1]) // 1024 if peak else None
