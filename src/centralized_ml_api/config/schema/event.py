"""Who may call, how much, until when, for how much: `event`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from centralized_ml_api.config.schema.base import Count, Rate, Written, hint


class Team(Written):
    """Who may call, and how much."""

    name: Annotated[str, Field(description="The team's name.", examples=["red"])]
    requests_per_second: Annotated[
        Rate | None, Field(description="Calls per second, over time; instead of the event's.", examples=[5])
    ] = None
    burst: Annotated[
        Count | None,
        Field(description="Calls at once before the rate applies; instead of the event's.", examples=[10]),
    ] = None
    requests_per_day: Annotated[Count | None, Field(description="Calls per day.", examples=[1000])] = None
    models: Annotated[
        list[str] | None,
        Field(description="The entries that the team may call. Without it: all.", examples=[["open-llama"]]),
    ] = None


class Budget(Written):
    """When to warn about the bill."""

    usd: Annotated[float, Field(gt=0, le=1_000_000_000, description="US dollars a month.", examples=[500])]
    email: Annotated[
        str,
        Field(
            description="Who is told.", examples=["you@example.com"], json_schema_extra=hint(format="email")
        ),
    ]


def _team_tag(value: Any) -> str:
    return "team" if isinstance(value, (dict, Team)) else "name"


TeamOrName = Annotated[
    Annotated[str, Tag("name")] | Annotated[Team, Tag("team")],
    Discriminator(_team_tag),
]


class Event(Written):
    """Who may call, how much, until when."""

    teams: Annotated[
        list[TeamOrName],
        Field(
            description="The teams: names, or objects with limits. With teams, every call needs a key.",
            examples=[["red", {"name": "blue", "requests_per_second": 5, "burst": 10}]],
        ),
    ] = []
    requests_per_second: Annotated[
        Rate | None,
        Field(
            description="Calls per second of each team; without teams, of all callers together.",
            examples=[10],
        ),
    ] = None
    burst: Annotated[
        Count | None, Field(description="Calls at once before the rate applies.", examples=[20])
    ] = None
    ends: Annotated[
        str | None,
        Field(
            description="The instant at which the deployment removes itself, with its zone.",
            examples=["2030-06-01T18:00:00+02:00"],
            json_schema_extra=hint(format="date-time"),
        ),
    ] = None
    budget: Annotated[
        Budget | None,
        Field(description="An AWS budget alarm.", examples=[{"usd": 500, "email": "you@example.com"}]),
    ] = None
