"""The IAM actions that a function's `permissions` list, in either of the two forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.context import Table
    from centralized_ml_api.config.document import Node

_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


def bare_actions_of(properties: Table) -> list[Node[str]]:
    """The actions that are written without resources."""
    return properties.texts("permissions")


def actions_of(properties: Table) -> list[Node[str]]:
    """All actions, with and without resources."""
    scoped = properties.table("permissions")
    return [*bare_actions_of(properties), *(scoped.texts("actions") if scoped else [])]


def is_action(written: str) -> bool:
    """Whether the text has the form of an IAM action: a service, a colon, an action; or `*`, everything."""
    return bool(_ACTION.fullmatch(written))
