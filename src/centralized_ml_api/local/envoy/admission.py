"""How Envoy asks the admission service about a call (`admission.lua`), and tells it that one is over.

A route that asks carries the terms for its calls, and names them with each question. What the service refuses
keeps its own body; while the service is away, calls of these routes are a 503. Plain bodies of calls that
nothing limits are rewritten by Envoy itself, see `admission/plain_bodies.py`.

Sources:
    https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/lua_filter
    https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/access_loggers/open_telemetry/v3/logs_service.proto
"""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.accounts import list_limits
from centralized_ml_api.local.admission.exchange import (
    CALL_PATH,
    ENDS_PATH,
    REFUSAL_END,
    REFUSAL_HEADERS,
    build_end_format,
)
from centralized_ml_api.local.admission.plain_bodies import describe_plain, list_limited
from centralized_ml_api.local.admission.terms import (
    ADMISSION_NAMESPACE,
    ADMISSION_SOCKET,
    ANSWERED,
    BODY_NAMESPACE,
    HIDES_USAGE,
    LIMITS_NAMESPACE,
    NO_LIMITS,
    REFUSED,
    TEAM_HEADER,
    UNANSWERED,
    EntryTerms,
    RouteTerms,
    TeamLimits,
    name_terms,
    render_limits,
    render_terms,
)
from centralized_ml_api.local.envoy.headers import REQUEST_ID, build_header
from centralized_ml_api.local.envoy.lua_scripts import read_script
from centralized_ml_api.local.envoy.route_action import (
    HEADERS_FILTER,
    LEFT_HEADERS,
    LUA_DISABLED,
    LUA_PER_ROUTE,
    MUTATIONS_PER_ROUTE,
    with_filter_config,
)
from centralized_ml_api.local.envoy.same_objects import remember
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.gateway import Gateway, TeamAccess
    from centralized_ml_api.plan.event import Spending

ADMISSION_FILTER = "admission"
"""The filter that asks."""

UNREAD_FILTER = "unread-body"
"""The filter that has a body read, where Envoy could not, before the limits of the model that it names."""

CLUSTER = "admission"

SAID_FORMAT = f"%DYNAMIC_METADATA({ADMISSION_NAMESPACE}:said)%"
"""What the service has answered in place of a model, or that it has not."""

_SLACK_SECONDS = 5.0
_IDLE_SECONDS = 10.0
_LATER_SECONDS = 0.05
"""How long ends may be kept of which nobody waits to hear."""

TELLING_SECONDS = 5 * _LATER_SECONDS
"""How long an Envoy that is to end goes on after the last call, until it has told of its end for certain."""

_UNLIMITED = 2**32 - 1
_TYPES = "type.googleapis.com/envoy.extensions"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@functools.cache
def render_admission_script(longest_wait_seconds: float) -> str:
    """Renders the Lua script; it is read once: no disk can stop a later start.

    Args:
        longest_wait_seconds: How long the service may let a call wait.
    """
    values = {
        "CLUSTER": CLUSTER,
        "CALL_PATH": CALL_PATH,
        "TIMEOUT_MS": int((longest_wait_seconds + _SLACK_SECONDS) * 1000),
        "TEAM": TEAM_HEADER,
        "ADMISSION": ADMISSION_NAMESPACE,
        "BODY": BODY_NAMESPACE,
        "LIMITS": LIMITS_NAMESPACE,
        "HIDES_USAGE": HIDES_USAGE,
        "UNANSWERED": UNANSWERED,
        "ANSWERED": ANSWERED,
    }
    head = "".join(f"local {name} = {json.dumps(value)}\n" for name, value in values.items())
    passed = ", ".join(map(json.dumps, REFUSAL_HEADERS))
    scripts = "".join(map(read_script, ("json_strings", "plain_bodies", "admission")))
    return f"{head}local REFUSAL_HEADERS = {{{passed}}}\n{scripts}"


def build_admission_options(longest_wait_seconds: float) -> dict[str, Any]:
    """Builds the options of both filters, which change no route unless the script says so. Pure.

    Args:
        longest_wait_seconds: How long the service may let a call wait.
    """
    script = render_admission_script(longest_wait_seconds)
    return {"default_source_code": {"inline_string": script}, "clear_route_cache": False}


