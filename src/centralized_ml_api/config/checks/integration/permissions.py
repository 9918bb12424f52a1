"""The IAM actions that a function's `permissions` list, in either of the two forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.subject import Table
    from centralized_ml_api.config.document import Part


def bare_actions_of(properties: Table) -> list[Part[str]]:
    """The actions that are written without resources."""
    return properties.texts("permissions")


def actions_of(properties: Table) -> list[Part[str]]:
    """All actions, with and without resources."""
    scoped = properties.table("permissions")
    return [*bare_actions_of(properties), *(scoped.texts("actions") if scoped else [])]
