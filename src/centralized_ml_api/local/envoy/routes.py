"""The route table (RDS): exact paths only, the first match wins; a tree says where to look (`route_tree`).

Paths are compared as they arrive, byte for byte: no `..`, `//`, `%2F` or case is ever folded, so only the
exact path of a model reaches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import (
    HEALTH_PATH,
    JOBS_PATH,
    JOIN_PATH,
    PREFLIGHT_HEADERS,
    PUBLIC_PATHS,
    USAGE_PATH,
)
from centralized_ml_api.local.envoy.admission import (
    build_limits_metadata,
    build_terms,
    list_free_teams,
    with_admission,
    with_usage_answer,
)
from centralized_ml_api.local.envoy.anthropic_errors import with_anthropic_errors
from centralized_ml_api.local.envoy.api_keys import (
    KEY_FILTER,
    TEAM_FILTER,
    build_credential_removal,
    build_key_check,
    is_restricted,
    list_audiences,
    match_first_keys,
)
from centralized_ml_api.local.envoy.auth_scheme import build_scheme_routes
from centralized_ml_api.local.envoy.closed import (
    build_pause,
    build_refusals_before_start,
    build_team_pauses,
)
from centralized_ml_api.local.envoy.default_filters import build_default_filters
from centralized_ml_api.local.envoy.direct_responses import (
    answer_callers,
    build_405_route,
    build_document_routes,
    build_error_route,
    match_method,
)
from centralized_ml_api.local.envoy.entry_paths import (
    build_entry_index,
    build_entry_routes,
    build_large_entry_routes,
)
from centralized_ml_api.local.envoy.first_routes import match_also, split_calls
from centralized_ml_api.local.envoy.headers import (
    PATH_HEADER,
    build_header,
    build_response_headers,
)
from centralized_ml_api.local.envoy.health import build_health_routes
from centralized_ml_api.local.envoy.jobs import (
    ASKS_LATER,
    build_job_routes,
    build_large_job_routes,
    build_lookup_routes,
    build_own_job_routes,
    is_counted,
)
from centralized_ml_api.local.envoy.joining import build_joining
from centralized_ml_api.local.envoy.openai import (
    build_large_openai_routes,
    build_openai_routes,
    list_openai_paths,
)
from centralized_ml_api.local.envoy.rate_limits import (
    NOT_COUNTED,
    list_active_filters,
)
from centralized_ml_api.local.envoy.refused_bodies import (
    MAYBE_LARGE,
    NO_LENGTH,
    build_large_refusal_for_model,
    build_large_refusals,
    build_too_large_refusals,
    match_too_large,
    refuse_large_too,
    take_large,
)
from centralized_ml_api.local.envoy.route_action import (
    FILTER_DISABLED,
    FILTER_ENABLED,
    HEADERS_FILTER,
    LUA_DISABLED,
    QUERY_FILTER,
    build_route_action,
    with_filter_config,
)
from centralized_ml_api.local.envoy.route_tree import (
    group_by_path,
    look_up,
    look_up_path,
    narrow,
    try_all,
    try_first,
)
from centralized_ml_api.local.gateway import RefusedRoute, ServedRoute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.entry_paths import EntryIndex
    from centralized_ml_api.local.envoy.route_action import ExternalUpstreams
    from centralized_ml_api.local.envoy.route_tree import Branch
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway

ROUTE_CONFIG_NAME = "routes"
ROUTE_CONFIG = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"

DIRECT_RESPONSE_BYTES = 16 * 1024 * 1024
"""Far above any message: Envoy's default of 4096 bytes is less than the 404 of a long list of models."""


