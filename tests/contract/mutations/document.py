"""Mutations of the document that API Gateway would import. A route that asks for no key belongs here too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.mutations.mutation import (
    ACCEPTS_IMAGES,
    ALIAS_DESCRIBED,
    BELOW_ENTRY,
    BINARY_METHOD,
    CATALOGUE,
    CHAT,
    CONFIGURED,
    EVENT,
    JSON,
    METHOD,
    MODELS_LISTED,
    NOT_READY,
    OWN_HEADERS,
    PAGE,
    PAGE_FOR_ALL,
    PNG,
    PREFLIGHT,
    READ_ONLY,
    REFUSED,
    TOO_LARGE,
    UNKNOWN,
    Mutation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.mutated import Json

INTEGRATION = "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
GATEWAY = "x-amazon-apigateway-gateway-responses"
BINARY = "x-amazon-apigateway-binary-media-types"


def _integration(path: str, method: str = "post") -> Callable[[Json], Json]:
    def find(document: Json) -> Json:
        found: Json = document["paths"][path][method][INTEGRATION]
        return found

    return find


def _answer(path: str, pattern: str, method: str = "post") -> Callable[[Json], Json]:
    def find(document: Json) -> Json:
        found: Json = _integration(path, method)(document)["responses"][pattern]
        return found

    return find


def _without(find: Callable[[Json], Json], *keys: str) -> Callable[[Json], object]:
    """Takes out what is at the end of the keys; it must have been there."""

    def change(document: Json) -> None:
        place = find(document)
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


def _reworded(find: Callable[[Json], Json], old: str, new: str = "") -> Callable[[Json], object]:
    """Another text in the templates of an answer; the old one must have been there."""

    def change(document: Json) -> None:
        templates = find(document)["responseTemplates"]
        assert old in templates["application/json"], f"{old} is not in {templates}"
        templates["application/json"] = templates["application/json"].replace(old, new)

    return change


def _gateway_response(kind: str) -> Callable[[Json], Json]:
    def find(document: Json) -> Json:
        found: Json = document[GATEWAY][kind]
        return found

    return find


def _renamed_pattern(document: Json) -> None:
    answers = _integration("/refuses")(document)["responses"]
    answers["425"] = answers.pop("424")


def _without_function(change: Callable[[Json], object]) -> Callable[[Json], object]:
    """The change where API Gateway answers unknown paths itself, as without entries under `/v1`."""

    def both(document: Json) -> None:
        del _any_path(document)[ANY]
        change(document)

    return both


def _any_path(document: Json) -> Json:
    found: Json = document["paths"]["/{proxy+}"]
    return found


_MAPPED = "integration.request.header."
_ANSWERED = "method.response.header."
_ORIGIN = '#set($context.responseOverride.header.access-control-allow-origin="*")'
_UNKNOWN_KIND = _gateway_response("MISSING_AUTHENTICATION_TOKEN")

MUTATIONS = (
    Mutation(
        "a chat's path is not there",
        _without(lambda document: document["paths"], "/v1/chat/completions"),
        CHAT,
    ),
    Mutation(
        "an alias does not say its entry",
        _reworded(_answer("/v1/models/{model}", "default", "get"), '"root":"chat"', '"root":"x"'),
        ALIAS_DESCRIBED,
    ),
    Mutation(
        "the list of models has another shape",
        _reworded(_answer("/v1/models", "default", "get"), '"object":"list"', '"object":"x"'),
        MODELS_LISTED,
    ),
    Mutation(
        "a configured request header is not mapped",
        _without(_integration("/echo"), "requestParameters", f"{_MAPPED}X-Amzn-SageMaker-Custom-Attributes"),
        CONFIGURED,
    ),
    Mutation(
        "Accept is not mapped",
        _without(_integration("/echo"), "requestParameters", f"{_MAPPED}Accept"),
        CONFIGURED,
    ),
    Mutation(
        "the answer's Content-Type is not mapped",
        _without(_answer("/same", r"2\d{2}"), "responseParameters", f"{_ANSWERED}Content-Type"),
        PNG,
    ),
    Mutation(
        "the model's custom attributes are not mapped",
        _without(
            _answer("/attributes", r"2\d{2}"),
            "responseParameters",
            f"{_ANSWERED}X-Amzn-SageMaker-Custom-Attributes",
        ),
        OWN_HEADERS,
    ),
    Mutation(
        "a model's answer has no CORS header",
        _without(
            _answer("/same", r"2\d{2}"), "responseParameters", f"{_ANSWERED}access-control-allow-origin"
        ),
        JSON,
    ),
    Mutation("a model's error has no CORS header", _reworded(_answer("/refuses", "424"), _ORIGIN), REFUSED),
    Mutation(
        "an unknown path has no CORS header",
        _without_function(
            _without(
                _UNKNOWN_KIND, "responseParameters", "gatewayresponse.header.access-control-allow-origin"
            )
        ),
        UNKNOWN,
    ),
    Mutation(
        "an answer has no request id",
        _without(_answer("/same", r"2\d{2}"), "responseParameters", f"{_ANSWERED}x-request-id"),
        JSON,
    ),
    Mutation(
        "an unknown path has no request id",
        _without_function(
            _without(_UNKNOWN_KIND, "responseParameters", "gatewayresponse.header.x-request-id")
        ),
        UNKNOWN,
    ),
    Mutation(
        "an error names another request",
        _reworded(
            _answer("/gone", "503"), '"request_id":"$context.requestId"', '"request_id":"$context.path"'
        ),
        NOT_READY,
    ),
    Mutation(
        "the model's own status is not kept",
        _reworded(_answer("/refuses", "424"), "#set($context.responseOverride.status=$s)"),
        REFUSED,
    ),
    Mutation("the pattern for models' errors matches another status", _renamed_pattern, REFUSED),
    Mutation("images are no bytes", lambda document: document[BINARY].remove("image/*"), PNG),
    Mutation(
        "a function gets bytes as a text",
        lambda document: document[BINARY].remove("image/*"),
        EVENT,
    ),
    Mutation(
        "an error's text is not CONVERT_TO_TEXT",
        _without(_answer("/gone", "503"), "contentHandling"),
        ACCEPTS_IMAGES,
    ),
    Mutation(
        "a binary body of another method is not CONVERT_TO_TEXT",
        _without(_integration("/echo", ANY), "contentHandling"),
        BINARY_METHOD,
    ),
    Mutation(
        "a body goes through a template",
        lambda document: _integration("/same")(document).update(
            requestTemplates={"application/json": "$input.json('$')"}
        ),
        JSON,
    ),
    Mutation(
        "other methods are not there", _without(lambda document: document["paths"]["/echo"], ANY), METHOD
    ),
    Mutation(
        "405 does not say Allow",
        _reworded(
            _answer("/echo", "default", ANY), '#set($context.responseOverride.header.Allow="POST, OPTIONS")'
        ),
        METHOD,
    ),
    Mutation(
        "an error has another code", _reworded(_answer("/gone", "503"), "model_not_ready", "x"), NOT_READY
    ),
    Mutation(
        "an error has another shape",
        _reworded(_answer("/gone", "503"), '{"error":', '{"errors":'),
        NOT_READY,
    ),
    Mutation(
        "503 does not say Retry-After",
        _reworded(_answer("/gone", "503"), '#set($context.responseOverride.header.Retry-After="2")'),
        NOT_READY,
    ),
    Mutation(
        "an unknown path is API Gateway's 403",
        _without_function(_without(_UNKNOWN_KIND, "statusCode")),
        UNKNOWN,
    ),
    Mutation("nothing is below an entry", _without(_any_path, ANY), BELOW_ENTRY),
    Mutation(
        "a preflight does not allow headers",
        _reworded(
            _answer("/echo", "default", "options"),
            '#set($context.responseOverride.header.access-control-allow-headers="*, Authorization")',
        ),
        PREFLIGHT,
    ),
    Mutation(
        "a preflight on an unknown path fails",
        _without(lambda document: document["paths"], "/{proxy+}"),
        "a preflight succeeds: /nope",
    ),
    Mutation(
        "the page has no type of its own",
        _without(_answer("/", "200", "get"), "responseParameters", f"{_ANSWERED}content-type"),
        PAGE,
    ),
    Mutation(
        "any page may put the page into a frame",
        _without(_answer("/", "200", "get"), "responseParameters", f"{_ANSWERED}x-frame-options"),
        PAGE,
    ),
    Mutation(
        "the page is not CONVERT_TO_TEXT",
        _without(_answer("/", "200", "get"), "contentHandling"),
        PAGE_FOR_ALL,
    ),
    Mutation(
        "the catalogue is not there", _without(lambda document: document["paths"], "/models"), CATALOGUE
    ),
    Mutation(
        "the page answers no other method", _without(lambda document: document["paths"]["/"], ANY), READ_ONLY
    ),
    Mutation("413 is not mapped", _without(_integration("/echo"), "responses", "413"), TOO_LARGE),
)
