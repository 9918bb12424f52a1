"""A disk that takes no more does not stop the API, and is said once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.local.usage.collector import UsageCollector
from centralized_ml_api.local.usage.keeper import UsageKeeper
from support.access_log import append, line

if TYPE_CHECKING:
    from pathlib import Path


def test_trouble_is_said_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    said: list[str] = []
    collector = UsageCollector.of_state(tmp_path)
    keeper = UsageKeeper(collector, said.append)
    append(collector.log, line())
    collector.store.path.mkdir()
    assert [asyncio.run(keeper.collect()) for _ in range(2)] == [False, False]
    collector.store.path.rmdir()
    assert [asyncio.run(keeper.collect()) for _ in range(2)] == [True, True]
    assert [text.split(":")[0] for text in said] == [
        "calls are not counted for `mlapi usage`",
        "Calls are counted again, with those of meanwhile.",
    ]
    assert collector.load_table(None).requests == 1
