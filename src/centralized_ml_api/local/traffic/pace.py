"""From what was counted at two instants: how much is called now, and how it goes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.local.traffic.counted import Counted, Requests

_TOO_MANY = 429
_FIRST_ERROR = 400


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a model or a team: calls, errors (400 and above) and refusals (429) a second.

    `p50_milliseconds` and `p95_milliseconds` are None without a call, and for teams.
    """

    requests_per_second: float
    errors_per_second: float
    refused_per_second: float
    p50_milliseconds: float | None = None
    p95_milliseconds: float | None = None


def pace_of_model(model: str, before: Counted, now: Counted, seconds: float) -> Pace:
    """How the model is called between two instants that are `seconds` apart."""
    rates = _rates(lambda one: one.model == model, before, now, seconds)
    counts = _new_durations(model, before, now)
    return Pace(*rates, percentile(counts, 0.5), percentile(counts, 0.95))


def pace_of_team(team: str, before: Counted, now: Counted, seconds: float) -> Pace:
    """How the team calls between two instants that are `seconds` apart."""
    return Pace(*_rates(lambda one: one.team == team, before, now, seconds))


def percentile(counts: Iterable[tuple[float, int]], share: float) -> float | None:
    """What `share` of the calls did not exceed; None without any.

    Args:
        counts: (upper bound in milliseconds, calls up to it), ascending; the last bound may be infinite.
        share: such as 0.95.

    Returns:
        Milliseconds, in the right bucket, and within it as if its calls were spread evenly. In the infinite
        bucket its lower bound.
    """
    bounds = [(0.0, 0), *counts]
    rank = share * bounds[-1][1]
    if not rank:
        return None
    for (low, below), (high, up_to) in pairwise(bounds):
        if up_to >= rank and up_to > below:
            return low if high == float("inf") else low + (high - low) * (rank - below) / (up_to - below)
    return None


def _rates(
    is_meant: Callable[[Requests], bool], before: Counted, now: Counted, seconds: float
) -> tuple[float, float, float]:
    known = {(one.model, one.team, one.status): one.count for one in before.requests}
    calls = errors = refused = 0
    for one in filter(is_meant, now.requests):
        new = _grown(known.get((one.model, one.team, one.status), 0), one.count)
        calls += new
        errors += new if one.status >= _FIRST_ERROR or not one.status else 0
        refused += new if one.status == _TOO_MANY else 0
    return calls / seconds, errors / seconds, refused / seconds


def _new_durations(model: str, before: Counted, now: Counted) -> list[tuple[float, int]]:
    """Only the calls of meanwhile; all of them, when Envoy began to count anew."""
    known = next((dict(one.buckets) for one in before.durations if one.model == model), {})
    counts = next((one.buckets for one in now.durations if one.model == model), ())
    if counts and counts[-1][1] < known.get(counts[-1][0], 0):
        known = {}
    return [(bound, count - known.get(bound, 0)) for bound, count in counts]


def _grown(before: int, now: int) -> int:
    """A count that has fallen is one of an Envoy that was started again: it began at zero."""
    return now - before if now >= before else now
