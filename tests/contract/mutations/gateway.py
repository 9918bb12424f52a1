"""Mutations of the configuration that Envoy reads. A route that asks for no key belongs here too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contract.mutations.mutation import (
    ALIAS,
    ALIAS_DESCRIBED,
    BREAKS_OFF,
    CATALOGUE,
    CHAT,
    CONFIGURED,
    JSON,
    METHOD,
    MODELS_LISTED,
    NO_TYPE,
    NOT_READY,
    OTHERS,
    OWN_HEADERS,
    PAGE,
    PNG,
    PREFLIGHT,
    QUERY,
    REFUSED,
    TOO_LARGE,
    UNKNOWN,
    UNKNOWN_MODEL,
    Mutation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.mutated import EnvoyConfig, Json


def _routes(config: EnvoyConfig, path: str) -> list[Json]:
    return [one for one in config.routes if one["match"].get("path") == path]


def _served(config: EnvoyConfig, path: str) -> list[Json]:
    """Those that lead to a model, not to `mlapi up`, which calls later."""
    return [
        one
        for one in _routes(config, path)
        if "route" in one and not any(header["name"] == "prefer" for header in one["match"]["headers"])
    ]


def _mutations_of(route: Json, direction: str) -> list[Json]:
    found: list[Json] = route["typed_per_filter_config"]["headers"]["mutations"][f"{direction}_mutations"]
    return found


def _dropping(path: str, direction: str, *headers: str) -> Callable[[EnvoyConfig], object]:
    """One more mutation at the end, which takes these headers away."""

    def change(config: EnvoyConfig) -> None:
        for route in _served(config, path):
            _mutations_of(route, direction).extend({"remove": name} for name in headers)

    return change


def _passing(path: str, direction: str) -> Callable[[EnvoyConfig], object]:
    """Without the list of headers that may pass."""

    def change(config: EnvoyConfig) -> None:
        for route in _served(config, path):
            _mutations_of(route, direction).pop(0)

    return change


def _no_content_type(config: EnvoyConfig) -> None:
    for route in _served(config, "/echo"):
        _mutations_of(route, "request").pop()


def _no_filter(path: str, name: str) -> Callable[[EnvoyConfig], object]:
    def change(config: EnvoyConfig) -> None:
        found = [one["typed_per_filter_config"].pop(name, None) for one in _served(config, path)]
        assert any(found), f"no route to {path} switches {name} on"

    return change


def _any_size(config: EnvoyConfig) -> None:
    """Without what refuses large bodies: a filter for all routes, and routes that refuse by the length."""
    config.route_file["resources"][0]["typed_per_filter_config"].pop("body-limit")
    refusing = [route for route in config.routes if route.get("direct_response", {}).get("status") == 413]
    assert refusing, "a body over the limit has no route of its own"
    for route in refusing:
        config.remove(route)


def _direct(path: str | None) -> Callable[[EnvoyConfig], Json]:
    """The route that answers other methods of a path, or unknown paths, by itself."""

    def find(config: EnvoyConfig) -> Json:
        return config.routes[-1] if path is None else _routes(config, path)[-1]

    return find


def _read(path: str) -> Callable[[EnvoyConfig], Json]:
    """The route that answers what reading a path asks for."""
    return lambda config: _routes(config, path)[0]


def _without_header(find: Callable[[EnvoyConfig], Json], name: str) -> Callable[[EnvoyConfig], object]:
    def change(config: EnvoyConfig) -> None:
        added = find(config)["response_headers_to_add"]
        (found,) = [one for one in added if one["header"]["key"] == name]
        added.remove(found)

    return change


def _said(find: Callable[[EnvoyConfig], Json], old: str, new: str) -> Callable[[EnvoyConfig], object]:
    """Other words in what a route or a reply answers; the old ones must have been there."""

    def change(config: EnvoyConfig) -> None:
        replace_text(find(config), old, new)

    return change


def replace_text(found: Json, old: str, new: str) -> None:
    """Writes other words wherever the old ones are; they must be there."""
    changed = _replaced(found, old, new)
    assert changed != found, f"{old} is nowhere"
    found.update(changed)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(one, old, new) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, old, new) for one in value]
    return value.replace(old, new) if isinstance(value, str) else value


def _reply(code: str) -> Callable[[EnvoyConfig], Json]:
    """The reply to one of Envoy's own failures."""

    def find(config: EnvoyConfig) -> Json:
        mappers = config.manager["local_reply_config"]["mappers"]
        # Not those for calls that never went to a model.
        found: Json = next(
            mapper
            for mapper in mappers
            if code in json.dumps(mapper) and "response_flag_filter" in mapper["filter"]
        )
        return found

    return find


def _reply_headers(code: str, name: str) -> Callable[[EnvoyConfig], object]:
    def change(config: EnvoyConfig) -> None:
        added = _reply(code)(config)["headers_to_add"]
        (found,) = [one for one in added if one["header"]["key"] == name]
        added.remove(found)

    return change


