"""The route table (RDS): exact paths only, the first match wins.

Paths are compared as they came, byte for byte: no `..`, `//`, `%2F` or case is ever folded, so nothing but
the very path of a model can reach it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.cors import PREFLIGHT_HEADERS
from centralized_ml_api.api.event_end import ENDS_HEADER, render_instant
from centralized_ml_api.api.paths import HEALTH_PATH, PUBLIC_PATHS
from centralized_ml_api.local.envoy.api_keys import (
    KEY_FILTER,
    TEAM_FILTER,
    build_hidden_headers,
    build_key_check,
    is_restricted,
)
from centralized_ml_api.local.envoy.direct_responses import (
    build_405_route,
    build_document_routes,
    build_error_route,
    match_method,
)
from centralized_ml_api.local.envoy.documents import build_documents_routes, list_document_paths
from centralized_ml_api.local.envoy.headers import REQUEST_ID, build_answer_headers, build_header
from centralized_ml_api.local.envoy.openai import build_openai_routes, list_openai_paths
from centralized_ml_api.local.envoy.rate_limits import LIMIT_FILTERS, list_limiting
from centralized_ml_api.local.envoy.served import (
    HEADERS_FILTER,
    QUERY_FILTER,
    build_served,
    find_externals,
    switched_on,
)
from centralized_ml_api.local.gateway import RefusedRoute, ServedRoute

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.served import Externals
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway

ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
ROUTES_NAME = "routes"
_READS = ("GET", "HEAD")
_MUTATIONS = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"

_DIRECT_BODY_LIMIT_BYTES = 16 * 1024 * 1024
"""Far above any message: Envoy's default of 4096 bytes is less than the 404 of a long list of models."""


def build_routes(gateway: Gateway, limits: Limits) -> dict[str, Any]:
    """The whole table: preflights, models in order of their names, `/v1`, documents, health, the 404."""
    externals = find_externals(gateway)
    models = [
        one
        for route in sorted(gateway.routes, key=lambda route: route.name)
        for one in _restrict(_model(route, externals, limits), route.name, gateway)
    ]
    return {
        "@type": ROUTES,
        "name": ROUTES_NAME,
        "max_direct_response_body_size_bytes": _DIRECT_BODY_LIMIT_BYTES,
        "typed_per_filter_config": _everywhere(gateway),
        "virtual_hosts": [
            {
                "name": "api",
                "domains": ["*"],
                # In truth for both directions, like that of the filter which collects the body; that one
                # leaves a call without a body to this.
                "request_body_buffer_limit": limits.answer_bytes,
                "routes": [
                    _open(_preflight()),
                    *models,
                    *build_openai_routes(gateway, limits),
                    *map(_open_public, build_documents_routes(gateway.documents)),
                    *map(_open_public, _health(gateway)),
                    _unknown_path(gateway),
                ],
            }
        ],
    }


def _everywhere(gateway: Gateway) -> dict[str, Any]:
    """The filters that every route has, unless it says otherwise."""
    mutations = {
        **({"request_mutations": build_hidden_headers()} if gateway.teams else {}),
        **({"response_mutations": [_end(gateway.ends)]} if gateway.ends else {}),
    }
    headers = {HEADERS_FILTER: {"@type": _MUTATIONS, "mutations": mutations}} if mutations else {}
    limits = {name: switched_on() for name in list_limiting(gateway)}
    return {**headers, **limits, **(_with_teams(gateway) if gateway.teams else {})}


def _with_teams(gateway: Gateway) -> dict[str, Any]:
    return {KEY_FILTER: build_key_check(gateway.teams), TEAM_FILTER: switched_on()}


def _end(ends: datetime) -> dict[str, Any]:
    """Every answer of every route names the end, also an answer of a filter.

    A route's own mutations come first and these of the whole table last.
    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/header_mutation_filter
    """
    return {"append": build_header(ENDS_HEADER, render_instant(ends))}


def _open(route: Route) -> Route:
    """A route that needs no key, and whose calls nothing limits."""
    off = {name: _switched_off() for name in (KEY_FILTER, TEAM_FILTER, *LIMIT_FILTERS)}
    return {**route, "typed_per_filter_config": {**route.get("typed_per_filter_config", {}), **off}}


def _open_public(route: Route) -> Route:
    return _open(route) if route["match"]["path"] in PUBLIC_PATHS else route


def _switched_off() -> dict[str, Any]:
    return {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}


def _restrict(routes: list[Route], entry: str, gateway: Gateway) -> list[Route]:
    """The routes of an entry, which refuse the teams that may not call it."""
    if not is_restricted(gateway.teams, entry):
        return routes
    check = {KEY_FILTER: build_key_check(gateway.teams, entry)}
    return [
        {**one, "typed_per_filter_config": {**one.get("typed_per_filter_config", {}), **check}}
        for one in routes
    ]


def _preflight() -> Route:
    headers = [build_header(name, value) for name, value in PREFLIGHT_HEADERS]
    return {
        "match": {"prefix": "/", "headers": [match_method("OPTIONS")]},
        "direct_response": {"status": 204},
        "response_headers_to_add": [*build_answer_headers(), *headers],
    }


def _model(route: ServedRoute | RefusedRoute, externals: Externals, limits: Limits) -> list[Route]:
    path = {"path": f"/{route.name}"}
    post = {**path, "headers": [match_method("POST")]}
    if isinstance(route, RefusedRoute):
        posts = [build_error_route(post, errors.NOT_SERVED.saying(route.message))]
    else:
        served = build_served(route, externals, limits)
        posts = [*_without_query(route, served), {"match": post, **served}]
    return [{"name": route.name, **one} for one in (*posts, build_405_route(path, ("POST", "OPTIONS")))]


def _without_query(route: ServedRoute, served: dict[str, Any]) -> list[Route]:
    """The same route for calls that have a query, which a model behind the API never sees.

    Envoy appends the query to every rewritten path, so a line of Lua takes it away first; it is the one
    thing here that only Lua can do, and costs nothing to calls without a query.
    """
    if route.rewrite is None:
        return []
    has_query = {"name": ":path", "string_match": {"contains": "?"}}
    match = {"path": f"/{route.name}", "headers": [match_method("POST"), has_query]}
    filters = {**served["typed_per_filter_config"], QUERY_FILTER: switched_on()}
    return [{"match": match, **served, "typed_per_filter_config": filters}]


def _health(gateway: Gateway) -> list[Route]:
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
        return build_document_routes(path, document, methods=_READS)
    named = "; ".join(f"{name} ({reason})" for name, reason in unready.items())
    error = errors.MODEL_NOT_READY.with_message("listing", models=named)
    document = {**errors.build_error(error, REQUEST_ID), **document}
    return build_document_routes(
        path, document, methods=_READS, status=error.status, headers=[_retry_after()]
    )


def _retry_after() -> dict[str, Any]:
    return build_header("retry-after", str(errors.RETRY_AFTER_SECONDS))


def _unknown_path(gateway: Gateway) -> Route:
    posts = (f"POST /{name}" for name in sorted(route.name for route in gateway.routes))
    own = list_document_paths(gateway.documents)
    paths = [*posts, *list_openai_paths(gateway), *own, f"GET {HEALTH_PATH}"]
    error = errors.UNKNOWN_PATH.with_message("listing", paths=", ".join(paths))
    return build_error_route({"prefix": "/"}, error)
