"""The access log stays bounded."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from centralized_ml_api.local.access_log import keep_bounded, rotate

if TYPE_CHECKING:
    from pathlib import Path


def test_a_log_over_the_limit_is_begun_anew_and_its_writer_told(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * 100)
    told = asyncio.Event()

    async def reopen() -> None:
        log.write_bytes(b"")
        told.set()

    async def scenario() -> None:
        keeper = asyncio.create_task(keep_bounded(log, reopen, limit_bytes=100, look_seconds=0.01))
        await asyncio.wait_for(told.wait(), 10)
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper

    asyncio.run(scenario())
    assert (tmp_path / "access.log.1").read_bytes() == b"x" * 100


def test_a_small_log_and_a_missing_one_stay(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(b"x")
    assert not rotate(tmp_path / "access.log", 2)
    assert not rotate(tmp_path / "none.log", 0)