def with_admission(route: Route, terms: RouteTerms) -> Route:
    """Returns a route whose calls the service is asked about. Pure.

    A route that knows the model from a body may rewrite the body without a question: it was read as JSON.
    """
    asked = _ask(route, ADMISSION_FILTER, terms, knows_model="dynamic_metadata" in route["match"])
    return _with_left_headers(asked) if terms.limits else asked


def _with_left_headers(route: Route) -> Route:
    own = route["typed_per_filter_config"].get(HEADERS_FILTER, {"mutations": {}})["mutations"]
    more = [*own.get("response_mutations", ()), *_SET_LEFT_HEADERS]
    mutations = {**own, "response_mutations": more}
    return with_filter_config(route, {HEADERS_FILTER: {"@type": MUTATIONS_PER_ROUTE, "mutations": mutations}})


def reading_body(route: Route, terms: RouteTerms) -> Route:
    """Returns a route whose bodies the service reads, to choose another route. Pure."""
    return _ask(route, UNREAD_FILTER, terms)


def asks(route: Route) -> bool:
    """Returns whether the service may be asked about a call that goes on by this route. Pure."""
    return "filter_context" in route.get("typed_per_filter_config", {}).get(ADMISSION_FILTER, {})


def without_admission(route: Route) -> Route:
    """Returns a route that does not ask, on a path whose calls may be asked about. Pure."""
    return with_filter_config(route, dict.fromkeys((UNREAD_FILTER, ADMISSION_FILTER), LUA_DISABLED))


def build_terms(name: str, entry: EntryTerms, gateway: Gateway, wait_seconds: float) -> RouteTerms:
    """Builds the terms of a route to an entry. Pure.

    Args:
        name: The entry.
        entry: What holds for its calls.
        gateway: Its teams and its pot, whose limits hold too.
        wait_seconds: How long a call may wait for its turn.
    """
    limits, limits_name, _ = _list_team_limits(gateway.teams, gateway.pot)
    return RouteTerms({name: entry}, wait_seconds, limits_name=limits_name).limited_by(limits)


def build_limits_metadata(gateway: Gateway) -> dict[str, Any]:
    """Builds what a virtual host says to the script of all its routes: the limits of teams, if any. Pure.

    Said on each route, a table would grow with the entries times the teams.
    """
    limits, limits_name, text = _list_team_limits(gateway.teams, gateway.pot)
    if not limits_name:
        return {}
    told = {"limits": text, "limited": dict.fromkeys(list_limited(limits), True)}
    return {"metadata": {"filter_metadata": {ADMISSION_FILTER: told}}}


@remember
def _list_team_limits(teams: tuple[TeamAccess, ...], pot: Spending) -> tuple[TeamLimits, str, str]:
    """Lists what limits teams; with its name, empty if nothing does, and as text."""
    at_once = {team.name: team.requests_at_once for team in teams if team.requests_at_once is not None}
    spending = {team.name: team.spending for team in teams if team.spending.is_limited}
    if pot.is_limited:
        spending[POT] = pot
    limits = TeamLimits(at_once, {owner: list_limits(owner, limit) for owner, limit in spending.items()})
    text = render_limits(limits)
    return limits, name_terms(text) if limits != NO_LIMITS else "", text


def list_free_teams(entry: EntryTerms, gateway: Gateway) -> tuple[TeamAccess, ...]:
    """Returns the teams about whose calls of an entry nothing need be asked. Pure."""
    if entry.asks_for_all or gateway.pot.is_limited:
        return ()
    return _list_unlimited(gateway.teams)


@remember
def _list_unlimited(teams: tuple[TeamAccess, ...]) -> tuple[TeamAccess, ...]:
    return tuple(team for team in teams if not team.spending.is_limited and team.requests_at_once is None)


