"""The OpenAI-compatible paths: which server a call goes to is in its body.

The filter that reads `model` and `stream` out of the body lets the route be chosen again, with both as
matchers; until then a call is on the last route of its path, which switches on all the filters that it may
need.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openai import (
    CHAT_PATH,
    EMBEDDINGS_PATH,
    MODELS_PATH,
    build_model,
    build_model_list,
    missing_model,
    unknown_model,
)
from centralized_ml_api.local.envoy.api_keys import is_restricted, match_outsiders
from centralized_ml_api.local.envoy.direct_responses import (
    Route,
    build_405_route,
    build_document_routes,
    build_error_route,
    match_method,
)
from centralized_ml_api.local.envoy.headers import AS_JSON
from centralized_ml_api.local.envoy.served import (
    ANSWER_FILTER,
    BODY_FILTER,
    HEADERS_FILTER,
    LIMIT_FILTER,
    MODEL_FILTER,
    QUERY_FILTER,
    build_served,
    find_externals,
    switched_on,
)
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.envoy.stats import NAMES_A_MODEL, match_said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.local.envoy.served import Externals
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway, ServedRoute


def build_openai_routes(gateway: Gateway, limits: Limits) -> list[Route]:
    """Everything below `/v1`; nothing of it where no entry is for it."""
    return [
        *_task(CHAT_PATH, gateway.chat, gateway, limits),
        *_task(EMBEDDINGS_PATH, gateway.embeddings, gateway, limits),
        *_models([one.name for one in (*gateway.chat, *gateway.embeddings)]),
    ]


def list_openai_paths(gateway: Gateway) -> list[str]:
    """Methods and paths of what there is, for people."""
    posts = ((CHAT_PATH, gateway.chat), (EMBEDDINGS_PATH, gateway.embeddings))
    paths = [f"POST {path}" for path, routes in posts if routes]
    return [*paths, f"GET {MODELS_PATH}"] if paths else []


def _task(path: str, routes: Sequence[ServedRoute], gateway: Gateway, limits: Limits) -> list[Route]:
    """One path whose calls go to one of these; an empty list without any."""
    if not routes:
        return []
    names = [one.name for one in routes]
    post = {"path": path, "headers": [match_method("POST")]}
    unknown = {**post, "dynamic_metadata": [NAMES_A_MODEL]}
    externals = find_externals(gateway)
    return [
        *(_refuse_outsiders(post, name, gateway) for name in names if is_restricted(gateway.teams, name)),
        *(one for route in routes for one in _model(post, route, externals, limits)),
        {**build_error_route(unknown, unknown_model(names)), **_filters()},
        {**build_error_route(post, missing_model(names)), **_filters()},
        build_405_route({"path": path}, ("POST", "OPTIONS")),
    ]


def _refuse_outsiders(post: dict[str, Any], name: str, gateway: Gateway) -> Route:
    """Which model is called is known only after the key was looked at, so the team's name decides here."""
    headers = [*post["headers"], match_outsiders(gateway.teams, name)]
    match = {**post, "headers": headers, "dynamic_metadata": [_match_model(name)]}
    return {"name": name, **build_error_route(match, errors.NOT_ALLOWED), **_filters()}


def _match_model(name: str) -> dict[str, Any]:
    return match_said("model", {"string_match": {"exact": name}})


def _filters() -> dict[str, Any]:
    names = (LIMIT_FILTER, BODY_FILTER, MODEL_FILTER, QUERY_FILTER, HEADERS_FILTER, ANSWER_FILTER)
    return {"typed_per_filter_config": {name: switched_on() for name in names}}


def _model(post: dict[str, Any], route: ServedRoute, externals: Externals, limits: Limits) -> list[Route]:
    named = _match_model(route.name)
    streaming = match_said("stream", {"bool_match": True})
    whole = _as_json(build_served(route, externals, limits))
    whole["route"].update(_patience(limits))
    streamed = _as_json(build_served(replace(route, streams=True), externals, limits))
    return [
        {"name": route.name, "match": {**post, "dynamic_metadata": [named, streaming]}, **streamed},
        {"name": route.name, "match": {**post, "dynamic_metadata": [named]}, **whole},
    ]


def _as_json(served: dict[str, Any]) -> dict[str, Any]:
    """The body has been read as JSON: what `curl -d` calls it must not make the server read it otherwise."""
    mutations = served["typed_per_filter_config"][HEADERS_FILTER]["mutations"]["request_mutations"]
    mutations.append(AS_JSON)
    return served


def _patience(limits: Limits) -> dict[str, str]:
    """The same for an answer in one piece as between two pieces of a stream; silence is not cut before."""
    seconds = limits.stream_idle_seconds
    return {
        "timeout": render_seconds(seconds),
        "idle_timeout": render_seconds(seconds + limits.request_seconds),
    }


def _models(names: Sequence[str]) -> list[Route]:
    if not names:
        return []
    each = [build_document_routes({"path": f"{MODELS_PATH}/{name}"}, build_model(name)) for name in names]
    return [
        *build_document_routes({"path": MODELS_PATH}, build_model_list(names)),
        *(route for routes in each for route in routes),
        build_error_route({"prefix": f"{MODELS_PATH}/"}, unknown_model(names)),
    ]
