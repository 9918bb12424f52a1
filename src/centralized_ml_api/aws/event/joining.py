"""Who may join a deployed stack, and who has: reads and changes the item of its table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.api.invitation import Invitation, JoinState, build_invitation, check_change
from centralized_ml_api.api.joining import new_code as make_code
from centralized_ml_api.api.roster import refuse_full, refuse_similar
from centralized_ml_api.aws.event.join_item import KEY, JoinItem, JoinItemError, read_join_item
from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.stack.contract import JOINING_OUTPUT
from centralized_ml_api.aws.stack.deployed_stack import load_outputs
from centralized_ml_api.aws.stack.stored import StoredValueError
from centralized_ml_api.errors import DeployError, UsageError
from centralized_ml_api.plan.aws.event import name_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from centralized_ml_api.api.roster import RosterRow
    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients


_ATTEMPTS = 5
"""How often a roster is tried while teams join."""

_CHANGES = {True: "close joining of", False: "open joining of", None: "make another code for joining"}
"""What a change does, by whether joining is to be closed."""

_BY_ROSTER = "roster"
"""The receipt of a place whose key no call may tell: the organizers hand it out."""


@dataclass(frozen=True, slots=True)
class _Places:
    """What the stack says of joining: its table, how many may join, and until when."""

    table: str
    count: int
    until: datetime | None


class AwsJoining:
    """Joining of a deployed stack.

    Every method raises `DeployError` when AWS refuses, or when nobody can join the stack.
    """

    def __init__(self, target: AwsTarget, clients: AwsClients) -> None:
        """Keeps what the methods need; asks AWS nothing yet."""
        self._stack, self._clients = target.stack, clients

    def invite(self, address: str, now: datetime) -> Invitation:
        """Returns what teams need to join.

        Args:
            address: Of the API, without a slash at its end.
            now: The present instant.

        Raises:
            DeployError: AWS does not say.
        """
        try:
            places = self._load_places()
            item = _prepare(self._clients, places.table)
        except (BotoCoreError, ClientError) as error:
            raise self._explain("see who may join", error) from error
        state = JoinState(item.code, item.is_closed, places.until, places.count)
        return build_invitation(state, address, item.taken, now)

    def change(self, now: datetime, *, is_closed: bool | None = None, new_code: bool = False) -> None:
        """Makes another code, closes joining or opens it again.

        Args:
            now: The present instant.
            is_closed: Whether joining is to be closed; None leaves it as it is.
            new_code: Whether another code is made.

        Raises:
            UsageError: The config names the code, or ended joining at an instant that has passed.
            DeployError: AWS refused, or nobody can join the stack.
        """
        if is_closed is None and not new_code:
            return
        try:
            places = self._load_places()
            item = _prepare(self._clients, places.table)
            check_change(
                places.until, now, names_code=item.names_code, is_closed=is_closed, new_code=new_code
            )
            values: dict[str, Any] = {"code": {"S": make_code()}} if new_code else {}
            values |= {} if is_closed is None else {"closed": {"BOOL": is_closed}}
            _update(self._clients, places.table, {name: f":{name}" for name in values}, values)
        except (BotoCoreError, ClientError) as error:
            raise self._explain(_CHANGES[is_closed], error) from error

    def add_teams(self, rows: Sequence[RosterRow], known: Collection[str]) -> int:
        """Gives a place to each team of a roster that is not there yet, to all of them or to none.

        Args:
            rows: The roster.
            known: The teams of the stack, those that joined among them.

        Returns:
            How many teams were added.

        Raises:
            UsageError: A row brings a key, has the name of a team in another case, or has no place left.
            DeployError: AWS refused, nobody can join the stack, or teams join all the time.
        """
        try:
            places = self._load_places()
            for _ in range(_ATTEMPTS):
                item = _prepare(self._clients, places.table)
                added = _choose(item, rows, known, places.count)
                if not added or _take_places(self._clients, places.table, item, added):
                    return len(added)
        except (BotoCoreError, ClientError) as error:
            raise self._explain("add the roster to", error) from error
        raise DeployError("teams join at the moment, so none of the roster was added", fix="try again")

    def _load_places(self) -> _Places:
        outputs = load_outputs(self._clients.client("cloudformation"), self._stack)
        if JOINING_OUTPUT not in outputs:
            raise DeployError(
                f"nobody can join {self._stack}: it has no places",
                fix='add them, such as "event": {"join": {"teams": 40}}, then deploy again',
            )
        return _read_places(outputs)

    def _explain(self, what: str, error: Exception) -> DeployError:
        return build_aws_error(f"cannot {what} {self._stack}", error)


def _choose(item: JoinItem, rows: Iterable[RosterRow], known: Iterable[str], places: int) -> list[str]:
    """Returns which teams of a roster get a place; raises `UsageError` where not all can. Pure."""
    there = {*known, *item.names.values()}
    added = list[str]()
    for row in rows:
        if row.key:
            raise UsageError(
                f"line {row.line} of the roster: on AWS, teams cannot bring a key",
                fix="leave the column `key` out; API Gateway has made one for each place",
            )
        if row.team in there:
            continue
        if row.team.casefold() in {name.casefold() for name in there}:
            raise refuse_similar(row)
        if item.taken + len(added) >= places:
            raise refuse_full(row, places)
        there.add(row.team)
        added.append(row.team)
    return added


def _take_places(clients: AwsClients, table: str, item: JoinItem, teams: Sequence[str]) -> bool:
    """Takes the next places for these teams; returns whether nobody has joined since the item was read."""
    numbers = {team.casefold(): item.taken + number for number, team in enumerate(teams)}
    names = {**item.names, **{team.casefold(): team for team in teams}}
    receipts = {**item.receipts, **dict.fromkeys(numbers, _BY_ROSTER)}
    values: dict[str, Any] = {
        "names": _write_texts(names),
        "places": {"M": {team: {"N": str(place)} for team, place in {**item.places, **numbers}.items()}},
        "receipts": _write_texts(receipts),
        "taken": {"N": str(item.taken + len(teams))},
    }
    read = {"taken_then": {"N": str(item.taken)}, "receipts_then": _write_texts(item.receipts)}
    condition = "#taken = :taken_then AND #receipts = :receipts_then"
    try:
        _update(clients, table, {name: f":{name}" for name in values}, values | read, condition=condition)
    except clients.client("dynamodb").exceptions.ConditionalCheckFailedException:
        return False
    return True


def _write_texts(texts: Mapping[str, str]) -> dict[str, Any]:
    return {"M": {name: {"S": text} for name, text in texts.items()}}


def open_joining(clients: AwsClients, outputs: Mapping[str, str], code: str | None) -> None:
    """Lets teams join a stack that was just deployed, unless an organizer has closed joining.

    Args:
        clients: Of the stack's region.
        outputs: Those of the stack; nothing is done where it has no places.
        code: The one that the config names; None where it names none, so that one is made once.

    Raises:
        DeployError: AWS refused, or could not be asked.
    """
    if JOINING_OUTPUT not in outputs:
        return
    table = _read_places(outputs).table
    try:
        _prepare(clients, table)
        if code is None:
            _update(clients, table, {}, {}, removed="named_code")
        else:
            _update(clients, table, {"named_code": ":code"}, {"code": {"S": code}})
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(
            "the stack is deployed, but its code for joining could not be written", error
        ) from error


def load_roster(clients: AwsClients, outputs: Mapping[str, str]) -> dict[str, str]:
    """Returns the teams that joined by the names of their places; none where nobody can join.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    if JOINING_OUTPUT not in outputs:
        return {}
    found = clients.client("dynamodb").get_item(
        TableName=_read_places(outputs).table, Key=KEY, ConsistentRead=True
    )
    if "Item" not in found:
        return {}
    item = _read(found["Item"], _read_places(outputs).table)
    by_place = sorted((item.places[team], name) for team, name in item.names.items())
    return {name_place(place + 1): name for place, name in by_place}


