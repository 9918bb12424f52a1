"""Starts the servers of the last start before the config is read, and lets those go on that are needed.

Until this program is imported, and the config read and checked, half the time has passed in which a model
loads. So a run notes how it started its llama.cpp servers, and for which content of which config. The next
one with that content starts them first of all. It serves with such a process only if it would start exactly
the same now: program, arguments, environment, folder, and files with the size and time that they had. Any
other is ended, whatever becomes of the config; until then nobody knows its port.

The note has neither programs nor environments, which may be secret: it can only start llama.cpp's server.
Imports little: this comes first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.child_environment import build_environment
from centralized_ml_api.local.machine.ports import quiet_port
from centralized_ml_api.local.servers.llama_cpp_program import PROGRAM, STACK_BYTES
from centralized_ml_api.local.supervision.child_setup import MARK, build_child_setup
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

NOTE_NAME = "started.json"
RUN_NAME = "run.json"
"""As the state folder names it: while somebody runs there, nothing starts early."""

_OTHERS = 0o077
"""The permissions of everybody else."""

_PORT = "PORT"
"""Stands in a note for the port, which is another one each time."""


@record
class EarlyServer:
    """A process that was started before anybody asked for it: its port, and the reading end of its output."""

    launch: Launch
    port: int
    child: subprocess.Popen[bytes]
    output: int


class EarlyServers:
    """What runs early for a config and a state folder. Leaving the `with` block ends what nobody took.

    Args:
        config: The config's file.
        state: The state folder, which may not exist.
        program: The program that is started.
    """

    def __init__(self, config: Path, state: Path, program: tuple[str, ...] = PROGRAM) -> None:
        self._state, self._program = state.absolute(), program
        self._config = _read_digest(config)
        self._waiting: list[EarlyServer] = []
        self._has_begun = False

    def begin(self) -> None:
        """Starts what the note of the last run says, as far as it is still true; once."""
        has_begun, self._has_begun = self._has_begun, True
        if has_begun or not self._config or sys.platform != "linux":
            return
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError, StartError):
            note = _read_note(self._state / NOTE_NAME)
            if note["config"] == self._config and not (self._state / RUN_NAME).exists():
                self._start_all(note["servers"], note["withheld"])

    def __enter__(self) -> Self:
        """Begins, unless it has begun."""
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends what nobody took."""
        self.end()

    @property
    def pids(self) -> frozenset[int]:
        """The processes that nobody has taken."""
        return frozenset(server.child.pid for server in self._waiting)

    def find_port(self, launch_on: Callable[[int], Launch]) -> int | None:
        """Returns the port of a process that was started as a server would start it now; None without one.

        Args:
            launch_on: Returns the launch of the server on a port.
        """
        found = (server for server in self._waiting if launch_on(server.port) == server.launch)
        return next((server.port for server in found if server.child.poll() is None), None)

    def take(self, launch: Launch) -> EarlyServer | None:
        """Returns the process that was started so, which the caller ends from now on; None without one."""
        for server in self._waiting:
            if server.launch == launch and server.child.poll() is None:
                self._waiting.remove(server)
                return server
        return None

    def end(self) -> None:
        """Ends what nobody took, and waits until it is gone."""
        while self._waiting:
            server = self._waiting.pop()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(server.child.pid, signal.SIGKILL)
            server.child.wait()
            os.close(server.output)

    def note(self, launches: Iterable[tuple[int, Launch]], withheld: Sequence[str]) -> None:
        """Notes how servers were started, for the next start; a disk that refuses loses the note.

        Args:
            launches: Each with its port. Only those of llama.cpp count, in the environment of this process.
            withheld: The variables that no server sees.
        """
        skip, note = len(self._program), self._state / NOTE_NAME
        servers = [
            {
                "arguments": [_PORT if word == str(port) else word for word in launch.argv[skip:]],
                "cwd": str(launch.cwd),
                "files": [[str(path), *_read_state(path)] for path in launch.needs],
            }
            for port, launch in launches
            if launch == self._build_launch(launch.argv[skip:], launch.cwd, launch.needs, withheld)
        ]
        text = json.dumps({"config": self._config, "withheld": [*withheld], "servers": servers})
        draft = self._state / f".{NOTE_NAME}.new"
        with contextlib.suppress(OSError):
            if not servers:
                note.unlink(missing_ok=True)
                return
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(text)
            draft.replace(note)

    def _start_all(self, servers: Iterable[Mapping[str, Any]], withheld: Sequence[str]) -> None:
        for server in servers:
            needs = tuple(Path(path) for path, *_ in server["files"])
            same = all(_read_state(Path(path)) == (size, time) for path, size, time in server["files"])
            if same:
                port = quiet_port()
                words = [str(port) if word == _PORT else word for word in server["arguments"]]
                launch = self._build_launch(words, Path(server["cwd"]), needs, withheld)
                self._waiting.append(_start(launch, port, self._state))

    def _build_launch(
        self, arguments: Iterable[str], cwd: Path, needs: tuple[Path, ...], withheld: Sequence[str]
    ) -> Launch:
        """Builds the launch of llama.cpp's server with the environment of this process."""
        own = {name: value for name, value in os.environ.items() if name not in withheld}
        return Launch(
            argv=(*self._program, *arguments),
            environment=build_environment(own, {}),
            cwd=cwd,
            needs=needs,
            stack_bytes=STACK_BYTES,
        )


def _start(launch: Launch, port: int, state: Path) -> EarlyServer:
    output, writing_end = os.pipe()
    try:
        child = subprocess.Popen(  # noqa: S603  # llama.cpp's server
            launch.argv,
            cwd=launch.cwd,
            env={**launch.environment, MARK: str(state)},
            stdin=subprocess.DEVNULL,
            stdout=writing_end,
            stderr=writing_end,
            start_new_session=True,
            preexec_fn=build_child_setup(launch),  # noqa: PLW1509  # there is no other thread yet
        )
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(writing_end)
    return EarlyServer(launch, port, child, output)


def _read_note(path: Path) -> Any:
    """Reads a note that this user alone can have written: nobody has looked at the state folder yet.

    Raises:
        PermissionError: It may be somebody else's.
        OSError: It cannot be read.
        ValueError: It is damaged.
    """
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        if state.st_uid != os.geteuid() or state.st_mode & _OTHERS:
            raise PermissionError(path)
        return json.loads(file.read())


def _read_digest(config: Path) -> str:
    """Returns what names a config and its content; empty if it cannot be read, or only once as a pipe is."""
    try:
        if not config.is_file():
            return ""
        return hashlib.sha256(os.fsencode(config.absolute()) + b"\0" + config.read_bytes()).hexdigest()
    except OSError:  # `is_file` raises it, too, for a name that is too long or in a folder of somebody else's
        return ""


def _read_state(path: Path) -> tuple[int, int]:
    """Returns the size and the time of a file: while they stay, weights count as those that were verified."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_size, state.st_mtime_ns
