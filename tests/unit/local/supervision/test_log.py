"""The log of a process: bounded, and never in its way."""

from __future__ import annotations

from pathlib import Path

from centralized_ml_api.api.keys import hide_keys, new_key
from centralized_ml_api.local.supervision.process import LAST_LINES, ServerLog


def test_keeps_every_line_and_remembers_the_last(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "model.log")
    for number in range(LAST_LINES + 5):
        log.write(b"line %d\n" % number)
    assert (tmp_path / "model.log").read_bytes().count(b"\n") == LAST_LINES + 5
    assert log.last_lines(2) == [f"line {LAST_LINES + 3}", f"line {LAST_LINES + 4}"]


def test_takes_at_most_twice_its_limit(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "model.log", limit_bytes=1000)
    for _ in range(505):
        log.write(b"x" * 99)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2000
    assert {file.name for file in tmp_path.iterdir()} == {"model.log", "model.log.1"}


def test_a_disk_that_takes_nothing_loses_lines_only_from_the_file(tmp_path: Path) -> None:
    log = ServerLog(Path("/dev/full") if Path("/dev/full").exists() else tmp_path / "no" / "such" / "folder")
    log.write(b"still heard\n")
    assert log.last_lines() == ["still heard"]


def test_bytes_that_are_no_text_do_not_stop_it(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "model.log")
    log.write(b"\xff\xfe\n")
    assert log.last_lines() == ["\ufffd\ufffd"]


def test_what_no_log_may_have_is_neither_written_nor_shown(tmp_path: Path) -> None:
    key = new_key()
    log = ServerLog(tmp_path / "a.log", hide=hide_keys)
    log.write(f"refused {key} \xff\n".encode("latin-1"))
    log.write(key.encode())
    assert key not in (tmp_path / "a.log").read_text() + str(log.last_lines())
    assert len((tmp_path / "a.log").read_text().splitlines()) == 2
