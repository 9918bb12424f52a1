"""The function that lets teams join: each has a place of its own, whatever comes at once or fails."""

from __future__ import annotations

import ast
import base64
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.api.error_shape import RETRY_AFTER_SECONDS
from centralized_ml_api.api.joining import TRIES
from centralized_ml_api.aws.constructs.join_code.index import (
    CONNECT_SECONDS,
    KEY_ATTEMPTS,
    KEY_READ_SECONDS,
    TABLE_ATTEMPTS,
    TABLE_READ_SECONDS,
    Desk,
    JoinTable,
    RefusedError,
    answer_call,
)
from centralized_ml_api.aws.constructs.join_function_code import PACKAGE, TIMEOUT_SECONDS, load_join_code
from centralized_ml_api.aws.event.join_item import KEY
from support.fake_documents import FakeDocuments

if TYPE_CHECKING:
    from collections.abc import Callable

PLACES = 40
CODE = "7KQ2-WX4Z"
NOON = datetime(2030, 3, 17, 12, tzinfo=UTC).timestamp()
HERE = "203.0.113.7"


PAUSES = (1, 2)
"""The longest pauses of botocore before its second and third try, in seconds."""


class CountedDocuments(FakeDocuments):
    """A table that counts how often it is asked."""

    calls = 0

    def get_item(self, **parameters: Any) -> dict[str, Any]:
        """Reads an item."""
        self.calls += 1
        return super().get_item(**parameters)

    def update_item(self, **parameters: Any) -> dict[str, Any]:
        """Changes an item."""
        self.calls += 1
        return super().update_item(**parameters)


class Hall:
    """A desk over a table that holds the item, with keys that can be read."""

    def __init__(self, places: int = PLACES, until: str = "", listed: tuple[str, ...] = ("red",)) -> None:
        self.now = NOON
        self.documents = CountedDocuments()
        self.documents.items["door", "now"] = {
            **KEY,
            "code": {"S": CODE},
            "closed": {"BOOL": False},
            "taken": {"N": "0"},
            **{name: {"M": {}} for name in ("names", "places", "receipts")},
        }
        self.unreadable = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.table = JoinTable(self.documents, "Table")
        self.desk = Desk(
            self.table,
            self.load_key,
            key_ids=[f"id-{number}" for number in range(places)],
            listed=[*listed],
            until=until,
            clock=lambda: self.now,
        )

    @property
    def door(self) -> dict[str, Any]:
        """The item as it is."""
        return self.documents.items["door", "now"]

    def load_key(self, key_id: str) -> str:
        if self.unreadable:
            self.unreadable -= 1
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "GetApiKey")
        self.meanwhile()
        return f"value-of-{key_id}"

    def join(self, name: str, code: str = CODE, address: str = HERE) -> dict[str, Any]:
        """Joins; returns the answer."""
        return self.desk.join(json.dumps({"code": code, "name": name}).encode(), address)

    def refused(self, name: str = "Owls", code: str = CODE, address: str = HERE) -> str:
        """Tries to join; returns the code of the refusal."""
        with pytest.raises(RefusedError) as caught:
            self.join(name, code, address)
        return caught.value.error.code


def test_forty_at_once_have_a_key_each_and_the_next_is_told() -> None:
    hall = Hall()
    with ThreadPoolExecutor(PLACES) as crowd:
        joined = [*crowd.map(lambda number: hall.join(f"team {number}"), range(PLACES))]
    assert {answer["key"] for answer in joined} == {f"value-of-id-{number}" for number in range(PLACES)}
    assert {answer["team"] for answer in joined} == {f"team {number}" for number in range(PLACES)}
    assert hall.refused("late") == "join_full"


def test_of_those_who_want_one_name_at_once_one_has_it() -> None:
    hall = Hall()

    def join(_: int) -> str:
        try:
            return str(hall.join("Owls")["key"])
        except RefusedError as error:
            return error.error.code

    with ThreadPoolExecutor(8) as crowd:
        told = Counter(crowd.map(join, range(8)))
    assert told == {"value-of-id-0": 1, "join_name_taken": 7}


