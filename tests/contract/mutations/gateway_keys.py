"""Mutations of the configuration that Envoy reads, of what it says about keys and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.mutations.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.mutated import EnvoyConfig, Json

_OFF = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}


def _table(config: EnvoyConfig) -> Json:
    """The filters that every route has."""
    found: Json = config.route_file["resources"][0]["typed_per_filter_config"]
    return found


def _routes(config: EnvoyConfig, path: str) -> list[Json]:
    return [one for one in config.routes if one["match"].get("path") == path]


def _open(path: str) -> Callable[[EnvoyConfig], object]:
    """The routes of the path do not look for a key."""

    def change(config: EnvoyConfig) -> None:
        for route in _routes(config, path):
            route.setdefault("typed_per_filter_config", {})["key"] = _OFF

    return change


def _without_list(config: EnvoyConfig) -> None:
    for route in _routes(config, "/function"):
        del route["typed_per_filter_config"]["key"]["allowed_clients"]


def _without_outsiders(config: EnvoyConfig) -> None:
    """Under `/v1`, the routes that match a team."""
    for route in _routes(config, "/v1/chat/completions"):
        if any(one["name"] == "x-mlapi-team" for one in route["match"].get("headers", ())):
            config.routes.remove(route)


def _without_bearer(config: EnvoyConfig) -> None:
    _table(config)["key"]["key_sources"].pop()


def _without_limit(name: str) -> Callable[[EnvoyConfig], object]:
    def change(config: EnvoyConfig) -> None:
        for route in _routes(config, "/echo"):
            route["typed_per_filter_config"].pop(name, None)

    return change


def _guarded_preflight(config: EnvoyConfig) -> None:
    del config.routes[0]["typed_per_filter_config"]


MUTATIONS = [
    Mutation(
        "OpenAI's paths need no key",
        _open("/v1/chat/completions"),
        "/v1/chat/completions without a key is 401",
    ),
    Mutation("a function needs no key", _open("/function"), "/function without a key is 401"),
    Mutation("a list is not kept", _without_list, "a model outside of the team's list is 403"),
    Mutation(
        "a list is not kept under /v1",
        _without_outsiders,
        "a model outside of the team's list is 403 under /v1 too",
    ),
    Mutation("a bearer is no key", _without_bearer, "a bearer opens OpenAI's paths"),
    Mutation("a preflight needs a key", _guarded_preflight, "a preflight needs no key"),
    Mutation("a rate is not kept", _without_limit("rate"), "a team over its rate is 429"),
    Mutation("a day is not kept", _without_limit("quota"), "a team over its day is 429"),
]
