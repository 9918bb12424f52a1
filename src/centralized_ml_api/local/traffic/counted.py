"""What Envoy has counted since it started. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from centralized_ml_api.local.traffic.limits import TeamLimit, parse_limits

METRICS_PATH = "/metrics"
"""Where Prometheus fetches it."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Calls that were answered alike. `model` is empty for paths of no model, `team` without a key."""

    model: str
    team: str
    status: int
    count: int


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the calls of a model took: `buckets` are (upper bound in milliseconds, calls up to it).

    The last bound is infinite. `sum_milliseconds` is that of all calls.
    """

    model: str
    buckets: tuple[tuple[float, int], ...]
    sum_milliseconds: float


@dataclass(frozen=True, slots=True)
class Counted:
    """All of it; `in_flight` are the calls under way, by upstream as Envoy has it, by model after `read`."""

    requests: tuple[Requests, ...] = ()
    durations: tuple[Durations, ...] = ()
    in_flight: Mapping[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        durations = [
            {
                "model": one.model,
                "buckets": [(None if bound == inf else bound, count) for bound, count in one.buckets],
                "sum_milliseconds": one.sum_milliseconds,
            }
            for one in self.durations
        ]
        return {**asdict(self), "durations": durations}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Counted:
        """What `to_json` made, also after a way through JSON."""
        return cls(
            tuple(Requests(**one) for one in value["requests"]),
            tuple(_durations(**one) for one in value["durations"]),
            value["in_flight"],
        )


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was called until `at` (seconds of a clock that only goes forward) and what teams may.

    `counted` is None while the gateway does not answer.
    """

    at: float
    counted: Counted | None
    limits: tuple[TeamLimit, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        counted = self.counted.to_json() if self.counted else None
        return {"at": self.at, "counted": counted, "limits": [one.to_json() for one in self.limits]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Traffic:
        """What `to_json` made, also after a way through JSON."""
        counted = Counted.from_json(value["counted"]) if value["counted"] else None
        return cls(value["at"], counted, parse_limits(value["limits"]))


def _durations(model: str, buckets: Iterable[tuple[float | None, int]], sum_milliseconds: float) -> Durations:
    """JSON has no number for the infinite bound, so it is null there."""
    pairs = ((inf if bound is None else bound, count) for bound, count in buckets)
    return Durations(model, tuple(pairs), sum_milliseconds)
