"""Joining, asked of both targets: a page and a call without a key, a key for each team, plain refusals."""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.joining import TRIES
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.constructs.join_code.index import JoinTable
from centralized_ml_api.aws.event.join_item import KEY
from centralized_ml_api.aws.event.joining import load_roster, open_joining
from centralized_ml_api.aws.stack.contract import JOINING_OUTPUT
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from contract.api import build_config
from contract.case import AWS, JSON, LOCAL, Expected, Request, refused, send
from contract.cases.joining import CASES, CODE, LISTED
from contract.mutated import serve_envoy
from contract.mutations import joining
from contract.targets import Targets, read_targets
from support.api_gateway import ApiGateway, build_rest_api, serve_api
from support.api_gateway.control_plane import serve_control_plane
from support.api_gateway.functions import run_functions
from support.local_api import start_local_api
from support.moto_server import start_moto
from support.synthesis import REGION, read_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract.mutations.mutation import Mutation
    from support.background import Background
    from support.moto_server import MotoServer
    from support.odd_server import OddServer
    from support.running_gateway import Answer

pytestmark = pytest.mark.slow
PLACES = 12
CROWD = 40
EVENT = {"teams": [LISTED], "join": {"teams": PLACES, "code": CODE, "limits": {"requests_per_day": 9}}}


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
            make_table(moto, table_of(targets))
            yield targets


def close(hall: Targets, target: str, moto: MotoServer, *, is_closed: bool) -> None:
    """Closes the door of a target, or opens it."""
    if target == LOCAL:
        JoinBook(hall.local.folder / ".mlapi").set_closed(is_closed=is_closed)
        return
    moto.client("dynamodb").update_item(
        TableName=table_of(hall),
        Key=KEY,
        UpdateExpression="SET closed = :closed",
        ExpressionAttributeValues={":closed": {"BOOL": is_closed}},
    )


def table_of(hall: Targets) -> str:
    """The table of the places on AWS."""
    return read_template(hall.local.folder / "cdk.out").id_of("AWS::DynamoDB::Table")


@contextlib.contextmanager
def giving_places_back(hall: Targets, moto: MotoServer) -> Iterator[None]:
    """Gives back what a broken function gives away."""
    table, database = table_of(hall), moto.client("dynamodb")
    before = database.get_item(TableName=table, Key=KEY)["Item"]
    yield
    database.put_item(TableName=table, Item=before)


@pytest.mark.parametrize("mutation", joining.DOCUMENT, ids=lambda one: one.what)
def test_a_broken_document_is_noticed(hall: Targets, background: Background, mutation: Mutation) -> None:
    document = copy.deepcopy(dict(hall.document))
    mutation.change(document)
    gateway = ApiGateway(build_rest_api(document), hall.back_ends, hall.door.usage)
    with serve_api(background, gateway) as url:
        assert_noticed(url, mutation, AWS)


@pytest.mark.parametrize("mutation", joining.GATEWAY, ids=lambda one: one.what)
def test_a_broken_gateway_is_noticed(hall: Targets, tmp_path: Path, mutation: Mutation) -> None:
    with serve_envoy(hall, tmp_path, mutation.change) as url:
        assert_noticed(url, mutation, LOCAL)


@pytest.mark.parametrize("mutation", joining.FUNCTION, ids=lambda one: one.what)
def test_a_broken_function_is_noticed(
    hall: Targets, background: Background, moto: MotoServer, tmp_path: Path, mutation: Mutation
) -> None:
    with (
        giving_places_back(hall, moto),
        serve_joining(hall, background, moto, tmp_path / "cdk.out", mutation.change) as url,
    ):
        assert_noticed(url, mutation, AWS)


def test_unchanged_copies_let_teams_join(
    hall: Targets, background: Background, moto: MotoServer, tmp_path: Path
) -> None:
    """Otherwise the copies would be what the cases notice."""
    with (
        serve_envoy(hall, tmp_path / "gateway", lambda _: None) as local,
        serve_joining(hall, background, moto, tmp_path / "cdk.out", lambda _: None) as aws,
    ):
        for case in CASES:
            case.expected.check(send(local, case.request), LOCAL)
            case.expected.check(send(aws, case.request), AWS)


@contextlib.contextmanager
def serve_joining(
    hall: Targets, background: Background, moto: MotoServer, assets: Path, change: Callable[[Path], object]
) -> Iterator[str]:
    """The address of the API with changed code of the function that lets teams join."""
    output = hall.local.folder / "cdk.out"
    shutil.copytree(output, assets)
    (index,) = (each for each in assets.glob("asset.*/index.py") if "Lets teams join" in each.read_text())
    change(index)
    ends = hall.back_ends
    with (
        serve_control_plane(background, hall.door.usage) as control,
        run_functions(
            background,
            read_template(output).document,
            assets,
            ends.sagemaker_url,
            ends.endpoints,
            control_url=control,
            tables_url=moto.url,
        ) as functions,
    ):
        changed = replace(ends, functions=functions)
        gateway = ApiGateway(build_rest_api(dict(hall.document)), changed, hall.door.usage)
        with serve_api(background, gateway) as url:
            yield url


def assert_noticed(url: str, mutation: Mutation, target: str) -> None:
    """The case fails, and by the answer: there is one."""
    (case,) = (case for case in CASES if case.name == mutation.noticed_by)
    answer = send(url, case.request)
    with pytest.raises(AssertionError):
        case.expected.check(answer, target)


@pytest.mark.parametrize("target", [LOCAL, AWS])
def test_a_hall_joins_and_whoever_cannot_is_told_why(hall: Targets, moto: MotoServer, target: str) -> None:
    url = hall.url(target)

    def ask(name: str, code: str = CODE) -> Answer:
        return send(url, Request("/join", json.dumps({"code": code, "name": name}).encode()))

    def check(expected: Expected, answer: Answer) -> None:
        expected.check(answer, target)

    for case in CASES:
        check(case.expected, send(url, case.request))
    check(refused(errors.UNAUTHORIZED), send(url, Request("/echo")))

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
    table = JoinTable(moto.client("dynamodb"), "Crowd")
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