def with_usage_answer(route: Route, gateway: Gateway) -> Route:
    """Returns a route on which the service tells callers what they have used. Pure."""
    terms = build_terms("", EntryTerms(), gateway, 0)
    days = {team.name: team.requests_per_day for team in gateway.teams if team.requests_per_day is not None}
    asks = replace(terms, entries={}, asks_usage=True, requests_per_day=days)
    return _ask(route, ADMISSION_FILTER, asks)


_SET_LEFT_HEADERS = [
    {"append": build_header(header, f"%DYNAMIC_METADATA({LIMITS_NAMESPACE}:{header.split('-')[2]})%")}
    for header in LEFT_HEADERS
]


def _ask(route: Route, name: str, terms: RouteTerms, *, knows_model: bool = False) -> Route:
    """Returns a route whose calls a filter asks about.

    What every call needs is in the filter's context, which Envoy copies for each; what is read once or seldom
    is in the route's metadata.
    """
    text = render_terms(terms)
    context: dict[str, Any] = {"name": name_terms(text), "reads_body": terms.reads_body}
    told: dict[str, Any] = {"terms": text}
    plain = describe_plain(terms) if knows_model else None
    if plain is not None:
        context, told = {"plain": name_terms(text)}, {**told, "plain": plain}
    asking = with_filter_config(route, {name: {**LUA_PER_ROUTE, "filter_context": context}})
    return {**asking, "metadata": {"filter_metadata": {name: told}}}


def build_admission_cluster() -> dict[str, Any]:
    """Builds the cluster of the service, which listens on a socket in Envoy's own folder. Pure.

    Each call that waits has a connection of its own.
    """
    thresholds = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests"), _UNLIMITED)
    options = {
        "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
        "common_http_protocol_options": {"idle_timeout": render_seconds(_IDLE_SECONDS)},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    address = {"pipe": {"path": ADMISSION_SOCKET}}
    return {
        "name": CLUSTER,
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [thresholds]},
        "typed_extension_protocol_options": {_HTTP_OPTIONS: options},
        "load_assignment": {
            "cluster_name": CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def build_admission_logs() -> list[dict[str, Any]]:
    """Builds the access loggers that tell the service of the ends that it must know. Pure."""
    return [
        _build_admission_log("call", {"buffer_size_bytes": 1}),  # at once: somebody waits for the place
        _build_admission_log("later", {"buffer_flush_interval": render_seconds(_LATER_SECONDS)}),
    ]


def _build_admission_log(key: str, buffer: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": f"admission {key}",
        "filter": _has_said(key, {"contains": ":"}),  # false, if nothing must be given back
        "typed_config": {
            "@type": f"{_TYPES}.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
            "http_service": {
                "http_uri": {"uri": f"http://{CLUSTER}{ENDS_PATH}", "cluster": CLUSTER, "timeout": "5s"}
            },
            "log_name": "admission",
            "disable_builtin_labels": True,
            **buffer,
            "body": {"string_value": build_end_format(key)},
        },
    }


def build_refusal_body() -> dict[str, Any]:
    """Builds the body format of the service's refusals: they end before the id of the request. Pure."""
    text = f"%LOCAL_REPLY_BODY%{REQUEST_ID}{REFUSAL_END}"
    return {"text_format_source": {"inline_string": text}, "content_type": "application/json"}


def _has_said(key: str, string_match: dict[str, str]) -> dict[str, Any]:
    return _match_said(key, {"string_match": string_match}, otherwise=False)


def _match_said(key: str, value: dict[str, Any], *, otherwise: bool) -> dict[str, Any]:
    matcher = {"filter": ADMISSION_NAMESPACE, "path": [{"key": key}], "value": value}
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": otherwise}}


HAS_SAID = _match_said("said", {"present_match": True}, otherwise=False)
"""Matches calls that the service has answered, or refused, or could not be asked about."""

HAS_SAID_NOTHING = _match_said("said", {"null_match": {}}, otherwise=True)
"""Matches all others."""

IS_REFUSED = _has_said("said", {"prefix": REFUSED})
"""Matches what the service has refused."""

IS_ANSWERED = _has_said("said", {"exact": ANSWERED})
"""Matches what the service has answered itself."""

IS_UNANSWERED = _has_said("said", {"exact": UNANSWERED})
"""Matches calls that the service could not be asked about."""
