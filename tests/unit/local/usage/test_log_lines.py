"""A line of the log gives a call that can be kept, or none: nothing in a log stops the counting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.usage.log_lines import parse_call
from centralized_ml_api.local.usage.store import UsageStore
from centralized_ml_api.plan.usage.latency import NO_LATENCY, bucket_of
from centralized_ml_api.plan.usage.tokens import Tokens
from support.access_log import NOON, line

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = ("time", "team", "model", "status", "milliseconds", "bytes_in", "bytes_out")
A_WEEK = 7 * 24 * 3600 * 1000
"""In milliseconds; longer calls count as this long."""

NUMBERS = st.integers() | st.integers(-(10**40), 10**40) | st.floats()
NAMES = st.text(st.characters(), max_size=200)
TIMES = st.datetimes().map(lambda time: f"{time.isoformat()}Z")
ANYTHING = st.none() | st.booleans() | NUMBERS | NAMES | TIMES | st.lists(st.integers(), max_size=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> UsageStore:
    folder: Path = tmp_path_factory.mktemp("lines")
    return UsageStore(folder / "usage.db", NOON.timestamp)


@settings(deadline=None, max_examples=50)
@given(fields=st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, ANYTHING)), time=TIMES | ANYTHING)
def test_any_object_is_a_call_that_can_be_kept_or_none(
    store: UsageStore, fields: dict[str, Any], time: Any
) -> None:
    call = parse_call(json.dumps({**fields, "time": time}).encode())
    if call is not None:
        assert NO_LATENCY <= call.bucket <= bucket_of(A_WEEK)
        with store.write() as writing:
            writing.add([call])


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_no_call(junk: bytes) -> None:
    assert parse_call(junk) is None


def test_a_line_of_envoy_is_a_call() -> None:
    call = parse_call(line("red", "chat", 429, milliseconds=12))
    assert call is not None
    assert (call.team, call.model, call.status, call.bucket) == ("red", "chat", 429, bucket_of(12))
    assert (call.started, call.bytes_in, call.bytes_out) == (NOON.timestamp(), 3, 5)


def test_a_call_that_failed_for_a_reason_in_braces_is_a_call() -> None:
    details = "upstream_reset_before_response_started{connection_termination}"
    call = parse_call(line("red", "chat", 502, details=details))
    assert call is not None
    assert (call.team, call.model, call.status) == ("red", "chat", 502)
    assert parse_call(line("red")[:40] + line("blue", details=details)) == parse_call(line("blue"))


@pytest.mark.parametrize("missing", ["team", "model"])
@pytest.mark.parametrize("value", [None, "", "-"])
def test_what_is_not_there_is_nobody(missing: str, value: str | None) -> None:
    call = parse_call(json.dumps({**json.loads(line()), missing: value}).encode())
    assert call is not None
    assert getattr(call, missing) == "-"


def test_a_call_without_an_answer_has_no_status_and_may_have_no_latency() -> None:
    call = parse_call(line(status=None, milliseconds=None))
    assert call is not None
    assert (call.status, call.bucket) == (0, NO_LATENCY)


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, Tokens()),
        ({"answer": "whole", "tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}, Tokens(19, 4, 10)),
        ({"answer": "whole", "tokens_in": "19", "tokens_cached": "4", "tokens_out": "10"}, Tokens(19, 4, 10)),
        ({"answer": "whole", "tokens_in": "8"}, Tokens(8, 0, 0)),
        ({"answer": "whole", "bytes_in": 400, "bytes_out": 1000}, Tokens(100, 0, 250, estimated=350)),
        ({"answer": "stream", "bytes_in": 400, "bytes_out": 1000}, Tokens(100, 0, 5, estimated=105)),
        ({"answer": None, "bytes_out": 1000}, Tokens()),
    ],
)
def test_tokens_are_as_reported_or_else_estimated_from_bytes(fields: dict[str, Any], tokens: Tokens) -> None:
    call = parse_call(line(**fields))
    assert call is not None
    assert call.tokens == tokens


def test_a_call_belongs_to_the_entry_that_answered() -> None:
    calls = [parse_call(line(model="gpt", served_by=name)) for name in (None, "claude")]
    assert [call and call.model for call in calls] == ["gpt", "claude"]
