"""What a route does that goes to a server: where to, how long, through which filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.aws_signing import SAGEMAKER_ERRORS
from centralized_ml_api.local.envoy.clusters import build_authority
from centralized_ml_api.local.envoy.headers import (
    AS_JSON,
    REQUEST_ID_HEADER,
    WITH_REQUEST_ID,
    build_function_request_mutations,
    build_function_response_mutations,
    build_request_mutations,
    build_response_mutations,
)
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.gateway import ExternalUpstream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway, ServedRoute

LIMIT_FILTER = "body-limit"
BODY_FILTER = "body"
MODEL_FILTER = "model"
HEADERS_FILTER = "headers"
QUERY_FILTER = "query"
ANSWER_FILTER = "answer"
"""The filters of the listener that a route of a model switches on."""

_LUA = {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute"}

Externals = dict[str, ExternalUpstream]
"""Servers elsewhere, by name."""


def find_externals(gateway: Gateway) -> Externals:
    """Those that routes may go to."""
    return {one.name: one for one in gateway.upstreams if isinstance(one, ExternalUpstream)}


def build_served(route: ServedRoute, externals: Externals, limits: Limits) -> dict[str, Any]:
    """All of the route but what it matches."""
    external = externals.get(route.upstream)
    path = {} if route.rewrite is None else {"path_rewrite": route.rewrite.replace("%", "%%")}
    action = {
        "cluster": route.upstream,
        **path,
        **_host(route, external),
        **_timeouts(route, limits),
        "retry_policy": _retry_policy(),
    }
    filters = {
        LIMIT_FILTER: switched_on(),
        BODY_FILTER: switched_on(),
        HEADERS_FILTER: _mutations(route, external),
        ANSWER_FILTER: _answer_filter(route, external),
    }
    hidden = {} if route.headers is None else {"request_headers_to_remove": ["x-forwarded-proto"]}
    return {"route": action, "typed_per_filter_config": filters, **hidden}


def _answer_filter(route: ServedRoute, external: ExternalUpstream | None) -> dict[str, Any]:
    """Holds an answer until it is complete, but not a stream; SageMaker gives every answer whole."""
    if external is not None and external.signing is not None:
        return {**_LUA, "name": SAGEMAKER_ERRORS}
    return {**_LUA, "disabled": True} if route.streams else switched_on()


def switched_on() -> dict[str, Any]:
    """A filter of the listener that acts on this route."""
    return {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}


def _host(route: ServedRoute, external: ExternalUpstream | None) -> dict[str, Any]:
    """A model server sees its own host, not one that the client chose; a function sees the client's."""
    if external is not None:
        return {"host_rewrite_literal": build_authority(external)}
    return {} if route.headers is None else {"host_rewrite_literal": "localhost"}


def _timeouts(route: ServedRoute, limits: Limits) -> dict[str, str]:
    """A stream may take as long as it likes, but not fall silent."""
    if route.streams:
        return {"timeout": "0s", "idle_timeout": render_seconds(limits.stream_idle_seconds)}
    return {"timeout": render_seconds(limits.answer_seconds)}


def _retry_policy() -> dict[str, Any]:
    """Another server is tried only while the request has not been sent: a model never runs one twice."""
    previous = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": "connect-failure,reset-before-request",
        "num_retries": 3,
        "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.05s"},
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": f"type.googleapis.com/{previous}"},
            }
        ],
        # A dead server has the fewest calls, so it is drawn again and again: draw until it is another. Beside
        # one busy server that takes a thousand draws; all of these take a millisecond.
        "host_selection_retry_max_attempts": 3000,
    }


def _mutations(route: ServedRoute, external: ExternalUpstream | None) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"
    if route.headers is None:
        request, response = build_function_request_mutations(), build_function_response_mutations()
    else:
        request, response = build_request_mutations(route.headers), build_response_mutations()
        request += [AS_JSON] if route.reads_json else []
        request += [WITH_REQUEST_ID] if _needs_request_id(route.headers, external) else []
    return {"@type": kind, "mutations": {"request_mutations": request, "response_mutations": response}}


def _needs_request_id(configured: Iterable[str], external: ExternalUpstream | None) -> bool:
    """A model that is to see it, and the Lua that words SageMaker's errors, which takes it away again."""
    signed = external is not None and external.signing is not None
    return signed or REQUEST_ID_HEADER in map(str.lower, configured)
