"""What a start in the background runs, waits for and says when it fails."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.detach import (
    LONGEST_PAUSE_SECONDS,
    LOOK_SECONDS,
    build_command,
    pause_after,
    start_detached,
)
from centralized_ml_api.local.run.options import ServeOptions
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = """
import http.server, json, sys
from pathlib import Path
from centralized_ml_api.local.machine.state_folder import StateFolder, Run

folder, answers = Path(sys.argv[1]), json.loads(sys.argv[2])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(answers.pop(0) if len(answers) > 1 else answers[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with StateFolder(folder) as state:
    run = Run.of_this_process("c.json").reachable(f"http://127.0.0.1:{server.server_port}", "t")
    state.write_run(run)
    print("listening", flush=True)
    server.serve_forever()
"""
"""Answers as `mlapi up` does: the statuses that it is given, one after the other."""


SLEEPER = """
import json, os, psutil, signal, sys, time

def end(*_):
    open(f"{sys.argv[1]}.ended", "w").close()
    sys.exit()

signal.signal(signal.SIGTERM, end)
born = psutil.Process().create_time() - (psutil.boot_time() if psutil.LINUX else 0)
run = {"pid": os.getpid(), "born": born, "config": "c.json", "control_url": sys.argv[2], "token": "t"}
with open(f"{sys.argv[1]}.draft", "w") as file:
    json.dump(run, file)
os.replace(f"{sys.argv[1]}.draft", sys.argv[1])
time.sleep(600)
"""
"""Says that it runs, as fast as Python starts; somebody else answers for it."""


@contextmanager
def answering(*answers: LocalStatus, asked: list[str] | None = None) -> Iterator[str]:
    """Answers calls with these statuses, the last one again and again; yields the address.

    Args:
        answers: The statuses.
        asked: Gets the paths that were asked for.
    """
    bodies = [json.dumps(answer.to_json()).encode() for answer in answers]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.path)
            body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def status(state: EntryState, *, overdue: bool = False) -> LocalStatus:
    entry = EntryStatus("a", "/a", state, "", "command", "api", ())
    return LocalStatus(1, "c", "s", 0.0, "http://a", "", "", (entry,), (), overdue=overdue)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A start in the background turns SIGTERM into an exception, for the rest of the process."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@contextmanager
def children_ended() -> Iterator[None]:
    """Ends what was started in the background, and no child of other tests, such as the CDK's Node."""
    before = set(psutil.Process().children())
    try:
        yield
    finally:
        for process in set(psutil.Process().children()) - before:
            process.terminate()
            process.wait(30)


def command(options: ServeOptions, *answers: LocalStatus) -> list[str]:
    statuses = json.dumps([answer.to_json() for answer in answers])
    return [sys.executable, "-c", SERVER, str(options.state), statuses]


def never(_: LocalStatus) -> None:
    """Nothing is shown."""
    pytest.fail("a status was shown")


def options_in(folder: Path) -> ServeOptions:
    return ServeOptions(folder / "models.json", folder / ".mlapi")


def test_the_child_gets_every_option_and_asks_nobody_whether_it_may_be_public() -> None:
    plain = ServeOptions(Path("models.json"), Path("/state"))
    up = [sys.executable, "-m", "centralized_ml_api", "up", "models.json"]
    assert build_command(plain) == [*up, "--state", "/state"]
    more = replace(plain, host="0.0.0.0", port=81, for_seconds=90.5, metrics_port=0, public=True)
    where = ["--host", "0.0.0.0", "--port", "81", "--for", "90.5s", "--metrics-port", "0"]
    assert build_command(more) == [*up, *where, "--state", "/state", "--public"]


def test_the_child_serves_https_with_the_same_certificate() -> None:
    plain = ServeOptions(Path("models.json"), Path(".mlapi"))
    assert replace(plain, https=True).flags == ("--https",)
    users = replace(plain, https=True, certificate=Path("/c.pem"), key=Path("/k.pem"))
    assert users.flags == ("--certificate", "/c.pem", "--key", "/k.pem")


def test_a_long_time_is_written_in_full() -> None:
    assert replace(ServeOptions(Path("a"), Path(".mlapi")), for_seconds=12 * 86400.0).flags == (
        "--for",
        "288h",
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the child is left on purpose
def test_it_returns_when_the_api_is_announced_and_shows_how_it_goes(tmp_path: Path) -> None:
    options, shown = options_in(tmp_path), list[LocalStatus]()
    argv = command(options, status("starting"), status("preparing", overdue=True), status("ready"))
    with children_ended():
        assert start_detached(options, shown.append, argv) == status("ready")
        assert [seen.entries[0].state for seen in shown] == ["starting", "preparing", "ready"]
        pid = StateFolder(options.state).load_run().pid
        assert pid in [child.pid for child in psutil.Process().children()]
        assert os.getsid(pid) == pid
        assert (options.state / "logs" / "up.log").read_text() == "listening\n"


def test_a_process_that_says_why_it_ends_is_quoted(tmp_path: Path) -> None:
    options = options_in(tmp_path)
    talk = "print('starting', flush=True); exit('error: the port 8080 is held\\n  fix: take another')"
    with pytest.raises(StartError) as refused:
        start_detached(options, never, [sys.executable, "-c", talk])
    assert refused.value.message == "the port 8080 is held\n  fix: take another"
    assert refused.value.fix == ""


def test_of_a_process_that_just_ends_the_last_lines_are_told(tmp_path: Path) -> None:
    options = options_in(tmp_path)
    (options.state / "logs").mkdir(parents=True)
    (options.state / "lock").touch()
    (options.state / "logs" / "up.log").write_text("of the run before\n")
    with pytest.raises(StartError) as refused:
        start_detached(options, never, [sys.executable, "-c", "print(*range(20), sep='\\n'); exit(3)"])
    lines = "\n".join(str(number) for number in range(5, 20))
    assert refused.value.message == f"mlapi ended with status 3; its last lines:\n{lines}"


def test_a_folder_that_another_holds_is_said_at_once(tmp_path: Path) -> None:
    options = options_in(tmp_path)
    with StateFolder(options.state), pytest.raises(StartError, match="is held by"):
        start_detached(options, never, ["never-run"])


def test_an_interruption_ends_the_child_which_has_a_session_of_its_own(tmp_path: Path) -> None:
    options = options_in(tmp_path)
    before = set(psutil.Process().children())
    children: list[psutil.Process] = []

    def show(_: LocalStatus) -> None:
        children.extend(set(psutil.Process().children()) - before)
        assert [os.getsid(child.pid) for child in children] == [child.pid for child in children]
        os.kill(os.getpid(), signal.SIGTERM)

    with children_ended(), answering(status("starting")) as url:
        argv = [sys.executable, "-c", SLEEPER, str(options.state / "run.json"), url]
        with pytest.raises(KeyboardInterrupt):
            start_detached(options, show, argv)
        assert [child.is_running() for child in children] == [False]
    assert (options.state / "run.json.ended").exists(), "it could finish what it did"


@pytest.mark.slow
def test_the_status_of_another_process_in_the_folder_is_not_taken_for_the_childs(tmp_path: Path) -> None:
    """Of two that start at the same moment, one gets the folder; the other ends and says so."""
    options = options_in(tmp_path)
    late = f"""
import subprocess, sys, time
other = subprocess.Popen({command(options, status("ready"))!r}, stdout=subprocess.PIPE)
other.stdout.readline()
time.sleep(0.3)
other.kill()
other.wait()
print("error: the state folder is held")
sys.exit(1)
"""
    with pytest.raises(StartError, match="the state folder is held"):
        start_detached(options, never, [sys.executable, "-c", late])


@pytest.mark.parametrize(
    ("worked", "pause"),
    [(0, LOOK_SECONDS), (0.005, LOOK_SECONDS), (0.05, 1), (0.2, 4), (3, LONGEST_PAUSE_SECONDS)],
)
def test_a_status_that_is_much_work_is_looked_at_less_often(worked: float, pause: float) -> None:
    assert pause_after(worked) == pause


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the child is left on purpose
def test_a_pause_is_a_look_that_waits_for_the_announcement_and_as_long_as_the_last_was_work(
    tmp_path: Path,
) -> None:
    options, asked = options_in(tmp_path), list[str]()
    looks: list[float] = []

    def show(_: LocalStatus) -> None:
        looks.append(0.2)

    with children_ended(), answering(status("starting"), status("ready"), asked=asked) as url:
        argv = [sys.executable, "-c", SLEEPER, str(options.state / "run.json"), url]
        start_detached(options, show, argv, worked=lambda: sum(looks))
    assert asked == [f"/status?announced_within={seconds:g}" for seconds in (LOOK_SECONDS, 4)]
