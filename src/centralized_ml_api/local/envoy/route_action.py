"""What a route to a server does: which cluster, how long, how often, through which filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.terms import LLAMA_CPP
from centralized_ml_api.local.envoy.aws_signing import SAGEMAKER_COUNTED, SAGEMAKER_ERRORS
from centralized_ml_api.local.envoy.clusters import build_authority
from centralized_ml_api.local.envoy.headers import (
    JSON_CONTENT_TYPE,
    KEPT_ID_HEADER,
    MODEL_HEADERS_DROPPED,
    OWN_REPLY_HEADER,
    REMOVED_BY_ROUTE,
    REQUEST_ID,
    REQUEST_ID_HEADER,
    SERVED_BY_HEADER,
    SET_REQUEST_ID,
    UNTAKEN_HEADER,
    build_function_request_mutations,
    build_function_response_mutations,
    build_header,
    build_request_mutations,
    build_response_mutations,
)
from centralized_ml_api.local.envoy.provider_answers import (
    PROVIDER_ANSWER,
    PROVIDER_STREAM,
    PROVIDER_UNCOUNTED,
)
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.envoy.token_counts import COUNTED_ANSWER, COUNTED_STREAM
from centralized_ml_api.local.envoy.translator import (
    TRANSLATOR_CLUSTER,
    build_fallback_mutations,
    build_translation_mutations,
)
from centralized_ml_api.local.envoy.usual_headers import APPLY_USUAL, USUAL_HEADERS_FILTER, are_usual
from centralized_ml_api.local.gateway import ExternalUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway, ServedRoute

BODY_SIZE_FILTER = "body-limit"
BUFFER_FILTER = "body"
METADATA_FILTER = "model"
HEADERS_FILTER = "headers"
QUERY_FILTER = "query"
RESPONSE_FILTER = "answer"
"""The filters of the listener that a route to a model enables."""

FILTER_ENABLED = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}
FILTER_DISABLED = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
MUTATIONS_PER_ROUTE = (
    "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"
)
LUA_PER_ROUTE = {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute"}
LUA_DISABLED = {**LUA_PER_ROUTE, "disabled": True}
"""For a filter that an earlier route of the same call may have chosen; `FILTER_DISABLED` is too late then."""

PASSED_RESPONSE = "passed-response"
"""The name of the Lua script for streams without tokens, which pass as they come."""

LEFT_HEADERS = tuple(f"x-ratelimit-{name}-tokens" for name in ("limit", "remaining", "reset"))
"""What is left to the team of a call, by OpenAI's names, if its tokens are limited."""

ANSWERED = (SERVED_BY_HEADER, *LEFT_HEADERS)
"""The headers that an entry among several adds to its answer."""

ExternalUpstreams = dict[str, ExternalUpstream]
"""Servers elsewhere, by name."""


def find_external_upstreams(gateway: Gateway) -> ExternalUpstreams:
    """Returns the servers elsewhere that routes may go to. Pure."""
    return {
        upstream.name: upstream for upstream in gateway.upstreams if isinstance(upstream, ExternalUpstream)
    }


def with_filter_config(route: Route, config: dict[str, Any]) -> Route:
    """Returns the route with more `typed_per_filter_config`, by the name of the filter. Pure."""
    return {**route, "typed_per_filter_config": {**route.get("typed_per_filter_config", {}), **config}}


def build_route_action(route: ServedRoute, externals: ExternalUpstreams, limits: Limits) -> Route:
    """Builds all of a route but its match. Pure.

    Args:
        route: Where it goes.
        externals: The servers elsewhere, of which it may be one.
        limits: How long the server may take.
    """
    external = None if route.attempts else externals.get(route.upstream)
    path = {} if route.rewrite is None else {"path_rewrite": route.rewrite.replace("%", "%%")}
    action = {
        "cluster": TRANSLATOR_CLUSTER if _is_translators(route) else route.upstream,
        **path,
        **_build_host_rewrite(route, external),
        **_build_timeouts(route, limits),
        "retry_policy": _build_retry_policy(),
    }
    filters = {
        **_build_header_filter(route, external),
        RESPONSE_FILTER: _build_response_filter(route, external),
    }
    changed: dict[str, Any] = {}
    if route.headers is not None:
        changed["request_headers_to_remove"] = [*REMOVED_BY_ROUTE, *_list_unread(route)]
        if not route.attempts:  # of which they are ours
            changed["response_headers_to_remove"] = _list_dropped(route, external)
        if route.reads_json:
            changed["request_headers_to_add"] = [JSON_CONTENT_TYPE]
        if _is_hosted(route, external):
            changed["response_headers_to_add"] = [build_header(KEPT_ID_HEADER, REQUEST_ID)]
    return {"route": action, "typed_per_filter_config": filters, **changed}