def _no_chat(config: EnvoyConfig) -> None:
    for route in _served(config, "/v1/chat/completions"):
        config.remove(route)


def _unknown_model(config: EnvoyConfig) -> None:
    direct = [one for one in _routes(config, "/v1/chat/completions") if "model_not_found" in json.dumps(one)]
    _said(lambda _: direct[-1], "model_not_found", "x")(config)


def hold_events(config: EnvoyConfig) -> None:
    """The route that streams holds its answer until it is complete, as the others do."""
    (held,) = {json.dumps(one["typed_per_filter_config"]["answer"]) for one in _served(config, "/echo")}
    for route in _served(config, "/events"):
        route["typed_per_filter_config"]["answer"] = json.loads(held)


def _no_alias(config: EnvoyConfig) -> None:
    """Matches bodies by the first name of an entry alone."""
    found = 0
    for route in _routes(config, "/v1/chat/completions"):
        for matcher in route["match"].get("dynamic_metadata", ()):
            names = matcher["value"].get("or_match", {}).get("value_matchers", [])
            found += len(names) > 1
            if names:
                matcher["value"] = names[0]
    assert found, "no route has several names"


MUTATIONS = (
    Mutation("a chat's route is not there", _no_chat, CHAT),
    Mutation("an unknown model is another error", _unknown_model, UNKNOWN_MODEL),
    Mutation("an alias matches no call", _no_alias, ALIAS),
    Mutation(
        "an alias does not say its entry",
        _said(lambda config: _routes(config, "/v1/models/gpt-4o-mini")[0], '"root": "chat"', '"root": "x"'),
        ALIAS_DESCRIBED,
    ),
    Mutation(
        "the list of models has another shape",
        _said(lambda config: _routes(config, "/v1/models")[0], '"object": "list"', '"object": "x"'),
        MODELS_LISTED,
    ),
    Mutation(
        "a configured request header is dropped",
        _dropping("/echo", "request", "x-amzn-sagemaker-custom-attributes"),
        CONFIGURED,
    ),
    Mutation("Accept is dropped", _dropping("/echo", "request", "accept"), CONFIGURED),
    Mutation("every request header passes, credentials too", _passing("/echo", "request"), OTHERS),
    Mutation("a missing Content-Type stays missing", _no_content_type, NO_TYPE),
    Mutation("the answer's Content-Type is dropped", _dropping("/same", "response", "content-type"), PNG),
    Mutation(
        "the model's custom attributes are dropped",
        _dropping("/attributes", "response", "x-amzn-sagemaker-custom-attributes"),
        OWN_HEADERS,
    ),
    Mutation("every header of a model passes", _passing("/attributes", "response"), OWN_HEADERS),
    Mutation(
        "a model's answer has no CORS header",
        _dropping("/same", "response", "access-control-allow-origin"),
        JSON,
    ),
    Mutation(
        "a model's error has no CORS header",
        _dropping("/refuses", "response", "access-control-allow-origin"),
        REFUSED,
    ),
    Mutation(
        "an unknown path has no CORS header",
        _without_header(_direct(None), "access-control-allow-origin"),
        UNKNOWN,
    ),
    Mutation("an answer has no request id", _dropping("/same", "response", "x-request-id"), JSON),
    Mutation("an unknown path has no request id", _without_header(_direct(None), "x-request-id"), UNKNOWN),
    Mutation("an error names another request", _said(_direct(None), '%CONNECTION_ID%"', 'x"'), UNKNOWN),
    Mutation("the query reaches the model", _no_filter("/echo", "query"), QUERY),
    Mutation("a body may be larger", _any_size, TOO_LARGE),
    Mutation("other methods are not there", lambda config: config.remove(_direct("/echo")(config)), METHOD),
    Mutation("405 does not say Allow", _without_header(_direct("/echo"), "allow"), METHOD),
    Mutation(
        "405 is another status",
        lambda config: _direct("/echo")(config)["direct_response"].update(status=400),
        METHOD,
    ),
    Mutation(
        "an error has another code", _said(_reply("model_not_ready"), "model_not_ready", "x"), NOT_READY
    ),
    Mutation("an error is no JSON", _said(_direct(None), "application/json", "text/plain"), UNKNOWN),
    Mutation("503 does not say Retry-After", _reply_headers("model_not_ready", "retry-after"), NOT_READY),
    Mutation(
        "a model that breaks off is 503",
        lambda config: _reply("model_failed")(config).update(status_code=503),
        BREAKS_OFF,
    ),
    Mutation("any page may put the page into a frame", _without_header(_read("/"), "x-frame-options"), PAGE),
    Mutation(
        "the catalogue is not there",
        lambda config: config.remove(_read("/models")(config)),
        CATALOGUE,
    ),
    Mutation("a preflight reaches the routes", lambda config: config.remove(config.routes[0]), PREFLIGHT),
    Mutation(
        "a preflight does not allow headers",
        _without_header(lambda config: config.routes[0], "access-control-allow-headers"),
        PREFLIGHT,
    ),
)
