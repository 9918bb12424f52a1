"""The contract with teams: one list of cases, asked of both targets, each with its own keys."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import openai
import pytest

from centralized_ml_api.local.keys import KeyStore, LocalKeys
from contract.api import build_config
from contract.case import AWS, LOCAL, Request, send
from contract.cases.keys import CASES, TEAMS, KeyCase, chat_as, plain, with_key
from contract.differences import KEY_DIFFERENCES, Difference
from contract.mutated import serve_envoy
from contract.mutations import gateway_keys
from contract.mutations.keys import MUTATIONS, KeyMutation
from contract.targets import Targets, read_targets
from support.api_gateway import ApiGateway, build_rest_api, serve_api
from support.api_gateway.usage_plans import Key
from support.local_api import start_local_api
from support.stream_host.host import node
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.mutations.mutation import Mutation
    from support.background import Background
    from support.odd_server import OddServer

pytestmark = pytest.mark.slow
OPENAI_CLIENT = Path(__file__).with_name("openai_client.mjs")
TARGETS = (LOCAL, AWS)
ENTRIES = {"echo", "function", "chat"}
EVENT = {"teams": TEAMS, "ends": "2040-06-01T18:00:00+02:00", "aliases": {"gpt-4o-mini": "chat"}}
ENDS = "2040-06-01T16:00:00Z"
Keys = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, odd: OddServer, background: Background
) -> Iterator[Targets]:
    """Both targets of a config with teams."""
    folder = tmp_path_factory.mktemp("guarded")
    config = build_config(folder, odd.port, odd.port)
    models = [one for one in config["models"] if one["name"] in ENTRIES]
    with start_local_api(folder, {"models": models, "event": EVENT}) as local:
        local.wait_serving()
        with read_targets(local, folder, background) as targets:
            yield targets


@pytest.fixture(scope="module")
def keys(guarded: Targets) -> Keys:
    """The teams' keys on each target."""
    local = LocalKeys(KeyStore(guarded.local.folder / ".mlapi"))
    teams = [one.team for one in local.teams()]
    return {
        LOCAL: {team: local.show(team) for team in teams},
        AWS: {team: guarded.door.usage.key_of(team).value for team in teams},
    }


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_target_keeps_the_contract(guarded: Targets, keys: Keys, target: str, case: KeyCase) -> None:
    request = with_key(case.case.request, keys[target])
    for _ in range(case.before):
        send(guarded.url(target), request)
    case.case.expected.check(send(guarded.url(target), request), target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("difference", KEY_DIFFERENCES, ids=lambda one: one.name)
def test_a_difference_is_just_as_it_is_documented(
    guarded: Targets, keys: Keys, target: str, difference: Difference
) -> None:
    request = with_key(difference.request, keys[target])
    for _ in range(difference.before):
        send(guarded.url(target), request)
    answer = send(guarded.url(target), request)
    (difference.local if target == LOCAL else difference.aws).check(answer, target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("headers", [{}, plain("red")], ids=["refused", "answered"])
@pytest.mark.parametrize("path", ["/echo", "/v1/chat/completions", "/nothing-here"])
def test_every_answer_says_when_the_event_ends(
    guarded: Targets, keys: Keys, target: str, headers: dict[str, str], path: str
) -> None:
    request = chat_as(headers) if path.startswith("/v1") else Request(path, headers=headers)
    answer = send(guarded.url(target), with_key(request, keys[target]))
    assert answer.header("x-event-ends") == ENDS, answer


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_case_notices_a_wrong_document(
    guarded: Targets, keys: Keys, background: Background, mutation: KeyMutation
) -> None:
    (case,) = [one for one in CASES if one.name == mutation.noticed_by]
    api, request = build_rest_api(mutation.apply(guarded.document)), with_key(case.case.request, keys[AWS])
    gateway = ApiGateway(api, guarded.back_ends, guarded.door.usage)
    with serve_api(background, gateway) as url:
        for _ in range(case.before):
            send(url, request)
        answer = send(url, request)
    with pytest.raises(AssertionError):
        case.case.expected.check(answer, AWS)


@pytest.mark.parametrize("mutation", gateway_keys.MUTATIONS, ids=lambda one: one.what)
def test_a_case_notices_a_wrong_gateway(
    guarded: Targets, keys: Keys, tmp_path: Path, mutation: Mutation
) -> None:
    (case,) = [one for one in CASES if one.name == mutation.noticed_by]
    request = with_key(case.case.request, keys[LOCAL])
    with serve_envoy(guarded, tmp_path, mutation.change) as url:
        for _ in range(case.before):
            send(url, request)
        answer = send(url, request)
    with pytest.raises(AssertionError):
        case.case.expected.check(answer, LOCAL)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("team", "named"), [("red", ["chat", "gpt-4o-mini"]), ("listed", [])])
def test_the_list_of_models_has_what_the_team_may_call(
    guarded: Targets, keys: Keys, target: str, team: str, named: list[str]
) -> None:
    headers = {"authorization": f"Bearer {keys[target][team]}"}
    answer = send(guarded.url(target), Request("/v1/models", b"", "GET", headers))
    assert [model["id"] for model in answer.json["data"]] == named
    ends = (named[0], named[-1]) if named else (None, None)
    assert (answer.json["first_id"], answer.json["last_id"]) == ends
    shown = send(guarded.url(target), Request("/v1/models/chat", b"", "GET", headers))
    hidden = 404 if target == LOCAL else 403  # on AWS the policy of the key ends with the name
    assert shown.status == (200 if named else hidden)


@pytest.mark.parametrize("target", TARGETS)
def test_openais_client_for_javascript_stops_at_a_used_up_day(
    guarded: Targets, keys: Keys, target: str
) -> None:
    """Told to come back tomorrow, it would otherwise try again, and releases of it sleep until then."""
    address, key = f"{guarded.url(target)}/v1", keys[target]["daily"]
    ask = [node(), str(OPENAI_CLIENT), address, key]
    first, second = (subprocess.run(ask, capture_output=True, check=True, timeout=60) for _ in range(2))
    assert json.loads(second.stdout) == {"code": "quota_exceeded", "asked": 1}, first.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_openais_client_for_python_stops_at_a_used_up_day(guarded: Targets, keys: Keys, target: str) -> None:
    asked: list[object] = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [asked.append]})
    with openai.OpenAI(
        base_url=f"{guarded.url(target)}/v1", api_key=keys[target]["daily"], http_client=http
    ) as client:
        for _ in range(2):
            asked.clear()
            with contextlib.suppress(openai.RateLimitError):
                client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "hi"}])
    assert len(asked) == 1


