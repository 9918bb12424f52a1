"""Percentiles out of buckets stay within their stated error."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.plan.usage.latency import (
    ERROR,
    NO_LATENCY,
    bucket_of,
    milliseconds_of,
    percentile,
)

A_WEEK = 7 * 24 * 3600 * 1000
LATENCIES = st.integers(0, A_WEEK) | st.integers(0, 100)


@settings(deadline=None)
@given(st.lists(LATENCIES, min_size=1, max_size=200), st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_off_by_the_stated_share_at_most(latencies: list[int], share: float) -> None:
    found = percentile(Counter(map(bucket_of, latencies)), share)
    exact = sorted(latencies)[math.ceil(share * len(latencies)) - 1]
    assert found is not None
    assert abs(found - exact) <= ERROR * exact + 1e-9


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_any_latency_has_one_of_a_bounded_number_of_buckets(latency: int) -> None:
    assert 0 <= bucket_of(latency) <= bucket_of(A_WEEK) < 249


@settings(deadline=None)
@given(LATENCIES, LATENCIES)
def test_a_longer_latency_is_in_no_earlier_bucket(one_latency: int, other: int) -> None:
    least, most = sorted((one_latency, other))
    assert bucket_of(least) <= bucket_of(most)


def test_nothing_known_gives_no_percentile() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({NO_LATENCY: 5}, 0.5) is None


def test_calls_without_a_latency_do_not_count() -> None:
    assert percentile({NO_LATENCY: 100, bucket_of(1000): 1}, 0.5) == pytest.approx(1000, rel=ERROR)


def test_less_than_a_millisecond_is_nothing() -> None:
    assert milliseconds_of(bucket_of(0)) == 0
