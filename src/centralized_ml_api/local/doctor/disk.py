"""Whether there is room for weights and for the packages of python models."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from centralized_ml_api.local.weights import render_bytes
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECK = "disk"
COMFORTABLE_BYTES = 1_000_000_000
"""Room for the default model several times over; `mlapi up` itself knows the exact sizes and says so."""


def check(cache: Path) -> Iterator[Finding]:
    """One finding: the free space where they are kept, and whether it may be written to."""
    folder = next(one for one in (cache, *cache.parents) if one.exists())
    free = shutil.disk_usage(folder).free
    where = f"{render_bytes(free)} free in {cache}"
    fix = "name another folder: MLAPI_CACHE=/a/folder"
    if not os.access(folder, os.W_OK):
        yield Finding(CHECK, "error", f"{folder} cannot be written to", where, fix)
    elif free < COMFORTABLE_BYTES:
        yield Finding(CHECK, "warning", "little room for weights", where, f"free some space, or {fix}")
    else:
        yield Finding(CHECK, "ok", "there is room for weights", where)
