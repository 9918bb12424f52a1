"""The keys of teams as text and as JSON, without their values. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.columns import render_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.api.keys import TeamKeys


def render_keys(teams: Sequence[TeamKeys]) -> str:
    """A table, one line a team."""
    rows = [("TEAM", "STATE", "KEY", "FORMER KEYS"), *(_row(one) for one in teams)]
    return "\n".join(render_columns(rows))


def _row(one: TeamKeys) -> tuple[str, ...]:
    former = ", ".join(f"…{key.ending} until {key.until:%Y-%m-%d %H:%M %Z}" for key in one.former)
    return (one.team, one.state, f"…{one.ending}" if one.ending else "-", former or "-")


def key_json(one: TeamKeys) -> dict[str, Any]:
    """The same for scripts."""
    former = [{"ending": key.ending, "until": key.until.isoformat()} for key in one.former]
    return {"team": one.team, "state": one.state, "ending": one.ending, "former": former}
