"""The OpenAI-compatible paths, on which the body of a call decides to which server it goes.

The filter that reads `model` and `stream` from the body lets the route be chosen again, with both as
matchers. Until then a call is on the last route of its path, which enables every filter that the call may
need.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import METHODS
from centralized_ml_api.api.openai import (
    MODELS_PATH,
    ListedModel,
    build_model,
    build_model_list,
    missing_model,
    model_elsewhere,
    spell_in_path,
    unknown_model,
)
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms
from centralized_ml_api.local.envoy.admission import (
    ADMISSION_FILTER,
    asks,
    build_terms,
    list_free_teams,
    reading_body,
    with_admission,
    without_admission,
)
from centralized_ml_api.local.envoy.api_keys import (
    is_restricted,
    list_audiences,
    match_teams,
    match_unauthorized_teams,
)
from centralized_ml_api.local.envoy.body_metadata import MODEL_NAMED, match_body
from centralized_ml_api.local.envoy.direct_responses import (
    Route,
    answer_callers,
    build_405_route,
    build_error_route,
    build_json_routes,
    build_paused_route,
    match_method,
)
from centralized_ml_api.local.envoy.first_routes import split_calls
from centralized_ml_api.local.envoy.refused_bodies import NO_LENGTH, match_length, take_large
from centralized_ml_api.local.envoy.route_action import (
    FILTER_ENABLED,
    HEADERS_FILTER,
    METADATA_FILTER,
    RESPONSE_FILTER,
    build_route_action,
    find_external_upstreams,
    with_filter_config,
)
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.envoy.translator import IS_NO_ATTEMPT
from centralized_ml_api.local.envoy.usual_headers import USUAL_HEADERS_FILTER
from centralized_ml_api.plan.apis import FORM_PATHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from centralized_ml_api.local.envoy.route_action import ExternalUpstreams
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess


def build_openai_routes(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds everything below `/v1`; nothing if no model is for it. Pure."""
    calls = [
        route
        for path, served in gateway.by_model.items()
        for route in _build_path_routes(
            path, [replace(route, body_limit_bytes=None) for route in served], gateway, limits
        )
    ]
    return [*calls, *_build_list_routes(gateway)]