def build_routes(gateway: Gateway, limits: Limits) -> dict[str, Any]:
    """Builds the table: preflights, models by name, `/v1`, documents, health, the 404. Pure."""
    models, below, larger = build_calls(gateway, limits)
    documents = [*_build_documents(gateway), *build_health_routes(gateway)]
    public = [
        *build_joining(gateway, limits),
        *(route for route in documents if route["match"]["path"] in PUBLIC_PATHS),
    ]
    first = [*build_scheme_routes(gateway), *build_team_pauses(gateway, limits)]
    rest = [
        *build_refusals_before_start(gateway),
        *build_job_routes(gateway, limits),
        *models,
        *build_openai_routes(gateway, limits),
        *(route for route in documents if route not in public),
        *_build_usage_routes(gateway),
        *build_lookup_routes(gateway),
        *below,
        build_unknown_path_route(gateway),
    ]
    large = _build_large_branch([*build_large_job_routes(gateway, limits), *larger], gateway, limits)
    tree = look_up_path(_guard(rest, gateway))
    if jobs := _guard(build_own_job_routes(gateway, limits), gateway):
        tree = narrow(ASKS_LATER, try_first(jobs, None), tree)
    tree = try_first(_guard(first, gateway), narrow(MAYBE_LARGE, large, tree))
    opened = [_open(route) for document in public for route in _read_large(document, limits)]
    tree = look_up(PATH_HEADER, group_by_path(opened), tree)
    return {
        "@type": ROUTE_CONFIG,
        "name": ROUTE_CONFIG_NAME,
        "max_direct_response_body_size_bytes": DIRECT_RESPONSE_BYTES,
        "request_headers_to_remove": [PATH_HEADER],
        "typed_per_filter_config": build_default_filters(gateway),
        "virtual_hosts": [
            {
                "name": "api",
                "domains": ["*"],
                # Really for both directions, like the limit of the filter that collects the body; that filter
                # leaves a call without a body to this limit.
                "request_body_buffer_limit": limits.response_bytes,
                **build_limits_metadata(gateway),
                **look_up(":method", {"OPTIONS": [_open(_build_preflight_route())]}, tree),
            }
        ],
    }


def _guard(routes: Iterable[Route], gateway: Gateway) -> list[Route]:
    """Returns the routes as they are behind the key check."""
    limits = list_active_filters(gateway)
    return [
        _count_calls(_hide_credentials(route, gateway), gateway, limits)
        for guarded in routes
        for route in with_anthropic_errors(guarded)
    ]


def _hide_credentials(route: Route, gateway: Gateway) -> Route:
    """Returns the route, whose server sees no key and no team, whatever headers it lets pass.

    The usual lists let neither pass.
    """
    headers = route.get("typed_per_filter_config", {}).get(HEADERS_FILTER, {})
    if not gateway.needs_key or "mutations" not in headers:
        return route
    own = headers["mutations"]
    hidden = {**own, "request_mutations": [*own.get("request_mutations", ()), *build_credential_removal()]}
    return with_filter_config(route, {HEADERS_FILTER: {**headers, "mutations": hidden}})


def _build_large_branch(larger: list[Route], gateway: Gateway, limits: Limits) -> Branch:
    """Builds what bodies get that are large, or may be; nothing here takes those that are in order."""
    too_large = _guard(build_too_large_refusals(limits), gateway)
    by_path = group_by_path(_guard(larger if gateway.starts is None else (), gateway))
    refusals = {path: [*routes, *too_large] for path, routes in by_path.items()}
    taken = look_up(PATH_HEADER, refusals, try_all(too_large))
    return try_first(
        _guard(build_large_refusals(gateway, limits), gateway), narrow(match_too_large(limits), taken, None)
    )


def build_calls(gateway: Gateway, limits: Limits) -> tuple[list[Route], list[Route], list[Route]]:
    """Builds the routes of `/{name}`, those below it, and those for larger bodies than usual. Pure."""
    index = build_entry_index(gateway)
    models: list[Route] = []
    below: list[Route] = []
    for route in sorted(gateway.routes, key=lambda route: route.name):
        models += _restrict(build_pause(route.name, gateway), route.name, gateway)
        models += _restrict(_build_model_routes(route, gateway, index.externals, limits), route.name, gateway)
        below += _restrict(build_entry_routes(route.name, gateway, index, limits), route.name, gateway)
    large = [
        route
        for served in gateway.routes
        if served.name not in gateway.paused
        for route in _take_large(served, gateway, index, limits)
    ]
    return models, below, [*large, *build_large_openai_routes(gateway, limits)]


def _open(route: Route) -> Route:
    """Returns the route without key check."""
    return with_filter_config(route, dict.fromkeys((KEY_FILTER, TEAM_FILTER), FILTER_DISABLED))


def _count_calls(route: Route, gateway: Gateway, limits: Iterable[str]) -> Route:
    """Returns the route, which counts towards rates and quotas, by these filters, if it leads to a model."""
    counted = FILTER_ENABLED if is_counted(route, gateway) else NOT_COUNTED
    return with_filter_config(route, dict.fromkeys(limits, counted))


def _build_documents(gateway: Gateway) -> list[Route]:
    """Builds the documents, those for teams with a list of models first."""
    callers = dict(list_audiences(gateway.teams))
    routes = []
    for document in sorted(gateway.documents, key=lambda document: document.models is None):
        if document.path == JOIN_PATH:
            continue  # with what its other methods do: see `joining`
        own = build_document_routes([document])
        routes += own if document.models is None else answer_callers(own, callers.get(document.models, []))
    return routes


