"""What a disk can refuse: no space, no permission."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.size import render_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# EFBIG is what a limit on file sizes gives (ulimit -f, FAT), EDQUOT a quota.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def check_free(folder: Path, needed_bytes: int, *, what: str) -> None:
    """Whether the disk of `folder` has room for `needed_bytes` more.

    Raises:
        WeightsError: it has not.
    """
    if needed_bytes > shutil.disk_usage(folder).free:
        raise build_full_error(folder, what, f"{render_bytes(needed_bytes)} are needed")


@contextmanager
def explain_disk_errors(folder: Path, *, what: str) -> Iterator[None]:
    """Turns what the operating system says about `folder` into `WeightsError`."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise build_full_error(folder, what, exc.strerror) from exc
        raise WeightsError(
            f"cannot keep {what} in {folder}: {exc.strerror or exc}",
            fix="make that folder writable, or name another one: MLAPI_CACHE=/a/folder",
        ) from exc


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def build_full_error(folder: Path, what: str, reason: str | None) -> WeightsError:
    """The error for a full disk; `reason` says what was needed, or how the system put it."""
    free_bytes = _free_bytes(folder)
    return WeightsError(
        f"no room for {what}: {reason or 'the disk is full'}, {render_bytes(free_bytes)} free in {folder}",
        fix="free some space, or name a folder on another disk: MLAPI_CACHE=/a/folder",
    )
