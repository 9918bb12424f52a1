"""Lets teams join: answers `POST /join` with the key of a place, a Lambda function.

The keys exist since the deploy; none is made here. One conditional update of one item takes a team's name and
the next place together, so that of teams that join at once each has a place, and none two. Then API Gateway
is asked for the value of the key of that place, which is stored nowhere else and never logged.
"""

from __future__ import annotations

import base64
import json
import math
import os
import secrets
import time
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
from centralized_ml_api.aws.door_item import KEY, Door, read_door

if TYPE_CHECKING:
    from collections.abc import Callable

CALL_SECONDS, ATTEMPTS = 3, 5
"""How long a call of AWS may take, and how often it is tried: with pauses of up to 1, 2, 4 and 8 seconds.

API Gateway answers ten such calls a second, and 40 at once.
Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

_NOT_TOLD = ""
_TAKE = "SET #names.#team = :name, #places.#team = #taken, #receipts.#team = :receipt, #taken = #taken + :one"
_MAY_TAKE = "attribute_not_exists(#names.#team) AND #taken < :places AND #closed = :no"


class RefusedError(Exception):
    """A team that cannot join so, or not now; with `retry_after_seconds` it may try again then."""

    def __init__(self, error: errors.ApiError, retry_after_seconds: int | None = None) -> None:
        super().__init__(error.code)
        self.error, self.retry_after_seconds = error, retry_after_seconds


class DoorTable:
    """The table of a stack: the item of who has joined, and the wrong codes of each minute.

    Every method raises botocore's errors.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        """Keeps a client of DynamoDB and the name of the table; asks nothing yet."""
        self._dynamodb, self._table = dynamodb, table

    def load(self) -> Door | None:
        """Returns the item as it is now; None before the deploy has made it."""
        item = self._dynamodb.get_item(TableName=self._table, Key=KEY, ConsistentRead=True).get("Item")
        return read_door(item) if item else None

    def take(self, name: str, receipt: str, places: int) -> Door:
        """Takes the next of so many places for a team, if it can; returns the item as it is then.

        The team has the place if its receipt is this one, also where AWS's client sent the call again
        because the answer got lost.
        """
        team = name.casefold()
        values = {
            ":name": {"S": name},
            ":receipt": {"S": receipt},
            ":one": {"N": "1"},
            ":places": {"N": str(places)},
            ":no": {"BOOL": False},
        }
        return self._change(
            team, _TAKE, _MAY_TAKE, values, ("names", "places", "receipts", "taken", "closed")
        )

    def take_over(self, name: str, receipt: str) -> Door:
        """Takes the place of a team of this name that was not told its key, as `take` does."""
        values = {":receipt": {"S": receipt}, ":not_told": {"S": _NOT_TOLD}}
        change, condition = "SET #receipts.#team = :receipt", "#receipts.#team = :not_told"
        return self._change(name.casefold(), change, condition, values, ("receipts",))

    def note_not_told(self, name: str) -> None:
        """Notes that the team has a place and was not told its key: it may join again."""
        values = {":not_told": {"S": _NOT_TOLD}}
        self._change(name.casefold(), "SET #receipts.#team = :not_told", None, values, ("receipts",))

    def count_wrong(self, network: str, minute: int) -> int:
        """Returns how many wrong codes have come from a network in a minute since the epoch."""
        key = _key_of_tries(network, minute)
        found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return int(found.get("Item", {}).get("wrong", {"N": "0"})["N"])

    def note_wrong(self, network: str, minute: int) -> None:
        """Notes a wrong code; DynamoDB forgets it an hour later."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key_of_tries(network, minute),
            UpdateExpression="ADD #wrong :one SET #expiry = :later",
            ExpressionAttributeNames={"#wrong": "wrong", "#expiry": "expires_at"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":later": {"N": str((minute + 60) * TRY_SECONDS)}},
        )

    def _change(
        self, team: str, change: str, condition: str | None, values: dict[str, Any], names: tuple[str, ...]
    ) -> Door:
        more = {"ConditionExpression": condition} if condition else {}
        try:
            changed = self._dynamodb.update_item(
                TableName=self._table,
                Key=KEY,
                UpdateExpression=change,
                ExpressionAttributeNames={"#team": team, **{f"#{name}": name for name in names}},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **more,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            return read_door(error.response["Item"])
        return read_door(changed["Attributes"])


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
        table: DoorTable,
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
            body: what it sends.
            address: where it comes from.

        Raises:
            RefusedError: it cannot join so, or not now.
        """
        wanted = read_request(body) if len(body) <= BODY_BYTES else None
        if wanted is None:
            raise RefusedError(errors.INVALID_BODY)
        self._check_code(self._open_door(), wanted.code, find_network(address))
        name = clean_name(wanted.name)
        if name is None:
            raise RefusedError(errors.JOIN_NAME_INVALID.with_message("up_to", characters=LONGEST_JOINED_NAME))
        if name.casefold() in self._listed:
            raise RefusedError(errors.JOIN_NAME_TAKEN)
        place = self._take_place(name)
        try:
            key = self._load_key(self._key_ids[place])
        except Exception:
            self._table.note_not_told(name)
            raise
        return describe_joined(name, key, wanted.address)

    def _open_door(self) -> Door:
        if self._until and datetime.fromisoformat(self._until).timestamp() <= self._clock():
            raise RefusedError(errors.JOIN_CLOSED.with_message("since", until=self._until))
        door = self._table.load()
        if door is None or door.is_closed:
            raise RefusedError(errors.JOIN_CLOSED)
        return door

    def _check_code(self, door: Door, code: str, network: str) -> None:
        minute, passed = divmod(self._clock(), TRY_SECONDS)
        if self._table.count_wrong(network, int(minute)) >= TRIES:
            pause = math.ceil(TRY_SECONDS - passed)
            raise RefusedError(errors.JOIN_LIMITED.with_message("in_seconds", seconds=pause), pause)
        if not is_code(code, door.code):
            self._table.note_wrong(network, int(minute))
            raise RefusedError(errors.JOIN_CODE_WRONG)

    def _take_place(self, name: str) -> int:
        """Returns the number of the place, from 0 on."""
        team, receipt, most = name.casefold(), secrets.token_hex(8), len(self._key_ids)
        door = self._table.take(name, receipt, most)
        if door.receipts.get(team) == _NOT_TOLD:
            door = self._table.take_over(name, receipt)
        if door.receipts.get(team) == receipt:
            return door.places[team]
        if team in door.names:
            raise RefusedError(errors.JOIN_NAME_TAKEN)
        full = errors.JOIN_FULL.with_message("all", places=most)
        raise RefusedError(errors.JOIN_CLOSED if door.is_closed else full)


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
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        print(f"nobody can join: {type(error).__name__} {code}".strip())  # noqa: T201  # to the function's log
        return _refuse(RefusedError(errors.JOIN_NOT_KEPT, errors.RETRY_AFTER_SECONDS), request_id)
    return _respond(200, json.dumps(answer), request_id)


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

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=CALL_SECONDS, read_timeout=CALL_SECONDS, retries=retries)
    gateway = boto3.client("apigateway", config=config)

    def load_key(key_id: str) -> str:
        value: str = gateway.get_api_key(apiKey=key_id, includeValue=True)["value"]
        return value

    return Desk(
        DoorTable(boto3.client("dynamodb", config=config), os.environ["TABLE"]),
        load_key,
        key_ids=os.environ["KEY_IDS"].split(","),
        listed=json.loads(Path(__file__).with_name("listed.json").read_text(encoding="utf-8")),
        until=os.environ.get("UNTIL", ""),
    )
