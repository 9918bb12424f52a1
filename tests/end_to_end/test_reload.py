"""`mlapi reload`: models come, change and go while others are called."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

from support.local_api import (
    MLAPI,
    LocalApi,
    mlapi,
    models,
    odd_command,
    start_local_api,
    unlimited,
    write_config,
)
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


MOST_CALLS = 20_000


class Load:
    """Calls one path again and again from several threads, until the block ends or enough were made."""

    def __init__(self, api: LocalApi, path: str, threads: int = 4) -> None:
        self.statuses: list[int] = []
        self._api, self._path = api, path
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(threads)]

    def _call(self) -> None:
        while not self._over.is_set() and len(self.statuses) < MOST_CALLS:
            self.statuses.append(self._api.call(self._path).status)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)


def reload(api: LocalApi, config: dict[str, Any]) -> None:
    """The config is served afterwards; whether by this reload or by that of the watched file, who knows."""
    write_config(api.folder, config)
    ran = mlapi("reload", "--json", cwd=api.folder)
    assert ran.status == 0, ran.talk


@pytest.mark.slow
def test_adding_changing_and_removing_drops_no_call_to_the_others(tmp_path: Path) -> None:
    steady = odd_command()
    with start_local_api(tmp_path, unlimited(steady=steady)) as api:
        api.wait_serving()
        first = api.part_pids("steady")
        with Load(api, "/steady") as load:
            reload(api, unlimited(steady=steady, more=odd_command()))
            assert api.call("/more").status == 200
            reload(api, unlimited(steady=steady, more=odd_command("/status/418")))
            assert api.call("/more").status == 418
            reload(api, unlimited(steady=steady))
            assert api.call("/more").status == 404
        assert len(load.statuses) > 100
        assert set(load.statuses) == {200}
        assert api.part_pids("steady") == first


@pytest.mark.slow
def test_calls_to_a_model_that_changes_are_answered_by_the_old_or_the_new_one(tmp_path: Path) -> None:
    with start_local_api(tmp_path, unlimited(echo=odd_command())) as api:
        api.wait_serving()
        before, count = api.part_pids("echo"), len(api.pids())
        with Load(api, "/echo", threads=2) as load:
            for version in ("1", "2", "3"):
                reload(api, unlimited(echo=odd_command(environment={"VERSION": version})))
        assert set(load.statuses) == {200}
        assert api.part_pids("echo") != before
        wait_until(lambda: len(api.pids()) == count, "the replaced processes have ended", seconds=60)


@pytest.mark.slow
def test_a_wrong_config_changes_nothing_and_is_shown_whole(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        write_config(api.folder, {"models": [{"nam": "x"}]})
        ran = mlapi("reload", cwd=api.folder)
        assert ran.status == 2
        assert "error[C" in ran.talk
        assert "models.json:" in ran.talk
        assert api.call("/echo").status == 200


@pytest.mark.slow
def test_a_model_that_cannot_start_anew_goes_on_as_it_was(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        write_config(api.folder, models(echo={"engine": "command", "run": ["false", "{port}"]}))
        ran = mlapi("reload", cwd=api.folder)
        assert ran.status == 1
        kept = "echo keeps its old version; the new one could not be started"
        assert f"Reloaded: nothing changed.\n{kept}" in ran.out
        assert api.call("/echo").status == 200


@pytest.mark.slow
def test_an_edit_of_the_file_is_applied_by_itself(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        write_config(api.folder, models(echo=odd_command(), more=odd_command()))
        wait_until(lambda: api.call("/more").status == 200, "the new model answers")
        api.wait_talk("Reloaded: added more")
        (api.folder / "models.json").write_text("{")
        api.wait_talk("Nothing was changed")
        assert api.call("/more").status == 200


@pytest.mark.slow
def test_an_edit_of_a_function_is_applied_by_itself(tmp_path: Path) -> None:
    code = tmp_path / "function"
    code.mkdir()

    def write(answer: str) -> None:
        (code / "index.py").write_text(f"def lambda_handler(event, context): return {{'body': {answer!r}}}")

    write("first version")
    config = models(echo=odd_command())
    properties = {"code": "function", "permissions": [], "timeout": 5}
    config["models"][0]["integration"] = {"type": "lambda", "properties": properties}
    with start_local_api(tmp_path, config) as api:
        api.wait_serving()
        assert api.call("/echo").data == b"first version"
        write("the second version")
        wait_until(lambda: api.call("/echo").data == b"the second version", "the edit is served")


@pytest.mark.slow
def test_another_config_can_be_applied(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        other = write_config(tmp_path, models(other=odd_command()), "other.json")
        ran = mlapi("reload", "other.json", cwd=tmp_path)
        assert ran.status == 0
        assert "added other" in ran.out
        assert "removed echo" in ran.out
        assert api.status()["config"] == str(other)


@pytest.mark.slow
def test_what_is_kept_is_kept_whole(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command("/echo"))) as api:
        api.wait_serving()
        broken = odd_command("/status/418", run=["sh", "-c", "echo no weights {port}; exit 3"])
        write_config(api.folder, models(echo=broken))
        ran = mlapi("reload", cwd=api.folder)
        assert ran.status == 1
        assert "    | no weights" in ran.out
        assert json.loads(api.call("/echo").data)["path"] == "/echo"


@pytest.mark.slow
def test_an_entry_whose_function_does_not_start_goes_on_without_it(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        count = len(api.pids())
        code = tmp_path / "function"
        code.mkdir()
        (code / "index.py").write_text("import no_such_module\ndef lambda_handler(event, context): pass")
        config = models(echo=odd_command())
        properties = {"code": "function", "permissions": [], "timeout": 5}
        config["models"][0]["integration"] = {"type": "lambda", "properties": properties}
        write_config(api.folder, config)
        ran = mlapi("reload", "--json", cwd=api.folder)
        assert ran.status == 1
        assert [failure["name"] for failure in json.loads(ran.out)["kept"]] == ["echo"]
        assert api.call("/echo").status == 200
        wait_until(lambda: len(api.pids()) == count, "nothing of the attempt is left")


@pytest.mark.slow
def test_a_new_model_that_does_not_start_is_named_and_ends_with_status_1(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        new = {"engine": "command", "run": ["false", "{port}"]}
        write_config(api.folder, models(echo=odd_command(), new=new))
        ran = mlapi("reload", cwd=api.folder)
        assert ran.status == 1
        assert "new could not be started: ended with status 1" in ran.out
        assert api.call("/new").status == 503


@pytest.mark.slow
def test_an_entry_elsewhere_that_is_away_does_not_hold_up_a_start_or_a_reload(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        away = {"engine": "url", "url": f"http://127.0.0.1:{held.getsockname()[1]}/x"}
        with start_local_api(tmp_path, models(echo=odd_command(), away=away)) as api:
            api.wait_serving()
            assert api.call("/away").status == 503
            reload(api, models(echo=odd_command(), away=away, more=odd_command()))
            assert api.call("/more").status == 200
            assert api.call("/away").status == 503


@pytest.mark.slow
def test_a_reload_whose_caller_goes_away_is_finished(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    with start_local_api(tmp_path, models(echo=odd_command())) as api:
        api.wait_serving()
        wait = 'while test -e "$0"; do sleep 0.05; done; exec "$@"'
        slow = odd_command(run=["sh", "-c", wait, str(gate), *odd_command()["run"]])
        # Not the watched file: the server is there because the caller asked, who has started up by then.
        write_config(api.folder, models(echo=slow), "slow.json")
        before = len(api.pids())
        argv = [*MLAPI, "reload", "slow.json"]
        with subprocess.Popen(argv, cwd=api.folder, stderr=subprocess.DEVNULL) as caller:
            wait_until(lambda: len(api.pids()) > before, "the new server was started")
            caller.send_signal(signal.SIGINT)
            assert caller.wait(30) == 130
        gate.unlink()
        wait_until(lambda: len(api.pids()) == before, "only the new server is left", seconds=60)
        assert api.call("/echo").status == 200
