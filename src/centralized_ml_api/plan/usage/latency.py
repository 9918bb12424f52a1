"""Latencies in a bounded number of buckets, and percentiles from them. Pure.

Each bucket is a little wider than the one before, so a value that is read differs from the value that was
counted by a fixed share at most, whether that was a millisecond or an hour.
Source: https://arxiv.org/abs/1908.10693 (DDSketch), section 2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR = 0.05
"""The most by which a percentile differs from the exact one, as a share of it."""

NO_LATENCY = -1
"""The bucket of a call whose time is not known."""

_MOST_MILLISECONDS = 7 * 24 * 3600 * 1000
"""A week. Longer calls count as this long, which bounds the number of buckets."""

_GROWTH = (1 + ERROR) / (1 - ERROR)
_LOG_GROWTH = math.log(_GROWTH)


def bucket_of(milliseconds: float) -> int:
    """Returns the bucket of a latency: 0 for less than a millisecond, else 1 or more."""
    if milliseconds < 1:
        return 0
    return 1 + math.ceil(math.log(min(milliseconds, _MOST_MILLISECONDS)) / _LOG_GROWTH)


def milliseconds_of(bucket: int) -> float:
    """Returns the latency that stands for a bucket, at most `ERROR` off any latency in it; 0 for bucket 0."""
    if bucket <= 0:
        return 0.0
    return float(2 * _GROWTH ** (bucket - 1) / (_GROWTH + 1))


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Returns the least latency in milliseconds that `share` (0 to 1) of the calls did not exceed.

    Args:
        counts: How many calls each bucket has; those of `NO_LATENCY` are left out.
        share: Such as 0.95.

    Returns:
        None without any call; else at most `ERROR` off the exact value.
    """
    known = sorted((bucket, count) for bucket, count in counts.items() if bucket != NO_LATENCY and count)
    rank = math.ceil(share * sum(count for _, count in known))
    for bucket, count in known:
        rank -= count
        if rank <= 0:
            return milliseconds_of(bucket)
    return None
