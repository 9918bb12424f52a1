"""What `mlapi up` was asked for, and how it speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.plan.model import GATEWAY_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `up` was asked for. `port` 0 takes a free one; `for_seconds` None serves until the event ends.

    `metrics_port` is where Prometheus may ask, on loopback only; None is nowhere.
    """

    config: Path
    state: Path
    host: str = "127.0.0.1"
    port: int = 8080
    for_seconds: float | None = None
    timeout_seconds: float = GATEWAY_TIMEOUT_SECONDS
    metrics_port: int | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the serving process speaks: `show` after every change, `talk` a sentence, `fail` an error."""

    show: Callable[[LocalStatus], None]
    talk: Callable[[str], None]
    fail: Callable[[MlApiError], None]