def _list_unread(route: ServedRoute) -> tuple[str, ...]:
    """Returns the headers that mean nothing to a server and may make it refuse a call.

    llama.cpp answers a malformed `Accept` with an empty 400. What it answers otherwise depends on none.

    Source: https://github.com/yhirose/cpp-httplib/blob/master/httplib.h (`parse_accept_header`)
    """
    is_llama_cpp = route.admission is not None and route.admission.body_rules == LLAMA_CPP
    return ("accept",) if is_llama_cpp else ()


def _list_dropped(route: ServedRoute, external: ExternalUpstream | None) -> list[str]:
    """Lists the headers of a server's response that mean something if they are ours alone."""
    passed_on = [SERVED_BY_HEADER, OWN_REPLY_HEADER, UNTAKEN_HEADER]
    is_read = _is_provided(route, external) and not _is_translators(route)
    return [*MODEL_HEADERS_DROPPED, *(passed_on if is_read else ())]


def _build_response_filter(route: ServedRoute, external: ExternalUpstream | None) -> dict[str, Any]:
    """Holds a response until it is complete, unless it is a stream; SageMaker never streams here."""
    if _is_provided(route, external):
        counted = PROVIDER_STREAM if route.streams else PROVIDER_ANSWER
        return {**LUA_PER_ROUTE, "name": counted if route.counts_tokens else PROVIDER_UNCOUNTED}
    if external is not None and external.is_sagemaker:
        return {**LUA_PER_ROUTE, "name": SAGEMAKER_COUNTED if route.counts_tokens else SAGEMAKER_ERRORS}
    if route.counts_tokens:
        return {**LUA_PER_ROUTE, "name": COUNTED_STREAM if route.streams else COUNTED_ANSWER}
    return {**LUA_PER_ROUTE, "name": PASSED_RESPONSE} if route.streams else FILTER_ENABLED


def _list_attempts_headers(route: ServedRoute) -> Iterator[str]:
    """Yields the request headers that any of several entries gets."""
    for attempt in route.attempts:
        yield from attempt.headers


def _is_provided(route: ServedRoute, external: ExternalUpstream | None) -> bool:
    """Returns whether what comes back is reworded and counted as a provider's."""
    return _is_translators(route) or (external is not None and external.is_provider)


def _is_hosted(route: ServedRoute, external: ExternalUpstream | None) -> bool:
    """Returns whether a script rewords the errors of the server, in which it names the request."""
    return _is_provided(route, external) or (external is not None and external.is_sagemaker)


def _is_translators(route: ServedRoute) -> bool:
    return bool(route.translation or route.attempts)


def _build_host_rewrite(route: ServedRoute, external: ExternalUpstream | None) -> dict[str, Any]:
    """A model server sees its own host, not one that the client chose; a function sees the client's."""
    if external is not None:
        return {"host_rewrite_literal": build_authority(external)}
    return {} if route.headers is None else {"host_rewrite_literal": "localhost"}


def _build_timeouts(route: ServedRoute, limits: Limits) -> dict[str, str]:
    """A stream may take as long as it likes, but not fall silent."""
    if route.streams:
        return {"timeout": "0s", "idle_timeout": render_seconds(limits.stream_idle_seconds)}
    return {"timeout": render_seconds(limits.response_seconds)}


def _build_retry_policy() -> dict[str, Any]:
    """Tries another server only while the request has not been sent: no model ever runs one twice."""
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


def _build_header_filter(route: ServedRoute, external: ExternalUpstream | None) -> dict[str, Any]:
    """Chooses the filter that says which headers pass: for most routes that with the usual lists.

    A model sees the request's id only if configured, SageMaker and providers never. No provider is asked for
    a compressed answer, which could be neither reworded nor counted.
    """
    if route.headers is not None and are_usual(route.headers) and not _is_translators(route):
        return {USUAL_HEADERS_FILTER: APPLY_USUAL}
    if route.headers is None:
        request, response = build_function_request_mutations(), build_function_response_mutations()
    else:
        is_hosted = _is_hosted(route, external)
        has_id = REQUEST_ID_HEADER in map(str.lower, route.headers) and not is_hosted
        passed = (*route.headers, *_list_attempts_headers(route))
        request = build_request_mutations(
            name for name in passed if has_id or name.lower() != REQUEST_ID_HEADER
        )
        response = build_response_mutations(ANSWERED if route.attempts else ())
        request += [SET_REQUEST_ID] if has_id else []
        # A compressed answer could be neither reworded nor counted.
        request += [{"remove": "accept-encoding"}] if _is_provided(route, external) else []
        request += build_fallback_mutations(route) or build_translation_mutations(route, external)
    mutations = {"request_mutations": request, "response_mutations": response}
    return {HEADERS_FILTER: {"@type": MUTATIONS_PER_ROUTE, "mutations": mutations}}
