"""Calls that are answered later, by a whole local target: teams, limits, kills, restarts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from centralized_ml_api.cli.targets import connect
from centralized_ml_api.local.keys import KeyStore, LocalKeys
from support.local_api import LocalApi, models, start_local_api
from support.odd_server import OddServer
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psutil

pytestmark = pytest.mark.slow

TEAMS = [{"name": "red", "requests_per_day": 3, "requests_at_once": 1}, {"name": "blue", "models": ["echo"]}]


def config(odd: OddServer, **event: Any) -> dict[str, Any]:
    """Two models that answer, and one that never does."""
    ways = ("echo", "same", "hang")
    blocks = {way: {"engine": "url", "url": f"http://127.0.0.1:{odd.port}/{way}"} for way in ways}
    return {**models(echo=blocks["echo"], same=blocks["same"], hangs=blocks["hang"]), "event": event}


@pytest.fixture
def odd() -> Iterator[OddServer]:
    """Both models."""
    with OddServer() as server:
        yield server


def reach_the_model(odd: OddServer, calls: int = 1) -> None:
    """Returns when so many calls hang there."""
    wait_until(lambda: odd.asked.count("/hang") >= calls, f"{calls} calls are at the model")


def keys_of(api: LocalApi) -> dict[str, dict[str, Any]]:
    """By team, the header with its key."""
    keys = LocalKeys(KeyStore(api.folder / ".mlapi"))
    return {team: {"x_api_key": keys.show(team)} for team in ("red", "blue")}


def add(api: LocalApi, path: str = "/echo", **headers: str) -> str:
    taken = api.call(path, b'{"a": 1}', prefer="respond-async", **headers)
    assert taken.status == 202, taken.data
    return taken.headers["location"]


def read(api: LocalApi, place: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    answer = api.call(place, b"", method, **headers)
    return answer.status, json.loads(answer.data)


def over(api: LocalApi, place: str, **headers: str) -> tuple[int, Any]:
    wait_until(lambda: read(api, place, **headers)[0] != 202, f"{place} is over")
    return read(api, place, **headers)


def runs(api: LocalApi, place: str, **headers: str) -> None:
    wait_until(lambda: read(api, place, **headers)[1].get("status") == "running", f"{place} runs")


def child(api: LocalApi, part: str) -> psutil.Process:
    """The process below `mlapi up` whose command has that part."""
    return next(each for each in api.pids()[1:] if any(part in word for word in each.cmdline()))


def is_back(api: LocalApi) -> bool:
    """Whether the gateway answers again."""
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        return api.call("/health", b"", "GET").status == 200
    return False


def test_teams_have_their_own_jobs_within_their_limits(tmp_path: Path, odd: OddServer) -> None:
    with start_local_api(tmp_path, config(odd, teams=TEAMS)) as api:
        api.wait_serving()
        keys = keys_of(api)
        red, blue = keys["red"], keys["blue"]
        assert api.call("/echo", prefer="respond-async").status == 401
        assert api.call("/hangs", prefer="respond-async", **blue).status == 403
        assert api.call("/nope", prefer="respond-async", **red).status == 404
        place = add(api, **red)
        status, saw = over(api, place, **red)
        assert status == 200
        assert not {"authorization", "x-api-key", "x-mlapi-team", "prefer"} & {
            name for name, _ in saw["headers"]
        }
        for method in ("GET", "DELETE"):
            status, told = read(api, place, method, **blue)
            assert (status, told["error"]["code"]) == (404, "job_not_found")
        assert api.call(place, b"", "GET").status == 401
        assert [job["status"] for job in read(api, "/v1/jobs", **red)[1]["data"]] == ["done"]
        assert read(api, "/v1/jobs", **blue)[1]["data"] == []

        hanging = add(api, "/hangs", **red)
        runs(api, hanging, **red)
        assert api.status()["jobs"] == {"waiting": 0, "running": 1}
        assert read(api, hanging, "DELETE", **red)[1]["status"] == "cancelled"
        add(api, **red)
        limited = api.call("/echo", prefer="respond-async", **red)
        assert (limited.status, json.loads(limited.data)["error"]["code"]) == (429, "quota_exceeded")

        kept = tmp_path / ".mlapi" / "jobs"
        wait_until(lambda: api.status()["jobs"] == {"waiting": 0, "running": 0}, "no job is open")
        wait_until(lambda: not list(kept.glob("*.new")), "no answer is being written")
        for path in kept.iterdir():
            text = path.read_text()
            assert not [key for own in keys.values() for key in own.values() if key in text], path


def test_a_job_is_a_call_of_its_team_in_the_log(tmp_path: Path, odd: OddServer) -> None:
    with start_local_api(tmp_path, config(odd, teams=TEAMS)) as api:
        api.wait_serving()
        red = keys_of(api)["red"]
        over(api, add(api, **red), **red)
        log = tmp_path / ".mlapi" / "logs" / "access.log"

        def calls() -> list[dict[str, Any]]:
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            return [line for line in lines if line["model"] == "echo"]

        wait_until(calls, "the call is in the log")
        assert [(line["team"], line["status"]) for line in calls()] == [("red", 200)]


def test_a_reload_drops_no_job(tmp_path: Path, odd: OddServer) -> None:
    with start_local_api(tmp_path, config(odd)) as api:
        api.wait_serving()
        done, hanging = add(api), add(api, "/hangs")
        over(api, done)
        runs(api, hanging)
        (tmp_path / "models.json").write_text(json.dumps(config(odd, title="Another")))
        wait_until(lambda: "Another" in api.call("/models", b"", "GET").data.decode(), "it is reloaded")
        assert over(api, done)[0] == 200
        assert read(api, hanging)[1]["status"] == "running"
        assert over(api, add(api))[0] == 200


def test_a_gateway_that_is_killed_fails_what_is_under_way_and_makes_the_rest(
    tmp_path: Path, odd: OddServer
) -> None:
    with start_local_api(tmp_path, config(odd)) as api:
        api.wait_serving()
        hanging = [add(api, "/hangs") for _ in range(4)]
        waiting = add(api)
        reach_the_model(odd, 4)
        assert read(api, waiting)[1]["status"] == "queued"
        child(api, "envoy").kill()
        wait_until(lambda: is_back(api), "the gateway is back")
        for place in hanging:
            status, told = over(api, place)
            assert (status, told["error"]["code"]) == (502, "job_interrupted")
        assert over(api, waiting)[0] == 200


def test_after_a_kill_what_waited_runs_and_what_ran_has_failed(tmp_path: Path, odd: OddServer) -> None:
    with start_local_api(tmp_path, config(odd)) as api:
        api.wait_serving()
        done = add(api)
        _, answer = over(api, done)
        hanging = [add(api, "/hangs") for _ in range(4)]
        waiting = add(api)
        reach_the_model(odd, 4)
        os.kill(api.process.pid, signal.SIGKILL)
        api.process.wait()
    with start_local_api(tmp_path, config(odd)) as api:
        api.wait_serving()
        for place in hanging:
            status, told = over(api, place)
            assert (status, told["error"]["code"]) == (502, "job_interrupted")
        assert over(api, waiting)[0] == 200
        assert read(api, done) == (200, answer)


def test_a_model_that_dies_is_told_as_ever(tmp_path: Path, odd: OddServer) -> None:
    with start_local_api(tmp_path, config(odd)) as api:
        api.wait_serving()
        hanging = add(api, "/hangs")
        reach_the_model(odd)
        odd.close()
        status, told = over(api, hanging)
        assert (status, told["error"]["code"]) == (502, "model_failed")


def test_a_job_goes_on_when_the_pause_of_its_model_ends_unless_its_team_may_not(
    tmp_path: Path, odd: OddServer
) -> None:
    state = tmp_path / ".mlapi"
    with start_local_api(tmp_path, config(odd, teams=["red", "blue"])) as api:
        api.wait_serving()
        keys = keys_of(api)
        hanging = {team: [add(api, "/hangs", **key) for _ in range(4)] for team, key in keys.items()}
        waiting = {team: add(api, **key) for team, key in keys.items()}
        control = connect(state)
        control.pause("echo", "Lunch")
        assert api.call("/echo", **keys["red"]).status == 503
        for team, places in hanging.items():
            for place in places:
                read(api, place, "DELETE", **keys[team])
        for team, key in keys.items():
            assert over(api, add(api, "/same", **key), **key)[0] == 200, "their turn came before"
            assert read(api, waiting[team], **key)[1]["status"] == "queued"
        local_keys = LocalKeys(KeyStore(state))
        local_keys.revoke("blue")
        wait_until(lambda: read(api, waiting["blue"], **keys["blue"])[0] == 401, "the key is revoked")
        control.resume("echo")
        assert over(api, waiting["red"], **keys["red"])[0] == 200
        wait_until(lambda: api.status()["jobs"] == {"waiting": 0, "running": 0}, "blue's job is over")
        local_keys.rotate("blue", timedelta())
        blue = {"x_api_key": local_keys.show("blue")}
        wait_until(lambda: read(api, "/v1/jobs", **blue)[0] == 200, "the new key works")
        assert read(api, waiting["blue"], **blue)[1]["error"]["code"] == "unauthorized"

        def told() -> list[int]:
            lines = map(json.loads, (state / "logs" / "access.log").read_text().splitlines())
            return [line["status"] for line in lines if line["model"] == "echo"]

        wait_until(lambda: 200 in told(), "the call of red's job is in the log, and so are those before it")
        assert told().count(503) == 1, "only the call that did not wait was refused"


def test_a_job_of_a_paused_team_goes_on_when_that_ends(tmp_path: Path, odd: OddServer) -> None:
    with start_local_api(tmp_path, config(odd, teams=["red", "blue"])) as api:
        api.wait_serving()
        red = keys_of(api)["red"]
        hanging = [add(api, "/hangs", **red) for _ in range(4)]
        waiting = add(api, **red)
        control = connect(tmp_path / ".mlapi")
        control.pause(None, "Talk to us", team="red")
        for place in hanging:
            read(api, place, "DELETE", **red)
        assert read(api, waiting, **red)[1]["status"] == "queued"
        control.resume(None, team="red")
        assert over(api, waiting, **red)[0] == 200


def test_a_job_waits_for_a_server_that_is_away(tmp_path: Path, odd: OddServer) -> None:
    with start_local_api(tmp_path, config(odd)) as api:
        api.wait_serving()
        port = odd.port
        odd.close()
        place = add(api)
        wait_until(lambda: api.status()["jobs"] == {"waiting": 1, "running": 0}, "it waits")
        with OddServer(port):
            assert over(api, place)[0] == 200
