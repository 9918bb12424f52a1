"""A table of DynamoDB as far as a ledger needs one: updates with conditions, each of them whole.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import re
from typing import Any

Item = dict[str, Any]
Key = tuple[str, str]

CONDITION_FAILED = "ConditionalCheckFailedException"
_WORD = re.compile(r"attribute_(not_)?exists\((\w+)\)|(:\w+)|\b(AND|OR)\b|\b([a-z]\w*)\b")


class ConditionFailedError(Exception):
    """A condition that does not hold; `item` is what the table has."""

    def __init__(self, item: Item | None) -> None:
        super().__init__(CONDITION_FAILED)
        self.item = item


class FakeTable:
    """Items by both parts of their key, with numbers as whole numbers."""

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Carries out an operation.

        Raises:
            ConditionFailedError: it is an update whose condition does not hold.
        """
        if operation == "BatchGetItem":
            ((name, asked),) = parameters["RequestItems"].items()
            keys = [_read(key) for key in asked["Keys"]]
            found = [self.items[key] for key in map(_key_of, keys) if key in self.items]
            return {"Responses": {name: [_write(item) for item in found]}, "UnprocessedKeys": {}}
        assert operation == "UpdateItem", operation
        key, values = _read(parameters["Key"]), _read(parameters["ExpressionAttributeValues"])
        before = self.items.get(_key_of(key))
        if not _holds(parameters.get("ConditionExpression"), before or {}, values):
            raise ConditionFailedError(before and _write(before))
        changed = {**key, **(before or {})}
        _change(changed, parameters["UpdateExpression"], values)
        self.items[_key_of(key)] = changed
        return {"Attributes": _write(changed)}


def _holds(condition: str | None, item: Item, values: Item) -> bool:
    """Evaluates a condition; a comparison with an attribute that is not there does not hold."""
    if condition is None:
        return True

    def render(match: re.Match[str]) -> str:
        negated, attribute, value, operator, name = match.groups()
        if attribute:
            return str((attribute in item) is not bool(negated))
        if operator:
            return operator.lower()
        return str(values[value]) if value else str(item.get(name, "float('nan')"))

    return bool(eval(_WORD.sub(render, condition)))  # noqa: S307  # numbers, comparisons and words


def _change(item: Item, expression: str, values: Item) -> None:
    parts = re.split(r"\b(ADD|SET)\b", expression)[1:]
    for kind, changes in zip(parts[::2], parts[1::2], strict=True):
        for change in changes.split(","):
            name, value = re.split(r"[ =]+", change.strip())
            item[name] = values[value] + (item.get(name, 0) if kind == "ADD" else 0)


def _key_of(item: Item) -> Key:
    return item["holder"], item["span"]


def _read(written: dict[str, dict[str, str]]) -> Item:
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in written.items()}


def _write(item: Item) -> dict[str, dict[str, str]]:
    return {
        name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in item.items()
    }
