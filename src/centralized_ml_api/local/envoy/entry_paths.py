"""The paths under `/v1` of one entry, below its own: `/{name}/v1/...` is an address that SDKs take as a base.

The path names the entry, so a body needs no `model`, and its server gets the entry's name whatever it says.
"""

from __future__ import annotations

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
from centralized_ml_api.local.envoy.openai import build_call_routes, enable_filters
from centralized_ml_api.local.envoy.refused_bodies import NO_LENGTH, take_large

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway, ServedRoute


def list_entry_paths(gateway: Gateway) -> list[str]:
    """Returns the paths that take calls. Pure."""
    return [f"/{route.name}{path}" for path, served in gateway.by_model.items() for route in served]


def build_entry_routes(name: str, gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds everything below `/{name}/v1`; nothing for an entry that is not under `/v1`. Pure."""
    own = _find_own(name, gateway)
    if not own:
        return []
    calls = [
        route
        for path, served in own.items()
        for route in (
            *_build_path(path, replace(served, body_limit_bytes=None), gateway, limits),
            build_405_route({"path": f"/{name}{path}"}, ("POST", "OPTIONS")),
        )
    ]
    elsewhere = model_elsewhere([f"/{name}{path}" for path in own], [name])
    others = {"prefix": f"/{name}/v1/", "headers": [match_method("POST")]}
    return [*calls, *_build_list(name, gateway), {"name": name, **build_error_route(others, elsewhere)}]


def build_large_entry_routes(name: str, gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the routes below `/{name}/v1` for bodies that no other entry may have; often none. Pure."""
    return [
        take_large(route, served.body_limit_bytes, limits)
        for path, served in _find_own(name, gateway).items()
        if served.body_limit_bytes is not None
        for route in _build_path(path, served, gateway, limits)
        if NO_LENGTH not in route["match"]["headers"]
    ]


def _find_own(name: str, gateway: Gateway) -> dict[str, ServedRoute]:
    """Returns the entry's routes by their paths under `/v1`."""
    return {
        path: route for path, served in gateway.by_model.items() for route in served if route.name == name
    }


def _build_path(path: str, route: ServedRoute, gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the calls of one path: of bodies that name any model, and of others, which are read first."""
    post: dict[str, Any] = {"path": f"/{route.name}{path}", "headers": [match_method("POST")]}
    terms = route.admission or EntryTerms(path=path)
    named = replace(route, admission=replace(terms, model=terms.model or route.name))
    chooses = RouteTerms(
        {route.name: EntryTerms(path=path)}, limits.turn_seconds, chooses=True, named_by_path=True
    )
    calls = build_call_routes(post, path, named, MODEL_NAMED, gateway=gateway, limits=limits)
    # Every call begins here, and goes on by what its body says.
    unread = {"name": route.name, **build_error_route(post, unknown_model([route.name])), **enable_filters()}
    return [*calls, *split_calls(reading_body(unread, chooses))]


def _build_list(name: str, gateway: Gateway) -> list[Route]:
    """Builds the list of models, which has the entry alone, and the page of the entry."""
    listed = {model.name: model for model in gateway.listed}
    model = listed.get(name) or ListedModel(name)
    base = f"/{name}{MODELS_PATH}"
    routes = build_json_routes({"path": base}, build_model_list([model]), methods=METHODS)
    for spelled in spell_in_path(name):
        routes += build_json_routes({"path": f"{base}/{spelled}"}, build_model(model), methods=METHODS)
    return [*routes, build_error_route({"prefix": f"{base}/"}, unknown_model([name]))]
