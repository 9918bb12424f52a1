"""The route table (RDS): exact paths only, the first match wins.

Paths are compared as they came, byte for byte: no `..`, `//`, `%2F` or case is ever folded, so nothing but
the very path of a model can reach it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.cors import PREFLIGHT_HEADERS
from centralized_ml_api.local.envoy.clusters import is_address
from centralized_ml_api.local.envoy.headers import (
    REQUEST_ID,
    build_answer_headers,
    build_function_request_mutations,
    build_function_response_mutations,
    build_header,
    build_request_mutations,
    build_response_mutations,
)
from centralized_ml_api.local.envoy.replies import build_error_format, build_json_format
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.gateway import ExternalUpstream, RefusedRoute, ServedRoute

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway

ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
ROUTES_NAME = "routes"
HEALTH_PATH = "/health"

LIMIT_FILTER = "body-limit"
BODY_FILTER = "body"
HEADERS_FILTER = "headers"
QUERY_FILTER = "query"
ANSWER_FILTER = "answer"
"""The filters of the listener that a route of a model switches on."""

_DIRECT_BODY_LIMIT_BYTES = 16 * 1024 * 1024
"""Far above any message: Envoy's default of 4096 bytes is less than the 404 of a long list of models."""


def build_routes(gateway: Gateway, limits: Limits) -> dict[str, Any]:
    """The whole table: preflights, then each model in order of its name, then health, then the 404."""
    externals = {one.name: one for one in gateway.upstreams if isinstance(one, ExternalUpstream)}
    models = [
        one
        for route in sorted(gateway.routes, key=lambda route: route.name)
        for one in _model(route, externals, limits)
    ]
    return {
        "@type": ROUTES,
        "name": ROUTES_NAME,
        "max_direct_response_body_size_bytes": _DIRECT_BODY_LIMIT_BYTES,
        "virtual_hosts": [
            {
                "name": "api",
                "domains": ["*"],
                # In truth for both directions, like that of the filter which collects the body; that one
                # leaves a call without a body to this.
                "request_body_buffer_limit": limits.answer_bytes,
                "routes": [_preflight(), *models, *_health(gateway), _unknown_path(gateway)],
            }
        ],
    }


def _preflight() -> dict[str, Any]:
    headers = [build_header(name, value) for name, value in PREFLIGHT_HEADERS]
    return {
        "match": {"prefix": "/", "headers": [_method("OPTIONS")]},
        "direct_response": {"status": 204},
        "response_headers_to_add": [*build_answer_headers(), *headers],
    }


def _model(
    route: ServedRoute | RefusedRoute, externals: dict[str, ExternalUpstream], limits: Limits
) -> list[dict[str, Any]]:
    path = {"path": f"/{route.name}"}
    post = {**path, "headers": [_method("POST")]}
    if isinstance(route, RefusedRoute):
        posts = [_answer(post, errors.NOT_SERVED.saying(route.message))]
    else:
        served = _served(route, externals.get(route.upstream), limits)
        posts = [*_without_query(route, served), {"match": post, **served}]
    return [{"name": route.name, **one} for one in (*posts, _other_methods(path, "POST, OPTIONS"))]


def _without_query(route: ServedRoute, served: dict[str, Any]) -> list[dict[str, Any]]:
    """The same route for calls that have a query, which a model behind the API never sees.

    Envoy appends the query to every rewritten path, so a line of Lua takes it away first; it is the one
    thing here that only Lua can do, and costs nothing to calls without a query.
    """
    if route.rewrite is None:
        return []
    has_query = {"name": ":path", "string_match": {"contains": "?"}}
    match = {"path": f"/{route.name}", "headers": [_method("POST"), has_query]}
    filters = {**served["typed_per_filter_config"], QUERY_FILTER: _switched_on()}
    return [{"match": match, **served, "typed_per_filter_config": filters}]


def _switched_on() -> dict[str, Any]:
    return {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}


