from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from centralized_ml_api.local.board.history import (
    KEPT_POINTS,
    LOOK_SECONDS,
    WORDS_SECONDS,
    History,
    Point,
    keep_history,
)
from centralized_ml_api.local.traffic.types import (
    Counted,
    Requests,
    SpendingLeft,
    TeamLimit,
    TokenCount,
    Traffic,
)
from support.fake_target import NOON, HandClock

if TYPE_CHECKING:
    from collections.abc import Iterator


def reading(at: float, calls: int, failed: int = 0, tokens: int = 0, waiting: int = 0) -> Traffic:
    counted = Counted(
        (Requests("chat", "red", 200, calls), Requests("chat", "blue", 500, failed)),
        tokens=(TokenCount("chat", "red", "out", estimated=False, count=tokens),),
    )
    return Traffic(at, counted, waiting={"chat": waiting})


def noted(*readings: Traffic) -> History:
    history = History()
    for number, traffic in enumerate(readings):
        history.note(traffic, number * 10.0, ["chat"], ["red", "blue"])
    return history


def test_a_point_is_what_came_between_two_readings() -> None:
    history = noted(reading(0, 0), reading(10, 30, failed=10, tokens=500, waiting=3))
    assert list(history.points) == [Point(10.0, requests=4.0, errors=1.0, tokens=50.0, waiting=3)]
    assert history.teams["red"].requests_per_second == 3
    assert history.teams["blue"].errors_per_second == 1
    assert history.models["chat"].requests_per_second == 4


def test_the_first_reading_and_those_around_a_gap_are_no_point() -> None:
    assert not noted(reading(0, 30)).points
    history = noted(reading(0, 0), Traffic(10, None), reading(20, 90), reading(30, 90))
    assert [(point.at, point.requests) for point in history.points] == [(30.0, 0.0)]
    assert not noted(reading(5, 0), reading(5, 9)).points


def test_an_hour_is_kept() -> None:
    history = noted(*(reading(number * LOOK_SECONDS, number) for number in range(KEPT_POINTS + 5)))
    assert KEPT_POINTS * LOOK_SECONDS == 3600
    assert (len(history.points), history.points[-1].at) == (KEPT_POINTS, (KEPT_POINTS + 4) * 10.0)


def test_a_team_has_its_calls_by_minute_for_an_hour() -> None:
    history = noted(*(reading(number * 10, 5 * number) for number in range(14)))
    assert history.list_minutes("red", 130.0)[-3:] == [25, 30, 10]
    assert (sum(history.list_minutes("red", 130.0)), len(history.list_minutes("red", 130.0))) == (65, 60)
    assert history.list_minutes("blue", 130.0) == [0] * 60
    assert history.list_minutes("late", 130.0) == [0] * 60
    assert sum(history.list_minutes("red", 130.0 + 59 * 60)) == 10
    history.note(reading(4000, 66), 4000.0, ["chat"], ["red"])
    assert history.list_minutes("red", 130.0) == [0] * 60, "what is over an hour old is forgotten"


def test_a_clock_that_is_set_back_or_forward_leaves_no_points_of_another_hour() -> None:
    """A chart places its points between the first and the last, and would be pressed together."""
    history = noted(*(reading(number * 10, number) for number in range(9)))
    history.note(reading(90, 9), 45.0, ["chat"], ["red"])
    assert [point.at for point in history.points] == [10.0, 20.0, 30.0, 40.0, 45.0]
    history.note(reading(100, 10), 45.0 + 3600, ["chat"], ["red"])
    assert [point.at for point in history.points] == [3645.0]


def test_minutes_after_a_clock_was_set_back_are_not_counted_twice() -> None:
    history = noted(reading(0, 0), reading(10, 5))
    history.note(reading(20, 9), 600.0, ["chat"], ["red"])
    history.note(reading(30, 12), 60.0, ["chat"], ["red"])
    assert history.list_minutes("red", 600.0)[-11:] == [5, 3, *[0] * 9]


