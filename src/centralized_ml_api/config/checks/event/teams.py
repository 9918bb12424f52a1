"""The names of the event's teams, in either of the two forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document import Node


def team_names(subject: Context) -> list[Node[str]]:
    """The names in file order: a team is a text, or an object with a `name`."""
    if subject.event is None:
        return []
    named = [name for team in subject.teams if (name := team.text("name"))]
    return sorted(
        [*subject.event.texts("teams"), *named], key=lambda name: subject.document.values[name.steps]
    )
