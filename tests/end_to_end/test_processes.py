"""Whatever is started is stopped, on every path; nobody gets in another's way."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil
import pytest
import urllib3

from support.local_api import MLAPI, LocalApi, mlapi, models, odd_command, start_local_api, write_config
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


SLOW_START = {"engine": "command", "run": ["sh", "-c", "sleep 600 # {port}"]}


def left_in(folder: Path) -> set[str]:
    """What the state folder still holds besides logs, the gateway's files and the counts of calls."""
    stays = {".gitignore", "logs", "gateway", "lock", "usage.db"}
    return {path.name for path in (folder / ".mlapi").iterdir()} - stays


def assert_gone(api: LocalApi, started: list[psutil.Process], url: str) -> None:
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive
    assert left_in(api.folder) == set()
    host, _, port = url.removeprefix("http://").partition(":")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)]
)
def test_a_signal_leaves_nothing(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with start_local_api(tmp_path, models(echo=odd_command(replicas=2))) as api:
        started, url = api.wait_serving().pids(), api.url
        assert len(started) >= 4
        assert api.stop(number) == status
        assert_gone(api, started, url)
        assert "Stopped: no process is left." in api.output


@pytest.mark.slow
@pytest.mark.parametrize("module", ["click", "ipaddress"])
def test_an_interruption_while_it_still_imports_prints_and_leaves_nothing(
    tmp_path: Path, module: str
) -> None:
    """The first of these is imported by the command line, the other by the verb."""
    write_config(tmp_path, models(echo=odd_command()))
    waiting = "import threading\nprint('importing', flush=True)\nthreading.Event().wait()\n"
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / f"{module}.py").write_text(waiting)
    before = {path.name for path in tmp_path.iterdir()}
    with subprocess.Popen(
        [sys.executable, "-m", "centralized_ml_api", "up", "models.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "modules")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        assert up.stdout is not None
        assert up.stdout.readline() == "importing\n"
        up.send_signal(signal.SIGINT)
        said = "".join(up.communicate(timeout=30))
    assert said.strip() == ""  # click ends the line of `^C`
    assert up.returncode == 130
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_down_leaves_nothing(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        started, url = api.wait_serving().pids(), api.url
        ran = mlapi("down", cwd=tmp_path)
        assert ran.status == 0, ran.talk
        assert "no process is left" in ran.talk
        assert api.process.wait(5) == 0
        assert_gone(api, started, url)
    again = mlapi("down", cwd=tmp_path)
    assert again.status == 1
    assert "nothing runs with the state folder" in again.talk


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_starting_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with start_local_api(tmp_path, models(slow=SLOW_START)) as api:
        wait_until(lambda: len(api.pids()) >= 3, "gateway and model were started")
        started = api.pids()
        api.stop(number)
        _, alive = psutil.wait_procs(started, timeout=10)
        assert not alive
        assert left_in(tmp_path) == set()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_killing_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        started = api.wait_serving().pids()
        os.kill(api.process.pid, signal.SIGKILL)
        api.process.wait(10)
        _, alive = psutil.wait_procs(started, timeout=10)
        assert not alive
    with start_local_api(tmp_path, models(echo=odd_command())) as again:
        again.wait_serving()


@pytest.mark.slow
def test_calls_under_way_are_finished(tmp_path: Path) -> None:
    slow = {
        "engine": "command",
        "run": [sys.executable, "-c", _ANSWERS_WHEN_TOLD, "{port}", str(tmp_path / "go")],
    }
    with start_local_api(tmp_path, models(slow=slow)) as api:
        api.wait_serving()
        answers: list[int] = []
        caller = threading.Thread(target=lambda: answers.append(api.call("/slow").status))
        caller.start()
        wait_until((tmp_path / "go.asked").exists, "the call has reached the model")
        api.process.send_signal(signal.SIGTERM)
        api.wait_talk("Stopping")
        (tmp_path / "go").touch()
        caller.join(30)
        assert answers == [200]
        assert api.process.wait(30) == 0


_ANSWERS_WHEN_TOLD = """
import http.server, pathlib, sys, time
go = pathlib.Path(sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        go.with_suffix(".asked").touch()
        while not go.exists(): time.sleep(0.01)
        self.do_GET()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.slow
def test_a_second_up_on_the_same_state_or_port_says_who_holds_it(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        port = api.wait_serving().url.rpartition(":")[2]
        same_state = mlapi("up", "models.json", "--port", "0", cwd=tmp_path)
        assert same_state.status == 1
        assert (
            f"is held by mlapi (pid {api.process.pid}) serving {tmp_path / 'models.json'}" in same_state.talk
        )
        assert "mlapi down" in same_state.talk
        same_port = mlapi("up", "models.json", "--port", port, "--state", "other", cwd=tmp_path)
        assert same_port.status == 1
        assert f"port {port} is held by envoy (pid " in same_port.talk
        assert f"of mlapi (pid {api.process.pid})" in same_port.talk
        assert re.search(r"another port: --port \d+ ", same_port.talk)
        assert api.call("/echo").status == 200


@pytest.mark.slow
def test_it_stops_by_itself_after_the_time_it_was_given(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command()), "--for", "3s") as api:
        assert api.process.wait(30) == 0


@pytest.mark.slow
def test_it_serves_without_anywhere_to_print(tmp_path: Path) -> None:
    """As a service or a script may start it: with stdin, stdout and stderr closed."""
    write_config(tmp_path, models(echo=odd_command()))
    start = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *MLAPI, "up", "models.json", "--port", "0"]
    with subprocess.Popen(start, cwd=tmp_path) as process:

        def address() -> str:
            ran = mlapi("status", "--json", cwd=tmp_path)
            status = json.loads(ran.out) if ran.out else {}
            ready = [entry["state"] == "ready" for entry in status.get("entries", ())]
            return str(status["address"]) if any(ready) else ""

        try:
            wait_until(lambda: address() or process.poll() is not None, "it serves", seconds=60)
            assert mlapi("call", "echo", "{}", cwd=tmp_path).status == 0
        finally:
            process.terminate()
        assert process.wait(30) == 0


@pytest.mark.slow
def test_in_the_background_it_goes_on_until_down(tmp_path: Path) -> None:
    write_config(tmp_path, models(echo=odd_command()))
    ran = mlapi("up", "models.json", "--detach", "--port", "0", cwd=tmp_path)
    try:
        assert ran.status == 0, ran.talk
        assert "Serving on http://127.0.0.1:" in ran.out
        called = mlapi("call", "echo", '{"a": 1}', cwd=tmp_path)
        assert (called.status, '"method": "POST"' in called.out) == (0, True)
    finally:
        down = mlapi("down", cwd=tmp_path)
    assert down.status == 0


@pytest.mark.slow
def test_in_the_background_a_failure_is_shown(tmp_path: Path) -> None:
    config = models(broken={"engine": "command", "run": ["false", "{port}"]})
    write_config(tmp_path, config)
    ran = mlapi("up", "models.json", "--detach", "--port", "0", cwd=tmp_path)
    assert ran.status == 1
    assert "no model could start" in ran.talk


@pytest.mark.slow
def test_beyond_this_machine_it_wants_public_said(tmp_path: Path) -> None:
    write_config(tmp_path, models(echo=odd_command()))
    ran = mlapi("up", "models.json", "--host", "0.0.0.0", cwd=tmp_path)
    assert ran.status == 2
    assert "allow it with --public" in ran.talk


GRANDCHILD = """
import http.server, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.slow
def test_what_a_model_started_in_a_session_of_its_own_ends_too(tmp_path: Path) -> None:
    block = {"engine": "command", "run": [sys.executable, "-c", GRANDCHILD, "{port}"]}
    with start_local_api(tmp_path, models(parent=block)) as api:
        started = api.wait_serving().pids()
        assert len(started) >= 4
        assert api.stop() == 0
        assert not [process for process in started if process.is_running()]


@pytest.mark.slow
@pytest.mark.parametrize("next_verb", ["up", "down"])
def test_what_outlives_a_killed_supervisor_is_ended_by_the_next_verb(tmp_path: Path, next_verb: str) -> None:
    block = {"engine": "command", "run": [sys.executable, "-c", GRANDCHILD, "{port}"]}
    with start_local_api(tmp_path, models(parent=block)) as api:
        started = api.wait_serving().pids()
        os.kill(api.process.pid, signal.SIGKILL)
        api.process.wait(10)
        if next_verb == "up":
            with start_local_api(tmp_path, models(echo=odd_command())) as again:
                again.wait_serving()
        else:
            assert mlapi("down", cwd=tmp_path).status == 0
        _, alive = psutil.wait_procs(started, timeout=5)
        assert not alive


@pytest.mark.slow
def test_a_folder_with_other_files_is_not_taken_for_state(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "scratch").mkdir(parents=True)
    (project / "scratch" / "data.txt").write_text("precious")
    project.chmod(0o755)
    path = write_config(tmp_path, models(echo=odd_command()))
    for state in (".", ""):
        ran = mlapi("up", str(path), "--port", "0", "--state", state, cwd=project)
        assert ran.status == 1
        assert "is not a state folder: it holds other files" in ran.talk
    assert (project / "scratch" / "data.txt").read_text() == "precious"
    assert project.stat().st_mode & 0o777 == 0o755


@pytest.mark.slow
def test_a_deleted_state_folder_is_made_anew(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        shutil.rmtree(tmp_path / ".mlapi")
        wait_until((tmp_path / ".mlapi" / "run.json").exists, "the state folder is back")
        os.kill(api.part_pids("echo")[0], signal.SIGKILL)
        wait_until(lambda: api.part_restarts("echo") == 1, "the model was restarted")
        wait_until(lambda: _status_or_none(api) == 200, "it answers again")
        assert mlapi("down", cwd=tmp_path).status == 0
        assert api.process.wait(10) == 0


@pytest.mark.slow
def test_a_killed_gateway_comes_back_and_that_is_said(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        envoy = next(process for process in api.pids() if process.name() == "envoy")
        envoy.kill()
        api.wait_talk("gateway: the gateway ended with status -9")
        wait_until(lambda: not api.status()["gateway_trouble"], "the gateway is back")
        wait_until(lambda: _status_or_none(api) == 200, "it answers again")


def _status_or_none(api: LocalApi) -> int | None:
    try:
        return api.call("/echo").status
    except urllib3.exceptions.HTTPError:
        return None


@pytest.mark.slow
def test_models_may_be_called_like_our_own_logs(tmp_path: Path) -> None:
    chatty = odd_command(run=["sh", "-c", 'echo says-the-model; exec "$@"', "sh", *odd_command()["run"]])
    names = {"access": chatty, "gateway": chatty, "up": chatty}
    with start_local_api(tmp_path, models(**names)) as api:
        api.wait_serving()
        assert api.call("/access").status == 200
        assert mlapi("logs", "access", cwd=tmp_path).out == "says-the-model\n"
        ours = list((tmp_path / ".mlapi" / "logs").glob("*.log"))
        assert ours
        assert not [file for file in ours if "says-the-model" in file.read_text()]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_download_leaves_nothing_and_is_no_error(
    tmp_path: Path, number: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, never answers
        port = silent.getsockname()[1]
        block = {"engine": "llama.cpp", "weights": f"http://127.0.0.1:{port}/model.gguf"}
        cache = {"MLAPI_CACHE": str(tmp_path / "cache")}
        with start_local_api(tmp_path, models(chat=block), environment=cache) as api:
            silent.settimeout(60)
            connection, _ = silent.accept()
            started = api.pids()
            api.stop(number)
            connection.close()
            _, alive = psutil.wait_procs(started, timeout=10)
            assert not alive
            assert "Traceback" not in api.output
            assert "Stopped: no process is left." in api.output
