"""Saves an edited config: completely or not at all, and only over the text that was read."""

from __future__ import annotations

import codecs
import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def save_text(path: Path, before: str, after: str) -> None:
    """Replaces the text of a file; keeps its mode, its byte order mark and symbolic links to it.

    Args:
        path: The file.
        before: The text that was read from it.
        after: Its new text.

    Raises:
        UsageError: It has another text by now, or cannot be written; it is left as it is.
    """
    with _refuse_unwritable(path):
        file = path.resolve()
        _refuse_protected(path, file)
        content = file.read_bytes()
        mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        if content != mark + before.encode():
            raise UsageError(f"{path} has changed since it was read", fix="run the command again")
        _replace(file, mark + after.encode())


def _refuse_protected(path: Path, file: Path) -> None:
    """Refuses a read-only file: renaming another one over it would succeed."""
    if not file.stat().st_mode & 0o222:
        raise UsageError(f"{path} is read-only", fix=f"chmod u+w {path}")


def _replace(file: Path, content: bytes) -> None:
    """Writes a new file and renames it, so that nobody ever reads half of it."""
    found = file.stat()
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)
        new.chmod(stat.S_IMODE(found.st_mode))
        with contextlib.suppress(PermissionError):  # another user's file, in a folder that we may write
            os.chown(new, found.st_uid, found.st_gid)
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _refuse_unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}",
            fix="allow this user to write there",
        ) from error
