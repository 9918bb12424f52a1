"""Where a command is printed: a folder, what runs there, what was printed, and a try of each command."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import list_teams
from centralized_ml_api.local.status import EntryStatus, LocalStatus
from support.aws_wire import AwsWire
from support.control import SilentTarget, serve_control
from support.odd_server import OddServer
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from support.local_api import Ran

    Situation = Callable[["Stage"], AbstractContextManager[None] | None]

FILE = "my class.json"
STATE = "else where"
AT = ("--state", STATE)
ECHO = {"name": "echo", "integration": {"type": "api"}, "sample": {"a": 1}}
SERVED = {**ECHO, "path": "/echo", "takes": "application/json", "gives": None, "sample_file": None}
READY = EntryStatus("echo", "/echo", "ready", "", "url", "api", ())
NOT_RUN = {"up", "down", "doctor", "cost", "deploy", "diff", "destroy"}
ENDLESS_OR_ELSEWHERE = {"--watch", "--follow", "aws"}


@dataclass
class Stage:
    """A folder of one situation, and a server that answers as its API; `said` is all that was printed."""

    folder: Path
    server: OddServer
    aws: AwsWire
    said: str = ""
    runs: list[SilentTarget] = field(default_factory=list)
    may_fail: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.server.port}"

    def run(self, *words: str) -> Ran:
        """Runs a verb in the folder."""
        ran = mlapi(*words, cwd=self.folder)
        self.said += ran.out + ran.talk
        return ran

    def show(self, text: str) -> None:
        """Takes what a part of the program would print."""
        self.said += f"{text}\n"

    def show_error(self, act: Callable[[], object]) -> None:
        """Takes the fix of the error that is raised."""
        try:
            act()
        except MlApiError as error:
            self.show(error.fix)

    def printed(self, act: Callable[[], object]) -> None:
        """Takes what is printed meanwhile."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            act()
        self.said += out.getvalue()

    def write(self, name: str = FILE, **more: Any) -> Path:
        """Writes a config with one endpoint."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"models": [], "endpoints": [ECHO], **more}, indent=1))
        return path

    def make_keys(self, *teams: str, state: str = STATE) -> None:
        """Makes the keys of teams, as a start would."""
        (self.folder / state).mkdir(exist_ok=True)
        KeyStore(self.folder / state).change(lambda _: list_teams((), teams))

    def log(self, name: str, state: str = STATE) -> None:
        """Writes a log, as a model would."""
        path = self.folder / state / "logs/models" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("boom\n")

    @contextlib.contextmanager
    def running(
        self, *entries: EntryStatus, config: str = FILE, state: str = STATE, **more: Any
    ) -> Iterator[SilentTarget]:
        """Something runs with the config and the state folder."""
        self.server.catalogue = {"models": [SERVED], "data": []}
        path, folder = self.folder / config, self.folder / state
        if not path.exists():
            self.write(config)
        status = LocalStatus(1, str(path), str(folder), 0.0, self.url, "", "", entries or (READY,), ())
        target = SilentTarget(replace(status, **more))
        with serve_control(target, folder):
            yield target

    def try_out(self, line: str) -> None:
        """Runs a printed command as it stands; of what is long, bills or ends something only its words."""
        words = shlex.split(line)
        assert words[0] == "mlapi", line
        verb, flags = words[1], set(words)
        for word in words[2:]:
            if word.endswith((".json", ".yaml")) and verb != "init":
                assert (self.folder / word).is_file(), f"{line}: there is no {word}"
        is_only_explained = verb in NOT_RUN or flags & ENDLESS_OR_ELSEWHERE
        if is_only_explained:
            explained = mlapi(*words[1:], "--help", cwd=self.folder)
            assert explained.status == 0, explained.talk
        if verb == "up":
            config = words[2:3] if not words[2].startswith("--") else []
            assert mlapi("plan", *config, cwd=self.folder).status == 0, line
        if verb == "down":
            state = words[words.index("--state") + 1] if "--state" in flags else ".mlapi"
            assert (self.folder / state / "run.json").is_file(), f"{line}: nothing runs there"
        if is_only_explained:
            return
        ran = mlapi(*words[1:], cwd=self.folder)
        assert ran.status == 0 or verb in self.may_fail, f"{line}: {ran.out}{ran.talk}"
