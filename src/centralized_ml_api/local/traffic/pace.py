"""Two readings -> how much is called now, and how it goes. Pure."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from centralized_ml_api.local.traffic.types import Counted
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.local.traffic.types import Durations, Requests, TokenCount

_TOO_MANY_REQUESTS = 429
_FIRST_ERROR = 400


@record
class Pace:
    """Of a model or a team: calls, errors (400 and above) and refusals (429) per second.

    `p50_milliseconds` and `p95_milliseconds` are None without a call, and for teams. `tokens_per_second` are
    those in and out; None for a model or a team whose calls have had none so far.
    """

    requests_per_second: float
    errors_per_second: float
    refused_per_second: float
    p50_milliseconds: float | None = None
    p95_milliseconds: float | None = None
    tokens_per_second: float | None = None


def pace_of_model(model: str, before: Counted, now: Counted, seconds: float) -> Pace:
    """Returns how the model is called.

    Args:
        model: Its name.
        before: The earlier reading.
        now: The later reading.
        seconds: The time between the two.
    """
    rates = _compute_rates(lambda requests: requests.model == model, before, now, seconds)
    buckets = _subtract_durations(model, before, now)
    tokens = _compute_token_rate(lambda tokens: tokens.model == model, before, now, seconds)
    return Pace(*rates, percentile(buckets, 0.5), percentile(buckets, 0.95), tokens)


def pace_of_all(before: Counted, now: Counted, seconds: float) -> Pace:
    """Returns how everything is called; the arguments are those of `pace_of_model`."""
    rates = _compute_rates(lambda _: True, before, now, seconds)
    return Pace(*rates, tokens_per_second=_compute_token_rate(lambda _: True, before, now, seconds))


def pace_of_team(team: str, before: Counted, now: Counted, seconds: float) -> Pace:
    """Returns how the team calls; the arguments are those of `pace_of_model`."""
    rates = _compute_rates(lambda requests: requests.team == team, before, now, seconds)
    tokens = _compute_token_rate(lambda tokens: tokens.team == team, before, now, seconds)
    return Pace(*rates, tokens_per_second=tokens)


def divide_by_model(counted: Counted) -> dict[str, Counted]:
    """Returns what was counted of each model that was called, by its name, in one pass.

    To measure each of many models in the whole reading would take time in proportion to their number squared.
    """
    return _divide(counted, lambda labelled: labelled.model, counted.durations)


def divide_by_team(counted: Counted) -> dict[str, Counted]:
    """Returns what was counted of each team that called, by its name, in one pass; see `divide_by_model`."""
    return _divide(counted, lambda labelled: labelled.team, ())


def _divide(
    counted: Counted, name_of: Callable[[Requests | TokenCount], str], durations: Iterable[Durations]
) -> dict[str, Counted]:
    requests, tokens = defaultdict[str, list["Requests"]](list), defaultdict[str, list["TokenCount"]](list)
    for count in counted.requests:
        requests[name_of(count)].append(count)
    for token_count in counted.tokens:
        tokens[name_of(token_count)].append(token_count)
    histograms = {histogram.model: (histogram,) for histogram in durations}
    return {
        name: Counted(tuple(requests[name]), histograms.get(name, ()), tokens=tuple(tokens[name]))
        for name in {*requests, *tokens, *histograms}
    }


def percentile(buckets: Iterable[tuple[float, int]], share: float) -> float | None:
    """Returns the duration that `share` of the calls did not exceed; None without any call.

    Args:
        buckets: (Upper bound in milliseconds, calls up to it), ascending; the last bound may be infinite.
        share: Such as 0.95.

    Returns:
        Milliseconds in the right bucket, interpolated as if its calls were spread evenly. In the infinite
        bucket, its lower bound.
    """
    bounds = [(0.0, 0), *buckets]
    rank = share * bounds[-1][1]
    if not rank:
        return None
    for (low, below), (high, up_to) in pairwise(bounds):
        if up_to >= rank and up_to > below:
            return low if high == float("inf") else low + (high - low) * (rank - below) / (up_to - below)
    return None


def _compute_rates(
    is_meant: Callable[[Requests], bool], before: Counted, now: Counted, seconds: float
) -> tuple[float, float, float]:
    """Returns calls, errors and refusals per second; a count that fell began at zero in a new Envoy."""
    known = {(count.model, count.team, count.status): count.count for count in before.requests}
    calls = errors = refused = 0
    for count in filter(is_meant, now.requests):
        earlier = known.get((count.model, count.team, count.status), 0)
        new = count.count - earlier if count.count >= earlier else count.count
        calls += new
        errors += new if count.status >= _FIRST_ERROR or not count.status else 0
        refused += new if count.status == _TOO_MANY_REQUESTS else 0
    return calls / seconds, errors / seconds, refused / seconds


def _compute_token_rate(
    is_meant: Callable[[TokenCount], bool], before: Counted, now: Counted, seconds: float
) -> float | None:
    """Returns tokens in and out per second; what was cached is part of what came in."""
    earlier, later = (
        sum(tokens.count for tokens in counted.tokens if is_meant(tokens) and tokens.kind != "cached")
        for counted in (before, now)
    )
    if not later:
        return None
    return (later - earlier if later >= earlier else later) / seconds


def _subtract_durations(model: str, before: Counted, now: Counted) -> list[tuple[float, int]]:
    """Returns the buckets of the calls between the two readings; all calls, if a new Envoy began at zero."""
    buckets, known = (
        next((histogram.buckets for histogram in counted.durations if histogram.model == model), ())
        for counted in (now, before)
    )
    earlier = dict(known)
    if buckets and buckets[-1][1] < earlier.get(buckets[-1][0], 0):
        earlier = {}
    return [(bound, count - earlier.get(bound, 0)) for bound, count in buckets]
