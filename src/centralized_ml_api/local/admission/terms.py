"""What holds for the calls of a route. Envoy names these terms with every question, and sends unknown ones.

So the service itself keeps no configuration: a changed config changes the routes, and the terms with them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import Any

from centralized_ml_api.local.admission.accounts import Limit
from centralized_ml_api.plan.apis import CHAT, COUNT_TOKENS_PATH, FORM_PATHS
from centralized_ml_api.plan.event import POT
from centralized_ml_api.record import record

LLAMA_CPP = "llama.cpp"
"""The engine whose rules keep its bodies from harming it, as `body_rules` has it."""

TEAM_HEADER = "x-mlapi-team"
"""The header that names the team of a valid key; no caller can set it."""

ANSWER_TOKENS = 4096
"""The longest answer for which nobody has a number, where tokens are limited."""

ADMISSION_NAMESPACE = "admission"
"""The dynamic metadata of a call about which the service was asked.

`call` identifies it, as long as its end must be told at once; `later`, if that has time. `said` is how the
service has answered in its place, see `REFUSED`, or that it has not.
"""

BODY_NAMESPACE = "body"
"""The dynamic metadata in which Envoy's routes find the `model` and the `stream` of a body."""

HIDES_USAGE = "hides_usage"
"""Its key for streams that end with tokens for which their callers have not asked: see `provider_rules`."""

USAGE_STATE = "mlapi.usage."
"""What the filter state of a call has of its answer's tokens begins with this: `in`; of these `cached` and
`cache_writes`; `out`. All are texts.

`unsure` is there for an error that the gateway itself has made of what a server did, `broken_off` for a
stream in which an error follows what has begun.
"""

USAGE_NOTES = ("in", "cached", "cache_writes", "out", "answer", "first_word", "unsure", "broken_off")
"""All that may be noted there."""

USAGE_NAMESPACE = "usage"
"""The dynamic metadata with what loggers ask about an answer; to note that costs far more.

`served_by` is the entry that has answered, where the call had several; `unreported` is there for an answer
that came to its end without a report of its tokens; `untaken`, for a call that no server has got from any of
several entries.
"""

LIMITS_NAMESPACE = "limits"
"""The dynamic metadata with what is left to the team of a call, for the headers of its answer."""

_NAME_CHARACTERS = 24

ADMISSION_SOCKET = "admission.sock"
OCCUPANCY_SOCKET = "occupancy.sock"
SLEEPERS_SOCKET = "sleepers.sock"
SOCKETS = (ADMISSION_SOCKET, OCCUPANCY_SOCKET, SLEEPERS_SOCKET)
"""The sockets of the service, relative to the folder in which it and Envoy run."""

REFUSED, ANSWERED, UNANSWERED = "admission_refused", "admission_answer", "admission_error"
"""What `said` is. Behind a refusal's follow a colon and its code."""


def build_usage_format(name: str) -> str:
    """Builds Envoy's format of what was noted under this name about the tokens of an answer. Pure."""
    return f"%FILTER_STATE({USAGE_STATE}{name}:PLAIN)%"


@record
class EntryTerms:
    """What holds for the calls of one entry.

    Attributes:
        places: How many calls its servers answer at once; None if there is no such number.
        model: The name by which its server knows the model; None leaves bodies as they are.
        body_rules: The engine whose rules a JSON body must keep; empty for none.
        slots: How many of these calls one process answers, for these rules.
        context: Tokens of one conversation, for these rules.
        max_output_tokens: The most tokens of one answer, for these rules; None if the entry says nothing.
        share_prompts: Whether a call may reuse the beginning of another one's prompt, for these rules.
        takes_tools: Whether the model can call tools, for these rules; None if nobody knows.
        takes_pictures: Whether its messages may have pictures, for these rules.
        body_limit_bytes: The largest body; None if it has no lower limit than the API.
        path: The path under `/v1` whose bodies these are.
        limit_key: How a chat at the provider names the most tokens of an answer.
        takes_stream_options: Whether the provider takes `stream_options.include_usage`.
        sleeps: Whether its servers may sleep, so that its calls wait until they are awake.
        has_tokens: Whether the path is that of an API with tokens.
        answer_tokens: The most tokens of an answer for which neither the entry nor the caller has a number.
        price: Picodollars of a token read, from a cache, written; None if nobody knows.
        takes_any_model: Whether the server has one model, whatever name a body has for it.
    """

    places: int | None = None
    model: str | None = None
    body_rules: str = ""
    slots: int = 0
    context: int = 0
    max_output_tokens: int | None = None
    share_prompts: bool = True
    takes_tools: bool | None = None
    takes_pictures: bool = False
    body_limit_bytes: int | None = None
    path: str = CHAT.paths[0]
    limit_key: str = "max_tokens"
    takes_stream_options: bool = False
    sleeps: bool = False
    has_tokens: bool = False
    answer_tokens: int = ANSWER_TOKENS
    price: tuple[int, int, int] | None = None
    takes_any_model: bool = False

    @property
    def servers(self) -> int:
        """How many processes share the places."""
        return max(1, (self.places or 0) // self.slots) if self.slots else 1

    @property
    def counts_tokens(self) -> bool:
        """Whether calls ask for the number of tokens, not for an answer."""
        return self.path == COUNT_TOKENS_PATH

    @property
    def takes_form(self) -> bool:
        """Whether bodies are forms with a file in them, not JSON."""
        return self.path in FORM_PATHS

    @property
    def reads_body(self) -> bool:
        """Whether the body decides something."""
        return bool(self.model or self.body_rules)

    @property
    def asks_for_all(self) -> bool:
        """Whether calls must be asked about though nothing of their team is limited."""
        return self.reads_body or self.places is not None or self.sleeps


@record
class TeamLimits:
    """What limits teams, the same on all routes of a gateway: these only name it, and it is sent once.

    Attributes:
        requests_at_once: By team, the most calls that it may have under way; other teams have no such limit.
        limits: What owners may use, each with unit, period and amount; see `accounts`.
    """

    requests_at_once: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)


