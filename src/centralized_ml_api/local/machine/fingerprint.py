"""Detects changed files by their names, sizes and modification times."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GONE = "gone"
NOT_CODE = ("__pycache__", "node_modules")
STATE_MARK = "run.json"
"""A file that identifies a state folder, whose logs change all the time and are not code."""


def fingerprint(path: Path) -> str:
    """Returns a text that changes when the file does, or a file in the folder; `GONE` if there is no file."""
    if path.is_dir():
        return folder_fingerprint(path)
    return _stat(path) or GONE


def folder_fingerprint(folder: Path) -> str:
    """Returns a digest of a folder's files, without hidden files, caches and state folders."""
    digest = hashlib.sha256()
    for file in _files(folder):
        stat = _stat(file)
        if stat:
            digest.update(os.fsencode(file.relative_to(folder)) + f"\0{stat}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        here = folder / parent
        folders[:] = sorted(name for name in folders if _is_code(here / name))
        yield from (here / name for name in sorted(files) if not name.startswith("."))


def _is_code(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in NOT_CODE
    return not hidden and not (folder / STATE_MARK).exists()


def _stat(file: Path) -> str:
    try:
        stat = file.stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"
