"""Manages the state folder (`.mlapi`): who runs, logs, the gateway's files. Only its user may read it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil
from filelock import FileLock, Timeout

from centralized_ml_api.commands import DEFAULT_CONFIG, command, state_flags
from centralized_ml_api.errors import NotRunningError, StartError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from types import TracebackType

STOP_SECONDS = 30
LOOK_SECONDS = 0.05
LOCK_NAME = "lock"


@record
class Run:
    """A running local target, and how to reach the process that supervises it.

    `flags` are the words behind `mlapi up CONFIG` that started it. `control_url` and `token` are empty until
    that process listens. `born` is when it was created, from `read_birth`, and `boot` names the start of the
    machine, so that another program that got the same process id is not mistaken for it.
    """

    pid: int
    born: float
    config: str
    flags: tuple[str, ...] = ()
    boot: str = ""
    control_url: str = ""
    token: str = ""

    @classmethod
    def of_this_process(cls, config: str, flags: tuple[str, ...] = ()) -> Run:
        """Describes this process, which is not yet reachable."""
        return cls(os.getpid(), read_birth(psutil.Process()), config, flags, read_boot())

    def reachable(self, control_url: str, token: str) -> Run:
        """Returns the same run, now listening."""
        return replace(self, control_url=control_url, token=token)

    @property
    def alive(self) -> bool:
        """Whether that same process still runs."""
        return self._process() is not None

    def stop(self) -> None:
        """Asks the process to end, kills it if it does not, and returns when it is gone.

        Its children die with it either way (Linux): see `supervision/process.py`.
        """
        for end in (psutil.Process.terminate, psutil.Process.kill):
            process = self._process()
            if process is None:
                return
            with contextlib.suppress(psutil.NoSuchProcess):
                end(process)
            self._wait_gone()

    def _wait_gone(self) -> None:
        """Waits for the end; `psutil.Process.wait` would also wait until the parent reaps the process."""
        deadline = time.monotonic() + STOP_SECONDS
        while self.alive and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _process(self) -> psutil.Process | None:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = self.boot in {"", read_boot()} and abs(read_birth(process) - self.born) < 1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        return None


def read_birth(process: psutil.Process) -> float:
    """Returns when the process was created, in seconds that do not change when the wall clock is set.

    Linux counts from the start of the machine. psutil adds the time of that start, which moves with the
    clock.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (starttime)
    """
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def read_boot() -> str:
    """Returns what names this start of the machine; empty where the system does not tell.

    Source: https://man7.org/linux/man-pages/man4/random.4.html (boot_id)
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class StateFolder:
    """A state folder and its lock; in a `with` block it belongs to this process."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.model_logs = self.logs / "models"
        self.gateway = self.path / "gateway"
        self.scratch = self.path / "scratch"
        self._run_file = self.path / "run.json"
        self._lock = FileLock(self.path / LOCK_NAME, timeout=0, mode=0o600)

    def __enter__(self) -> Self:
        """Takes the folder.

        Raises:
            StartError: Another process holds it (the message says which), it holds other files, or it cannot
            be
                written.
        """
        try:
            self._make()
            self._lock.acquire()
            shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed predecessor left
            self.scratch.mkdir(mode=0o700)
        except Timeout as error:
            raise self._held() from error
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Releases it. Logs, counts, notes, the gateway's last configuration and an empty lock file stay."""
        self._run_file.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._lock.release()

    def write_run(self, run: Run) -> None:
        """Records who runs here, in a file of mode 0600 that is replaced atomically.

        Raises:
            StartError: It cannot be written.
        """
        try:
            self._write_run(run)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def restore(self, run: Run) -> bool:
        """Makes the folder again if it was deleted under us, so that `run` can still be found and stopped.

        Returns:
            Whether it had been deleted.

        Raises:
            OSError: It cannot be made now.
            StartError: Another process, or other files, have taken its place.
        """
        if self._is_there(run):
            return False
        self._make()
        self.scratch.mkdir(mode=0o700, exist_ok=True)
        self._lock.release()
        try:
            self._lock.acquire()
        except Timeout as error:
            raise self._held() from error
        self._write_run(run)
        return True

    def _is_there(self, run: Run) -> bool:
        """Returns whether `run` is recorded; a file that cannot be read just now counts as there."""
        try:
            return self._read_run() == run
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True

    def load_run(self) -> Run:
        """Returns who runs here.

        Raises:
            NotRunningError: Nobody does.
        """
        run = self._find_run()
        if run is None or not run.alive:
            flags = state_flags(self.path)
            start = command("up", *flags) if DEFAULT_CONFIG.is_file() else command("init")
            raise NotRunningError(
                f"nothing runs with the state folder {self.path}",
                fix=f"name another one with --state, or begin with: {start}",
            )
        return run

    def last_run(self) -> Run | None:
        """Returns who runs here, or was killed here; None where nobody did."""
        return self._find_run()

    def _find_run(self) -> Run | None:
        try:
            return self._read_run()
        except OSError:
            return None

    def _read_run(self) -> Run | None:
        """Returns the recorded run; None if the file is damaged."""
        text = self._run_file.read_bytes()
        try:
            written = json.loads(text)
            return Run(**{**written, "flags": tuple(written.get("flags", ()))})
        except (ValueError, TypeError, AttributeError):
            return None

    def _write_run(self, run: Run) -> None:
        draft = self._run_file.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(run), file)
        draft.replace(self._run_file)

    def _make(self) -> None:
        """Makes the folder, or takes an existing state folder, but never a folder with other files.

        The lock file identifies a state folder. It comes first: another process may be making the folder.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = {entry.name for entry in self.path.iterdir()}
        if found and LOCK_NAME not in found:
            raise StartError(
                f"{self.path} is not a state folder: it holds other files",
                fix="choose a separate folder, such as --state .mlapi",
            )
        self.path.chmod(0o700)
        (self.path / LOCK_NAME).touch(mode=0o600)
        for folder in (self.logs, self.model_logs, self.gateway):
            folder.mkdir(mode=0o700, exist_ok=True)
        ignore = self.path / ".gitignore"  # the folder is in the user's project and holds keys
        ignore.touch(mode=0o600)
        ignore.write_text("*\n")

    def _unusable(self, reason: str) -> StartError:
        return StartError(
            f"the state folder {self.path} cannot be written: {reason}",
            fix="choose another folder: --state FOLDER",
        )

    def _held(self) -> StartError:
        run = self._find_run()
        who = f"mlapi (pid {run.pid}) serving {run.config}" if run else "another mlapi that is just starting"
        return StartError(
            f"the state folder {self.path} is held by {who}",
            fix="name another folder with --state, or stop what runs with this one: "
            + command("down", *state_flags(self.path)),
        )