def _read_large(route: Route, limits: Limits) -> list[Route]:
    """Returns the route; if it refuses all that comes to it, behind others that read a large body first."""
    return [route] if "headers" in route["match"] else refuse_large_too(route, limits)


def _restrict(routes: list[Route], model: str, gateway: Gateway) -> list[Route]:
    """Returns the routes of a model, which refuse the teams that may not call it."""
    if not is_restricted(gateway.teams, model):
        return routes
    check = {KEY_FILTER: build_key_check(gateway.teams, model)}
    return [with_filter_config(route, check) for route in routes]


def _build_preflight_route() -> Route:
    headers = [build_header(name, value) for name, value in PREFLIGHT_HEADERS]
    return {
        "match": {"prefix": "/", "headers": [match_method("OPTIONS")]},
        "direct_response": {"status": 204},
        "response_headers_to_add": [*build_response_headers(), *headers],
    }


def _build_model_routes(
    route: ServedRoute | RefusedRoute, gateway: Gateway, externals: ExternalUpstreams, limits: Limits
) -> list[Route]:
    """Builds the routes of `/{name}`."""
    path = {"path": f"/{route.name}"}
    post = {**path, "headers": [match_method("POST")]}
    if isinstance(route, RefusedRoute):
        posts = [build_error_route(post, errors.NOT_SERVED.saying(route.message))]
    else:
        served = {"match": post, **build_route_action(route, externals, limits)}
        posts = _build_posts(served, route)
        if route.admission is not None and not route.attempts:
            wait_seconds = limits.turn_seconds if route.streams else limits.response_seconds
            terms = build_terms(route.name, route.admission, gateway, wait_seconds)
            callers = match_first_keys(list_free_teams(route.admission, gateway))
            free = [match_also(each, headers, {}) for headers in callers for each in posts]
            posts = [*free, *_build_posts(with_admission(served, terms), route)]
        if route.admission is not None and route.admission.body_limit_bytes is not None:
            limit = route.admission.body_limit_bytes
            error = errors.body_too_large_for_model(limit)
            posts.insert(0, build_large_refusal_for_model(post, limit, error, limits))
    return [{"name": route.name, **action} for action in (*posts, build_405_route(path, ("POST", "OPTIONS")))]


def _build_posts(served: Route, route: ServedRoute) -> list[Route]:
    """Builds what differs by whether a body has a length and a path a query, which a function sees."""
    if route.rewrite is None:
        return split_calls(with_filter_config(served, {QUERY_FILTER: LUA_DISABLED}), drops_query=False)
    return split_calls(served)


def _take_large(
    route: ServedRoute | RefusedRoute, gateway: Gateway, index: EntryIndex, limits: Limits
) -> list[Route]:
    """Builds the routes of `/{name}`, and below, for bodies that no other entry may have; often none."""
    below = build_large_entry_routes(route.name, gateway, index, limits)
    limit = route.body_limit_bytes if isinstance(route, ServedRoute) else None
    if limit is None:
        return _restrict(below, route.name, gateway)
    match = {"path": f"/{route.name}", "headers": [match_method("POST")]}
    refused = build_large_refusal_for_model(match, limit, errors.body_too_large_for_entry(limit), limits)
    posts = [
        take_large(post, limit, limits)
        for post in _build_model_routes(route, gateway, index.externals, limits)
        if "route" in post and NO_LENGTH not in post["match"]["headers"]
    ]
    return _restrict([{"name": route.name, **refused}, *posts, *below], route.name, gateway)


def _build_usage_routes(gateway: Gateway) -> list[Route]:
    """Builds `GET /v1/usage`, where each team sees its own; without teams, nobody has any."""
    if not gateway.needs_key:
        return []
    path = {"path": USAGE_PATH}
    away = build_error_route({**path, "headers": [match_method("GET")]}, errors.MODEL_NOT_READY)
    return [with_usage_answer(away, gateway), build_405_route(path, ("GET", "OPTIONS"))]


def build_unknown_path_route(gateway: Gateway) -> Route:
    """Builds the 404 that lists the paths that exist. Pure."""
    models = (f"POST /{name}" for name in sorted(route.name for route in gateway.routes))
    documents = (f"GET {document.path}" for document in gateway.documents if document.models is None)
    usage = [f"GET {USAGE_PATH}"] if gateway.needs_key else []
    jobs = [f"GET {JOBS_PATH}"] if gateway.jobs else []
    join = [f"POST {JOIN_PATH}"] if gateway.door else []
    paths = [*models, *list_openai_paths(gateway), *documents, f"GET {HEALTH_PATH}", *usage, *jobs, *join]
    error = errors.UNKNOWN_PATH.with_message("listing", paths=", ".join(paths))
    return build_error_route({"prefix": "/"}, error)
