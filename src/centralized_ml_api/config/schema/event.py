"""Who may call, how much, until when, and at what cost: `event`."""

from typing import Annotated, Any

from centralized_ml_api.config.schema.base import (
    ALIAS_PATTERN,
    JOIN_CODE_PATTERN,
    MOST_ALIASES,
    MOST_HOURS,
    MOST_PLACES,
    Count,
    Dollars,
    Rate,
    TokenCount,
    hint,
)
from centralized_ml_api.config.schema.written import Discriminator, Field, Tag, Written


class Named(Written):
    """A part of the event with a name."""

    name: Annotated[str, Field(description="The team's name.", examples=["red"])]


class TeamLimits(Written):
    """What one team may call, and how much."""

    requests_per_second: Annotated[
        Rate | None, Field(description="Calls per second over time; overrides the event's.", examples=[5])
    ] = None
    burst: Annotated[
        Count | None,
        Field(description="Calls at once before the rate applies; overrides the event's.", examples=[10]),
    ] = None
    requests_per_day: Annotated[Count | None, Field(description="Calls per day.", examples=[1000])] = None
    requests_at_once: Annotated[
        Count | None,
        Field(description="Calls in progress at the same time; overrides the event's.", examples=[4]),
    ] = None
    tokens_per_minute: Annotated[
        TokenCount | None,
        Field(
            description="Tokens in and out in each minute of the clock. Overrides the event's.",
            examples=[20_000],
        ),
    ] = None
    tokens_per_day: Annotated[
        TokenCount | None,
        Field(description="Tokens in and out per UTC day. Overrides the event's.", examples=[500_000]),
    ] = None
    usd_per_day: Annotated[
        Dollars | None,
        Field(
            description="US dollars per UTC day, by the `price` of each entry. Overrides the event's.",
            examples=[1],
        ),
    ] = None
    usd: Annotated[
        Dollars | None,
        Field(description="US dollars in the whole event. Overrides the event's.", examples=[5]),
    ] = None
    models: Annotated[
        list[str] | None,
        Field(description="The entries that the team may call; all by default.", examples=[["open-llama"]]),
    ] = None


class Team(TeamLimits, Named):
    """Who may call, and how much."""


class Join(Written):
    """Places for teams that join by a link."""

    teams: Annotated[int, Field(ge=1, le=MOST_PLACES, description="How many teams may join.", examples=[40])]
    code: Annotated[
        str | None,
        Field(
            pattern=JOIN_CODE_PATTERN,
            description="The code that lets a team join. By default a random one, which nobody can guess.",
            examples=["HERON-4217"],
        ),
    ] = None
    until: Annotated[
        str | None,
        Field(
            description="When joining closes: a timestamp with its zone.",
            examples=["2030-06-01T11:00:00+02:00"],
            json_schema_extra=hint(format="date-time"),
        ),
    ] = None
    limits: Annotated[
        TeamLimits | None,
        Field(
            description="What each team that joins may call, and how much, by the keys of a team with "
            "limits; overrides the event's.",
            examples=[{"requests_per_second": 5}],
        ),
    ] = None


class Pot(Written):
    """What all teams together may use in the whole event."""

    usd: Annotated[Dollars | None, Field(description="US dollars.", examples=[300])] = None
    tokens: Annotated[TokenCount | None, Field(description="Tokens in and out.", examples=[50_000_000])] = (
        None
    )


class Budget(Written):
    """When AWS warns about the bill, and whom."""

    usd: Annotated[float, Field(gt=0, le=1_000_000_000, description="US dollars per month.", examples=[500])]
    email: Annotated[
        str,
        Field(
            description="Where the warning is sent.",
            examples=["you@example.com"],
            json_schema_extra=hint(format="email"),
        ),
    ]


class Hours(Written):
    """A time in which models that may sleep are awake."""

    begins: Annotated[
        str,
        Field(
            alias="from",
            description="When it begins: a timestamp with its zone.",
            examples=["2030-06-01T08:00:00+02:00"],
            json_schema_extra=hint(format="date-time"),
        ),
    ]
    ends: Annotated[
        str,
        Field(
            alias="to",
            description="When it ends: a timestamp with its zone.",
            examples=["2030-06-01T18:00:00+02:00"],
            json_schema_extra=hint(format="date-time"),
        ),
    ]


