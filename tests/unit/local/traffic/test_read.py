from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, date, datetime
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.admission.accounts import Account
from centralized_ml_api.local.traffic.read import Served, parse_counted, read_traffic
from centralized_ml_api.local.traffic.types import (
    Durations,
    Requests,
    SpendingLeft,
    TeamLimit,
    TokenCount,
    Traffic,
)
from centralized_ml_api.plan.event import POT, UNLIMITED, Spending, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = """\
# TYPE envoy_traffic_requests counter
envoy_traffic_requests{model="chat",team="red",status="200"} 7
envoy_traffic_requests{model="",status=""} 2
# TYPE envoy_cluster_upstream_rq_active gauge
envoy_cluster_upstream_rq_active{envoy_cluster_name="chat-1"} 2
envoy_cluster_upstream_rq_active{envoy_cluster_name="a%2Fb-2"} 3
# TYPE envoy_other gauge
envoy_other{envoy_cluster_name="chat-1"} 9
# TYPE envoy_traffic_milliseconds histogram
envoy_traffic_milliseconds_bucket{model="chat",le="1"} 1
envoy_traffic_milliseconds_bucket{model="chat",le="+Inf"} 7
envoy_traffic_milliseconds_sum{model="chat"} 93.5
envoy_traffic_milliseconds_count{model="chat"} 7
"""
TODAY = {"red": 4}


class FakeGateway:
    """Tells what Envoy would, or does not answer."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    async def traffic(self) -> str:
        """The text."""
        if self._text is None:
            raise StartError("the gateway is not running")
        return self._text


class FakeAdmission:
    """One model at which calls take turns, and what they have used; None where it cannot be read."""

    def __init__(self, used: dict[Account, int] | None = None) -> None:
        self._used = used

    async def occupancy(self) -> dict[str, dict[str, int]]:
        """Full, and two wait."""
        return {"chat": {"under_way": 4, "waiting": 2}}

    def load_used(self) -> dict[Account, int]:
        """What was used."""
        if self._used is None:
            raise sqlite3.OperationalError("disk I/O error")
        return self._used


def served(
    requests_per_day: int | None = None, spending: Spending = UNLIMITED, pot: Spending = UNLIMITED
) -> Served:
    teams = [
        SimpleNamespace(
            name="red", throttle=Throttle(5, 5), requests_per_day=requests_per_day, spending=spending
        ),
        SimpleNamespace(name="blue", throttle=None, requests_per_day=None, spending=UNLIMITED),
    ]
    plan = SimpleNamespace(event=SimpleNamespace(teams=teams, pot=pot))
    upstreams = {"chat": ("chat-1", "a/b-2"), "idle": ()}
    return cast("Served", SimpleNamespace(plan=plan, upstreams=lambda: upstreams))


def never(day: date) -> dict[str, int]:
    pytest.fail(f"nobody has a quota, but {day} was counted")


def read(
    text: str | None,
    served: Served,
    count_day: Callable[[date], dict[str, int]],
    used: dict[Account, int] | None = None,
) -> Traffic:
    return asyncio.run(read_traffic(FakeGateway(text), served, count_day, FakeAdmission(used)))


def test_envoys_statistics_are_read_and_others_left_out() -> None:
    counted = parse_counted(TEXT)
    assert counted.requests == (Requests("chat", "red", 200, 7), Requests("", "", 0, 2))
    assert counted.durations == (Durations("chat", ((1.0, 1), (inf, 7)), 93.5),)
    assert counted.in_flight == {"chat-1": 2, "a/b-2": 3}


def test_calls_in_progress_are_those_of_everything_behind_a_model() -> None:
    traffic = read(TEXT, served(), never)
    assert traffic.counted is not None
    assert traffic.counted.in_flight == {"chat": 5, "idle": 0}
    assert traffic.counted.requests[0].count == 7
    assert traffic.waiting == {"chat": 2}


def test_a_gateway_that_does_not_answer_has_counted_nothing_and_limits_are_there() -> None:
    traffic = read(None, served(), never)
    assert traffic.counted is None
    assert traffic.limits == (TeamLimit("red", 5, None, None), TeamLimit("blue", None, None, None))


def test_with_a_quota_the_calls_of_the_utc_day_are_counted() -> None:
    days = []

    def count_day(day: date) -> dict[str, int]:
        days.append(day)
        return TODAY

    before = datetime.now(UTC).date()
    traffic = read(TEXT, served(100), count_day)
    assert before <= days[0] <= datetime.now(UTC).date()
    assert traffic.limits == (TeamLimit("red", 5, 100, 4), TeamLimit("blue", None, None, 0))


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), OSError("gone")])
def test_counts_that_cannot_be_read_are_unknown_not_zero(error: Exception) -> None:
    def count_day(_: date) -> dict[str, int]:
        raise error

    assert [limit.used_today for limit in read(TEXT, served(100), count_day).limits] == [None, None]


def test_tokens_are_those_reported_and_an_estimate_from_the_bytes_of_the_rest() -> None:
    text = """\
# TYPE envoy_traffic_tokens_in counter
envoy_traffic_tokens_in{model="chat",team="red"} 19
# TYPE envoy_traffic_tokens_cached counter
envoy_traffic_tokens_cached{model="chat",team="red"} 4
# TYPE envoy_traffic_unreported_in counter
envoy_traffic_unreported_in{model="chat",answer="stream"} 40
# TYPE envoy_traffic_unreported_out counter
envoy_traffic_unreported_out{model="chat",answer="stream"} 1000
"""
    assert parse_counted(text).tokens == (
        TokenCount("chat", "red", "in", estimated=False, count=19),
        TokenCount("chat", "red", "cached", estimated=False, count=4),
        TokenCount("chat", "", "in", estimated=True, count=10),
        TokenCount("chat", "", "out", estimated=True, count=5),
    )


def test_what_is_left_of_tokens_and_dollars_is_that_of_teams_and_of_all_together() -> None:
    limited = served(spending=Spending(tokens=100, nanodollars=5 * 10**9), pot=Spending(tokens=150))
    used = {Account("red", "tokens", "event", 0): 30, Account(POT, "tokens", "event", 0): 160}
    assert read(TEXT, limited, never, used).spending == (
        SpendingLeft("red", "tokens", "event", 100, 70),
        SpendingLeft("red", "nanodollars", "event", 5 * 10**9, 5 * 10**9),
        SpendingLeft(POT, "tokens", "event", 150, 0),
    )


def test_what_is_left_is_unknown_where_it_cannot_be_read_and_not_read_without_limits() -> None:
    assert read(TEXT, served(spending=Spending(tokens=100)), never).spending == ()
    assert read(TEXT, served(), never).spending == ()
