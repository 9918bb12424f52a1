"""What calls have freed goes back to the machine, when that is worth it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.freed_memory import (
    KEPT_BYTES,
    MIB,
    FreedMemory,
    find_trim,
    read_own_bytes,
)

if TYPE_CHECKING:
    from pathlib import Path


class Process:
    """A process that has `held` bytes, of which `free` are in nobody's use."""

    def __init__(self) -> None:
        self.held = 100 * MIB
        self.free = 0
        self.trims = 0
        self.freed = FreedMemory(lambda: self.held, self.trim)

    def trim(self) -> None:
        self.held -= self.free
        self.free = 0
        self.trims += 1

    def end_call(self, *, freed_mib: int = 0, kept_mib: int = 0, is_idle: bool = True) -> int:
        """Ends a call that has left so much; returns how often anything was given back so far."""
        self.held += (freed_mib + kept_mib) * MIB
        self.free += freed_mib * MIB
        self.freed.give_back(is_idle=is_idle)
        return self.trims


@pytest.fixture
def process() -> Process:
    return Process()


def test_what_a_large_call_has_freed_is_given_back(process: Process) -> None:
    assert process.end_call(freed_mib=300) == 1
    assert process.held == 100 * MIB


def test_little_is_left_to_the_next_call_until_it_is_much(process: Process) -> None:
    small = KEPT_BYTES // MIB // 2
    assert [process.end_call(freed_mib=small) for _ in range(4)] == [0, 0, 1, 1]


def test_what_the_model_keeps_is_not_looked_for_after_each_call(process: Process) -> None:
    assert [process.end_call(kept_mib=200), process.end_call(), process.end_call()] == [1, 1, 1]
    assert process.end_call(freed_mib=40) == 2


def test_what_other_calls_hold_is_not_taken_for_what_the_model_keeps(process: Process) -> None:
    assert process.end_call(kept_mib=200, is_idle=False) == 1
    process.free = 200 * MIB  # the other call is over as well
    assert process.end_call() == 2
    assert process.held == 100 * MIB


def test_a_model_that_let_go_of_something_needs_less(process: Process) -> None:
    process.end_call(kept_mib=200)
    process.held -= 200 * MIB
    assert process.end_call() == 1
    assert process.end_call(freed_mib=40) == 2


def test_where_nothing_says_how_much_there_is_nothing_is_given_back(tmp_path: Path) -> None:
    assert read_own_bytes(tmp_path / "no") == 0
    (tmp_path / "statm").write_text("", encoding="ascii")
    assert read_own_bytes(tmp_path / "statm") == 0


def test_it_counts_what_is_shared_with_nobody(tmp_path: Path) -> None:
    (tmp_path / "statm").write_text("9000 700 200 1 0 500 0\n", encoding="ascii")
    assert read_own_bytes(tmp_path / "statm") == 500 * os.sysconf("SC_PAGE_SIZE")


def test_every_allocator_can_be_asked() -> None:
    find_trim()()