@pytest.mark.parametrize(
    ("name", "refusal"),
    [("owls", "join_name_taken"), ("RED", "join_name_taken"), ("<b>", "join_name_invalid")],
)
def test_a_name_is_nobody_elses_and_means_nothing_elsewhere(name: str, refusal: str) -> None:
    hall = Hall()
    assert hall.join("  Owls ")["team"] == "Owls"
    assert hall.refused(name) == refusal


def test_a_closed_door_lets_nobody_in_also_where_it_closes_meanwhile() -> None:
    hall = Hall()
    hall.door["closed"] = {"BOOL": True}
    assert hall.refused() == "join_closed"
    door = hall.table.take("Owls", PLACES)
    assert (door.taken, door.names) == (0, {})


def test_before_the_deploy_is_complete_nobody_joins() -> None:
    hall = Hall()
    hall.documents.items.clear()
    assert hall.refused() == "join_closed"


def test_joining_ends_by_itself() -> None:
    hall = Hall(until="2030-03-17T18:00:00Z")
    assert hall.join("Owls")
    hall.now += 6 * 3600
    with pytest.raises(RefusedError) as caught:
        hall.join("late")
    assert caught.value.error.message.startswith("Joining has been closed since 2030-03-17T18:00:00Z.")


def test_the_code_that_the_config_names_counts_and_the_made_one_does_not() -> None:
    hall = Hall()
    hall.door["named_code"] = {"S": "HERON-42"}
    assert hall.refused(code=CODE) == "join_code_wrong"
    assert hall.join("Owls", code="heron 42")


def test_an_address_may_guess_some_codes_a_minute() -> None:
    hall = Hall()
    hall.now += 15
    for _ in range(TRIES):
        assert hall.refused(code="WRONG-42") == "join_code_wrong"
    with pytest.raises(RefusedError) as caught:
        hall.join("Owls")
    assert (caught.value.error.code, caught.value.retry_after_seconds) == ("join_limited", 45)
    assert hall.join("Owls", address="203.0.113.8")
    hall.now += 45
    assert hall.join("Larks")


def test_of_codes_that_are_guessed_at_once_no_more_than_that_are_looked_at() -> None:
    hall = Hall()
    with ThreadPoolExecutor(8) as crowd:
        told = Counter(crowd.map(lambda _: hall.refused(code="WRONG-42"), range(2 * TRIES)))
    assert told == {"join_code_wrong": TRIES, "join_limited": TRIES}


def test_the_addresses_of_one_ipv6_network_count_together_and_are_forgotten() -> None:
    hall = Hall()
    for number in range(TRIES):
        hall.refused(code="WRONG-42", address=f"2001:db8::{number:x}")
    assert hall.refused(address="2001:db8::ffff") == "join_limited"
    (tries,) = (item for key, item in hall.documents.items.items() if key[0].startswith("tries#"))
    assert tries["expires_at"] == {"N": str(int(NOON) + 3600)}


def test_a_team_whose_key_could_not_be_read_joins_again_and_has_the_same_place() -> None:
    hall = Hall()
    hall.unreadable = 1
    with pytest.raises(ClientError):
        hall.join("Owls")
    assert hall.join("Larks")["key"] == "value-of-id-1"
    assert hall.join("Owls")["key"] == "value-of-id-0"
    assert hall.refused("Owls") == "join_name_taken"
    assert hall.door["taken"] == {"N": "2"}


def test_a_call_that_is_sent_again_finds_its_own_place_and_its_own_receipt() -> None:
    hall = Hall()
    first = hall.table.take("Owls", PLACES)
    again = hall.table.take("Owls", PLACES)
    assert (first.places, again.places, again.taken) == ({"owls": 0}, {"owls": 0}, 1)
    assert [hall.table.tell("OWLS", receipt) for receipt in ("mine", "mine", "other")] == [True, True, False]


def test_a_team_whose_call_lambda_ended_joins_again_and_has_the_same_place() -> None:
    hall = Hall()
    hall.table.take("Owls", PLACES)  # and no line of the function runs after it
    assert hall.join("owls")["key"] == "value-of-id-0"
    assert hall.refused("Owls") == "join_name_taken"


