"""Describes what the numbers of a measurement depend on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def describe_machine(**versions: str) -> dict[str, Any]:
    """Returns the date, the machine, and the versions of Python and of the given programs."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), **versions},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
