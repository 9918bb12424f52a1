"""What a disk can refuse, no space and no permission; and sizes in words."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_DISK = "free some space, or name a folder on another disk: MLAPI_CACHE=/a/folder"

# EFBIG is what a limit on file sizes gives (ulimit -f, FAT), EDQUOT a quota.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_STEP = 1000
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def render_bytes(count: int) -> str:
    """Returns a size as disks and download pages write it: `98 MB`, `1.3 GB`, `12 bytes`. Pure."""
    size, unit = float(count), 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    digits = 1 if unit >= _UNITS.index("GB") else 0
    return f"{size:.{digits}f} {_UNITS[unit]}"


def check_free(folder: Path, needed_bytes: int, *, what: str) -> None:
    """Returns if the disk of `folder` has room for `needed_bytes` more.

    Args:
        folder: Where the bytes go.
        needed_bytes: How many there are.
        what: What they are, for the message.

    Raises:
        WeightsError: It has not.
    """
    if needed_bytes > shutil.disk_usage(folder).free:
        raise build_full_error(folder, what, f"{render_bytes(needed_bytes)} are needed")


@contextmanager
def explain_disk_errors(folder: Path, *, what: str) -> Iterator[None]:
    """Turns what the operating system says about `folder` into errors with a fix.

    Raises:
        WeightsError: The disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise build_full_error(folder, what, exc.strerror) from exc
        raise WeightsError(
            f"cannot keep {what} in {folder}: {exc.strerror or exc}",
            fix="make that folder writable, or name another one: MLAPI_CACHE=/a/folder",
        ) from exc


def build_full_error(folder: Path, what: str, reason: str | None) -> WeightsError:
    """Builds the error for a full disk.

    Args:
        folder: On the disk.
        what: What has no room.
        reason: What was needed, or how the system put it.
    """
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError:
        free_bytes = 0
    return WeightsError(
        f"no room for {what}: {reason or 'the disk is full'}, {render_bytes(free_bytes)} free in {folder}",
        fix=OTHER_DISK,
    )
