"""Teams join by a link: `mlapi up`, forty at once through the real gateway, `mlapi join`, a restart."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import urllib3

from centralized_ml_api.api.joining import TRIES
from centralized_ml_api.api.keys import is_key
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from support.local_api import LocalApi, mlapi, models, odd_command, start_local_api
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = 40
FLOODING = 20
"""Callers at once."""

CONFIG = {
    **models(echo=odd_command()),
    "event": {"join": {"teams": PLACES, "limits": {"requests_per_day": 1000, "requests_at_once": 1}}},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    with start_local_api(tmp_path_factory.mktemp("joining"), CONFIG) as api:
        yield api.wait_serving()


@pytest.fixture(scope="module")
def code(api: LocalApi) -> str:
    return book(api).load().code


@pytest.fixture(scope="module")
def keys(api: LocalApi, code: str) -> dict[str, str]:
    """The keys of forty teams that have joined at once."""
    assert api.call("/echo").status == 401, "nobody may call before anybody has joined"
    with ThreadPoolExecutor(PLACES) as crowd:
        answers = list(crowd.map(lambda number: join(api, code, f"team {number}"), range(PLACES)))
    assert {answer.status for answer in answers} == {200}
    joined = [json.loads(answer.data) for answer in answers]
    return {team["team"]: team["key"] for team in joined}


def book(api: LocalApi) -> JoinBook:
    return JoinBook(api.folder / ".mlapi")


def keys_of(api: LocalApi) -> LocalKeys:
    return LocalKeys(KeyStore(api.folder / ".mlapi"))


def join(api: LocalApi, code: str, name: str) -> urllib3.BaseHTTPResponse:
    return api.call("/join", json.dumps({"code": code, "name": name}).encode())


def refusal(api: LocalApi, code: str, name: str) -> tuple[int, str]:
    answer = join(api, code, name)
    return answer.status, json.loads(answer.data)["error"]["code"]


@pytest.mark.slow
def test_forty_at_once_have_forty_keys_that_work_when_they_are_told(
    api: LocalApi, keys: dict[str, str]
) -> None:
    assert len(keys) == len({*keys.values()}) == PLACES
    assert all(map(is_key, keys.values()))
    with ThreadPoolExecutor(8) as crowd:
        statuses = set(crowd.map(lambda key: api.call("/echo", x_api_key=key).status, keys.values()))
    assert statuses == {200}


@pytest.mark.slow
def test_the_next_team_is_told_and_so_is_one_whose_name_is_taken(
    api: LocalApi, code: str, keys: dict[str, str]
) -> None:
    assert refusal(api, code, "late") == (403, "join_full")
    assert refusal(api, code, "TEAM 7") == (409, "join_name_taken")
    assert refusal(api, code, "<script>") == (400, "join_name_invalid")
    told = json.loads(mlapi("join", "--json", cwd=api.folder).out)
    assert (told["code"], told["taken"], len(keys)) == (code, PLACES, PLACES)


@pytest.mark.slow
def test_a_slash_at_the_end_leads_to_the_same_page(api: LocalApi) -> None:
    led = api.call("/join/", method="GET")
    assert (led.status, led.headers["location"]) == (308, f"{api.url}/join")
    sent = api.call("/join/", b"{}")
    assert (sent.status, sent.headers["location"]) == (308, f"{api.url}/join")


@pytest.mark.slow
def test_a_flood_at_the_door_is_refused_and_others_and_the_models_go_on(
    api: LocalApi, keys: dict[str, str]
) -> None:
    flooding = urllib3.PoolManager(maxsize=FLOODING, source_address=("127.0.0.9", 0), retries=False)

    def flood() -> set[tuple[int, str]]:
        with ThreadPoolExecutor(FLOODING) as crowd:
            calls = [crowd.submit(flooding.request, "POST", f"{api.url}/join", body=b"{") for _ in range(200)]
        answers = [call.result() for call in calls]
        return {(answer.status, json.loads(answer.data)["error"]["code"]) for answer in answers}

    wait_until(lambda: (429, "join_limited") in flood(), "the gateway refuses some")
    assert api.call("/join", b"{").status == 400, "from another address"
    assert api.call("/echo", x_api_key=keys["team 9"]).status == 200
    flooding.clear()


@pytest.mark.slow
def test_who_joined_is_like_any_other_team(api: LocalApi, keys: dict[str, str]) -> None:
    assert {team: keys_of(api).show(team) for team in keys} == keys
    used = json.loads(api.call("/v1/usage", method="GET", x_api_key=keys["team 3"]).data)
    assert used["team"] == "team 3"
    keys_of(api).revoke("team 3")
    wait_until(lambda: api.call("/echo", x_api_key=keys["team 3"]).status == 401, "its key is refused")
    assert mlapi("call", "echo", "{}", cwd=api.folder).status == 0, "a joined team's key is found"


@pytest.mark.slow
def test_nothing_of_a_run_holds_what_is_secret_but_private_files(
    api: LocalApi, code: str, keys: dict[str, str]
) -> None:
    secrets = {code.encode(): {"join.json"}, keys["team 5"].encode(): {"keys.json", "routes.json"}}
    files = [path for path in (api.folder / ".mlapi").rglob("*") if path.is_file()]
    for secret, known in secrets.items():
        assert {path.name for path in files if secret in path.read_bytes()} == known
        assert secret.decode() not in api.output
    assert {path.stat().st_mode & 0o077 for path in files if path.name in {"keys.json", "join.json"}} == {0}


@pytest.mark.slow
def test_a_restart_keeps_who_joined_and_the_door_and_wrong_codes_are_limited(
    api: LocalApi, code: str, keys: dict[str, str]
) -> None:
    keys_of(api).revoke("team 4")
    book(api).set_closed(is_closed=True)
    assert refusal(api, code, "late") == (403, "join_closed")
    api.stop()
    with start_local_api(api.folder, CONFIG) as again:
        again.wait_serving()
        assert again.call("/echo", x_api_key=keys["team 5"]).status == 200
        assert again.call("/echo", x_api_key=keys["team 4"]).status == 401
        assert refusal(again, code, "late") == (403, "join_closed")
        book(again).set_closed(is_closed=False)
        for _ in range(TRIES):
            assert refusal(again, "WRONG-42", "late") == (403, "join_code_wrong")
        limited = join(again, code, "late")
        assert (limited.status, json.loads(limited.data)["error"]["code"]) == (429, "join_limited")
        assert 0 < int(limited.headers["retry-after"]) <= 60
