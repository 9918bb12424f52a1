"""The gap: two calls that meet at one item of DynamoDB, as moto answers each call in a thread of its own.

An update may be lost, and a reader may see an item of which only some attributes are changed. DynamoDB
changes an item by one update after the other, each as a whole.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html
(conditional writes, atomic counters)
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler

_LOCK = threading.Lock()


def close() -> None:
    """Lets no call of DynamoDB begin before the one before it is answered."""
    unlocked = DynamoHandler.call_action

    @functools.wraps(unlocked)
    def call_action(self: DynamoHandler) -> Any:
        with _LOCK:
            return unlocked(self)

    DynamoHandler.call_action = call_action  # type: ignore[method-assign]
