"""The local target ends by the wall clock, whatever happens to the clock; nobody waits for it here."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.ending import End, await_end, earlier_end, word_more_time

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)
LONGEST_LOOK_SECONDS = 1


class Time:
    """A clock that waits for nobody; `jumps` happen while somebody sleeps past their instant."""

    def __init__(self, jumps: dict[datetime, datetime] | None = None) -> None:
        self.at = NOON
        self.longest_sleep_seconds = 0.0
        self._jumps = dict(jumps or {})

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.longest_sleep_seconds = max(self.longest_sleep_seconds, seconds)
        self.at += timedelta(seconds=seconds)
        for since in [instant for instant in self._jumps if instant <= self.at]:
            self.at = self._jumps.pop(since)


def run(end: Callable[[], End | None], time: Time) -> list[tuple[str, str]]:
    """When what was said, until the end."""
    said: list[tuple[str, str]] = []
    asyncio.run(
        await_end(
            end,
            lambda text: said.append((f"{time.at:%H:%M:%S}", text)),
            Clock(time.now, time.sleep),
            more_time=lambda: "mlapi extend +1h class.yaml",
        )
    )
    return said


def event_end(at: datetime) -> Callable[[], End]:
    return lambda: End(at, is_events=True)


def test_the_end_is_announced_three_times_and_kept_to_the_second() -> None:
    time = Time()
    more = "For more time: mlapi extend +1h class.yaml"
    assert run(event_end(NOON + timedelta(hours=2)), time) == [
        ("13:00:00", f"The event ends in 1 h, at 2030-06-01T14:00:00Z. {more}"),
        ("13:50:00", f"The event ends in 10 min, at 2030-06-01T14:00:00Z. {more}"),
        ("13:59:00", f"The event ends in 1 min, at 2030-06-01T14:00:00Z. {more}"),
        ("14:00:00", "The event is over: it ended at 2030-06-01T14:00:00Z."),
    ]
    assert time.longest_sleep_seconds <= LONGEST_LOOK_SECONDS


def test_after_a_suspend_past_the_end_it_ends_at_the_next_look() -> None:
    woken = NOON + timedelta(hours=9)
    said = run(event_end(NOON + timedelta(hours=2)), Time({NOON + timedelta(minutes=5): woken}))
    assert said == [("21:00:00", "The event is over: it ended at 2030-06-01T14:00:00Z.")]


def test_after_a_suspend_past_an_announcement_only_the_last_one_due_is_said() -> None:
    woken = NOON + timedelta(hours=1, minutes=55)
    said = run(event_end(NOON + timedelta(hours=2)), Time({NOON + timedelta(minutes=5): woken}))
    assert [(at, text.partition(",")[0]) for at, text in said[:-1]] == [
        ("13:55:00", "The event ends in 5 min"),
        ("13:59:00", "The event ends in 1 min"),
    ]


def test_a_clock_that_was_wrong_and_is_set_back_ends_nothing_too_early() -> None:
    said = run(event_end(NOON + timedelta(minutes=3)), Time({NOON + timedelta(minutes=2): NOON}))
    assert [at for at, _ in said] == ["12:00:00", "12:02:00", "12:03:00"]


def test_an_end_that_moves_is_announced_anew_and_the_old_one_passes() -> None:
    time = Time()
    first, second = NOON + timedelta(seconds=90), NOON + timedelta(minutes=12)

    def end() -> End:
        return End(second if time.at >= NOON + timedelta(seconds=60) else first, is_events=True)

    said = [at for at, _ in run(end, time)]
    assert said == ["12:00:00", "12:00:30", "12:01:00", "12:02:00", "12:11:00", "12:12:00"]


def test_an_end_that_is_taken_away_and_one_that_comes_later() -> None:
    time = Time()

    def end() -> End | None:
        return End(NOON + timedelta(hours=3), is_events=True) if time.at > NOON + timedelta(hours=2) else None

    assert run(end, time)[-1][0] == "15:00:00"


@pytest.mark.parametrize(("ends_hour", "stops_hour", "ended"), [(13, 14, "ended at"), (14, 13, "--for")])
def test_of_the_events_end_and_for_the_earlier_wins(ends_hour: int, stops_hour: int, ended: str) -> None:
    both = earlier_end(NOON.replace(hour=ends_hour), NOON.replace(hour=stops_hour))
    *_, (_, near), (at, said) = run(lambda: both, Time())
    assert (at, ended in said) == ("13:00:00", True)
    assert ("as --for says" in near, "For more time" in near) == (ended == "--for", ended != "--for")


def test_without_either_there_is_no_end() -> None:
    assert earlier_end(None, None) is None
    assert earlier_end(None, NOON) == End(NOON, is_events=False)
    assert earlier_end(NOON, None) == End(NOON, is_events=True)


def test_more_time_is_for_the_config_and_the_state_folder_that_run() -> None:
    said = word_more_time(Path("class.json"), Path("elsewhere"))
    assert said.endswith("mlapi extend +1h class.json --state elsewhere")
