"""A table of DynamoDB whose items hold maps: the client's calls, each of them whole, as far as joining needs.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import copy
import re
import threading
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]

_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD)\b")
_OUTER_COMMA = re.compile(r",(?![^(]*\))")
_FAILED = "ConditionalCheckFailedException"


class FakeDocuments:
    """Items by both parts of their key. It has the methods of boto3's client, and `call` by operation."""

    class exceptions:  # noqa: N801  # boto3's word
        """The errors that the client knows by name."""

        class ConditionalCheckFailedException(ClientError):  # type: ignore[misc]  # noqa: N818  # AWS's word
            """A condition that does not hold."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._lock = threading.Lock()

    def get_item(self, **parameters: Any) -> dict[str, Any]:
        """Reads an item, as it is now."""
        assert parameters["ConsistentRead"]
        with self._lock:
            found = self.items.get(_key_of(parameters["Key"]))
            return {"Item": copy.deepcopy(found)} if found else {}

    def update_item(self, **parameters: Any) -> dict[str, Any]:
        """Changes an item, or makes it, if its condition holds."""
        with self._lock:
            before = self.items.get(_key_of(parameters["Key"]))
            after = copy.deepcopy(before or parameters["Key"])
            update = _Update(after, parameters)
            if not update.holds():
                error = {"Error": {"Code": _FAILED, "Message": ""}, "Item": copy.deepcopy(before or {})}
                raise self.exceptions.ConditionalCheckFailedException(error, "UpdateItem")
            update.apply()
            self.items[_key_of(parameters["Key"])] = after
            return {"Attributes": copy.deepcopy(after)}

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Carries out an operation, by its name."""
        return {"GetItem": self.get_item, "UpdateItem": self.update_item}[operation](**parameters)


class _Update:
    """One update of an item, in the words of its expressions."""

    def __init__(self, item: Item, parameters: dict[str, Any]) -> None:
        self._item = item
        self._before = copy.deepcopy(item)
        self._names = parameters.get("ExpressionAttributeNames", {})
        self._values = parameters.get("ExpressionAttributeValues", {})
        self._update = parameters["UpdateExpression"]
        self._condition = parameters.get("ConditionExpression", "")

    def holds(self) -> bool:
        """Evaluates the condition; a comparison with an attribute that is not there does not hold."""
        return all(self._test(part.strip()) for part in self._condition.split(" AND ") if part)

    def _test(self, condition: str) -> bool:
        if missing := re.fullmatch(r"attribute_not_exists\((.+)\)", condition):
            return self._read(missing[1]) is None
        path, operator, name = condition.split()
        found, value = self._read(path), self._values[name]
        if found is None:
            return False
        if operator == ">=":
            return _number(found) >= _number(value)
        return _number(found) < _number(value) if operator == "<" else bool(found == value)

    def apply(self) -> None:
        """Changes the item; what is read is what it was before."""
        parts = _CLAUSE.split(self._update)[1:]
        for kind, changes in zip(parts[::2], parts[1::2], strict=True):
            for change in map(str.strip, _OUTER_COMMA.split(changes)):
                if kind == "REMOVE":
                    self._write(change, None)
                elif kind == "ADD":
                    path, name = change.split()
                    self._write(path, _add(self._read(path) or {"N": "0"}, self._values[name]))
                else:
                    path, expression = change.split(" = ")
                    self._write(path, self._evaluate(expression))

    def _evaluate(self, expression: str) -> Any:
        if chosen := re.fullmatch(r"if_not_exists\((.+), (:\w+)\)", expression):
            found = self._read(chosen[1])
            return self._values[chosen[2]] if found is None else found
        operands = [
            self._values[part] if part.startswith(":") else self._read(part)
            for part in expression.split(" + ")
        ]
        return operands[0] if len(operands) == 1 else _add(*operands)

    def _read(self, path: str) -> Any:
        *parents, last = [self._names[part] for part in path.split(".")]
        found = self._before
        for name in parents:
            found = found[name]["M"]
        return found.get(last)

    def _write(self, path: str, value: Any) -> None:
        *parents, last = [self._names[part] for part in path.split(".")]
        found = self._item
        for name in parents:
            found = found[name]["M"]
        if value is None:
            found.pop(last, None)
        else:
            found[last] = value


def _add(*operands: Any) -> dict[str, str]:
    return {"N": str(sum(map(_number, operands)))}


def _number(value: Any) -> int:
    return int(value["N"])


def _key_of(key: Any) -> tuple[str, str]:
    return key["holder"]["S"], key["span"]["S"]
