"""What verbs say of an API that runs here, and what they ask of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import Location, Problem
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import list_teams
from centralized_ml_api.local.run.change import Failure, Reloaded
from centralized_ml_api.local.status import EntryStatus, LocalStatus, Unapplied
from support.control import SilentTarget, serve_control
from support.odd_server import OddServer
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ECHO = {"name": "echo", "integration": {"type": "api"}, "sample": {"a": 1}}
SERVED = {
    "name": "echo",
    "path": "/echo",
    "takes": "application/json",
    "gives": None,
    "sample": {"a": 1},
    "sample_file": None,
}
ENDS = "2099-06-01T18:00:00Z"


@pytest.fixture(scope="module")
def server() -> Iterator[OddServer]:
    with OddServer() as odd:
        yield odd


@pytest.fixture
def target(server: OddServer, tmp_path: Path) -> Iterator[SilentTarget]:
    """An API with the path `/echo`, as if `mlapi up models.json` served it."""
    config = tmp_path / "models.json"
    config.write_text(json.dumps({"models": [], "endpoints": [ECHO]}))
    server.catalogue = {"models": [SERVED], "event": {"needs_key": False}}
    entries = (EntryStatus("echo", "/echo", "ready", "", "url", "api", ()),)
    address = f"http://127.0.0.1:{server.port}"
    status = LocalStatus(1, str(config), str(tmp_path / ".mlapi"), 0.0, address, "", "", entries, ())
    silent = SilentTarget(status)
    with serve_control(silent, tmp_path / ".mlapi"):
        yield silent


def test_status_is_0_when_all_is_well_and_names_what_is_next(target: SilentTarget, tmp_path: Path) -> None:
    ran = mlapi("status", cwd=tmp_path)
    assert ran.status == 0
    assert ran.out.startswith(f"Serving {tmp_path}/models.json on {target.current.address} for ")
    assert ran.talk == "Next: mlapi smoke\n"


def test_status_is_1_when_a_path_is_not_ready_also_for_scripts(target: SilentTarget, tmp_path: Path) -> None:
    target.current = replace(target.current, entries=(replace(target.current.entries[0], state="failed"),))
    assert mlapi("status", cwd=tmp_path).status == 1
    as_json = mlapi("status", "--json", cwd=tmp_path)
    assert (as_json.status, as_json.talk) == (1, "")
    assert json.loads(as_json.out)["entries"][0]["state"] == "failed"


def test_status_takes_watch_or_json(tmp_path: Path) -> None:
    ran = mlapi("status", "--watch", "--json", cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.talk == (
        "error: --watch and --json cannot be combined\n  fix: ask again and again: mlapi status --json\n"
    )


def test_reload_applies_the_served_config_or_another(target: SilentTarget, tmp_path: Path) -> None:
    target.changes = asdict(Reloaded(added=("new",)))
    ran = mlapi("reload", cwd=tmp_path)
    assert (ran.status, ran.out) == (0, "Reloaded: added new.\n")
    assert ran.talk == "Reloading: new models start beside the old ones…\nNext: mlapi status\n"
    (tmp_path / "other.json").write_text('{"models": []}')
    as_json = mlapi("reload", "other.json", "--json", cwd=tmp_path)
    assert json.loads(as_json.out)["added"] == ["new"]
    assert target.told == [None, str(tmp_path / "other.json")]


@pytest.mark.parametrize("what", ["kept", "failed"])
def test_a_model_that_does_not_start_anew_is_status_1(
    what: str, target: SilentTarget, tmp_path: Path
) -> None:
    target.changes = {**asdict(Reloaded()), what: [asdict(Failure("chat", "ended", ("boom",)))]}
    ran = mlapi("reload", cwd=tmp_path)
    assert ran.status == 1
    assert "    | boom" in ran.out


def test_a_config_with_errors_is_refused_with_its_problems(target: SilentTarget, tmp_path: Path) -> None:
    problem = Problem("C102", "unsupported instance type", Location("models.json", 1, 1, "$"))
    target.changes = {"problems": [asdict(problem)], "source": "{}"}
    ran = mlapi("reload", cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert "error[C102]: unsupported instance type" in ran.talk


def test_a_gateway_that_refuses_is_said(target: SilentTarget, tmp_path: Path) -> None:
    target.changes = {"error": "the gateway refused it"}
    ran = mlapi("reload", cwd=tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert ran.talk.endswith("error: the gateway refused it\n")


@pytest.mark.usefixtures("target")
def test_without_config_verbs_take_what_runs_here(tmp_path: Path) -> None:
    ran = mlapi("plan", cwd=tmp_path)
    assert ran.status == 0
    assert ran.talk == "CONFIG is models.json, which runs here.\nNext: mlapi up models.json\n"
    moved = mlapi("extend", ENDS, cwd=tmp_path)
    assert "Written to models.json." in moved.talk
    assert json.loads((tmp_path / "models.json").read_text())["event"]["ends"] == ENDS
    elsewhere = mlapi("extend", ENDS, "--state", "other", cwd=tmp_path)
    assert "config/models.json:1:1" in elsewhere.talk, "nothing runs with that folder"


def test_extend_tells_what_runs(target: SilentTarget, tmp_path: Path) -> None:
    target.current = replace(target.current, ends=ENDS)
    ran = mlapi("extend", ENDS, "models.json", cwd=tmp_path)
    assert target.told == [None]
    assert (ran.status, ran.talk) == (
        0,
        "Written to models.json.\nWhat runs here now stops then.\nNext: mlapi status\n",
    )


def test_extend_says_when_a_flag_of_up_stops_it_earlier(target: SilentTarget, tmp_path: Path) -> None:
    target.current = replace(target.current, ends="2098-01-01T00:00:00Z")
    said = mlapi("extend", ENDS, "models.json", cwd=tmp_path).talk
    assert "What runs here stops earlier, at 2098-01-01T00:00:00Z, because of --for.\n" in said


def test_extend_leaves_another_config_alone(target: SilentTarget, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"models": []}')
    said = mlapi("extend", ENDS, "other.json", cwd=tmp_path).talk
    assert said.splitlines() == [
        "Written to other.json.",
        "What runs here serves another config, models.json, and keeps its end.",
        f"Next: mlapi extend {ENDS} models.json",
    ]
    assert target.told == []


def test_call_sends_the_sample_of_the_config_that_runs(target: SilentTarget, tmp_path: Path) -> None:
    ran = mlapi("call", "echo", cwd=tmp_path)
    assert (ran.status, json.loads(ran.out)["length"]) == (0, len('{"a": 1}'))
    assert target.told == []


@pytest.mark.usefixtures("target")
def test_where_calls_need_a_key_a_call_takes_that_of_a_team_that_may(tmp_path: Path) -> None:
    teams = [{"name": "red", "models": ["other"]}, {"name": "blue", "models": ["echo"]}]
    other = {**ECHO, "name": "other"}
    config = {"models": [], "endpoints": [ECHO, other], "event": {"teams": teams}}
    (tmp_path / "models.json").write_text(json.dumps(config))
    store = KeyStore(tmp_path / ".mlapi")
    _, blue = store.change(lambda _: list_teams((), ("red", "blue")))
    assert ["x-api-key", blue.key] in json.loads(mlapi("call", "echo", cwd=tmp_path).out)["headers"]
    own = mlapi("call", "echo", "--key", "mine", cwd=tmp_path)
    assert ["x-api-key", "mine"] in json.loads(own.out)["headers"]
    (tmp_path / "models.json").write_text("{")
    assert ["x-api-key", blue.key] not in json.loads(mlapi("call", "echo", cwd=tmp_path).out)["headers"]


@pytest.mark.usefixtures("target")
def test_call_of_no_model_names_those_there_are(tmp_path: Path) -> None:
    ran = mlapi("call", "chat", cwd=tmp_path)
    assert ran.status == 2
    assert ran.talk == "error: there is no model 'chat'\n  fix: choose one of: echo\n"


@pytest.mark.usefixtures("target")
def test_a_call_that_fails_leads_to_what_runs(tmp_path: Path) -> None:
    ran = mlapi("call", "status/503", "{}", cwd=tmp_path)
    assert ran.status == 1
    assert ran.talk.splitlines()[-1] == "Next: mlapi status"


@pytest.mark.usefixtures("target")
def test_smoke_that_fails_leads_to_the_log(tmp_path: Path) -> None:
    entry = {"name": "refuse", "integration": {"type": "api"}, "sample": {}}
    (tmp_path / "event.json").write_text(json.dumps({"models": [], "endpoints": [entry]}))
    ran = mlapi("smoke", "--config", "event.json", cwd=tmp_path)
    assert (ran.status, ran.talk.splitlines()[-1]) == (1, "Next: mlapi status")
    (tmp_path / ".mlapi/logs/models").mkdir(parents=True, exist_ok=True)
    (tmp_path / ".mlapi/logs/models/refuse.log").write_text("boom\n")
    ran = mlapi("smoke", "--config", "event.json", cwd=tmp_path)
    assert (ran.status, ran.talk.splitlines()[-1]) == (1, "Next: mlapi logs refuse")


@pytest.mark.usefixtures("target")
def test_smoke_calls_what_runs(tmp_path: Path) -> None:
    ran = mlapi("smoke", cwd=tmp_path)
    assert ran.status == 0
    assert ran.out.split()[:3] == ["echo", "ok", "200"]
    assert ran.talk.splitlines() == ["1 ok", "Next: mlapi call echo"]


def test_smoke_warns_of_what_is_saved_and_not_served(target: SilentTarget, tmp_path: Path) -> None:
    target.current = replace(
        target.current, unapplied=Unapplied(0.0, "models.json:1:1: not valid JSON [C004]")
    )
    (tmp_path / "models.json").write_text("{")
    ran = mlapi("smoke", cwd=tmp_path)
    assert ran.status == 0, "what is served answers"
    assert ran.out.split()[:3] == ["echo", "ok", "200"]
    assert ran.talk.startswith(
        "Warning: What is saved could not be applied, since 1970-01-01 00:00:00Z: models.json:1:1"
    )
    status = mlapi("status", cwd=tmp_path)
    assert (status.status, status.talk) == (1, "Next: mlapi check models.json\n")


def test_while_the_gateway_starts_a_call_says_so(target: SilentTarget, tmp_path: Path) -> None:
    target.current = replace(target.current, address="")
    ran = mlapi("call", "echo", "{}", cwd=tmp_path)
    assert ran.status == 1
    assert ran.talk == "error: the gateway is still starting\n  fix: try again in a moment\n"


def test_keys_export_names_the_address_of_what_runs(target: SilentTarget, tmp_path: Path) -> None:
    config = {"models": [], "endpoints": [ECHO], "event": {"teams": ["red"]}}
    (tmp_path / "models.json").write_text(json.dumps(config))
    KeyStore(tmp_path / ".mlapi").change(lambda _: list_teams((), ("red",)))
    ran = mlapi("keys", "export", cwd=tmp_path)
    assert (ran.status, ran.out) == (0, "keys/red.env\n")
    assert "They name this machine's own address." in ran.talk
    file = (tmp_path / "keys/red.env").read_text()
    assert f"MLAPI_URL={target.current.address}\n" in file
    assert """-X POST "$MLAPI_URL/echo" -H "x-api-key: $MLAPI_KEY" -d '{"a": 1}'\n""" in file
    assert "OpenAI()" not in file, "no model here chats"


def test_keys_export_names_the_address_that_others_call(target: SilentTarget, tmp_path: Path) -> None:
    target.current = replace(target.current, host="192.0.2.7", address="http://192.0.2.7:81")
    KeyStore(tmp_path / ".mlapi").change(lambda _: list_teams((), ("red",)))
    ran = mlapi("keys", "export", cwd=tmp_path)
    assert "MLAPI_URL=http://192.0.2.7:81\n" in (tmp_path / "keys/red.env").read_text()
    assert "They name http://192.0.2.7:81. If callers reach this machine at another address" in ran.talk


@pytest.mark.usefixtures("target")
def test_each_team_gets_an_example_of_a_model_that_it_may_call(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").touch()
    local = {"engine": "llama.cpp", "weights": "a.gguf"}
    chat = {"name": "chat", "integration": {"type": "api"}, "local": local}
    teams = [{"name": "red", "models": ["echo"]}, {"name": "blue", "models": ["chat"]}]
    config = {"models": [], "endpoints": [ECHO, chat], "event": {"teams": teams}}
    (tmp_path / "models.json").write_text(json.dumps(config))
    KeyStore(tmp_path / ".mlapi").change(lambda _: list_teams((), ("red", "blue")))
    mlapi("keys", "export", cwd=tmp_path)
    red, blue = ((tmp_path / f"keys/{team}.env").read_text() for team in ("red", "blue"))
    assert "$MLAPI_URL/echo" in red
    assert "OpenAI()" not in red
    assert "$MLAPI_URL/chat" in blue
    assert '#       model="chat", messages=' in blue
