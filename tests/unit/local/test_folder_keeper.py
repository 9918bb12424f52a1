"""What the machine refuses just now ends nothing; a folder that is another's does."""

from __future__ import annotations

import asyncio
import errno

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.run.folder_restore import keep_folder


def test_it_is_tried_again_until_it_works_and_said_once() -> None:
    told: list[str] = []
    looks = iter([OSError(errno.EMFILE, "Too many open files")] * 3)

    def restore() -> bool:
        if error := next(looks, None):
            raise error
        return True

    async def keep() -> None:
        restored = asyncio.Event()

        async def note() -> None:
            restored.set()

        keeping = asyncio.create_task(keep_folder(restore, note, told.append, look_seconds=0))
        await asyncio.wait_for(restored.wait(), 30)
        keeping.cancel()

    asyncio.run(keep())
    assert len(told) == 1
    assert "Too many open files" in told[0]


def test_a_folder_that_is_anothers_now_ends_it() -> None:
    def restore() -> bool:
        raise StartError("held")

    async def note() -> None:
        pytest.fail("nothing was restored")

    with pytest.raises(StartError, match="held"):
        asyncio.run(keep_folder(restore, note, pytest.fail, look_seconds=0))
