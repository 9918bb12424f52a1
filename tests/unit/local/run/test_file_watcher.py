"""Edits are told once the files rest, a deleted state folder is made again, the access log is bounded."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.file_watcher import (
    LOG_LIMIT_BYTES,
    LOG_LOOK_SECONDS,
    LOOK_SECONDS,
    SETTLE_SECONDS,
    rotate,
    watch_access_log,
    watch_edits,
    watch_state_folder,
)
from support.access_log import append
from support.fake_target import HandClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path


class Script:
    """A clock: each time somebody sleeps, the next step of the script happens; after the last, all ends."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = list(steps)
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(HandClock().clock.now, self.sleep)

    async def sleep(self, seconds: float) -> None:
        if not self._steps:
            raise asyncio.CancelledError
        self.slept.append(seconds)
        self._steps.pop(0)()


def nothing() -> None:
    """Nothing happens while somebody sleeps."""


def play(watching: Coroutine[None, None, None]) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await watching

    asyncio.run(main())


def noted(calls: list[object], what: object) -> Callable[[], Awaitable[None]]:
    async def note() -> None:
        calls.append(what)

    return note


async def applied() -> bool:
    """Nothing was edited before the first look."""
    return True


def test_an_edit_before_the_first_look_is_told_too(tmp_path: Path) -> None:
    file, told = tmp_path / "models.json", list[object]()

    async def unapplied() -> bool:
        return False

    script = Script(lambda: append(file, b"more"), nothing, nothing)
    play(watch_edits(lambda: [file], noted(told, "edited"), script.clock, is_applied=unapplied))
    assert told == ["edited"]
    assert script.slept == [SETTLE_SECONDS, SETTLE_SECONDS, LOOK_SECONDS]


def test_an_edit_is_told_once_the_file_has_rested(tmp_path: Path) -> None:
    file, told = tmp_path / "models.json", list[object]()
    script = Script(
        nothing,
        lambda: append(file, b"one"),
        lambda: append(file, b"two"),
        lambda: append(file, b"three"),
        lambda: told.append("rests"),
        lambda: told.append("looks on"),
    )
    play(watch_edits(lambda: [file], noted(told, "edited"), script.clock, is_applied=applied))
    assert told == ["rests", "edited", "looks on"]
    assert script.slept == [*[LOOK_SECONDS] * 2, *[SETTLE_SECONDS] * 3, LOOK_SECONDS]


def test_what_was_edited_while_it_was_applied_is_told_next(tmp_path: Path) -> None:
    file, told = tmp_path / "models.json", list[object]()

    async def apply() -> None:
        told.append("edited")
        if len(told) == 1:
            append(file, b"more")

    script = Script(lambda: append(file, b"one"), *[nothing] * 4)
    play(watch_edits(lambda: [file], apply, script.clock, is_applied=applied))
    assert told == ["edited", "edited"]


def test_a_file_that_is_new_to_it_is_only_remembered(tmp_path: Path) -> None:
    file, other, told = tmp_path / "a", tmp_path / "b", list[object]()
    file.write_text("1")
    other.write_text("1")
    watched = [file]
    script = Script(lambda: watched.append(other), nothing, lambda: append(other, b"2"), *[nothing] * 2)
    play(watch_edits(lambda: watched, noted(told, "edited"), script.clock, is_applied=applied))
    assert told == ["edited"]
    assert script.slept == [*[LOOK_SECONDS] * 3, SETTLE_SECONDS, LOOK_SECONDS]


def test_a_deleted_state_folder_is_made_again_and_told() -> None:
    told = list[object]()
    looks = iter([False, True, False])
    script = Script(*[nothing] * 3)
    play(watch_state_folder(lambda: next(looks), noted(told, "restored"), told.append, script.clock))
    assert told == ["restored"]
    assert script.slept == [LOOK_SECONDS] * 3


def test_what_the_machine_refuses_is_tried_again_until_it_works_and_said_once() -> None:
    told = list[object]()
    full = OSError(errno.ENOSPC, "No space left on device")
    looks = iter([OSError(errno.EMFILE, "Too many open files")] * 3 + [full, None, full])

    def restore() -> bool:
        if error := next(looks):
            raise error
        return True

    play(watch_state_folder(restore, noted(told, "restored"), told.append, Script(*[nothing] * 6).clock))
    trying = "the state folder cannot be made again; trying on: "
    assert told == [
        f"{trying}Too many open files",
        f"{trying}No space left on device",
        "restored",
        f"{trying}No space left on device",
    ]


def test_a_folder_that_belongs_to_another_now_ends_it() -> None:
    def restore() -> bool:
        raise StartError("held")

    with pytest.raises(StartError, match="held"):
        asyncio.run(watch_state_folder(restore, noted([], ""), pytest.fail, Script(nothing).clock))


def watch(log: Path, *, collects: bool, looks: int, limit_bytes: int = 100) -> list[object]:
    """Watches the log for so many looks; the sizes that were to be counted, and when it was opened anew."""
    told = list[object]()

    def size() -> int | None:
        return log.stat().st_size if log.exists() else None

    async def collect() -> bool:
        told.append(size())
        return collects

    script = Script(nothing, *[lambda: append(log, b"x")] * (looks - 1))
    play(watch_access_log(log, noted(told, "reopened"), collect, limit_bytes=limit_bytes, clock=script.clock))
    assert script.slept == [LOG_LOOK_SECONDS] * looks
    return told


def test_a_log_over_the_limit_is_counted_then_renamed_and_its_writer_told(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 100)
    assert watch(log, collects=True, looks=1) == [100, "reopened"]
    assert (tmp_path / "access.log.1").read_bytes() == b"x" * 100


def test_a_log_below_the_limit_stays(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 98)
    assert watch(log, collects=True, looks=2) == [98, 99]


def test_a_log_that_cannot_be_counted_may_grow_to_twice_the_limit_and_no_further(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 199)
    assert watch(log, collects=False, looks=2) == [199, 200, "reopened"]
    assert (tmp_path / "access.log.1").stat().st_size == 200


def test_the_writer_of_a_log_that_is_gone_is_told_to_open_it_anew(tmp_path: Path) -> None:
    assert watch(tmp_path / "access.log", collects=True, looks=1) == [None, "reopened"]


def test_a_small_log_and_a_missing_one_stay(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(b"x")
    assert not rotate(tmp_path / "access.log", 2)
    assert not rotate(tmp_path / "none.log", 0)
    assert LOG_LIMIT_BYTES == 50 * 1024 * 1024
