"""Who calls: keys, the teams they stand for, and what these may call.

The keys are in the route table, which changes without touching the listener. A call that shows a valid one
goes on with the name of its team in a header that no caller can set.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/api_key_auth_filter
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.local.gateway import TeamAccess

KEY_FILTER = "key"
TEAM_FILTER = "team"
TEAM_HEADER = "x-mlapi-team"
KEY_HEADERS = ("x-api-key", "authorization")
"""Where a key may be; of the second, what follows `Bearer`."""

TEAM_FORMAT = "%FILTER_STATE(mlapi.team:PLAIN)%"
"""The team for the log, which is written when the header is long gone. Nothing without a valid key."""

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_NOBODY = "/"  # no team has this name; an empty list would allow all


def build_key_check(teams: Sequence[TeamAccess], entry: str | None = None) -> dict[str, Any]:
    """Only calls of these teams pass: 401 without a valid key; of those that may not call `entry`, 403."""
    check: dict[str, Any] = {
        "@type": f"{_FILTERS}.api_key_auth.v3.ApiKeyAuthPerRoute",
        "credentials": [{"key": key, "client": team.name} for team in teams for key in team.keys],
        "key_sources": [{"header": header} for header in KEY_HEADERS],
        "forwarding": {"header": TEAM_HEADER, "hide_credentials": True},
    }
    if entry is not None:
        check["allowed_clients"] = [one.name for one in teams if one.may_call(entry)] or [_NOBODY]
    return check


def is_restricted(teams: Iterable[TeamAccess], entry: str) -> bool:
    """Whether there are teams that may not call the entry."""
    return not all(one.may_call(entry) for one in teams)


def match_outsiders(teams: Iterable[TeamAccess], entry: str) -> dict[str, Any]:
    """Matches calls, whose key was seen, of teams that may not call the entry."""
    outsiders = "|".join(re.escape(one.name) for one in teams if not one.may_call(entry))
    return {"name": TEAM_HEADER, "string_match": {"safe_regex": {"regex": outsiders}}}


def build_key_filters() -> list[tuple[str, dict[str, Any]]]:
    """Names and options of two filters that routes switch on: one looks for a key, one notes whose it is."""
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


def build_hidden_headers() -> list[dict[str, Any]]:
    """Mutations: no key and no team reach a model or a function, wherever in a request they are."""
    return [{"remove": name} for name in (*KEY_HEADERS, TEAM_HEADER)]