def test_a_plain_key_is_asked_about_once(guarded: Targets, keys: Keys) -> None:
    request = with_key(Request("/echo", headers=plain("red")), keys[AWS])
    send(guarded.aws_url, request)
    asked = guarded.door.asked
    assert send(guarded.aws_url, request).status == 200
    assert guarded.door.asked == asked, "what a key may call is remembered"


def test_a_key_that_is_disabled_is_refused_at_once_though_it_is_remembered(
    guarded: Targets, keys: Keys
) -> None:
    request = with_key(Request("/echo", headers=plain("red")), keys[AWS])
    assert send(guarded.aws_url, request).status == 200
    key = guarded.door.usage.key_of("red")
    key.enabled = False
    try:
        assert send(guarded.aws_url, request).status == 401
    finally:
        key.enabled = True


def test_a_new_key_of_a_team_is_known_within_seconds_and_never_opens_more(
    guarded: Targets, keys: Keys
) -> None:
    (listed,) = [one for one in guarded.door.usage.plans if one.name == "listed"]
    listed.keys.append(Key("rotated", "a-key-that-came-later", tags=listed.keys[0].tags))
    own = {"x-api-key": "a-key-that-came-later"}
    refused: list[int] = []

    def is_open() -> bool:
        refused.append(send(guarded.aws_url, Request("/function", headers=own)).status)
        return send(guarded.aws_url, Request("/echo", headers=own)).status == 200

    assert keys[AWS]["listed"] != own["x-api-key"]
    wait_until(is_open, "the new key is known")
    assert set(refused) <= {401, 403}, "before it is known, it opens nothing"


def test_no_key_reaches_a_model(guarded: Targets, keys: Keys) -> None:
    for target in TARGETS:
        request = with_key(Request("/echo", headers=plain("red")), keys[target])
        assert keys[target]["red"] not in send(guarded.url(target), request).body.decode()
