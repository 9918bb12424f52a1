"""Gives every error under `/v1/messages` the shape of Anthropic's API, in the listener's outermost filter.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/lua_filter
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from centralized_ml_api.api import anthropic
from centralized_ml_api.local.envoy.lua_scripts import read_script
from centralized_ml_api.local.envoy.route_action import FILTER_ENABLED, with_filter_config

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route

ANTHROPIC_FILTER = "anthropic-errors"
BELOW_ENTRIES = {"safe_regex": {"regex": "/[^/]+/v1/.*"}}
"""Matches the paths below `/{name}/v1` of every entry."""

_BELOW = f"{anthropic.ERRORS_BELOW}/"


@functools.cache
def render_anthropic_errors() -> str:
    """Renders the Lua script with the types of errors; it is read once: no disk can stop a later start."""
    types = ", ".join(f'[{int(status)}] = "{kind}"' for status, kind in anthropic.ERROR_TYPES.items())
    head = (
        f"local TYPES = {{{types}}}\n"
        f'local CALLER_ERROR, SERVER_ERROR = "{anthropic.CALLER_ERROR}", "{anthropic.SERVER_ERROR}"\n'
        f'local REQUEST_ID = "{anthropic.REQUEST_ID_HEADER}"\n'
    )
    return head + read_script("json_strings") + read_script("anthropic_errors")


def with_anthropic_errors(route: Route) -> list[Route]:
    """Returns the route; where it leads under `/v1/messages` among other paths, behind one of its own. Pure.

    The same holds under `/{name}/v1/messages`.

    Filters are chosen with the first route of a call, so every route that such a call may take enables this.
    """
    match = route["match"]
    enabled = {ANTHROPIC_FILTER: FILTER_ENABLED}
    if anthropic.PATHS.fullmatch(match.get("path", "")):
        return [with_filter_config(route, enabled)]
    prefix = match.get("prefix", "?")
    is_of_entries = BELOW_ENTRIES.items() <= match.items()
    if not (is_of_entries or _BELOW.startswith(prefix) or prefix.endswith("/v1/")):
        return [route]
    narrowed = {name: value for name, value in match.items() if name not in {"prefix", *BELOW_ENTRIES}}
    own = prefix.removesuffix("/v1/")
    is_below = (
        {"path_separated_prefix": f"{own}{anthropic.ERRORS_BELOW}"}
        if prefix.endswith("/v1/")
        else {"safe_regex": {"regex": anthropic.PATHS.pattern}}
    )
    below = {**narrowed, **is_below}
    return [with_filter_config({**route, "match": below}, enabled), route]
