"""Mutations of the configuration that Envoy reads, of what it says about keys and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.mutations.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
            config.remove(route)


def _without_bearer(config: EnvoyConfig) -> None:
    _table(config)["key"]["key_sources"].pop()


def _without_limit(name: str) -> Callable[[EnvoyConfig], object]:
    def change(config: EnvoyConfig) -> None:
        for route in _routes(config, "/echo"):
            route["typed_per_filter_config"].pop(name, None)

    return change


def _silent_401(config: EnvoyConfig) -> None:
    """Without the header that says how a key is sent, in whatever the gateway answers by itself."""
    refusing = [
        mapper
        for mapper in config.manager["local_reply_config"]["mappers"]
        if mapper.get("status_code") == 401
    ]
    assert refusing, "a call without a key has no reply"
    for mapper in refusing:
        before = mapper["headers_to_add"]
        mapper["headers_to_add"] = [one for one in before if one["header"]["key"] != "www-authenticate"]
        assert mapper["headers_to_add"] != before


def _patient_clients(config: EnvoyConfig) -> None:
    """A day that is over says when to come back, and not that nobody should wait for it."""
    changed = 0
    for file in config.limit_files.values():
        for headers in _find_added(file):
            kept = [one for one in headers if one["header"]["key"] != "x-should-retry"]
            changed += len(headers) - len(kept)
            headers[:] = kept
    assert changed, "no limit tells clients not to wait"


def _find_added(value: Any) -> Iterator[list[Json]]:
    """Every list of response headers in a file."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if key == "response_headers_to_add":
            yield inner
        elif isinstance(inner, dict | list):
            yield from _find_added(inner)


def _open_health(config: EnvoyConfig) -> None:
    """Strangers get what the first team gets: names."""
    is_get = {"name": ":method", "string_match": {"exact": "GET"}}
    with_key, *_, stranger = [
        route for route in _routes(config, "/health") if is_get in route["match"].get("headers", ())
    ]
    assert "ready" in str(with_key["direct_response"])
    stranger["direct_response"] = with_key["direct_response"]


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
    Mutation("a 401 does not say how", _silent_401, "a 401 at /echo says how a key is sent"),
    Mutation("clients wait for the next day", _patient_clients, "a team over its day is 429"),
    Mutation(
        "health names models to strangers",
        _open_health,
        "health needs no key, and names nothing without one",
    ),
    Mutation("a rate is not kept", _without_limit("rate"), "a team over its rate is 429"),
    Mutation("a day is not kept", _without_limit("quota"), "a team over its day is 429"),
]
