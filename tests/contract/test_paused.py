"""What organizers pause and say reaches callers of both targets; what differs is documented."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.error_shape import PAUSED
from centralized_ml_api.api.notices import (
    MESSAGE_HEADER,
    MESSAGE_TIME_HEADER,
    PAUSE_HEADERS,
    encode_message,
)
from centralized_ml_api.aws.event.pauses import hash_key
from centralized_ml_api.aws.stack.contract import (
    KEY_FUNCTION,
    MESSAGE_VARIABLE,
    PAUSED_VARIABLE,
    STREAM_FUNCTION,
)
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.config.checks.event.ends import parse_instant
from centralized_ml_api.local.keys import KeyStore, LocalKeys
from contract.api import build_config
from contract.case import AWS, LOCAL, Request, refused, send
from contract.cases.keys import chat_as, plain, with_key
from contract.differences import MESSAGE, PAUSE_DIFFERENCES, PAUSED_WORDS, Difference
from contract.targets import Targets, serve_template
from support.local_api import start_local_api
from support.synthesis import build_plan_of, synthesize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.case import Expected
    from support.background import Background
    from support.odd_server import OddServer

pytestmark = pytest.mark.slow
TARGETS = (LOCAL, AWS)
ENTRIES = {"echo", "function", "chat"}
EVENT = {"teams": ["red", "blue"]}
Keys = dict[str, dict[str, str]]
SINCE = "2030-06-01T12:00:00Z"


@pytest.fixture(scope="module")
def paused(
    tmp_path_factory: pytest.TempPathFactory, odd: OddServer, background: Background
) -> Iterator[Targets]:
    """Both targets of a config with two teams, of which red is paused, and a message to all."""
    folder = tmp_path_factory.mktemp("paused")
    config = build_config(folder, odd.port, odd.port)
    models = [one for one in config["models"] if one["name"] in ENTRIES]
    with start_local_api(folder, {"models": models, "event": EVENT}) as local:
        local.wait_serving()
        connect(folder / ".mlapi").pause(None, PAUSED_WORDS, team="red")
        connect(folder / ".mlapi").say(MESSAGE)
        output = folder / "cdk.out"
        template = synthesize(build_plan_of(folder / "models.json"), output).document
        told = {"teams": {"red": PAUSED_WORDS}, "keys": {hash_key("red's key"): "red"}}
        find_variables(template, KEY_FUNCTION)[PAUSED_VARIABLE] = json.dumps(told)
        find_variables(template, STREAM_FUNCTION)[MESSAGE_VARIABLE] = json.dumps(
            {"words": MESSAGE, "at": SINCE}
        )
        with serve_template(
            template, output, local, background, keys={"red": "red's key", "blue": "blue's key"}
        ) as targets:
            yield targets


def find_variables(template: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The variables of the function whose logical id has a part."""
    (found,) = (
        resource["Properties"]["Environment"]["Variables"]
        for name, resource in template["Resources"].items()
        if part in name and resource["Type"] == "AWS::Lambda::Function"
    )
    variables: dict[str, Any] = found
    return variables


@pytest.fixture(scope="module")
def keys(paused: Targets) -> Keys:
    """The teams' keys on each target."""
    local = LocalKeys(KeyStore(paused.local.folder / ".mlapi"))
    return {
        LOCAL: {team: local.show(team) for team in ("red", "blue")},
        AWS: {team: paused.door.usage.key_of(team).value for team in ("red", "blue")},
    }


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_calls_that_stream_are_refused_alike(paused: Targets, keys: Keys, target: str, header: str) -> None:
    value = "{red}" if header == "x-api-key" else "Bearer {red}"
    answer = send(paused.url(target), with_key(chat_as({header: value}), keys[target]))
    refused(PAUSED, PAUSED_WORDS, headers=dict(PAUSE_HEADERS)).check(answer, target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "request_", [Request("/v1/models", b"", "GET", plain("red")), Request("/echo", headers=plain("blue"))]
)
def test_lists_and_other_teams_go_on(paused: Targets, keys: Keys, target: str, request_: Request) -> None:
    assert send(paused.url(target), with_key(request_, keys[target])).status == 200


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "request_",
    [
        chat_as({"authorization": "Bearer {blue}"}),
        chat_as({"authorization": "Bearer {red}"}),
        Request("/health", b"", "GET"),
    ],
    ids=["chat", "refusal", "health"],
)
def test_a_message_to_all_is_a_header(paused: Targets, keys: Keys, target: str, request_: Request) -> None:
    answer = send(paused.url(target), with_key(request_, keys[target]))
    assert answer.header(MESSAGE_HEADER) == encode_message(MESSAGE) == "Mittag, 100 %25 K%C3%A4se %E2%98%95"
    since = answer.header(MESSAGE_TIME_HEADER) or ""
    assert since == SINCE if target == AWS else parse_instant(since)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("difference", PAUSE_DIFFERENCES, ids=lambda one: one.name)
def test_a_difference_is_just_as_it_is_documented(
    paused: Targets, keys: Keys, target: str, difference: Difference
) -> None:
    expected: Expected = difference.local if target == LOCAL else difference.aws
    expected.check(send(paused.url(target), with_key(difference.request, keys[target])), target)
