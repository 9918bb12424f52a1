"""Notices that files changed, by their names, sizes and times."""

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
"""What a state folder holds: its logs change all the time and are nobody's code."""


def fingerprint(path: Path) -> str:
    """What changes when the file, or a file of the folder, does. One that vanishes is left out."""
    if path.is_dir():
        return folder_fingerprint(path)
    return _facts(path) or GONE


def folder_fingerprint(folder: Path) -> str:
    """A digest over a folder's files, hidden ones, caches and state folders left out."""
    digest = hashlib.sha256()
    for file in _files(folder):
        facts = _facts(file)
        if facts:
            digest.update(os.fsencode(file.relative_to(folder)) + f"\0{facts}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        here = folder / parent
        folders[:] = sorted(name for name in folders if _is_code(here / name))
        yield from (here / name for name in sorted(files) if not name.startswith("."))


def _is_code(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in NOT_CODE
    return not hidden and not (folder / STATE_MARK).exists()


def _facts(file: Path) -> str:
    try:
        facts = file.stat()
    except OSError:
        return ""
    return f"{facts.st_size} {facts.st_mtime_ns}"
