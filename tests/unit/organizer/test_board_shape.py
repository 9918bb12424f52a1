"""The line of what is spent, and what is expected at the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from centralized_ml_api.api.error_shape import MODEL_FAILED, MODEL_NOT_READY
from centralized_ml_api.api.invitation import Invitation
from centralized_ml_api.api.qr import MOST_CHARACTERS
from centralized_ml_api.organizer.board_shape import REASONS, describe_invitation, describe_spending
from centralized_ml_api.plan.usage.types import HourUsage

START = datetime(2027, 3, 6, 8, tzinfo=UTC)
DOLLAR = 10**9


def hour(number: int, dollars: float) -> HourUsage:
    """What an hour of the event cost."""
    return HourUsage(START + timedelta(hours=number), 1, 0, int(dollars * DOLLAR))


def draw(
    *hours: HourUsage, now: float, ends: float | None = None, since: float | None = None
) -> tuple[list[tuple[float, float]], float | None]:
    """The line, in hours and dollars, and what is expected."""
    until = None if ends is None else START + timedelta(hours=ends)
    begun = None if since is None else START + timedelta(hours=since)
    told = describe_spending(hours, START + timedelta(hours=now), until, begun)
    assert told is not None
    points = [((point["at"] - START.timestamp()) / 3600, point["usd"]) for point in told["points"]]
    return points, told["expected"] and told["expected"]["usd"]


def test_nothing_spent_is_no_line() -> None:
    assert describe_spending((), START, None) is None
    assert describe_spending((hour(0, 0),), START + timedelta(hours=1), None) is None


def test_the_line_rises_in_the_hours_that_cost_and_ends_now() -> None:
    points, _ = draw(hour(0, 0), hour(1, 2), hour(3, 1), now=3.5)
    assert points == [(1, 0), (2, 2), (3, 2), (3.5, 3), (3.5, 3)]
    flat, _ = draw(hour(0, 2), now=4)
    assert flat == [(0, 0), (1, 2), (4, 2)]


@pytest.mark.parametrize(
    ("now", "ends", "expected"),
    [
        (5, 10, 20.0),
        (5, None, None),
        (5, 5, None),
        (5, 4, None),
        (0.4, 10, None),
        (0.5, 5.5, 110.0),
        (0.5, 5.6, None),
    ],
)
def test_what_is_expected_goes_on_as_before_while_enough_is_known(
    now: float, ends: float | None, expected: float | None
) -> None:
    assert draw(hour(0, 10), now=now, ends=ends)[1] == expected


@pytest.mark.parametrize(
    ("since", "first", "expected"),
    [(0.5, 0.5, 60.0), (0.0, 0.0, 35.0), (None, 0.0, 35.0), (1.0, 0.0, 35.0), (-0.5, 0.0, 35.0)],
)
def test_an_hour_that_the_first_call_began_late_in_is_no_whole_hour(
    since: float | None, first: float, expected: float
) -> None:
    """Else what is spent in a few minutes would be taken for that of an hour, and the end for cheap."""
    points, told = draw(hour(0, 10), now=1, ends=3.5, since=since)
    assert (points[0], told) == ((first, 0), expected)


def test_too_little_is_known_half_an_hour_after_the_first_call() -> None:
    assert draw(hour(0, 1), now=1.4, ends=5, since=0.95)[1] is None
    assert draw(hour(0, 1), now=1.45, ends=5, since=0.95)[1] == 8.1


def test_hours_after_a_clock_was_set_back_are_not_drawn_behind_now() -> None:
    points, _ = draw(hour(0, 1), hour(2, 1), now=1.5)
    assert points == [(0, 0), (1, 1), (1.5, 1), (1.5, 2), (1.5, 2)]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "no valid key"),
        (403, "may not call"),
        (404, "no such path"),
        (408, "too long to arrive"),
        (413, "too large"),
        (429, "limit"),
        (502, MODEL_FAILED.message),
        (503, MODEL_NOT_READY.message),
    ],
)
def test_a_status_has_its_own_reason(status: int, words: str) -> None:
    assert words in REASONS[status]


def test_a_link_has_a_code_as_long_as_one_can_be_drawn() -> None:
    def draw_code(length: int) -> object:
        link = f"http://{'a' * length}"[:length]
        return describe_invitation(Invitation(link, "HERON-42", "", "", 40, 0))["qr"]

    assert draw_code(MOST_CHARACTERS) is not None
    assert draw_code(MOST_CHARACTERS + 1) is None
