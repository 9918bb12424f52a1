"""Teams and their keys, as an organizer handles them: `mlapi up`, `mlapi keys`, calls."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import urllib3

from centralized_ml_api.local.keys import KeyStore, LocalKeys
from support.local_api import LocalApi, mlapi, models, odd_command, start_local_api, write_config
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


TEAMS: list[Any] = ["red", "blue", {"name": "green", "requests_per_day": 3}]
MUST_HOLD_KEYS = {".mlapi/keys.json", ".mlapi/gateway/routes.json"}


def config(*teams: Any) -> dict[str, Any]:
    return {**models(echo=odd_command()), "event": {"teams": list(teams)}}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("keys")
    with start_local_api(folder, config(*TEAMS), "--metrics-port", "0") as api:
        yield api.wait_serving()


def key_of(folder: Path, team: str) -> str:
    return LocalKeys(KeyStore(folder / ".mlapi")).show(team)


def status_with(api: LocalApi, key: str) -> int:
    return api.call("/echo", x_api_key=key).status


def change(api: LocalApi, *words: str) -> None:
    ran = mlapi("keys", *words, cwd=api.folder)
    assert ran.status == 0, ran.talk


@pytest.mark.slow
def test_a_start_says_where_the_keys_are_and_shows_none(api: LocalApi) -> None:
    assert "Every call needs the key of a team; there are 3 teams." in api.output
    assert "Keys: .mlapi/keys.json" in api.output
    api.wait_talk("Try: curl ")  # the line after the one with the address
    assert "PUBLIC" not in api.output


@pytest.mark.slow
def test_the_call_that_a_start_prints_works_as_it_is_and_shows_no_key(api: LocalApi) -> None:
    api.wait_talk("--show red")
    line = api.output.partition("Try: ")[2].partition("\n")[0]
    assert key_of(api.folder, "red") not in api.output
    ran = subprocess.run(
        ["sh", "-c", f"{line} --silent --output answer --write-out '%{{http_code}}'"],
        cwd=api.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "200", ran.stderr


@pytest.mark.slow
def test_call_and_smoke_take_the_key_of_a_team_or_the_one_that_is_given(api: LocalApi) -> None:
    assert mlapi("call", "echo", "{}", cwd=api.folder).status == 0
    assert mlapi("call", "echo", "{}", "--key", "wrong", cwd=api.folder).status == 1
    assert mlapi("call", "echo", "{}", "--url", api.url, cwd=api.folder).status == 1
    with_key = {"MLAPI_KEY": key_of(api.folder, "red")}
    assert mlapi("call", "echo", "{}", cwd=api.folder, environment=with_key).status == 0
    assert mlapi("call", "echo", "{}", "--key", with_key["MLAPI_KEY"], cwd=api.folder).status == 0


@pytest.mark.slow
def test_an_exported_file_calls_the_api(api: LocalApi) -> None:
    change(api, "export", "--team", "red")
    lines = (api.folder / "keys/red.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert values["MLAPI_URL"] == api.url
    assert status_with(api, values["MLAPI_KEY"]) == 200


@pytest.mark.slow
def test_a_rotated_key_works_for_its_grace_and_leaves_by_itself(api: LocalApi) -> None:
    before = key_of(api.folder, "red")
    change(api, "rotate", "red", "--grace", "1h")
    fresh = key_of(api.folder, "red")
    wait_until(lambda: status_with(api, fresh) == 200, "the new key works")
    assert status_with(api, before) == 200
    change(api, "rotate", "red", "--grace", "1s")
    wait_until(lambda: status_with(api, fresh) == 401, "the key whose grace is over is refused")
    assert status_with(api, before) == 200
    change(api, "revoke", "red", "--former")
    wait_until(lambda: status_with(api, before) == 401, "former keys are refused")
    assert status_with(api, key_of(api.folder, "red")) == 200


@pytest.mark.slow
def test_a_revoked_key_is_refused_within_two_seconds_and_no_other_is(api: LocalApi) -> None:
    red, blue = key_of(api.folder, "red"), key_of(api.folder, "blue")
    change(api, "revoke", "red", "--yes")
    wait_until(lambda: status_with(api, red) == 401, "the revoked key is refused")
    assert status_with(api, blue) == 200
    change(api, "rotate", "red")
    fresh = key_of(api.folder, "red")
    wait_until(lambda: status_with(api, fresh) == 200, "the new key works")


@pytest.mark.slow
def test_a_team_that_leaves_the_config_is_out_and_has_its_key_when_it_is_back(api: LocalApi) -> None:
    blue = key_of(api.folder, "blue")
    write_config(api.folder, config("red", TEAMS[2]))
    assert mlapi("reload", cwd=api.folder).status == 0
    wait_until(lambda: status_with(api, blue) == 401, "a team that is not listed is refused")
    assert json.loads(mlapi("keys", "--json", cwd=api.folder).out)[-1]["state"] == "not listed"
    write_config(api.folder, config(*TEAMS))
    assert mlapi("reload", cwd=api.folder).status == 0
    wait_until(lambda: status_with(api, blue) == 200, "it is back")


@pytest.mark.slow
def test_nothing_of_a_run_holds_a_key_but_two_private_files(api: LocalApi) -> None:
    """Every file of the run, what it printed, its answers, its processes as others see them, its metrics."""
    teams = ("red", "blue", "green")
    keys = [key_of(api.folder, team).encode() for team in teams]
    answers = [api.call(path, x_api_key=keys[0].decode()) for path in ("/echo", "/nope", "/openapi.json")]
    assert [answer.status for answer in answers] == [200, 404, 405]
    status = mlapi("status", "--json", cwd=api.folder)
    printed = [status.out, *(mlapi(*words, cwd=api.folder).out for words in (["plan"], ["keys"], ["usage"]))]
    metrics = api.http.request("GET", json.loads(status.out)["metrics"]).data
    processes = [" ".join([*process.cmdline(), *process.environ().values()]) for process in api.pids()]
    seen = [*printed, *processes, *(str(answer.headers) for answer in answers)]
    texts = {f"text {number}": text.encode() for number, text in enumerate(seen)}
    texts |= {"metrics": metrics, **{f"answer {answer.status}": answer.data for answer in answers}}
    holding = {
        name for name, text in (texts | files_of(api.folder)).items() if any(key in text for key in keys)
    }
    assert holding == MUST_HOLD_KEYS
    assert {(api.folder / name).stat().st_mode & 0o777 for name in MUST_HOLD_KEYS} == {0o600}
    assert b"red" in metrics


def files_of(folder: Path) -> dict[str, bytes]:
    """All regular files but those that were exported, by name."""
    files = [path for path in folder.rglob("*") if path.is_file() and "keys" not in path.parent.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_days_calls_are_counted_over_restarts(tmp_path: Path) -> None:
    with start_local_api(tmp_path, config(*TEAMS)) as api:
        api.wait_serving()
        green = key_of(tmp_path, "green")
        assert [status_with(api, green) for _ in range(2)] == [200, 200]
        api.stop()
    with start_local_api(tmp_path, config(*TEAMS)) as api:
        api.wait_serving()
        assert key_of(tmp_path, "green") == green, "keys survive a restart"
        assert [status_with(api, green) for _ in range(3)] == [200, 429, 429]
        log = tmp_path / ".mlapi/logs/access.log"
        wait_until(lambda: log.read_text().count('"team":"green"') == 5, "Envoy has written all calls")
        kill_gateway(api)
        wait_until(lambda: status_again(api, green) == 429, "the gateway is back and has forgotten nothing")


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_said_while_its_keys_go_on(api: LocalApi) -> None:
    key, file = key_of(api.folder, "red"), api.folder / ".mlapi/keys.json"
    whole = file.read_bytes()
    try:
        file.write_text("{")
        api.wait_talk(f"the keys in {file} cannot be used")
        assert "the keys read before still work" in mlapi("status", cwd=api.folder).out
        assert status_with(api, key) == 200
    finally:
        file.write_bytes(whole)
    wait_until(lambda: "cannot be used" not in mlapi("status", cwd=api.folder).out, "it is read again")


def kill_gateway(api: LocalApi) -> None:
    for process in api.pids():
        if process.name().startswith("envoy"):
            process.kill()
            psutil.wait_procs([process])


def status_again(api: LocalApi, key: str) -> int:
    try:
        return status_with(api, key)
    except urllib3.exceptions.HTTPError:
        return 0


@pytest.mark.slow
def test_beyond_this_machine_teams_need_no_more_words(tmp_path: Path) -> None:
    teams = write_config(tmp_path, config("red"))
    ran = mlapi("up", str(teams), "--host", "192.0.2.1", cwd=tmp_path)
    assert "without a key" not in ran.talk
    assert "192.0.2.1 is not an address of this machine" in ran.talk
