"""Environments that nobody uses leave the cache when they are asked to, and no other does."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import filelock

from centralized_ml_api.local.python_engine import find_environment, prepare_environment
from centralized_ml_api.local.python_engine.unused import UNUSED_DAYS, remove_unused
from support.python_model import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.python_engine import Environment


def prepare(code: Path, cache: Path) -> Environment:
    return prepare_environment(
        code, say=lambda _: None, log=lambda _: None, cancelled=threading.Event(), cache=cache
    )


def test_an_environment_is_removed_30_days_after_its_last_use_unless_it_is_held(tmp_path: Path) -> None:
    code, cache = write_model(tmp_path / "model", "def model_fn(model_dir): return 1"), tmp_path / "cache"
    environment = prepare(code, cache)
    long_ago = time.time() - (UNUSED_DAYS + 1) * 86400
    for path in (environment.folder, *environment.folder.iterdir()):
        os.utime(path, (long_ago, long_ago))
    prepare(code, cache)
    assert remove_unused(cache) == (0, 0), "it was used just now"
    later = time.time() + (UNUSED_DAYS + 1) * 86400
    with filelock.FileLock(environment.folder / ".lock"):
        assert remove_unused(cache, now=later) == (0, 0), "somebody builds it"
    number, size = remove_unused(cache, now=later)
    assert (number, size > 0) == (1, True)
    assert not find_environment(code, cache).is_whole
    assert remove_unused(cache, now=later) == (0, 0)


def test_without_a_cache_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert remove_unused(tmp_path / "none") == (0, 0)
