"""The event as decided: who may call, how often, until when, and within which budget. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.plan.hours import Window
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.config.schema import Event, Join, Team, TeamLimits

Unit = Literal["tokens", "nanodollars"]
Period = Literal["minute", "day", "event"]
POT = ""
"""The owner of what all teams share. No team has an empty name."""

SpendingLimit = tuple[Unit, Period, int]
"""The most of a unit that may be used in each of its periods."""

_BURST_SECONDS = 2
"""Without a `burst`, the calls of this many seconds may come at once."""


@record
class Throttle:
    """The most requests that are taken: a steady rate, and `burst` at once."""

    requests_per_second: float
    burst: int


DEFAULT_THROTTLE = Throttle(requests_per_second=100, burst=200)
"""For the whole API. Above what a room of people sends, below what an endless loop does."""


@record
class Spending:
    """What a team, or all of them together, may use; a limit is None where there is none.

    Tokens are those in and out. Dollars are whole nanodollars, 10^-9 of one. Days are UTC's.
    """

    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    nanodollars_per_day: int | None = None
    nanodollars: int | None = None
    tokens: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether anything is limited."""
        return self != UNLIMITED

    @property
    def has_money(self) -> bool:
        """Whether dollars are limited."""
        return self.nanodollars_per_day is not None or self.nanodollars is not None

    @property
    def limits(self) -> tuple[SpendingLimit, ...]:
        """What is limited."""
        limits: tuple[tuple[Unit, Period, int | None], ...] = (
            ("tokens", "minute", self.tokens_per_minute),
            ("tokens", "day", self.tokens_per_day),
            ("tokens", "event", self.tokens),
            ("nanodollars", "day", self.nanodollars_per_day),
            ("nanodollars", "event", self.nanodollars),
        )
        return tuple((unit, period, most) for unit, period, most in limits if most is not None)


UNLIMITED = Spending()


@record
class TeamPlan:
    """One team. A limit is None where nothing limits the team alone.

    `requests_per_day` counts UTC days; `requests_at_once` is how many calls, streams among them, may be in
    progress at the same time. `models` are the entries it may call, None for all.
    """

    name: str
    throttle: Throttle | None
    requests_per_day: int | None
    models: tuple[str, ...] | None
    requests_at_once: int | None = None
    spending: Spending = UNLIMITED

    def may_call(self, entry: str) -> bool:
        """Returns whether the team may call that entry."""
        return self.models is None or entry in self.models


@record
class JoinPlan:
    """Places for teams that join by a link.

    Attributes:
        places: How many teams may join.
        team: What each of them may call, and how much; its name is empty.
        code: The code that the config names; None if one is made.
        until: When joining closes, in UTC; None if it does not close by itself.
    """

    places: int
    team: TeamPlan
    code: str | None = None
    until: datetime | None = None


@record
class BudgetPlan:
    """When to warn: US dollars a month, and whom."""

    usd: float
    email: str


@record
class EventPlan:
    """The event. Without `teams` and without `join`, everybody may call without a key.

    `throttle` is that of the whole API. `starts`, from which on keys work, and `ends` are in UTC, None when
    the config says nothing. `aliases` are other names of entries: by alias, the entry's name. `title`,
    `welcome` in Markdown and `logo`, a path as the config writes it, are for the page; None where there is
    none. `pot` is what all teams together may use in the whole event. `hours` are when models that may sleep
    are awake, in their order; without any, they wake whenever they are called.
    """

    teams: tuple[TeamPlan, ...] = ()
    throttle: Throttle = DEFAULT_THROTTLE
    ends: datetime | None = None
    budget: BudgetPlan | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    starts: datetime | None = None
    title: str | None = None
    welcome: str | None = None
    logo: str | None = None
    pot: Spending = UNLIMITED
    join: JoinPlan | None = None
    hours: tuple[Window, ...] = ()

    @property
    def needs_key(self) -> bool:
        """Whether calls need the key of a team, even while none has joined yet."""
        return bool(self.teams) or self.join is not None

    @property
    def kinds_of_teams(self) -> tuple[TeamPlan, ...]:
        """The listed teams and, with places, one that stands for all that join."""
        return (*self.teams, *((self.join.team,) if self.join else ()))

    @property
    def limits_spending(self) -> bool:
        """Whether any caller's tokens or dollars are limited."""
        return self.pot.is_limited or any(team.spending.is_limited for team in self.kinds_of_teams)

    @property
    def limits_at_once(self) -> bool:
        """Whether any team's calls in progress are limited."""
        return any(team.requests_at_once is not None for team in self.kinds_of_teams)

    def admit(self, joined: Iterable[str]) -> EventPlan:
        """Returns the event with the teams that have joined, after those that the config lists."""
        if self.join is None:
            return self
        listed = {team.name for team in self.teams}
        admitted = (replace(self.join.team, name=name) for name in joined if name not in listed)
        return replace(self, teams=(*self.teams, *admitted))

    def coming_start(self, now: datetime) -> datetime | None:
        """Returns the start while it is still to come; None once keys work."""
        return self.starts if self.starts is not None and now < self.starts else None


