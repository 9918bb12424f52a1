"""The names of the event's teams, in either of the two forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document import Node


def team_names(context: Context) -> list[Node[str]]:
    """The names in file order: a team is a text, or an object with a `name`."""
    if context.event is None:
        return []
    named = [name for team in context.teams if (name := team.text("name"))]
    return sorted(
        [*context.event.texts("teams"), *named], key=lambda name: context.document.values[name.path]
    )
