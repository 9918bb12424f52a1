"""The environment of a model: a virtual environment with its requirements, built once and shared.

    environments/3f0c…/python/      a virtual environment
                       server/      the HTTP library of the server in the model's process
                       .complete    written last: without it, what stands here is half an environment
                       .work/       pip's own files while it works
                       .lock        held by the process that builds

It is built in place, since programs in `bin` carry their own path, and is whole once `.complete` says so: one
that was cut is built anew by whoever needs it next.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.python_engine.install import install_requirements
from centralized_ml_api.local.python_engine.requirements import LIBRARY, build_key, find_requirements
from centralized_ml_api.local.weights.cache import cache_root, lock_folder
from centralized_ml_api.local.weights.disk import explain_disk_errors
from centralized_ml_api.local.weights.progress import Monitor, Progress

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


FOLDER = "environments"
"""In the cache."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in the cache; it may not be there yet."""

    folder: Path

    @property
    def prefix(self) -> Path:
        """The virtual environment."""
        return self.folder / "python"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def library(self) -> Path:
        """The folder to import the HTTP library from."""
        return self.folder / "server"

    @property
    def is_whole(self) -> bool:
        """Whether it was built to the end, and the Python that it was built from is still there."""
        return self._mark.exists() and os.access(self.python, os.X_OK)

    @property
    def last_used(self) -> float:
        """When it was built or last asked for, in seconds since 1970."""
        return max(one.stat().st_mtime for one in (self._mark, self.folder) if one.exists())

    def note_use(self) -> None:
        """Says that it is needed now. In a cache that cannot be written, nothing is removed either."""
        with contextlib.suppress(OSError):
            os.utime(self._mark)

    @property
    def _mark(self) -> Path:
        return self.folder / ".complete"

    def clear(self) -> None:
        """Leaves nothing of it."""
        self._mark.unlink(missing_ok=True)
        for part in (self.prefix, self.library, self.work):
            shutil.rmtree(part, ignore_errors=True)

    @property
    def work(self) -> Path:
        """Where pip unpacks and builds."""
        return self.folder / ".work"

    def finish(self) -> None:
        """Says that it is whole."""
        shutil.rmtree(self.work, ignore_errors=True)
        self._mark.touch()


def find_environment(code: Path, cache: Path | None = None) -> Environment:
    """The environment that fits the folder `code`, built or not."""
    return Environment(cache_root(cache) / FOLDER / build_key(code))


def prepare_environment(
    code: Path,
    *,
    say: Callable[[str], None],
    log: Callable[[bytes], None],
    cancelled: threading.Event,
    cache: Path | None = None,
) -> Environment:
    """The environment that fits the folder, built if need be; blocks, and runs in any thread.

    Args:
        code: A model's folder.
        say: Called in this thread with how far it is, in a few words.
        log: Called in this thread with each line that pip says.
        cancelled: Set it to end the building within a moment; nothing of it is left.
        cache: Root of the cache; None takes `MLAPI_CACHE` or the user's own cache folder.

    Raises:
        StartError: the requirements cannot be installed.
        WeightsError: the cache cannot be written, or is full.
        FetchCancelledError: `cancelled` was set.
    """
    environment = find_environment(code, cache)
    if environment.is_whole:
        environment.note_use()
        return environment
    monitor = Monitor(lambda now: say(_words(now)), cancelled)
    with lock_folder(environment.folder, monitor, what=f"the environment of {code.name}"):
        if not environment.is_whole:
            _build(environment, code, monitor, say, log)
    return environment


def _words(now: Progress) -> str:
    return (
        "waiting for another process that builds the same environment"
        if now.stage == "waiting"
        else now.stage
    )


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
    """An empty virtual environment, and the server's library. Needs neither pip nor network.

    The library is a copy of our own, which the lock of this project pins by its hash. It has no dependencies
    and is pure Python, and stays apart from the packages of the model, whatever those are.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False).create(environment.prefix)
    spec = importlib.util.find_spec(LIBRARY)
    if spec is None or spec.origin is None:
        raise StartError(f"{LIBRARY} is missing", fix="pip install 'centralized-ml-api[local]'")
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(spec.origin).parent, environment.library / LIBRARY, ignore=without_caches)
    environment.work.mkdir()
