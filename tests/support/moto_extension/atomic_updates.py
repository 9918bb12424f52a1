"""The gap: two updates of one item of DynamoDB may meet, as moto answers each call in a thread of its own.

DynamoDB changes an item by one update after the other.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html
(conditional writes, atomic counters)
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from moto.dynamodb.models import DynamoDBBackend

_LOCK = threading.Lock()


def close() -> None:
    """Lets no update begin before the one before it has ended."""
    unlocked = DynamoDBBackend.update_item

    @functools.wraps(unlocked)
    def update_item(self: DynamoDBBackend, *args: Any, **named: Any) -> Any:
        with _LOCK:
            return unlocked(self, *args, **named)

    DynamoDBBackend.update_item = update_item  # type: ignore[method-assign]