def _served(route: ServedRoute, external: ExternalUpstream | None, limits: Limits) -> dict[str, Any]:
    path = {} if route.rewrite is None else {"path_rewrite": route.rewrite.replace("%", "%%")}
    action = {
        "cluster": route.upstream,
        **path,
        **_host(route, external),
        **_timeouts(route, limits),
        "retry_policy": _retry_policy(),
    }
    filters = {
        LIMIT_FILTER: _switched_on(),
        BODY_FILTER: _switched_on(),
        HEADERS_FILTER: _mutations(route),
        **({} if route.streams else {ANSWER_FILTER: _switched_on()}),
    }
    hidden = {} if route.headers is None else {"request_headers_to_remove": ["x-forwarded-proto"]}
    return {"route": action, "typed_per_filter_config": filters, **hidden}


def _host(route: ServedRoute, external: ExternalUpstream | None) -> dict[str, Any]:
    """A model server sees its own host, not one that the client chose; a function sees the client's."""
    if external is not None:
        return {"host_rewrite_literal": _authority(external)}
    return {} if route.headers is None else {"host_rewrite_literal": "localhost"}


def _authority(external: ExternalUpstream) -> str:
    host = f"[{external.host}]" if ":" in external.host and is_address(external.host) else external.host
    return host if external.port == (443 if external.tls else 80) else f"{host}:{external.port}"


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
        # A dead server has the fewest calls, so it is drawn again and again: draw until it is another.
        "host_selection_retry_max_attempts": 100,
    }


def _mutations(route: ServedRoute) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"
    if route.headers is None:
        request, response = build_function_request_mutations(), build_function_response_mutations()
    else:
        request, response = build_request_mutations(route.headers), build_response_mutations()
    return {"@type": kind, "mutations": {"request_mutations": request, "response_mutations": response}}


def _health(gateway: Gateway) -> list[dict[str, Any]]:
    """`GET /health`: 200, or 503 with the names of those that cannot answer now and why."""
    path = {"path": HEALTH_PATH}
    served = sorted(route.name for route in gateway.routes if isinstance(route, ServedRoute))
    unready = dict(sorted(gateway.unready))
    document: dict[str, Any] = {
        "status": "unready" if unready else "ok",
        "ready": [name for name in served if name not in unready],
        "unready": unready,
    }
    if not unready:
        answer = _direct({}, 200, document)
    else:
        named = "; ".join(f"{name} ({reason})" for name, reason in unready.items())
        error = errors.MODEL_NOT_READY.saying(f"Not ready: {named}.")
        answer = _direct({}, error.status, {**errors.build_error(error, REQUEST_ID), **document})
        answer["response_headers_to_add"].append(_retry_after())
    gets = [{"match": {**path, "headers": [_method(method)]}} for method in ("GET", "HEAD")]
    return [*({**answer, **get} for get in gets), _other_methods(path, "GET, HEAD, OPTIONS")]


def _retry_after() -> dict[str, Any]:
    return build_header("retry-after", str(errors.RETRY_AFTER_SECONDS))


def _unknown_path(gateway: Gateway) -> dict[str, Any]:
    paths = [*(f"POST /{name}" for name in sorted(route.name for route in gateway.routes)), "GET /health"]
    message = f"{errors.UNKNOWN_PATH.message} There are: {', '.join(paths)}."
    return _answer({"prefix": "/"}, errors.UNKNOWN_PATH.saying(message))


def _other_methods(match: dict[str, Any], allow: str) -> dict[str, Any]:
    message = f"{errors.METHOD_NOT_ALLOWED.message} It answers: {allow}."
    route = _answer(match, errors.METHOD_NOT_ALLOWED.saying(message))
    route["response_headers_to_add"].append(build_header("allow", allow))
    return route


def _answer(match: dict[str, Any], error: errors.ApiError) -> dict[str, Any]:
    return {
        "match": match,
        "direct_response": {"status": error.status, "body_format": build_error_format(error)},
        "response_headers_to_add": build_answer_headers(),
    }


def _direct(match: dict[str, Any], status: int, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "match": match,
        "direct_response": {"status": status, "body_format": build_json_format(document)},
        "response_headers_to_add": build_answer_headers(),
    }


def _method(method: str) -> dict[str, Any]:
    return {"name": ":method", "string_match": {"exact": method}}