def _read_places(outputs: Mapping[str, str]) -> _Places:
    told = json.loads(outputs[JOINING_OUTPUT])
    until = datetime.fromisoformat(told["until"]) if told["until"] else None
    return _Places(told["table"], told["places"], until)


def _prepare(clients: AwsClients, table: str) -> JoinItem:
    """Makes the item with a new code where there is none; returns it."""
    fresh: dict[str, Any] = {
        "code": {"S": make_code()},
        "closed": {"BOOL": False},
        "taken": {"N": "0"},
        "names": {"M": {}},
        "places": {"M": {}},
        "receipts": {"M": {}},
    }
    return _update(clients, table, {name: f"if_not_exists(#{name}, :{name})" for name in fresh}, fresh)


def _update(
    clients: AwsClients,
    table: str,
    changes: Mapping[str, str],
    values: Mapping[str, Any],
    *,
    removed: str | None = None,
    condition: str | None = None,
) -> JoinItem:
    """Changes the item, if `condition` holds; `changes` are expressions by attribute, of `values`.

    Returns the item as it is then.
    """
    names = [*changes, *([removed] if removed else [])]
    set_ = ", ".join(f"#{name} = {expression}" for name, expression in changes.items())
    changed = clients.client("dynamodb").update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression=" ".join(
            [*([f"SET {set_}"] if set_ else []), *([f"REMOVE #{removed}"] if removed else [])]
        ),
        ExpressionAttributeNames={f"#{name}": name for name in names},
        ReturnValues="ALL_NEW",
        **({"ConditionExpression": condition} if condition else {}),
        **(
            {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}}
            if values
            else {}
        ),
    )
    return _read(changed["Attributes"], table)


def _read(item: Mapping[str, Any], table: str) -> JoinItem:
    try:
        return read_join_item(item)
    except JoinItemError as error:
        raise StoredValueError(
            f"the item of who has joined, in the table {table}, is not in the form of this version ({error})",
            fix="deploy again, which adds what is missing; undo by hand what was changed by hand",
        ) from error
