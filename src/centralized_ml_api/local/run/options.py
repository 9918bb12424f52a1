"""Holds what `mlapi up` was asked for, and how it speaks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from centralized_ml_api.commands import state_flags
from centralized_ml_api.config.durations import render_duration
from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of `mlapi up`.

    `https` serves HTTPS, with the user's `certificate` and `key` or with one of its own. `port` 0 takes a
    free port. `for_seconds` None serves until the event ends. `metrics_port` is where Prometheus may ask, on
    loopback only; None means nowhere.
    """

    config: Path
    state: Path
    host: str = "127.0.0.1"
    port: int = 8080
    for_seconds: float | None = None
    timeout_seconds: float = GATEWAY_TIMEOUT_SECONDS
    metrics_port: int | None = None
    public: bool = False
    https: bool = False
    certificate: Path | None = None
    key: Path | None = None

    def stops(self, now: datetime) -> datetime | None:
        """Returns when what starts now is to stop; None where no time was given."""
        return None if self.for_seconds is None else now + timedelta(seconds=self.for_seconds)

    @property
    def flags(self) -> tuple[str, ...]:
        """The words behind `mlapi up CONFIG` that ask for the same; none for what is the default."""
        usual = {field.name: field.default for field in fields(self)}
        found: list[str] = []
        if self.host != usual["host"]:
            found += ["--host", self.host]
        if self.port != usual["port"]:
            found += ["--port", str(self.port)]
        if self.for_seconds is not None:
            found += ["--for", render_duration(self.for_seconds)]
        if self.metrics_port is not None:
            found += ["--metrics-port", str(self.metrics_port)]
        if self.certificate is not None and self.key is not None:
            found += ["--certificate", str(self.certificate), "--key", str(self.key)]
        elif self.https:
            found += ["--https"]
        return (*found, *state_flags(self.state), *(["--public"] if self.public else []))


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the serving process speaks: `show` takes every status, `talk` a sentence, `fail` an error."""

    show: Callable[[LocalStatus], None]
    talk: Callable[[str], None]
    fail: Callable[[MlApiError], None]

    def that_goes_on(self) -> Terminal:
        """Returns a terminal that drops what it cannot write: a full disk or a closed one ends no API."""
        return Terminal(_try(self.show), _try(self.talk), _try(self.fail))


def _try(say: Callable[[Said], None]) -> Callable[[Said], None]:
    def try_to(said: Said) -> None:
        with contextlib.suppress(OSError):
            say(said)

    return try_to