NO_LIMITS = TeamLimits()


@record
class RouteTerms:
    """What holds for the calls of a route.

    Attributes:
        entries: By name, the entries that may be called: one, unless the body chooses.
        wait_seconds: How long a call waits for its turn.
        requests_at_once: Those of `TeamLimits`.
        chooses: Whether the `model` of the body names the entry, which is all that is asked.
        aliases: Other names by which a body may choose: by alias, the entry's name.
        named_by_path: Whether the path has chosen the one entry already, so that the body only says whether
            it wants a stream.
        limits: Those of `TeamLimits`.
        limits_name: The name of both as `render_limits` renders them; empty if nobody is limited.
        asks_usage: Whether the callers ask what they have used: there is no entry then.
        requests_per_day: By team, for these callers, the most calls that it may send on a day of UTC.
    """

    entries: Mapping[str, EntryTerms]
    wait_seconds: float
    requests_at_once: Mapping[str, int] = field(default_factory=dict)
    chooses: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    named_by_path: bool = False
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    limits_name: str = ""
    asks_usage: bool = False
    requests_per_day: Mapping[str, int] = field(default_factory=dict)

    def limited_by(self, limits: TeamLimits) -> RouteTerms:
        """Returns the terms with the limits of teams that they name."""
        return replace(self, requests_at_once=limits.requests_at_once, limits=limits.limits)

    def limits_of(self, team: str) -> tuple[Limit, ...]:
        """Returns what limits the calls of a team: its own limits, and those of all teams."""
        own = self.limits.get(team, ()) if team != POT else ()
        return (*own, *self.limits.get(POT, ()))

    @property
    def reads_body(self) -> bool:
        """Whether the service must see the body."""
        if self.asks_usage:
            return False
        return self.chooses or bool(self.limits) or any(entry.reads_body for entry in self.entries.values())

    @property
    def takes_form(self) -> bool:
        """Whether bodies are forms, as all of one path are."""
        return any(entry.takes_form for entry in self.entries.values())


_SHARED = {each.name for each in fields(TeamLimits)}
_TOLD = [each.name for each in fields(RouteTerms) if each.name not in {"entries", *_SHARED}]
_TOLD_OF_ENTRY = [each.name for each in fields(EntryTerms)]


def render_terms(terms: RouteTerms) -> str:
    """Renders terms as ASCII text, of the limits of teams their name alone. Pure."""
    written = {name: getattr(terms, name) for name in _TOLD}
    # By hand: `asdict` takes ten times as long, and every route of every entry has terms.
    entries = {
        name: {key: getattr(entry, key) for key in _TOLD_OF_ENTRY} for name, entry in terms.entries.items()
    }
    return json.dumps({"entries": entries, **written}, separators=(",", ":"))


def render_limits(limits: TeamLimits) -> str:
    """Renders the limits of teams as ASCII text. Pure."""
    by_owner = {
        owner: [(limit.unit, limit.period, limit.most) for limit in own]
        for owner, own in limits.limits.items()
    }
    written = {"requests_at_once": dict(limits.requests_at_once), "limits": by_owner}
    return json.dumps(written, separators=(",", ":"))


def name_terms(text: str) -> str:
    """Returns the name of rendered terms or limits: no others have it. Pure."""
    return hashlib.sha256(text.encode()).hexdigest()[:_NAME_CHARACTERS]


def parse_terms(text: str) -> RouteTerms:
    """Parses what `render_terms` rendered, which is without the limits of teams. Pure.

    Raises:
        ValueError: It is something else.
    """
    try:
        written = json.loads(text)
        entries = {name: _parse_entry(entry) for name, entry in written.pop("entries").items()}
        return RouteTerms(entries=entries, **written)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"these are no terms: {error}") from error


def parse_limits(text: str) -> TeamLimits:
    """Parses what `render_limits` rendered. Pure.

    Raises:
        ValueError: It is something else.
    """
    try:
        written = json.loads(text)
        by_owner = written.pop("limits").items()
        limits = {owner: tuple(Limit(owner, *limit) for limit in own) for owner, own in by_owner}
        return TeamLimits(limits=limits, **written)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"these are no limits: {error}") from error


def _parse_entry(written: dict[str, Any]) -> EntryTerms:
    price = written.pop("price")
    return EntryTerms(price=tuple(price) if price else None, **written)