def test_a_team_that_has_gone_leaves_nothing() -> None:
    history = noted(reading(0, 0), reading(10, 5))
    history.note(reading(20, 9), 20.0, ["chat"], ["blue"])
    assert history.list_minutes("red", 20.0) == [0] * 60


class Passes(tuple[Requests, ...]):
    """Counts, and how often somebody went through them."""

    __slots__ = ()
    made = 0

    def __iter__(self) -> Iterator[Requests]:
        Passes.made += 1
        return super().__iter__()


def test_many_teams_are_measured_in_as_few_passes_as_few() -> None:
    made = []
    for number in (2, 50):
        names = [f"team-{each}" for each in range(number)]
        models = [f"of-{name}" for name in names]
        history, Passes.made = History(), 0
        for at in (0, 10):
            counts = Passes(Requests(f"of-{name}", name, 200, at) for name in names)
            history.note(Traffic(at, Counted(counts), waiting={}), at, models, names)
        assert {pace.requests_per_second for pace in history.teams.values()} == {1}
        assert {pace.requests_per_second for pace in history.models.values()} == {1}
        made.append(Passes.made)
    assert made[0] == made[1] > 0


def test_what_limits_have_left_tells_when_they_are_used_up() -> None:
    history, day = History(), NOON.timestamp() // 86400 * 86400
    for at, left, asked in ((0, 900, 10), (60, 880, 20)):
        spending = (
            SpendingLeft("red", "tokens", "event", 1000, left),
            SpendingLeft("red", "tokens", "day", 1000, left),
        )
        limits = (TeamLimit("red", None, 50, asked), TeamLimit("blue", None, None, None))
        traffic = Traffic(float(at), None, limits, spending=spending)
        history.note(traffic, NOON.timestamp() + at, ["chat"], ["red"])

    def minutes(account: tuple[str, str, str, float], used: int, most: int) -> int | None:
        return history.forecast.minutes_left(account, used, most, NOON.timestamp() + 60)

    assert minutes(("red", "tokens", "event", 0), 120, 1000) == 44
    assert minutes(("red", "tokens", "day", day), 120, 1000) == 44
    assert minutes(("red", "tokens", "day", day - 86400), 110, 1000) == 9, "of which nothing was known"
    assert minutes(("red", "requests", "day", day), 20, 50) == 3


def test_what_is_under_way_is_that_of_the_latest_look() -> None:
    history = History()
    for traffic, there in (
        (Traffic(0, Counted(in_flight={"chat": 2})), {"chat": 2}),
        (Traffic(10, Counted()), {}),
        (Traffic(20, Counted(in_flight={"chat": 1})), {"chat": 1}),
        (Traffic(30, None), {}),
    ):
        history.note(traffic, traffic.at, ["chat"], ["red"])
        assert history.in_flight == there


def test_points_are_short_in_json() -> None:
    assert Point(1.7, 0.33333, 0.0, 12.34, 1, 0.9876).to_json() == {
        "at": 2,
        "requests": 0.333,
        "errors": 0.0,
        "tokens": 12.3,
        "waiting": 1,
        "first_word": 0.99,
    }
    assert Point(1.7, 0.0, 0.0, 0.0, 0).to_json()["first_word"] is None


def test_a_reading_is_taken_every_ten_seconds() -> None:
    async def main() -> None:
        hand, history = HandClock(), History()

        async def look() -> Traffic:
            if hand.seconds == 30:
                raise EOFError
            return reading(hand.seconds, int(hand.seconds))

        asked: list[float] = []

        async def wait(since: float) -> float:
            asked.append(since - NOON.timestamp())
            return hand.seconds / 10

        with contextlib.suppress(EOFError):
            await keep_history(history, look, lambda: (["chat"], ["red"]), wait, hand.clock)
        assert hand.slept == [10, 10, 10]
        start = NOON.timestamp()
        assert asked == [-WORDS_SECONDS, 10 - WORDS_SECONDS, 20 - WORDS_SECONDS]
        assert [point.first_word for point in history.points] == [1.0, 2.0]
        assert [(point.at - start, point.requests) for point in history.points] == [(10, 1), (20, 1)]

    asyncio.run(main())