def _team_tag(value: Any) -> str:
    return "team" if isinstance(value, (dict, Team)) else "name"


TeamOrName = Annotated[
    Annotated[str, Tag("name")] | Annotated[Team, Tag("team")],
    Discriminator(_team_tag),
]


class Event(Written):
    """Who may call, how much and until when."""

    title: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=80,
            description="The event's name, which the page shows to everybody, also without a key.",
            examples=["Spring Hack 2027"],
        ),
    ] = None
    welcome: Annotated[
        str | None,
        Field(
            max_length=4000,
            description="What the page says to participants who begin, in Markdown.",
            examples=["Ten hours, eleven models. **Ask us anything** in the foyer."],
        ),
    ] = None
    logo: Annotated[
        str | None,
        Field(
            description="The path of an image for the page, of 64 KiB at most: PNG, JPEG, WebP, GIF or SVG.",
            examples=["logo.png"],
        ),
    ] = None
    teams: Annotated[
        list[TeamOrName],
        Field(
            description="The teams: names, or objects with limits. With teams, every call needs a key.",
            examples=[["red", {"name": "blue", "requests_per_second": 5, "burst": 10}]],
        ),
    ] = []
    join: Annotated[
        Join | None,
        Field(
            description="Places for teams that are not named yet: they join by a link.",
            examples=[{"teams": 40, "until": "2030-06-01T11:00:00+02:00"}],
        ),
    ] = None
    requests_per_second: Annotated[
        Rate | None,
        Field(
            description="Calls per second for each team; without teams, for all callers together.",
            examples=[10],
        ),
    ] = None
    burst: Annotated[
        Count | None, Field(description="Calls at once before the rate applies.", examples=[20])
    ] = None
    requests_at_once: Annotated[
        Count | None,
        Field(
            description="Calls in progress at the same time for each team, however long they take. "
            "Applies on one machine only.",
            examples=[4],
        ),
    ] = None
    tokens_per_minute: Annotated[
        TokenCount | None,
        Field(
            description="Tokens in and out of each team in each minute of the clock.",
            examples=[20_000],
        ),
    ] = None
    tokens_per_day: Annotated[
        TokenCount | None,
        Field(
            description="Tokens in and out of each team per UTC day.",
            examples=[500_000],
        ),
    ] = None
    usd_per_day: Annotated[
        Dollars | None,
        Field(
            description="US dollars of each team per UTC day, by the `price` of each entry.",
            examples=[1],
        ),
    ] = None
    usd: Annotated[
        Dollars | None,
        Field(
            description="US dollars of each team in the whole event.",
            examples=[5],
        ),
    ] = None
    pot: Annotated[
        Pot | None,
        Field(
            description="What all teams together may use in the whole event.",
            examples=[{"usd": 300}],
        ),
    ] = None
    starts: Annotated[
        str | None,
        Field(
            description="When the keys of the teams begin to work: a timestamp with its zone. Until then "
            "calls to models are refused; everything is deployed, ready and billed before.",
            examples=["2030-06-01T09:00:00+02:00"],
            json_schema_extra=hint(format="date-time"),
        ),
    ] = None
    ends: Annotated[
        str | None,
        Field(
            description="When the deployment removes itself: a timestamp with its zone.",
            examples=["2030-06-01T18:00:00+02:00"],
            json_schema_extra=hint(format="date-time"),
        ),
    ] = None
    hours: Annotated[
        list[Hours],
        Field(
            max_length=MOST_HOURS,
            description="When models that may sleep are awake; at other times they sleep, even if somebody "
            "calls. Other models run all the time.",
            examples=[[{"from": "2030-06-01T08:00:00+02:00", "to": "2030-06-01T18:00:00+02:00"}]],
        ),
    ] = []
    budget: Annotated[
        Budget | None,
        Field(description="An AWS budget alarm.", examples=[{"usd": 500, "email": "you@example.com"}]),
    ] = None
    aliases: Annotated[
        dict[str, str],
        Field(
            max_length=MOST_ALIASES,
            description="Other names of entries, for the `model` of calls under `/v1`, so that course code "
            "which names another model reaches the entry.",
            examples=[{"gpt-4o-mini": "open-llama"}],
            json_schema_extra=hint(propertyNames={"pattern": ALIAS_PATTERN}),
        ),
    ] = {}
