"""Joining, asked of both targets: a page and a call without a key, a key for each team, plain refusals."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.joining import TRIES
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.constructs.join_code.index import DoorTable
from centralized_ml_api.aws.door_item import KEY
from centralized_ml_api.aws.joining import load_roster, open_joining
from centralized_ml_api.aws.stack_contract import JOINING_OUTPUT
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from contract.api import build_config
from contract.case import AWS, JSON, LOCAL, Expected, Request, refused, send
from contract.targets import Targets, read_targets
from support.local_api import start_local_api
from support.moto_server import start_moto
from support.synthesis import REGION, read_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.moto_server import MotoServer
    from support.odd_server import OddServer
    from support.running_gateway import Answer

pytestmark = pytest.mark.slow
PLACES = 12
CROWD = 40
CODE = "HERON-4217"
EVENT = {"teams": ["red"], "join": {"teams": PLACES, "code": CODE, "limits": {"requests_per_day": 9}}}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    """A DynamoDB, which AWS's clients of this module find."""
    with start_moto(tmp_path_factory.mktemp("moto")) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


def make_table(moto: MotoServer, name: str, places: int = PLACES) -> dict[str, str]:
    """Makes a table as a deploy does, and opens joining; returns the outputs of the stack."""
    parts = [("holder", "HASH"), ("span", "RANGE")]
    moto.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part, _ in parts],
        KeySchema=[{"AttributeName": part, "KeyType": kind} for part, kind in parts],
    )
    outputs = {JOINING_OUTPUT: json.dumps({"table": name, "places": places, "until": ""})}
    open_joining(AwsClients(REGION), outputs, CODE)
    return outputs


@pytest.fixture(scope="module")
def hall(
    tmp_path_factory: pytest.TempPathFactory, odd: OddServer, background: Background, moto: MotoServer
) -> Iterator[Targets]:
    """Both targets of a config with places."""
    folder = tmp_path_factory.mktemp("hall")
    models = [each for each in build_config(folder, odd.port, odd.port)["models"] if each["name"] == "echo"]
    with start_local_api(folder, {"models": models, "event": EVENT}) as local:
        local.wait_serving()
        with read_targets(local, folder, background, tables_url=moto.url) as targets:
            make_table(moto, read_template(folder / "cdk.out").id_of("AWS::DynamoDB::Table"))
            yield targets


def close(hall: Targets, target: str, moto: MotoServer, *, is_closed: bool) -> None:
    """Closes the door of a target, or opens it."""
    if target == LOCAL:
        JoinBook(hall.local.folder / ".mlapi").set_closed(is_closed=is_closed)
        return
    moto.client("dynamodb").update_item(
        TableName=read_template(hall.local.folder / "cdk.out").id_of("AWS::DynamoDB::Table"),
        Key=KEY,
        UpdateExpression="SET closed = :closed",
        ExpressionAttributeValues={":closed": {"BOOL": is_closed}},
    )


@pytest.mark.parametrize("target", [LOCAL, AWS])
def test_a_hall_joins_and_whoever_cannot_is_told_why(hall: Targets, moto: MotoServer, target: str) -> None:
    url = hall.url(target)

    def ask(name: str, code: str = CODE) -> Answer:
        return send(url, Request("/join", json.dumps({"code": code, "name": name}).encode()))

    def check(expected: Expected, answer: Answer) -> None:
        expected.check(answer, target)

    check(Expected(200, None, "text/html; charset=utf-8"), send(url, Request("/join", b"", "GET")))
    check(Expected(405, headers={"allow": ALLOWED}), send(url, Request("/join", method="PUT")))
    check(refused(errors.INVALID_BODY), send(url, Request("/join", b"[]")))
    check(refused(errors.UNAUTHORIZED), send(url, Request("/echo")))
    check(refused(errors.JOIN_CODE_WRONG), ask("Owls", "WRONG-42"))
    check(refused(errors.JOIN_NAME_INVALID), ask("<script>"))
    check(refused(errors.JOIN_NAME_TAKEN), ask("RED"))

    with ThreadPoolExecutor(PLACES) as crowd:
        answers = [*crowd.map(lambda number: ask(f"team {number}"), range(PLACES))]
    for answer in answers:
        check(Expected(200, None, JSON, {"cache-control": "no-store"}), answer)
    joined: dict[str, str] = {answer.json["team"]: answer.json["key"] for answer in answers}
    assert len(joined) == len({*joined.values()}) == PLACES
    for team in ("team 0", f"team {PLACES - 1}"):
        check(Expected(200), send(url, Request("/echo", headers={"x-api-key": joined[team]})))

    check(refused(errors.JOIN_FULL, f"All {PLACES} places are taken."), ask("late"))
    check(refused(errors.JOIN_NAME_TAKEN), ask("TEAM 7"))
    close(hall, target, moto, is_closed=True)
    check(refused(errors.JOIN_CLOSED), ask("late"))
    close(hall, target, moto, is_closed=False)

    with ThreadPoolExecutor(8) as crowd:  # also where a minute begins meanwhile, one has more than may be
        guessed = [*crowd.map(lambda _: ask("late", "WRONG-42"), range(2 * TRIES + 1))]
    told = Counter(answer.error["code"] for answer in guessed)
    assert {*told} == {"join_code_wrong", "join_limited"}, told
    limited = next(answer for answer in guessed if answer.status == 429)
    check(refused(errors.JOIN_LIMITED), limited)
    assert 0 < int(limited.header("retry-after") or 0) <= 60


ALLOWED = "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("target", [LOCAL, AWS])
def test_the_document_says_how_to_join(hall: Targets, target: str) -> None:
    red = hall.door.usage.key_of("red").value
    if target == LOCAL:
        red = LocalKeys(KeyStore(hall.local.folder / ".mlapi")).show("red")
    answer = send(hall.url(target), Request("/openapi.json", b"", "GET", {"x-api-key": red}))
    path = answer.json["paths"]["/join"]
    assert {method: operation["security"] for method, operation in path.items()} == {"get": [], "post": []}
    assert path["post"]["requestBody"]["content"][JSON]["schema"]["required"] == ["code", "name"]


def test_dynamodb_lets_forty_in_at_once_and_each_of_them_once(moto: MotoServer) -> None:
    outputs = make_table(moto, "Crowd", CROWD)
    table = DoorTable(moto.client("dynamodb"), "Crowd")
    with ThreadPoolExecutor(CROWD) as crowd:
        doors = [*crowd.map(lambda number: table.take(f"team {number}", CROWD), range(CROWD))]
    places = [door.places[f"team {number}"] for number, door in enumerate(doors)]
    assert sorted(places) == [*range(CROWD)]
    roster = load_roster(AwsClients(REGION), outputs)
    assert roster == {f"place:{place + 1}": f"team {number}" for number, place in enumerate(places)}
    late = table.take("late", CROWD)
    assert (late.taken, "late" in late.names) == (CROWD, False)

    again = table.take("team 3", CROWD)
    assert (again.receipts["team 3"], again.taken) == ("", CROWD)
    receipts = [f"receipt {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as crowd:
        told = [*crowd.map(lambda receipt: table.tell("Team 3", receipt), receipts)]
    assert sum(told) == 1
    assert [table.tell("team 3", receipt) for receipt in receipts] == told, "its own write may come again"
    assert table.count_wrong("203.0.113.7", 7) == 0
    assert [table.note_wrong("203.0.113.7", 7) for _ in range(2)] == [1, 2]
    assert table.count_wrong("203.0.113.7", 7) == 2
