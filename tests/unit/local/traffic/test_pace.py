from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.envoy.stats import BUCKETS_MILLISECONDS
from centralized_ml_api.local.traffic.pace import pace_of_model, pace_of_team, percentile
from centralized_ml_api.local.traffic.types import Counted, Durations, Requests, TokenCount, TokenKind

KINDS: tuple[TokenKind, ...] = ("in", "cached", "out")
BOUNDS = (*BUCKETS_MILLISECONDS, inf)


def counted(*requests: Requests, milliseconds: tuple[float, ...] = ()) -> Counted:
    buckets = tuple((bound, sum(duration <= bound for duration in milliseconds)) for bound in BOUNDS)
    return Counted(requests, (Durations("chat", buckets, sum(milliseconds)),), {"chat": 2})


def test_a_rate_is_of_what_came_between_two_looks() -> None:
    before = counted(Requests("chat", "red", 200, 100), Requests("chat", "red", 500, 1))
    now = counted(
        Requests("chat", "red", 200, 120),
        Requests("chat", "red", 500, 3),
        Requests("chat", "blue", 429, 8),
        Requests("other", "red", 200, 50),
    )
    pace = pace_of_model("chat", before, now, seconds=10)
    assert (pace.requests_per_second, pace.errors_per_second, pace.refused_per_second) == (3, 1, 0.8)
    assert pace_of_team("red", before, now, seconds=10).requests_per_second == 7.2
    assert pace_of_team("blue", before, now, seconds=10).refused_per_second == 0.8


def test_a_gateway_that_was_started_again_counts_from_zero() -> None:
    before = counted(Requests("chat", "", 200, 1000), milliseconds=(5.0,) * 50)
    now = counted(Requests("chat", "", 200, 30), milliseconds=(100.0,) * 20)
    pace = pace_of_model("chat", before, now, seconds=10)
    assert pace.requests_per_second == 3
    assert pace.p50_milliseconds is not None
    assert 70 < pace.p50_milliseconds <= 100


def test_latencies_are_those_of_meanwhile() -> None:
    before = counted(milliseconds=(9000.0,) * 100)
    now = counted(milliseconds=((9000.0,) * 100) + ((60.0,) * 10))
    pace = pace_of_model("chat", before, now, seconds=1)
    assert pace.p95_milliseconds is not None
    assert 50 < pace.p95_milliseconds <= 70


def test_without_a_call_there_is_no_latency() -> None:
    assert pace_of_model("chat", counted(), counted(), seconds=1).p50_milliseconds is None
    assert pace_of_model("unknown", Counted(), Counted(), seconds=1).p95_milliseconds is None


@settings(deadline=None)
@pytest.mark.parametrize("share", [0.5, 0.95])
@given(times=st.lists(st.floats(min_value=1, max_value=700_000), min_size=1, max_size=200))
def test_a_percentile_is_in_the_bucket_of_the_exact_one(share: float, times: list[float]) -> None:
    found = percentile([(bound, sum(time <= bound for time in times)) for bound in BOUNDS], share)
    rank = share * len(times)
    exact = next(time for number, time in enumerate(sorted(times), 1) if number >= rank)
    high = next(bound for bound in BOUNDS if exact <= bound)
    low = max((bound for bound in BOUNDS if bound < high), default=0)
    assert found is not None
    assert low <= found <= high


def test_past_the_last_bound_the_last_bound_is_said() -> None:
    assert percentile([(1000.0, 0), (inf, 4)], 0.5) == 1000


def test_tokens_per_second_are_those_in_and_out() -> None:
    def tokens(read: int, cached: int, written: int) -> Counted:
        counts = {"in": read, "cached": cached, "out": written}
        return Counted(
            tokens=tuple(
                TokenCount("chat", "red", kind, estimated=False, count=counts[kind]) for kind in KINDS
            )
        )

    before, now = tokens(100, 50, 10), tokens(150, 90, 20)
    assert pace_of_model("chat", before, now, seconds=10).tokens_per_second == 6
    assert pace_of_team("red", before, now, seconds=10).tokens_per_second == 6
    assert pace_of_model("chat", now, before, seconds=10).tokens_per_second == 11  # a new Envoy began at zero
    assert pace_of_model("other", before, now, seconds=10).tokens_per_second is None
