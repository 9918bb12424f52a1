"""The state folder (`.mlapi`): who runs here, its logs, the gateway's files. Only this user may read it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

import psutil
from filelock import FileLock, Timeout

from centralized_ml_api.errors import NotRunningError, StartError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Run:
    """A running local target: how to reach the process that supervises it.

    `control_url` and `token` are empty until it listens; `started` is the process's creation time in seconds
    since the epoch, so that a process id that was given to another program is not taken for it.
    """

    pid: int
    started: float
    config: str
    control_url: str = ""
    token: str = ""

    @classmethod
    def of_this_process(cls, config: str) -> Run:
        """This very process, not yet reachable."""
        return cls(os.getpid(), psutil.Process().create_time(), config)

    def reachable(self, control_url: str, token: str) -> Run:
        """The same, now listening."""
        return replace(self, control_url=control_url, token=token)

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        with contextlib.suppress(psutil.Error):
            return abs(psutil.Process(self.pid).create_time() - self.started) < 1
        return False

    def stop(self) -> None:
        """Asks the process to end, kills it when it does not; returns when it is gone.

        Its children die with it either way (Linux): see `supervision/process.py`.
        """
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)


class StateFolder:
    """A state folder and its lock; used with `with`, it belongs to this process until the block ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.gateway = self.path / "gateway"
        self._run_file = self.path / "run.json"
        self._lock = FileLock(self.path / "lock", timeout=0, mode=0o600)

    def __enter__(self) -> Self:
        """Takes the folder.

        Raises:
            StartError: another process has it (the message says which), or it cannot be written.
        """
        self._make()
        try:
            self._lock.acquire()
        except Timeout as error:
            raise self._held() from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives it back: nothing but the logs and an empty lock file stay."""
        self._run_file.unlink(missing_ok=True)
        self._lock.release()

    def write_run(self, run: Run) -> None:
        """Says who runs here (mode 0600, replaced as a whole)."""
        draft = self._run_file.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(run), file)
        draft.replace(self._run_file)

    def load_run(self) -> Run:
        """Who runs here.

        Raises:
            NotRunningError: nobody does.
        """
        run = self._find_run()
        if run is None or not run.alive:
            raise NotRunningError(
                f"nothing runs with the state folder {self.path}",
                fix="start it with: mlapi up (or name the folder with --state)",
            )
        return run

    def _find_run(self) -> Run | None:
        try:
            return Run(**json.loads(self._run_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _make(self) -> None:
        try:
            for folder in (self.path, self.logs, self.gateway):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise StartError(
                f"the state folder {self.path} cannot be written: {error.strerror}",
                fix="name another one: --state FOLDER",
            ) from error

    def _held(self) -> StartError:
        run = self._find_run()
        who = f"mlapi (pid {run.pid}) serving {run.config}" if run else "another mlapi that is just starting"
        return StartError(
            f"the state folder {self.path} is held by {who}",
            fix="stop it with `mlapi down`, change it with `mlapi reload`, or use --state ANOTHER-FOLDER",
        )
