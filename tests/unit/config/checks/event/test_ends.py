"""Which instants are read, and which of them are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.checks.event.ends import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2030-06-01T12:00:00Z", NOON),
        ("2030-06-01t12:00:00z", NOON),
        ("2030-06-01 12:00:00Z", NOON),
        ("2030-06-01T14:00:00+02:00", NOON.astimezone(timezone(timedelta(hours=2)))),
        ("2030-06-01T12:00:00.5Z", NOON + timedelta(milliseconds=500)),
    ],
)
def test_a_timestamp_of_rfc_3339_is_read(written: str, instant: datetime) -> None:
    parsed = parse_instant(written)
    assert (parsed, parsed and parsed.utcoffset()) == (instant, instant.utcoffset())


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("2030-06-01T12:00:00", 'write "2030-06-01T12:00:00Z" if the time is in UTC'),
        (" 2030-06-01 12:00 ", 'write "2030-06-01T12:00:00Z" if the time is in UTC'),
        ("2030-06-01", 'write "2030-06-01T18:00:00Z" if the time is in UTC'),
        ("2030-13-01T12:00:00Z", ""),
        ("2030-06-01T25:00:00Z", ""),
        ("20300601T120000Z", ""),
        ("٢٠٣٠-06-01T12:00:00Z", ""),
        ("tomorrow", ""),
        ("0001-01-01T00:00:00+02:00", ""),  # before the first year in UTC
        ("9999-12-31T23:59:59-01:00", ""),
    ],
)
def test_any_other_text_is_refused_with_what_it_lacks(
    written: str, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    assert parse_instant(written) is None
    good["event"]["ends"] = written
    (problem,) = problems_of(good)
    assert (problem.id, problem.fix) == ("C403", fix)


@pytest.mark.parametrize(("seconds", "ids"), [(-1, ["C404"]), (0, ["C404"]), (1, [])])
def test_an_end_lies_after_now(
    seconds: int, ids: list[str], now: datetime, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"]["ends"] = (now + timedelta(seconds=seconds)).isoformat()
    assert [problem.id for problem in problems_of(good)] == ids