def test_of_two_that_have_read_one_key_the_first_to_note_it_is_told() -> None:
    hall = Hall()
    second: list[str] = []

    def join_meanwhile() -> None:
        hall.meanwhile = lambda: None
        second.append(str(hall.join("Owls")["key"]))

    hall.meanwhile = join_meanwhile
    assert hall.refused("Owls") == "join_name_taken"
    assert second == ["value-of-id-0"]
    assert hall.door["taken"] == {"N": "1"}


def test_the_slowest_call_ends_before_lambda_ends_the_function() -> None:
    hall = Hall()
    hall.join("Owls")
    of_table = TABLE_ATTEMPTS * (CONNECT_SECONDS + TABLE_READ_SECONDS) + sum(PAUSES[: TABLE_ATTEMPTS - 1])
    of_key = KEY_ATTEMPTS * (CONNECT_SECONDS + KEY_READ_SECONDS) + sum(PAUSES[: KEY_ATTEMPTS - 1])
    assert hall.documents.calls == 4
    assert hall.documents.calls * of_table + of_key <= TIMEOUT_SECONDS - 2


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code": 1, "name": "n"}', b" " * 4096 + b"{}"])
def test_another_body_is_refused_before_anything_is_asked(body: bytes) -> None:
    hall = Hall()
    hall.documents.items.clear()
    with pytest.raises(RefusedError) as caught:
        hall.desk.join(body, HERE)
    assert caught.value.error.code == "invalid_body"


def call(hall: Hall, body: str, *, encoded: bool = False) -> dict[str, Any]:
    """What the function returns to API Gateway."""
    event = {
        "requestContext": {"requestId": "req-1", "identity": {"sourceIp": HERE}},
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }
    return answer_call(event, lambda: hall.desk)


@pytest.mark.parametrize("encoded", [False, True])
def test_the_answer_has_the_key_and_is_stored_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, encoded: bool
) -> None:
    monkeypatch.setenv("EVENT_ENDS", "2030-06-01T16:00:00Z")
    body = json.dumps({"code": CODE, "name": "Owls", "address": "https://api.example/prod/"})
    answer = call(Hall(), body, encoded=encoded)
    told = json.loads(answer["body"])
    assert (answer["statusCode"], told["team"], told["key"]) == (200, "Owls", "value-of-id-0")
    assert {*told["qr"]} == {"path", "size"}
    assert answer["headers"] == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-request-id": "req-1",
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "*",
        "x-event-ends": "2030-06-01T16:00:00Z",
    }
    assert capsys.readouterr().out == ""


def test_a_failure_of_aws_is_a_503_and_the_log_has_its_name_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hall = Hall()
    hall.unreadable = 1
    answer = call(hall, json.dumps({"code": CODE, "name": "Owls"}))
    error = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["code"], error["request_id"]) == (503, "join_not_kept", "req-1")
    assert error["message"].endswith("Try again in a few seconds, with the same name.")
    assert answer["headers"]["retry-after"] == str(RETRY_AFTER_SECONDS)
    assert capsys.readouterr().out == "a team could not join: ClientError TooManyRequestsException\n"


def test_another_failure_is_in_the_log_with_its_place_and_without_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hall = Hall()

    def fail() -> None:
        raise ValueError("a key")

    hall.meanwhile = fail
    assert call(hall, json.dumps({"code": CODE, "name": "Owls"}))["statusCode"] == 503
    line = fail.__code__.co_firstlineno + 1
    assert capsys.readouterr().out == f"a team could not join: ValueError test_join_function.py:{line}\n"


def read_imports(content: bytes) -> set[str]:
    """The modules that a file imports; of `from package import module` both."""
    found = set[str]()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_what_is_shipped_imports_nothing_but_itself_and_what_lambda_has() -> None:
    files = load_join_code(["red"])
    own = {name: content for name, content in files.items() if not name.startswith("segno/")}
    shipped = {name.removesuffix(".py").replace("/", ".") for name in files}
    imported = set[str]().union(*(read_imports(own[name]) for name in own if name.endswith(".py")))
    assert {module for module in imported if is_ours(module)} <= shipped
    outside = {module.partition(".")[0] for module in imported} - sys.stdlib_module_names
    assert outside == {
        "centralized_ml_api",
        "segno",
        "boto3",
        "botocore",
    }
    assert json.loads(files["listed.json"]) == ["red"]


def is_ours(module: str) -> bool:
    """Whether it is a file of this package."""
    return PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py").is_file()
