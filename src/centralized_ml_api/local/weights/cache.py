"""Where fetched weights stay, and how a file there is known to be whole.

One folder per source, named after the source's text:

    weights/3f0c…/model.gguf        the file
                  .verified.json    its size, time and SHA-256 when it was verified
                  .partial          what has come of a download that was cut
                  .partial.json     which version of the file that is
                  .lock             held by the process that fetches
                  .work-…           pip's folder while it works

A file that still has the recorded size and time is not hashed again: a second start takes no time. One that
has not is hashed, and fetched anew when it changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import platformdirs

from centralized_ml_api.local.weights.disk import explain_disk_errors
from centralized_ml_api.local.weights.partial import Partial
from centralized_ml_api.local.weights.verified import Verified, is_unchanged, load_verified, save_verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from centralized_ml_api.local.weights.watch import Watch

LOCK_NAME = ".lock"
_KEY_LENGTH = 16
_LOCK_POLL_SECONDS = 0.1
_WORK_PREFIX = ".work-"


def cache_root(cache: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of the cache: the given one, `MLAPI_CACHE`, or the user's own cache folder."""
    chosen = cache or environment.get("MLAPI_CACHE") or platformdirs.user_cache_path("mlapi")
    return Path(chosen).expanduser().absolute()


def folder_of(location: str, cache: Path | None) -> Path:
    """The folder of one source; `location` is its text without the digest."""
    key = hashlib.sha256(location.encode()).hexdigest()[:_KEY_LENGTH]
    return cache_root(cache) / "weights" / key


@contextmanager
def lock_folder(folder: Path, watch: Watch, *, what: str) -> Iterator[None]:
    """Waits until no other process fetches into this folder, then keeps others out.

    The operating system frees the lock of a process that dies.
    """
    with explain_disk_errors(folder, what=what):
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK_NAME)
        _acquire(lock, watch)
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """The folder of one source and the name of its file."""

    folder: Path
    file_name: str

    @classmethod
    def of(cls, location: str, file_name: str, cache: Path | None) -> CacheEntry:
        """The entry for a source; `location` is its text without the digest."""
        return cls(folder_of(location, cache), file_name)

    @property
    def file(self) -> Path:
        """The whole, verified file; it may not be there yet."""
        return self.folder / self.file_name

    @property
    def partial(self) -> Partial:
        """What has come of the file so far."""
        return Partial(self.folder / ".partial")

    def find(self, sha256: str | None, watch: Watch) -> Path | None:
        """The file, if it is there, unchanged since it was verified, and the one that `sha256` asks for."""
        verified = load_verified(self.folder)
        if verified is None or sha256 not in (None, verified.sha256):
            return None
        return self.file if is_unchanged(self.file, verified, self.folder, watch) else None

    def keep(self, sha256: str) -> Path:
        """Makes the partial file, whose digest was just taken, the file."""
        # The record first: a crash in between then means one more download, never an unverified file.
        save_verified(self.folder, Verified.of(self.partial.path, sha256))
        self.partial.path.replace(self.file)
        self.partial.discard()
        return self.file

    def lock(self, watch: Watch, *, what: str) -> AbstractContextManager[None]:
        """Keeps other processes out while this one fetches."""
        return lock_folder(self.folder, watch, what=what)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A folder that is gone afterwards; also what a killed process left of one is."""
        for stale in self.folder.glob(f"{_WORK_PREFIX}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            prefix=_WORK_PREFIX, dir=self.folder, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)


def _acquire(lock: filelock.BaseFileLock, watch: Watch) -> None:
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_SECONDS)
        except filelock.Timeout:
            watch.report("waiting")
            continue
        return
