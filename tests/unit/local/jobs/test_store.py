"""What the folder of the jobs holds after a disk was full."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.jobs.store import JobStore
from centralized_ml_api.local.jobs.types import Answered, Asked, Job

if TYPE_CHECKING:
    from pathlib import Path

JOB = Job(f"job_{'0' * 32}", Asked("red", "/chat", "chat", ()), 0.0, 0, size=2)


def fill_disk(monkeypatch: pytest.MonkeyPatch, store: JobStore, name: str) -> None:
    """Leaves no room on the disk as long as some file has such a name."""

    def refuse(_: int) -> None:
        if any(store.folder.glob(name)):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)


@pytest.mark.parametrize("name", ["*.request*", "*.json*"])
def test_of_a_job_that_fills_the_disk_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = JobStore(tmp_path)
    fill_disk(monkeypatch, store, name)
    with pytest.raises(OSError, match="No space"):
        store.add(JOB, b"{}")
    assert not list(store.folder.iterdir())


def test_an_answer_that_fills_the_disk_is_removed_before_its_failure_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = JobStore(tmp_path)
    store.add(JOB, b"{}")
    fill_disk(monkeypatch, store, "*.answer*")
    with store.open_answer(JOB) as file:
        file.write(b"all there was room for")
    failed = replace(JOB, status="failed", error="api_failed", size=0)
    store.finish(failed)
    assert [path.name for path in store.folder.iterdir()] == [f"{JOB.id}.json"]
    assert store.load(datetime(2026, 1, 1, tzinfo=UTC)) == [failed]


def test_an_answer_is_on_the_disk_before_its_job_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, fsync = JobStore(tmp_path), os.fsync
    store.add(JOB, b"{}")
    with store.open_answer(JOB) as file:
        file.write(b"it is so")
    synced: list[int] = []

    def note(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr("os.fsync", note)
    done = replace(JOB, status="done", answered=Answered(200, ()), size=8)
    store.finish(done)
    assert synced == [path.stat().st_ino for path in (store.answer_of(done), store.folder / f"{JOB.id}.json")]


def test_a_job_whose_body_is_gone_can_be_over(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add(JOB, b"{}")
    store.request_of(JOB).unlink()
    store.finish(replace(JOB, status="cancelled"))
    assert [path.name for path in store.folder.iterdir()] == [f"{JOB.id}.json"]


def test_a_job_under_a_name_that_somebody_chose_is_none(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add(replace(JOB, id="chosen"), b"{}")
    assert store.load(datetime(2026, 1, 1, tzinfo=UTC)) == []
