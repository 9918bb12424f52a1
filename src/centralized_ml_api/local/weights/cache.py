"""Where fetched weights stay, and how they are known to be complete.

One folder per source, named after the source's text:

    weights/3f0c…/model.gguf        the file, or the folder of a pipeline
                  .verified.json    size, time and SHA-256 when it was verified; of a folder, of each file
                  .partial          what has come of a download that was cut
                  .partial.json     which version of the file that is
                  .new-0a1b2c…/     what has come of a pipeline, at that commit
                  .lock             held by the process that fetches
                  .work-…           pip's folder while it works

A file that still has the recorded size and time is not hashed again: a second start takes no time. One that
has not is hashed, and fetched again if it changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import platformdirs

from centralized_ml_api.local.weights.disk import explain_disk_errors
from centralized_ml_api.local.weights.partial import Partial
from centralized_ml_api.local.weights.verification import (
    Verified,
    is_same,
    is_unchanged,
    load_all_verified,
    load_verified,
    save_verified,
)
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from centralized_ml_api.local.weights.progress import Monitor

LOCK_NAME = ".lock"
_KEY_LENGTH = 16
_LOCK_POLL_SECONDS = 0.1
_WORK_PREFIX = ".work-"
_NEW_PREFIX = ".new-"


def cache_root(cache: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Returns the folder of the cache: the given one, `MLAPI_CACHE`, or the user's own cache folder."""
    chosen = cache or environment.get("MLAPI_CACHE") or platformdirs.user_cache_path("mlapi")
    return Path(chosen).expanduser().absolute()


def build_cache_key(text: str) -> str:
    """Returns a name for `text` that may be the name of a folder. Pure."""
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@contextmanager
def lock_folder(folder: Path, monitor: Monitor, *, what: str) -> Iterator[None]:
    """Waits until no other process fetches into a folder, then keeps others out.

    The operating system frees the lock of a process that dies.

    Args:
        folder: Made if need be.
        monitor: Hears `waiting`, and can end the wait.
        what: What is fetched, for messages.

    Raises:
        FetchCancelledError: The caller has cancelled the fetch.
        WeightsError: The folder cannot be written.
    """
    with explain_disk_errors(folder, what=what):
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK_NAME)
        while not lock.is_locked:
            try:
                lock.acquire(timeout=_LOCK_POLL_SECONDS)
            except filelock.Timeout:
                monitor.report("waiting")
    try:
        yield
    finally:
        lock.release()


@record
class CacheEntry:
    """The folder of one source, and the name that its weights have there."""

    folder: Path
    name: str

    @classmethod
    def of(cls, location: str, name: str, cache: Path | None) -> CacheEntry:
        """Returns the entry of a source.

        Args:
            location: The source's text, without the digest.
            name: The name of its file or folder.
            cache: Root of the cache; None takes the usual one.
        """
        return cls(cache_root(cache) / "weights" / build_cache_key(location), name)

    @property
    def path(self) -> Path:
        """The complete, verified file or folder; it may not be there yet."""
        return self.folder / self.name

    @property
    def partial(self) -> Partial:
        """What has come of the file so far."""
        return Partial(self.folder / ".partial")

    def find_file(self, sha256: str | None, monitor: Monitor) -> Path | None:
        """Returns the file if it has not changed since it was verified, and is the one of `sha256`.

        Raises:
            FetchCancelledError: The caller has cancelled the fetch.
        """
        verified = load_verified(self.folder)
        if verified is None or sha256 not in (None, verified.sha256):
            return None
        return self.path if is_unchanged(self.path, verified, self.folder, monitor) else None

    def find_folder(self, monitor: Monitor) -> Path | None:
        """Returns the folder if none of its files has changed since it was verified.

        Raises:
            FetchCancelledError: The caller has cancelled the fetch.
        """
        files = load_all_verified(self.folder)
        if files and all(is_same(self.path / path, verified, monitor) for path, verified in files.items()):
            return self.path
        return None

    def keep_file(self, sha256: str) -> Path:
        """Makes the partial file, whose digest has just been computed, the file; returns its path."""
        # The record first: a crash in between then means one more download, never an unverified file.
        save_verified(self.folder, Verified.of(self.partial.path, sha256))
        self.partial.path.replace(self.path)
        self.partial.discard()
        return self.path

    def begin_folder(self, commit: str) -> Path:
        """Returns the folder for what comes of a commit; what came of another one is removed."""
        new = self.folder / f"{_NEW_PREFIX}{commit}"
        for other in self.folder.glob(f"{_NEW_PREFIX}*"):
            if other != new:
                shutil.rmtree(other, ignore_errors=True)
        new.mkdir(exist_ok=True)
        return new

    def keep_folder(self, new: Path, digests: Mapping[str, str]) -> Path:
        """Makes `new` the folder; `digests` has the SHA-256, just computed, of each of its files."""
        # The record first: a crash in between then means another look at the hub, never unverified files.
        save_verified(
            self.folder, {path: Verified.of(new / path, digest) for path, digest in digests.items()}
        )
        if self.path.exists():
            shutil.rmtree(self.path)
        new.rename(self.path)
        return self.path

    def lock(self, monitor: Monitor, *, what: str) -> AbstractContextManager[None]:
        """Keeps other processes out while this one fetches; see `lock_folder`."""
        return lock_folder(self.folder, monitor, what=what)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Yields a folder that is removed afterwards; what a killed process left of one is removed before."""
        for stale in self.folder.glob(f"{_WORK_PREFIX}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            prefix=_WORK_PREFIX, dir=self.folder, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)
