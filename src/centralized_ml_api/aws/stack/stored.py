"""Reads what is stored with a stack, where others may have written too: a hand, or another version.

Functions of the stack ignore what is in another form, and so do the verbs that change it: they write it anew.
A verb or a page that shows it says what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from centralized_ml_api.errors import DeployError


class StoredValueError(DeployError):
    """What is stored is not in the form that this program writes."""


def read_object(text: str) -> Mapping[str, Any] | None:
    """Returns the object that a text is as JSON; None if it is something else. Pure."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def read_texts(value: object) -> dict[str, str]:
    """Returns the texts that an object has; nothing of what is no object. Pure."""
    if not isinstance(value, Mapping):
        return {}
    return {name: text for name, text in value.items() if isinstance(text, str)}


def read_count(item: Mapping[str, Any], name: str) -> int:
    """Returns a whole number that an item of DynamoDB has; 0 if it has none of this name. Pure."""
    try:
        return int(item[name]["N"])
    except (KeyError, TypeError, ValueError):
        return 0
