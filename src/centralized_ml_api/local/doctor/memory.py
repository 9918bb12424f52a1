"""Whether the models fit into this machine's memory, roughly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from centralized_ml_api.local.weights import render_bytes
from centralized_ml_api.plan.engines import ENGINES
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from centralized_ml_api.config.schema import Local

CHECK = "memory"
BYTES_FOR_THE_API = 200_000_000
"""Envoy, the supervisor and a Lambda host."""
BYTES_FOR_A_SERVER = 700_000_000
"""One process of a small model; a large one takes more than its file of weights."""


def check(served: Sequence[Local]) -> Iterator[Finding]:
    """One finding: a rough need against what is free. A warning only, since the need is a guess."""
    available: int = psutil.virtual_memory().available
    yield compare(available, served)


def compare(available_bytes: int, served: Sequence[Local]) -> Finding:
    """The finding for that much free memory. Pure."""
    processes = sum(one.replicas for one in served if ENGINES[one.engine].runs_here)
    needed = BYTES_FOR_THE_API + processes * BYTES_FOR_A_SERVER
    need = f"about {render_bytes(needed)} for the API and {processes} of models"
    words = f"{render_bytes(available_bytes)} free; {need}"
    if available_bytes >= needed:
        return Finding(CHECK, "ok", "the memory should do", words)
    fix = "stop other programs, lower `replicas`, or take smaller models"
    return Finding(CHECK, "warning", "the memory may not do", words, fix)
