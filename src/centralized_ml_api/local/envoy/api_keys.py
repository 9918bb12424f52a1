"""Who calls: keys, the teams that they stand for, and which models a team may call.

The keys are in the route table, which changes without touching the listener. A call with a valid key goes on
with the name of its team in a header that no caller can set.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/api_key_auth_filter
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.terms import TEAM_HEADER
from centralized_ml_api.local.envoy.same_objects import remember

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.local.gateway import TeamAccess

KEY_FILTER = "key"
TEAM_FILTER = "team"
KEY_HEADERS = ("x-api-key", "authorization")
"""Where a key may be; in the second it follows `Bearer`."""

TEAM_FORMAT = "%FILTER_STATE(mlapi.team:PLAIN)%"
"""The team for the log, which is written when the header is long gone. Empty without a valid key."""

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_NOBODY = "/"  # no team has this name; an empty list would allow all


def build_key_filters() -> list[tuple[str, dict[str, Any]]]:
    """Builds names and options of the filters that check a key and that note its team. Pure."""
    note = {
        "object_key": "mlapi.team",
        "factory_key": "envoy.string",
        "format_string": {
            "text_format_source": {"inline_string": f"%REQ({TEAM_HEADER})%"},
            "omit_empty_values": True,
        },
        "skip_if_empty": True,
    }
    return [
        (KEY_FILTER, {"@type": f"{_FILTERS}.api_key_auth.v3.ApiKeyAuth"}),
        (TEAM_FILTER, {"@type": f"{_FILTERS}.set_filter_state.v3.Config", "on_request_headers": [note]}),
    ]


def build_key_check(teams: Sequence[TeamAccess], model: str | None = None) -> dict[str, Any]:
    """Builds a route's key check: 401 without a valid key, 403 if the team may not call `model`. Pure."""
    check: dict[str, Any] = {
        "@type": f"{_FILTERS}.api_key_auth.v3.ApiKeyAuthPerRoute",
        "credentials": [{"key": key, "client": team.name} for team in teams for key in team.keys],
        "key_sources": [{"header": header} for header in KEY_HEADERS],
        "forwarding": {"header": TEAM_HEADER, "hide_credentials": True},
    }
    if model is not None:
        check["allowed_clients"] = [team.name for team in teams if team.may_call(model)] or [_NOBODY]
    return check


def is_restricted(teams: tuple[TeamAccess, ...], model: str) -> bool:
    """Returns whether some team may not call the model. Pure."""
    return bool(list_unauthorized(teams, model))


def list_unauthorized(teams: tuple[TeamAccess, ...], model: str) -> list[TeamAccess]:
    """Returns the teams that may not call the model, of those that may not call every one. Pure."""
    return [team for team in _list_restricted(teams) if not team.may_call(model)]


@remember
def _list_restricted(teams: tuple[TeamAccess, ...]) -> tuple[TeamAccess, ...]:
    return tuple(team for team in teams if not team.may_call_all)


def match_unauthorized_teams(teams: tuple[TeamAccess, ...], model: str) -> dict[str, Any]:
    """Builds a header matcher on calls, after the key check, of teams that may not call the model. Pure."""
    return match_teams(list_unauthorized(teams, model))


def match_teams(teams: Iterable[TeamAccess]) -> dict[str, Any]:
    """Builds a header matcher on calls, after the key check, of these teams. Pure."""
    names = "|".join(re.escape(team.name) for team in teams)
    return {"name": TEAM_HEADER, "string_match": {"safe_regex": {"regex": names}}}


def match_first_keys(teams: Iterable[TeamAccess]) -> list[list[dict[str, Any]]]:
    """Builds lists of header matchers on calls, before the key check, that are surely of these teams. Pure.

    All of one list must match. Where the check might take another key, none does.
    """
    keys = "|".join(re.escape(key) for team in teams for key in team.keys)
    if not keys:
        return []
    first, second = (
        {"name": header, "string_match": {"safe_regex": {"regex": pattern}}}
        for header, pattern in zip(KEY_HEADERS, (keys, f"Bearer (?:{keys})"), strict=True)
    )
    return [[first], [{"name": KEY_HEADERS[0], "present_match": True, "invert_match": True}, second]]


def match_no_key_of(teams: Iterable[TeamAccess]) -> list[dict[str, Any]]:
    """Builds header matchers on calls that have no key of these teams. Pure.

    The key check replaces the key by the team's header, with which a route may be chosen again.
    """
    unchecked = {"name": TEAM_HEADER, "present_match": True, "invert_match": True}
    keys = "|".join(re.escape(key) for team in teams for key in team.keys)
    patterns = (keys, f"Bearer (?:{keys})")
    if not keys:
        return [unchecked]
    no_key = {"invert_match": True, "treat_missing_header_as_empty": True}
    return [
        unchecked,
        *(
            {"name": header, "string_match": {"safe_regex": {"regex": pattern}}, **no_key}
            for header, pattern in zip(KEY_HEADERS, patterns, strict=True)
        ),
    ]


def match_callers(teams: Sequence[TeamAccess]) -> list[dict[str, Any]]:
    """Builds header matchers on calls of these teams, of which one must match. Pure."""
    keys = "|".join(re.escape(key) for team in teams for key in team.keys)
    if not keys:
        return []
    patterns = {
        KEY_HEADERS[0]: keys,
        KEY_HEADERS[1]: f"(?i:bearer) +(?:{keys})",
        TEAM_HEADER: "|".join(re.escape(team.name) for team in teams),
    }
    return [
        {"name": header, "string_match": {"safe_regex": {"regex": pattern}}}
        for header, pattern in patterns.items()
    ]


def list_audiences(teams: Sequence[TeamAccess]) -> list[tuple[tuple[str, ...] | None, list[dict[str, Any]]]]:
    """Returns each list of models that teams have, None for all, with matchers on its teams' calls. Pure."""
    lists = dict.fromkeys(team.models for team in teams)
    return [(models, match_callers([team for team in teams if team.models == models])) for models in lists]


def build_credential_removal() -> list[dict[str, Any]]:
    """Builds mutations that remove every key and team, wherever it is in a request. Pure."""
    return [{"remove": name} for name in (*KEY_HEADERS, TEAM_HEADER)]