def build_event(event: Event | None) -> EventPlan:
    """Builds the event as decided; without an `event`, a public API with the default throttle."""
    if event is None:
        return EventPlan()
    own = _throttle(event.requests_per_second, event.burst)
    teams = tuple(_team(team, own, event) for team in event.teams)
    join = _join(event.join, own, event) if event.join else None
    everybody = (*teams, *((join.team,) * join.places if join else ()))
    return EventPlan(
        teams=teams,
        throttle=_together(everybody) if everybody else own or DEFAULT_THROTTLE,
        ends=_instant(event.ends),
        budget=BudgetPlan(event.budget.usd, event.budget.email) if event.budget else None,
        aliases=dict(event.aliases),
        starts=_instant(event.starts),
        title=event.title,
        welcome=event.welcome,
        logo=event.logo,
        pot=Spending(nanodollars=_nanodollars(event.pot.usd), tokens=event.pot.tokens)
        if event.pot
        else UNLIMITED,
        join=join,
        hours=tuple(Window(_read(window.begins), _read(window.ends)) for window in event.hours),
    )


def _join(written: Join, default: Throttle | None, event: Event) -> JoinPlan:
    team = _limited_team("", written.limits, default, event) if written.limits else _team("", default, event)
    return JoinPlan(written.teams, team, written.code, _instant(written.until))


def _instant(written: str | None) -> datetime | None:
    return _read(written) if written else None


def _read(written: str) -> datetime:
    return datetime.fromisoformat(written.upper()).astimezone(UTC)


def _together(teams: tuple[TeamPlan, ...]) -> Throttle:
    """Returns what all teams may send together, so that the API never refuses what one team is promised."""
    throttles = [team.throttle or DEFAULT_THROTTLE for team in teams]
    rate = sum(throttle.requests_per_second for throttle in throttles)
    return Throttle(
        max(DEFAULT_THROTTLE.requests_per_second, rate),
        max(DEFAULT_THROTTLE.burst, sum(throttle.burst for throttle in throttles)),
    )


def _nanodollars(usd: float | None) -> int | None:
    """Returns whole nanodollars, rounded down: never more than was written."""
    return None if usd is None else int(Decimal(str(usd)).scaleb(9))


def _team(written: str | Team, default: Throttle | None, event: Event) -> TeamPlan:
    """Builds a team; each of its own limits overrides the event's."""
    if isinstance(written, str):
        return TeamPlan(written, default, None, None, event.requests_at_once, _spending(vars(event)))
    return _limited_team(written.name, written, default, event)


def _limited_team(name: str, written: TeamLimits, default: Throttle | None, event: Event) -> TeamPlan:
    own = {key: value for key, value in vars(written).items() if value is not None}
    return TeamPlan(
        name=name,
        throttle=_team_throttle(written, default),
        requests_per_day=written.requests_per_day,
        models=None if written.models is None else tuple(written.models),
        requests_at_once=written.requests_at_once or event.requests_at_once,
        spending=_spending({**vars(event), **own}),
    )


def _spending(written: Mapping[str, Any]) -> Spending:
    return Spending(
        tokens_per_minute=written["tokens_per_minute"],
        tokens_per_day=written["tokens_per_day"],
        nanodollars_per_day=_nanodollars(written["usd_per_day"]),
        nanodollars=_nanodollars(written["usd"]),
    )


def _team_throttle(written: TeamLimits, default: Throttle | None) -> Throttle | None:
    if written.requests_per_second is not None:
        return _throttle(written.requests_per_second, written.burst)
    if default is not None and written.burst is not None:
        return Throttle(default.requests_per_second, written.burst)
    return default


def _throttle(rate: float | None, burst: int | None) -> Throttle | None:
    return None if rate is None else Throttle(rate, burst or math.ceil(rate * _BURST_SECONDS))


def who_may_call(event: EventPlan) -> str:
    """Says who may call, and from when on if the config has a start."""
    if not event.needs_key:
        return "The API is public: anyone who knows the address can call it."
    count = len(event.teams)
    said = ["there is 1 team" if count == 1 else f"there are {count} teams"] if count else []
    if event.join:  # some may have joined already
        said.append(f"up to {event.join.places} may join by a link")
    who = f"Every call needs the key of a team; {', and '.join(said)}."
    return f"{who} Keys work from {event.starts:%Y-%m-%dT%H:%M:%SZ} on." if event.starts else who


def how_often(throttle: Throttle) -> str:
    """Says in one sentence what all callers together may send."""
    return (
        f"All callers together: {throttle.requests_per_second:g} requests a second,"
        f" in bursts of up to {throttle.burst}."
    )
