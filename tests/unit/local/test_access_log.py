"""The access log stays bounded."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from centralized_ml_api.local.run.access_log import keep_bounded, rotate
from support.access_log import append

if TYPE_CHECKING:
    from pathlib import Path


def _size(log: Path) -> int | None:
    return log.stat().st_size if log.exists() else None


async def _keep_until_reopened(log: Path, *, collects: bool) -> list[int | None]:
    """Runs the keeper until it reopens the log; the sizes that were to be counted before."""
    sizes: list[int | None] = []
    reopened = asyncio.Event()

    async def reopen() -> None:
        reopened.set()

    async def collect() -> bool:
        sizes.append(_size(log))
        if len(sizes) > 1:
            append(log, b"x")
        return collects

    keeper = asyncio.create_task(keep_bounded(log, reopen, collect, limit_bytes=100, look_seconds=0.001))
    await asyncio.wait_for(reopened.wait(), 10)
    keeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeper
    return sizes


def test_a_log_over_the_limit_is_counted_then_begun_anew_and_its_writer_told(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 100)
    assert asyncio.run(_keep_until_reopened(log, collects=True)) == [100]
    assert (tmp_path / "access.log.1").read_bytes() == b"x" * 100


def test_a_log_that_cannot_be_counted_may_grow_to_twice_the_limit_and_no_further(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 199)
    assert asyncio.run(_keep_until_reopened(log, collects=False)) == [199, 199]
    assert (tmp_path / "access.log.1").stat().st_size == 200


def test_the_writer_of_a_log_that_is_gone_is_told_to_open_it_anew(tmp_path: Path) -> None:
    assert asyncio.run(_keep_until_reopened(tmp_path / "access.log", collects=True)) == [None]


def test_a_small_log_and_a_missing_one_stay(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(b"x")
    assert not rotate(tmp_path / "access.log", 2)
    assert not rotate(tmp_path / "none.log", 0)
