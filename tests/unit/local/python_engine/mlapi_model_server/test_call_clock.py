"""How long a call runs without progress, on a machine that has no time for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.call_clock import (
    LONGEST_STRETCH,
    CallClock,
    read_waited_seconds,
)

if TYPE_CHECKING:
    from pathlib import Path


class Machine:
    """A clock, and how long each thread has waited for a core."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.waited = {1: 500.0, 2: 0.0}
        self.clock = CallClock(lambda: self.now, lambda thread: self.waited[thread])

    def run(self, seconds: float, *, waiting: float = 0.0) -> None:
        """Lets time pass, in which the first thread waits for a while."""
        self.now += seconds
        self.waited[1] += waiting


def test_on_a_machine_with_time_every_second_counts() -> None:
    machine = Machine()
    assert machine.clock.stalled_seconds(1, 1_000.0) == 0
    machine.run(60)
    assert machine.clock.stalled_seconds(1, 1_000.0) == 60


def test_what_a_thread_waited_for_a_core_does_not_count() -> None:
    machine = Machine()
    machine.clock.stalled_seconds(1, 1_000.0)
    machine.run(35, waiting=20)
    assert machine.clock.stalled_seconds(1, 1_000.0) == 15
    assert machine.clock.stalled_seconds(2, 1_000.0) == 35, "another thread had its core"


def test_each_sign_of_life_begins_anew() -> None:
    machine = Machine()
    machine.clock.stalled_seconds(1, 1_000.0)
    machine.run(20, waiting=10)
    assert machine.clock.stalled_seconds(1, 1_019.0) == 1
    machine.run(10, waiting=4)
    assert machine.clock.stalled_seconds(1, 1_019.0) == 7


def test_a_call_without_an_end_ends_on_a_busy_machine_too() -> None:
    machine = Machine()
    machine.clock.stalled_seconds(1, 1_000.0)
    machine.run(60 * LONGEST_STRETCH, waiting=60 * LONGEST_STRETCH)
    assert machine.clock.stalled_seconds(1, 1_000.0) == 60


def test_the_system_says_how_long_a_thread_waited(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "schedstat").write_text("922656000 2500000000 4\n")
    assert read_waited_seconds(7, tmp_path) == 2.5


@pytest.mark.parametrize("written", ["", "0 x 1", "0"])
def test_where_the_system_says_nothing_no_thread_waited(tmp_path: Path, written: str) -> None:
    assert read_waited_seconds(7, tmp_path) == 0
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "schedstat").write_text(written)
    assert read_waited_seconds(7, tmp_path) == 0


def test_this_thread_can_be_asked_for() -> None:
    assert read_waited_seconds(threading.get_native_id()) >= 0