def build_large_openai_routes(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the routes of paths below `/v1` for bodies that only some entries may have; often none. Pure."""
    return [
        take_large(route, max(filter(None, own)), limits)
        for path, served in gateway.by_model.items()
        if any(own := [route.body_limit_bytes for route in served])
        for route in _build_path_routes(path, [_limit_body(each, limits) for each in served], gateway, limits)
        if NO_LENGTH not in route["match"].get("headers", [NO_LENGTH])
    ]


def _limit_body(route: ServedRoute, limits: Limits) -> ServedRoute:
    """Returns the route with a limit, where it has none of its own."""
    return replace(route, body_limit_bytes=route.body_limit_bytes or limits.body_bytes)


def list_openai_paths(gateway: Gateway) -> list[str]:
    """Returns the methods and paths that exist, for people. Pure."""
    paths = [f"POST {path}" for path in gateway.by_model]
    return [*paths, f"GET {MODELS_PATH}"] if paths else []


def _build_path_routes(
    path: str, routes: Sequence[ServedRoute], gateway: Gateway, limits: Limits
) -> list[Route]:
    """Builds one path whose calls go to one of these.

    Which model is called is known only after the key check, so the team's name decides who may call it.
    """
    names = [route.name for route in routes]
    post = {"path": path, "headers": [match_method("POST")]}
    externals = find_external_upstreams(gateway)
    built = []
    for name in names:
        if is_restricted(gateway.teams, name):
            headers = [*post["headers"], match_unauthorized_teams(gateway.teams, name)]
            match = _match_call({**post, "headers": headers}, name, gateway)
            built.append(without_admission({"name": name, **build_error_route(match, errors.NOT_ALLOWED)}))
        if name in gateway.paused:
            refused = build_paused_route(_match_call(post, name, gateway), gateway.paused[name])
            built.append(without_admission({"name": name, **refused}))
    for route in routes:
        is_model = _match_model(route.name, gateway)
        built += build_call_routes(
            post, path, route, is_model, gateway=gateway, externals=externals, limits=limits
        )
    for name, error in _list_elsewhere(names, gateway):
        built.append(without_admission(build_error_route(_match_call(post, name, gateway), error)))
    unknown = {**post, "dynamic_metadata": [MODEL_NAMED]}
    return [
        *built,
        without_admission(build_error_route(unknown, unknown_model(names))),
        *split_calls(enabling(built, _build_unread_body_route(post, names, gateway, limits))),
        build_405_route({"path": path}, ("POST", "OPTIONS")),
    ]


def _build_unread_body_route(
    post: dict[str, Any], names: Sequence[str], gateway: Gateway, limits: Limits
) -> Route:
    """Builds the route of bodies in which Envoy found no model; calls of the path begin on it.

    Envoy reads less than all of JSON: no integer of 2^63, no more than a hundred levels. Forms it does not
    read. The admission service reads the rest, or says what is wrong with it.
    """
    aliases = {alias: name for alias, name in gateway.aliases.items() if name in names}
    in_form = post["path"] in FORM_PATHS
    entry = EntryTerms(path=post["path"]) if in_form else EntryTerms()
    terms = RouteTerms(dict.fromkeys(names, entry), limits.turn_seconds, chooses=True, aliases=aliases)
    refused = build_error_route(post, missing_model(names, in_form=in_form))
    return reading_body(refused, terms)


def _list_elsewhere(names: Sequence[str], gateway: Gateway) -> Iterator[tuple[str, errors.ApiError]]:
    """Yields each entry that is not at a path, with the 404 that says at which it is."""
    known = {*names}
    paths: dict[str, list[str]] = {route.name: [] for route in gateway.routes if route.name not in known}
    for path, served in gateway.by_model.items():
        for route in served:
            if route.name in paths:
                paths[route.name].append(path)
    for name, own in sorted(paths.items()):
        yield name, model_elsewhere([*own, f"/{name}"], names)


def _match_call(match: dict[str, Any], name: str, gateway: Gateway) -> dict[str, Any]:
    return {**match, "dynamic_metadata": [_match_model(name, gateway)]}


def _match_model(name: str, gateway: Gateway) -> dict[str, Any]:
    """Matches bodies that name the entry, by its own name or by another one."""
    exact = [{"string_match": {"exact": known}} for known in gateway.names_of(name)]
    return match_body("model", {"or_match": {"value_matchers": exact}} if len(exact) > 1 else exact[0])


def enabling(chosen: Sequence[Route], route: Route) -> Route:
    """Returns the route, from which the body chooses one of these, with what any of them may need. Pure."""
    own = [
        name for name in (HEADERS_FILTER, USUAL_HEADERS_FILTER) if any(_has(name, each) for each in chosen)
    ]
    own += [ADMISSION_FILTER] if any(map(asks, chosen)) else []
    return with_filter_config(route, dict.fromkeys((METADATA_FILTER, *own, RESPONSE_FILTER), FILTER_ENABLED))


def _has(name: str, route: Route) -> bool:
    return name in route.get("typed_per_filter_config", {})


def build_call_routes(
    post: dict[str, Any],
    path: str,
    route: ServedRoute,
    is_model: dict[str, Any],
    *,
    gateway: Gateway,
    externals: ExternalUpstreams,
    limits: Limits,
) -> list[Route]:
    """Builds a route for calls that stream, and one for those that do not. Pure.

    A complete response may take as long as the next chunk of a stream, and silence is not cut off earlier.

    Args:
        post: What all of them match.
        path: The path under `/v1` whose bodies these are.
        route: Where they go.
        is_model: The metadata of bodies that name the entry.
        gateway: What is served.
        externals: The servers elsewhere of these.
        limits: How long the server may take, and how large bodies may be.
    """
    build_pair = functools.partial(_build_pair, externals=externals, limits=limits)
    built = build_pair(post, path, replace(route, attempts=()), is_model)
    in_turn: list[Route] = []
    if route.attempts:
        from_callers = {**post, "headers": [*post["headers"], IS_NO_ATTEMPT]}
        in_turn = build_pair(from_callers, path, route, is_model)
    admission, limit_bytes = route.admission, route.body_limit_bytes
    too_large = errors.body_too_large_for_entry
    first = [without_admission(each) for each in in_turn]
    asked = [without_admission(each) for each in built]
    if admission is not None:
        terms = build_terms(route.name, admission, gateway, limits.turn_seconds)
        asked = [
            *_match_free_callers(asked, list_free_teams(admission, gateway)),
            *(with_admission(each, terms) for each in asked),
        ]
        if admission.body_limit_bytes is not None:
            limit_bytes, too_large = admission.body_limit_bytes, errors.body_too_large_for_model
    if limit_bytes is None:
        return [*first, *asked]
    # The body has been read by now: only then is the model known.
    headers = [*post["headers"], match_length(limit_bytes + 1, limits)]
    match = {**post, "headers": headers, "dynamic_metadata": [is_model]}
    refused = build_error_route(match, too_large(limit_bytes))
    return [*first, without_admission({"name": route.name, **refused}), *asked]


def _match_free_callers(routes: Sequence[Route], free: Sequence[TeamAccess]) -> list[Route]:
    """Returns the routes for calls of teams about which nothing need be asked; their names are known now."""
    if not free:
        return []
    return [
        {**route, "match": {**route["match"], "headers": [*route["match"]["headers"], match_teams(free)]}}
        for route in routes
    ]


def _build_pair(
    post: dict[str, Any],
    path: str,
    route: ServedRoute,
    is_model: dict[str, Any],
    *,
    externals: ExternalUpstreams,
    limits: Limits,
) -> list[Route]:
    """Builds a route for streams, and one for other calls."""
    is_stream = match_body("stream", {"bool_match": True})
    # The Content-Type is JSON, as which the body was parsed: `curl -d` sends another by default.
    route = replace(route, reads_json=path not in FORM_PATHS)
    complete = build_route_action(route, externals, limits)
    complete["route"]["timeout"] = render_seconds(limits.stream_idle_seconds)
    streamed = build_route_action(replace(route, streams=True), externals, limits)
    return [
        {"name": route.name, "match": {**post, "dynamic_metadata": [is_model, is_stream]}, **streamed},
        {"name": route.name, "match": {**post, "dynamic_metadata": [is_model]}, **complete},
    ]


def _build_list_routes(gateway: Gateway) -> list[Route]:
    """Builds the list of models and the page of each: a team sees what it may call."""
    names = dict.fromkeys(route.name for served in gateway.by_model.values() for route in served)
    if not names:
        return []
    listed = {model.name: model for model in gateway.listed}
    models = [listed.get(name) or ListedModel(name) for name in names]
    models += [model for model in gateway.listed if model.root in names]
    restricted = [
        route
        for allowed, callers in list_audiences(gateway.teams)
        if allowed is not None
        for route in answer_callers(
            _build_list([model for model in models if model.entry in allowed]), callers
        )
    ]
    return [*restricted, *_build_list(models)]


def _build_list(models: Sequence[ListedModel]) -> list[Route]:
    routes = build_json_routes({"path": MODELS_PATH}, build_model_list(models), methods=METHODS)
    for model in models:
        for name in spell_in_path(model.name):
            path = {"path": f"{MODELS_PATH}/{name}"}
            routes += build_json_routes(path, build_model(model), methods=METHODS)
    unknown = unknown_model(model.name for model in models)
    return [*routes, build_error_route({"prefix": f"{MODELS_PATH}/"}, unknown)]
