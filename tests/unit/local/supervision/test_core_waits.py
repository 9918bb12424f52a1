"""How long a process had no core."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from centralized_ml_api.local.supervision.core_waits import count_seconds, read_core_waits

if TYPE_CHECKING:
    from pathlib import Path


def test_each_thread_has_its_waits(tmp_path: Path) -> None:
    for thread, waited in ((7, 2_500_000_000), (8, 0)):
        (tmp_path / "7/task" / str(thread)).mkdir(parents=True)
        (tmp_path / "7/task" / str(thread) / "schedstat").write_text(f"1 {waited} 4\n")
    assert read_core_waits(7, tmp_path) == {7: 2.5, 8: 0.0}
    assert read_core_waits(9, tmp_path) == {}
    assert min(read_core_waits(os.getpid()).values(), default=0.0) >= 0


def test_seconds_in_which_a_thread_had_no_core_do_not_count() -> None:
    assert count_seconds(60, {}, {}) == 60
    assert count_seconds(60, {1: 100, 2: 5}, {1: 110, 2: 45}) == 20
    assert count_seconds(60, {1: 100}, {1: 100, 3: 30}) == 30, "a thread that began meanwhile"
    assert count_seconds(60, {1: 0}, {1: 60}) == 6, "a tenth always counts"
