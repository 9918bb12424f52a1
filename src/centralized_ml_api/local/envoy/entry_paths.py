"""The paths under `/v1` of one entry, below its own: `/{name}/v1/...` is an address that SDKs take as a base.

The path names the entry, so a body needs no `model`, and its server gets the entry's name whatever it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.documents import METHODS
from centralized_ml_api.api.openai import (
    MODELS_PATH,
    ListedModel,
    build_model,
    build_model_list,
    model_elsewhere,
    spell_in_path,
    unknown_model,
)
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms
from centralized_ml_api.local.envoy.admission import reading_body
from centralized_ml_api.local.envoy.body_metadata import MODEL_NAMED
from centralized_ml_api.local.envoy.direct_responses import (
    Route,
    build_405_route,
    build_error_route,
    build_json_routes,
    match_method,
)
from centralized_ml_api.local.envoy.first_routes import split_calls
from centralized_ml_api.local.envoy.openai import build_call_routes, enabling
from centralized_ml_api.local.envoy.refused_bodies import NO_LENGTH, take_large
from centralized_ml_api.local.envoy.route_action import ExternalUpstreams, find_external_upstreams
from centralized_ml_api.local.gateway import ServedRoute
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway


@record
class EntryIndex:
    """What the paths of every entry look up, so that no entry has to look through all others.

    Attributes:
        routes: By entry and by path under `/v1`, its routes.
        listed: By entry, what the list of models tells of it.
        externals: The servers elsewhere.
    """

    routes: Mapping[str, Mapping[str, ServedRoute]]
    listed: Mapping[str, ListedModel]
    externals: ExternalUpstreams


def build_entry_index(gateway: Gateway) -> EntryIndex:
    """Builds the index of everything that is served. Pure."""
    routes: dict[str, dict[str, ServedRoute]] = {}
    for path, served in gateway.by_model.items():
        for route in served:
            routes.setdefault(route.name, {})[path] = route
    listed = {model.name: model for model in gateway.listed}
    return EntryIndex(routes, listed, find_external_upstreams(gateway))


def list_entry_paths(gateway: Gateway) -> list[str]:
    """Returns the paths that take calls. Pure."""
    return [f"/{route.name}{path}" for path, served in gateway.by_model.items() for route in served]


def build_entry_routes(name: str, gateway: Gateway, index: EntryIndex, limits: Limits) -> list[Route]:
    """Builds everything below `/{name}/v1`; nothing for an entry that is not under `/v1`. Pure.

    Args:
        name: The entry.
        gateway: What is served.
        index: The same, to look up in.
        limits: How long its server may take, and how large bodies may be.
    """
    own = index.routes.get(name)
    if not own:
        return []
    calls = [
        route
        for path, served in own.items()
        for route in (
            *_build_path(path, replace(served, body_limit_bytes=None), gateway, index, limits),
            build_405_route({"path": f"/{name}{path}"}, ("POST", "OPTIONS")),
        )
    ]
    elsewhere = model_elsewhere([f"/{name}{path}" for path in own], [name])
    others = {"prefix": f"/{name}/v1/", "headers": [match_method("POST")]}
    return [*calls, *_build_list(name, index), {"name": name, **build_error_route(others, elsewhere)}]


def build_large_entry_routes(name: str, gateway: Gateway, index: EntryIndex, limits: Limits) -> list[Route]:
    """Builds the routes below `/{name}/v1` for bodies that no other entry may have; often none. Pure.

    Args:
        name: The entry.
        gateway: What is served.
        index: The same, to look up in.
        limits: How long its server may take, and how large bodies may be.
    """
    return [
        take_large(route, served.body_limit_bytes, limits)
        for path, served in index.routes.get(name, {}).items()
        if served.body_limit_bytes is not None
        for route in _build_path(path, served, gateway, index, limits)
        if NO_LENGTH not in route["match"]["headers"]
    ]


def _build_path(
    path: str, route: ServedRoute, gateway: Gateway, index: EntryIndex, limits: Limits
) -> list[Route]:
    """Builds the calls of one path: of bodies that name any model, and of others, which are read first."""
    post: dict[str, Any] = {"path": f"/{route.name}{path}", "headers": [match_method("POST")]}
    terms = route.admission or EntryTerms(path=path)
    if terms.model is None:
        terms = replace(terms, model=route.name, takes_any_model=True)
    named = replace(route, admission=terms)
    chooses = RouteTerms(
        {route.name: EntryTerms(path=path)}, limits.turn_seconds, chooses=True, named_by_path=True
    )
    externals = index.externals
    calls = build_call_routes(
        post, path, named, MODEL_NAMED, gateway=gateway, externals=externals, limits=limits
    )
    # Every call begins here, and goes on by what its body says.
    unread = {"name": route.name, **build_error_route(post, unknown_model([route.name]))}
    return [*calls, *split_calls(enabling(calls, reading_body(unread, chooses)))]


def _build_list(name: str, index: EntryIndex) -> list[Route]:
    """Builds the list of models, which has the entry alone, and the page of the entry."""
    model = index.listed.get(name) or ListedModel(name)
    base = f"/{name}{MODELS_PATH}"
    routes = build_json_routes({"path": base}, build_model_list([model]), methods=METHODS)
    for spelled in spell_in_path(name):
        routes += build_json_routes({"path": f"{base}/{spelled}"}, build_model(model), methods=METHODS)
    return [*routes, build_error_route({"prefix": f"{base}/"}, unknown_model([name]))]
