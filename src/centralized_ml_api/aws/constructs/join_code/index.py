"""Lets teams join: answers `POST /join` with the key of a place, a Lambda function.

The keys exist since the deploy; none is made here. One conditional update of one item takes a team's name and
the next place together, so that of teams that join at once each has a place, and none two. Then API Gateway
is asked for the value of the key of that place, which is stored nowhere else and never logged. Last, another
conditional update notes that the team is told its key; of calls with one name, only the one whose update that
was answers with it. Until then, the team may join again.
"""

from __future__ import annotations

import base64
import json
import math
import os
import secrets
import time
import traceback
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import CORS_HEADERS
from centralized_ml_api.api.joining import (
    BODY_BYTES,
    LONGEST_JOINED_NAME,
    TRIES,
    TRY_SECONDS,
    clean_name,
    describe_joined,
    find_network,
    is_code,
    read_request,
)
from centralized_ml_api.aws.event.join_item import KEY, JoinItem, read_join_item

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS = 0.5
TABLE_READ_SECONDS, TABLE_ATTEMPTS = 1.0, 2
KEY_READ_SECONDS, KEY_ATTEMPTS = 1.5, 3
"""How long a call of DynamoDB and one of API Gateway may take, and how often it is tried.

Between two tries are pauses of up to 1 and 2 seconds. All calls of a team that joins end, at their slowest,
two seconds before Lambda ends the function.
Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

_NOT_TOLD = ""
_TAKE = "SET #names.#team = :name, #places.#team = #taken, #receipts.#team = :none, #taken = #taken + :one"
_MAY_TAKE = "attribute_not_exists(#names.#team) AND #taken < :places AND #closed = :no"


class RefusedError(Exception):
    """A team that cannot join so, or not now; with `retry_after_seconds` it may try again then."""

    def __init__(self, error: errors.ApiError, retry_after_seconds: int | None = None) -> None:
        super().__init__(error.code)
        self.error, self.retry_after_seconds = error, retry_after_seconds


class JoinTable:
    """The table of a stack: the item of who has joined, and the wrong codes of each minute.

    Every method raises botocore's errors.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        """Keeps a client of DynamoDB and the name of the table; asks nothing yet."""
        self._dynamodb, self._table = dynamodb, table

    def load(self) -> JoinItem | None:
        """Returns the item as it is now; None before the deploy has made it."""
        item = self._dynamodb.get_item(TableName=self._table, Key=KEY, ConsistentRead=True).get("Item")
        return read_join_item(item) if item else None

    def take(self, name: str, places: int) -> JoinItem:
        """Takes the next of so many places for a team, if it can; returns the item as it is then."""
        values = {
            ":name": {"S": name},
            ":none": {"S": _NOT_TOLD},
            ":one": {"N": "1"},
            ":places": {"N": str(places)},
            ":no": {"BOOL": False},
        }
        names = ("names", "places", "receipts", "taken", "closed")
        return self._change(name.casefold(), _TAKE, _MAY_TAKE, values, names)

    def tell(self, name: str, receipt: str) -> bool:
        """Notes that the call with this receipt tells a team its key; returns whether it may: no other has.

        AWS's client sends a call again whose answer got lost; the call then finds its own receipt.
        """
        team = name.casefold()
        values = {":receipt": {"S": receipt}, ":none": {"S": _NOT_TOLD}}
        change, condition = "SET #receipts.#team = :receipt", "#receipts.#team = :none"
        return self._change(team, change, condition, values, ("receipts",)).receipts[team] == receipt

    def count_wrong(self, network: str, minute: int) -> int:
        """Returns how many wrong codes have come from a network in a minute since the epoch."""
        key = _key_of_tries(network, minute)
        found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return int(found.get("Item", {}).get("wrong", {"N": "0"})["N"])

    def note_wrong(self, network: str, minute: int) -> int:
        """Notes a wrong code; returns how many those are now. DynamoDB forgets them an hour later."""
        noted = self._dynamodb.update_item(
            TableName=self._table,
            Key=_key_of_tries(network, minute),
            UpdateExpression="ADD #wrong :one SET #expiry = :later",
            ExpressionAttributeNames={"#wrong": "wrong", "#expiry": "expires_at"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":later": {"N": str((minute + 60) * TRY_SECONDS)}},
            ReturnValues="UPDATED_NEW",
        )
        return int(noted["Attributes"]["wrong"]["N"])

    def _change(
        self, team: str, change: str, condition: str, values: dict[str, Any], names: tuple[str, ...]
    ) -> JoinItem:
        try:
            changed = self._dynamodb.update_item(
                TableName=self._table,
                Key=KEY,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#team": team, **{f"#{name}": name for name in names}},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            return read_join_item(error.response["Item"])
        return read_join_item(changed["Attributes"])


def _key_of_tries(network: str, minute: int) -> dict[str, Any]:
    return {"holder": {"S": f"tries#{network}"}, "span": {"S": str(minute)}}


class Desk:
    """Hands out the places.

    Args of the constructor:
        table: who has joined.
        load_key: returns the value of the key with that id.
        key_ids: API Gateway's ids of the places' keys, in the order of the places.
        listed: the names of the config's teams.
        until: when joining ends by itself, rendered; empty if it does not.
        clock: returns seconds since the epoch.
    """

    def __init__(
        self,
        table: JoinTable,
        load_key: Callable[[str], str],
        *,
        key_ids: list[str],
        listed: list[str],
        until: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table, self._load_key, self._key_ids = table, load_key, key_ids
        self._listed = {name.casefold() for name in listed}
        self._until, self._clock = until, clock

    def join(self, body: bytes, address: str) -> dict[str, Any]:
        """Gives a team a place; returns the answer with its key.

        Args:
            body: What it sends.
            address: Where it comes from.

        Raises:
            RefusedError: It cannot join so, or not now.
        """
        wanted = read_request(body) if len(body) <= BODY_BYTES else None
        if wanted is None:
            raise RefusedError(errors.INVALID_BODY)
        self._check_code(self._load_open_item(), wanted.code, find_network(address))
        name = clean_name(wanted.name)
        if name is None:
            raise RefusedError(errors.JOIN_NAME_INVALID.with_message("up_to", characters=LONGEST_JOINED_NAME))
        if name.casefold() in self._listed:
            raise RefusedError(errors.JOIN_NAME_TAKEN)
        key = self._load_key(self._key_ids[self._take_place(name)])
        if not self._table.tell(name, secrets.token_hex(8)):
            raise RefusedError(errors.JOIN_NAME_TAKEN)
        return describe_joined(name, key, wanted.address)

    def _load_open_item(self) -> JoinItem:
        if self._until and datetime.fromisoformat(self._until).timestamp() <= self._clock():
            raise RefusedError(errors.JOIN_CLOSED.with_message("since", until=self._until))
        item = self._table.load()
        if item is None or item.is_closed:
            raise RefusedError(errors.JOIN_CLOSED)
        return item

    def _check_code(self, item: JoinItem, code: str, network: str) -> None:
        minute, passed = divmod(self._clock(), TRY_SECONDS)
        is_right = is_code(code, item.code)
        if is_right:
            is_limited = self._table.count_wrong(network, int(minute)) >= TRIES
        else:
            is_limited = self._table.note_wrong(network, int(minute)) > TRIES
        if is_limited:
            pause = math.ceil(TRY_SECONDS - passed)
            raise RefusedError(errors.JOIN_LIMITED.with_message("in_seconds", seconds=pause), pause)
        if not is_right:
            raise RefusedError(errors.JOIN_CODE_WRONG)

    def _take_place(self, name: str) -> int:
        """Returns the number of the place, from 0 on; also that of a team which was not told its key."""
        team, most = name.casefold(), len(self._key_ids)
        item = self._table.take(name, most)
        if item.receipts.get(team) == _NOT_TOLD:
            return item.places[team]
        if team in item.names:
            raise RefusedError(errors.JOIN_NAME_TAKEN)
        full = errors.JOIN_FULL.with_message("all", places=most)
        raise RefusedError(errors.JOIN_CLOSED if item.is_closed else full)


def lambda_handler(lambda_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a call of API Gateway's."""
    return answer_call(lambda_event, _open_desk)


def answer_call(lambda_event: dict[str, Any], open_desk: Callable[[], Desk]) -> dict[str, Any]:
    """Answers a call; what fails within AWS is a 503, whose reason the log has without anything secret."""
    context = lambda_event["requestContext"]
    request_id = context["requestId"]
    try:
        answer = open_desk().join(_read_body(lambda_event), context["identity"]["sourceIp"])
    except RefusedError as refusal:
        return _refuse(refusal, request_id)
    except Exception as error:  # noqa: BLE001  # a team is told that it may try again
        print(f"a team could not join: {_describe(error)}")  # noqa: T201  # to the function's log
        not_read = errors.JOIN_NOT_KEPT.with_message("not_read")
        return _refuse(RefusedError(not_read, errors.RETRY_AFTER_SECONDS), request_id)
    return _respond(200, json.dumps(answer), request_id)


def _describe(error: Exception) -> str:
    """Names an error: AWS's by its code, another by where it was raised; its message may hold a secret."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {code or f'{Path(last.filename).name}:{last.lineno}'}"


def _read_body(lambda_event: dict[str, Any]) -> bytes:
    body = (lambda_event.get("body") or "").encode()
    return base64.b64decode(body) if lambda_event.get("isBase64Encoded") else body


def _refuse(refusal: RefusedError, request_id: str) -> dict[str, Any]:
    text = errors.render_error(refusal.error, request_id)
    pause = refusal.retry_after_seconds
    return _respond(
        refusal.error.status, text, request_id, {} if pause is None else {"retry-after": str(pause)}
    )


def _respond(
    status: int, body: str, request_id: str, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    ends = os.environ.get("EVENT_ENDS")
    return {
        "statusCode": status,
        "headers": {
            "content-type": "application/json",
            "cache-control": "no-store",
            "x-request-id": request_id,
            **dict(CORS_HEADERS),
            **({"x-event-ends": ends} if ends else {}),
            **(headers or {}),
        },
        "body": body,
    }


@cache
def _open_desk() -> Desk:
    """Makes the desk of this function once, at its first call."""
    import boto3  # noqa: PLC0415  # takes a third of a second; tests of the rules need none
    from botocore.config import Config  # noqa: PLC0415

    def open_client(service: str, read_seconds: float, attempts: int) -> Any:
        retries = {"mode": "standard", "total_max_attempts": attempts}
        config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=read_seconds, retries=retries)
        return boto3.client(service, config=config)

    gateway = open_client("apigateway", KEY_READ_SECONDS, KEY_ATTEMPTS)
    dynamodb = open_client("dynamodb", TABLE_READ_SECONDS, TABLE_ATTEMPTS)

    def load_key(key_id: str) -> str:
        value: str = gateway.get_api_key(apiKey=key_id, includeValue=True)["value"]
        return value

    return Desk(
        JoinTable(dynamodb, os.environ["TABLE"]),
        load_key,
        key_ids=os.environ["KEY_IDS"].split(","),
        listed=json.loads(Path(__file__).with_name("listed.json").read_text(encoding="utf-8")),
        until=os.environ.get("UNTIL", ""),
    )
