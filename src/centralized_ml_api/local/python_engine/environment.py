"""The environment of a model: its requirements in a virtual environment, built once and shared.

    environments/3f0c…/python/      a virtual environment
                       server/      the HTTP library of the server in the model's process
                       .complete    written last: without it, what is here is half an environment
                       .work/       pip's own files while it works
                       .lock        held by the process that builds

It is built in place, since programs in `bin` contain their own path, and is complete once `.complete` exists;
one that was cut is built again by whoever needs it next.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from centralized_ml_api.extras import build_error
from centralized_ml_api.local.python_engine.requirements import (
    LIBRARY,
    build_key,
    find_requirements,
    install_requirements,
)
from centralized_ml_api.local.weights.cache import LOCK_NAME, cache_root, lock_folder
from centralized_ml_api.local.weights.disk import explain_disk_errors
from centralized_ml_api.local.weights.progress import Monitor, Progress
from centralized_ml_api.record import record

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

UNUSED_DAYS = 30
"""Longer than any hackathon, so that nothing that runs loses its environment."""

_FOLDER = "environments"
_DAY_SECONDS = 86400


@record
class Environment:
    """A virtual environment in the cache; it may not be there yet."""

    folder: Path

    @property
    def prefix(self) -> Path:
        """The folder of the virtual environment."""
        return self.folder / "python"

    @property
    def python(self) -> Path:
        """The path of the Python interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def library(self) -> Path:
        """The folder to import the HTTP library from."""
        return self.folder / "server"

    @property
    def work(self) -> Path:
        """The folder in which pip unpacks and builds packages."""
        return self.folder / ".work"

    @property
    def is_complete(self) -> bool:
        """Whether it was built to the end, and the Python that it was built from is still there."""
        return self._mark.exists() and os.access(self.python, os.X_OK)

    @property
    def last_used(self) -> float:
        """When it was built or last asked for, in seconds since 1970."""
        return max(path.stat().st_mtime for path in (self._mark, self.folder) if path.exists())

    @property
    def _mark(self) -> Path:
        return self.folder / ".complete"

    def note_use(self) -> None:
        """Records that it is needed now. In a cache that cannot be written, nothing is removed either."""
        with contextlib.suppress(OSError):
            os.utime(self._mark)

    def finish(self) -> None:
        """Marks it as complete."""
        shutil.rmtree(self.work, ignore_errors=True)
        self._mark.touch()

    def clear(self) -> None:
        """Removes everything but its folder and lock."""
        self._mark.unlink(missing_ok=True)
        for part in (self.prefix, self.library, self.work):
            shutil.rmtree(part, ignore_errors=True)


def find_environment(code: Path, cache: Path | None = None) -> Environment:
    """Returns the environment that fits the folder `code`, built or not."""
    return Environment(cache_root(cache) / _FOLDER / build_key(code))


def prepare_environment(
    code: Path,
    *,
    say: Callable[[str], None],
    log: Callable[[bytes], None],
    cancelled: threading.Event,
    cache: Path | None = None,
) -> Environment:
    """Returns the environment that fits a folder, built if need be; blocks, and runs in any thread.

    Args:
        code: A model's folder.
        say: Called in this thread with how far it is, in a few words.
        log: Called in this thread with each line that pip prints.
        cancelled: Set it to end the build within a moment; nothing of it is left.
        cache: Root of the cache; None takes `MLAPI_CACHE` or the user's own cache folder.

    Raises:
        StartError: The requirements cannot be installed.
        WeightsError: The cache cannot be written, or is full.
        FetchCancelledError: `cancelled` was set.
    """
    environment = find_environment(code, cache)
    if environment.is_complete:
        environment.note_use()
        return environment

    def report(now: Progress) -> None:
        waits = now.stage == "waiting"
        say("waiting for another process that builds the same environment" if waits else now.stage)

    monitor = Monitor(report, cancelled)
    with lock_folder(environment.folder, monitor, what=f"the environment of {code.name}"):
        if not environment.is_complete:
            _build(environment, code, monitor, say, log)
    return environment


def remove_unused(cache: Path | None = None, *, now: float | None = None) -> tuple[int, int]:
    """Removes the environments that no start, no pull and no build used for 30 days.

    Args:
        cache: Root of the cache; None takes `MLAPI_CACHE` or the user's own cache folder.
        now: Seconds since 1970; None takes the clock's.

    Returns:
        How many were removed, and how many bytes they had.
    """
    before = (time.time() if now is None else now) - UNUSED_DAYS * _DAY_SECONDS
    sizes = [_remove(environment) for environment in _find_unused(cache_root(cache) / _FOLDER, before)]
    removed = [size for size in sizes if size is not None]
    return len(removed), sum(removed)


def _build(
    environment: Environment,
    code: Path,
    monitor: Monitor,
    say: Callable[[str], None],
    log: Callable[[bytes], None],
) -> None:
    say("building an environment")
    environment.clear()  # what a process that was killed left
    try:
        with explain_disk_errors(environment.folder, what=f"the environment of {code.name}"):
            _make(environment)
            requirements = find_requirements(code)
            if requirements:
                install_requirements(
                    requirements, environment.python, environment.work, monitor, say=say, log=log
                )
            environment.finish()
    except BaseException:
        environment.clear()
        raise


def _make(environment: Environment) -> None:
    """Makes an empty virtual environment, and the server's library. Needs neither pip nor network.

    The library is a copy of our own, which the lock of this project pins by its hash. It has no dependencies
    and is pure Python, and stays apart from the packages of the model, whatever those are.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False).create(environment.prefix)
    spec = importlib.util.find_spec(LIBRARY)
    if spec is None or spec.origin is None:
        raise build_error("local")
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(spec.origin).parent, environment.library / LIBRARY, ignore=without_caches)
    environment.work.mkdir()


def _find_unused(folder: Path, before: float) -> Iterator[Environment]:
    for subfolder in sorted(folder.glob("*/")):
        environment = Environment(subfolder)
        is_empty = all(path.name == LOCK_NAME for path in subfolder.iterdir())
        if not is_empty and environment.last_used < before:
            yield environment


def _remove(environment: Environment) -> int | None:
    """Removes an environment; returns its bytes, or None if another process holds it."""
    lock = filelock.FileLock(environment.folder / LOCK_NAME)
    try:
        with lock.acquire(blocking=False):
            size = sum(path.lstat().st_size for path in environment.folder.rglob("*") if not path.is_dir())
            environment.clear()
    except filelock.Timeout:
        return None
    return size
