"""Every line of the log is counted exactly once, whatever happens to the log and to who counts."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.run.file_watcher import rotate
from centralized_ml_api.local.usage import log_lines
from centralized_ml_api.local.usage.collector import UsageCollector, UsageRecorder
from centralized_ml_api.local.usage.store import UsageStore
from support.access_log import NOON, append, line
from support.counted_usage import count_requests

if TYPE_CHECKING:
    from pathlib import Path


def test_a_line_is_counted_once_however_often_one_looks(collector: UsageCollector) -> None:
    append(collector.log, line(), line())
    assert [count_requests(collector), count_requests(collector)] == [2, 2]
    append(collector.log, line())
    assert count_requests(collector) == 3


def test_without_a_log_there_is_nothing_to_count(collector: UsageCollector) -> None:
    assert not collector.has_any
    assert count_requests(collector) == 0


def test_half_a_line_is_counted_when_it_is_whole(collector: UsageCollector) -> None:
    whole = line()
    append(collector.log, line(), whole[:20])
    assert count_requests(collector) == 1
    append(collector.log, whole[20:])
    assert count_requests(collector) == 2
    assert collector.store.load_unreadable() == 0


def test_a_line_that_begins_behind_half_of_another_is_counted(collector: UsageCollector) -> None:
    append(collector.log, line(), line()[:30], line(), line())
    assert count_requests(collector) == 3


def test_what_is_no_call_is_left_out_and_said(collector: UsageCollector) -> None:
    junk = (b"\n", b"no json\n", b'{"time": "never"}\n', b'{"time": 5}\n', b"[]\n", b"\xff{\n", b'{"time":\n')
    append(collector.log, line(), *junk, line())
    table = collector.load_table(None)
    assert table.requests == 2
    assert "7 lines of the access log could not be read" in table.notes


def test_a_log_of_nothing_but_bytes_is_read_past(collector: UsageCollector) -> None:
    append(collector.log, b"x" * (2 * log_lines.CHUNK_BYTES), b"\n", line())
    assert count_requests(collector) == 1


def test_lines_written_between_the_last_look_and_the_rotation_are_counted(collector: UsageCollector) -> None:
    append(collector.log, line())
    collector.collect()
    append(collector.log, line())
    assert rotate(collector.log, 1)
    append(collector.log.with_name("access.log.1"), line())  # Envoy goes on there until it opens the new one
    append(collector.log, line())
    assert count_requests(collector) == 4


def test_the_older_part_is_not_counted_anew_while_the_newer_one_grows(collector: UsageCollector) -> None:
    append(collector.log, line())
    collector.collect()
    rotate(collector.log, 1)
    for calls in (2, 3, 4):
        append(collector.log, line())
        assert count_requests(collector) == calls


def test_the_first_and_the_last_call_are_those_by_the_clock(collector: UsageCollector) -> None:
    for minute in (5, 1, 9, 7):  # the log has them by when they ended
        append(collector.log, line(at=NOON + timedelta(minutes=minute)))
        collector.collect()
    (row,) = collector.load_table(None).rows
    assert (row.first, row.last) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=9))


def test_a_log_that_was_emptied_by_hand_is_begun_anew(collector: UsageCollector) -> None:
    append(collector.log, line(), line(), line())
    collector.collect()
    collector.log.write_bytes(b"")
    append(collector.log, line())
    assert count_requests(collector) == 4


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.sampled_from(["call", "call", "half", "look", "rotate", "again"]), max_size=30))
def test_any_order_of_calls_looks_rotations_and_restarts_gives_the_right_sum(
    steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("order")
    collector = UsageCollector(UsageStore(folder / "usage.db"), folder / "access.log")
    calls = 0
    rest = b""
    for step in steps:
        if step in {"call", "half"}:
            whole, calls = line(), calls + 1
            append(collector.log, rest + (whole if step == "call" else whole[:40]))
            rest = b"" if step == "call" else whole[40:]
        elif step == "look":
            collector.collect()
        elif step == "rotate" and not rest:
            collector.collect()
            rotate(collector.log, 1)
        elif step == "again":
            collector = UsageCollector(UsageStore(folder / "usage.db"), folder / "access.log")
    append(collector.log, rest)
    assert count_requests(collector) == calls


_COLLECT_AND_DIE = """
import os, pathlib, sys
from centralized_ml_api.local.usage.collector import UsageCollector
from centralized_ml_api.local.usage.log_lines import identify_segment, parse_call, read_chunk
collector = UsageCollector.of_state(pathlib.Path(sys.argv[1]))
with collector.log.open("rb") as log, collector.store.write() as transaction:
    segment = identify_segment(log)
    chunk = read_chunk(log, transaction.offset(segment))
    assert len(chunk.lines) == 2
    transaction.add(parse_call(line) for line in chunk.lines)
    transaction.set_offset(segment, chunk.end)
    os.kill(os.getpid(), 9)
"""


def test_who_is_killed_in_the_middle_of_writing_neither_loses_nor_doubles_a_line(tmp_path: Path) -> None:
    collector = UsageCollector.of_state(tmp_path)
    append(collector.log, line())
    collector.collect()
    append(collector.log, line(), line())
    died = subprocess.run([sys.executable, "-c", _COLLECT_AND_DIE, str(tmp_path)], check=False)
    assert died.returncode == -9
    assert count_requests(collector) == 3


@pytest.mark.slow
def test_two_that_look_at_the_same_time_count_every_line_once(tmp_path: Path) -> None:
    collector = UsageCollector.of_state(tmp_path)
    append(collector.log, *(line(milliseconds=number) for number in range(5000)))
    look = (
        "import pathlib, sys; from centralized_ml_api.local.usage.collector import UsageCollector as C;"
        "C.of_state(pathlib.Path(sys.argv[1])).collect()"
    )
    both = [subprocess.Popen([sys.executable, "-c", look, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert count_requests(collector) == 5000


def test_a_damaged_store_is_set_aside_and_what_the_logs_have_is_counted_anew(
    collector: UsageCollector,
) -> None:
    append(collector.log, line())
    collector.collect()
    collector.store.path.write_bytes(b"this is no database" * 100)
    assert count_requests(collector) == 1
    assert collector.store.path.with_name("usage.db.damaged").exists()


def test_a_store_that_cannot_be_written_is_an_error_and_loses_nothing(collector: UsageCollector) -> None:
    append(collector.log, line())
    collector.store.path.mkdir()
    with pytest.raises(sqlite3.OperationalError):
        collector.collect()
    collector.store.path.rmdir()
    assert count_requests(collector) == 1


def test_a_disk_that_fails_is_reported_once_when_it_begins_and_once_when_it_ends(tmp_path: Path) -> None:
    said: list[str] = []
    collector = UsageCollector.of_state(tmp_path)
    recorder = UsageRecorder(collector, said.append)
    append(collector.log, line())
    collector.store.path.mkdir()
    assert [asyncio.run(recorder.collect()) for _ in range(2)] == [False, False]
    collector.store.path.rmdir()
    assert [asyncio.run(recorder.collect()) for _ in range(2)] == [True, True]
    assert [text.split(":")[0] for text in said] == [
        "calls are not counted",
        "Calls are counted again, including those made meanwhile.",
    ]
    assert collector.load_table(None).requests == 1
