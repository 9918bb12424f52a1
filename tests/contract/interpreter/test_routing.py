"""Which resource and method answer."""

from __future__ import annotations

import pytest

from contract.interpreter.examples import api, methods
from support.api_gateway.gateway_responses import build_gateway_response
from support.api_gateway.message import GatewayError
from support.api_gateway.routing import find_route
from support.api_gateway.templates import Context


# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/pets", "/pets", {}),
        ("/pets/dog", "/pets/dog", {}),
        ("/pets/cat", "/pets/{petId}", {"petId": "cat"}),
        ("/pets/a%20b", "/pets/{petId}", {"petId": "a b"}),
        ("/pets/cat/toys", "/{proxy+}", {"proxy": "pets/cat/toys"}),
        ("/", "/", {}),
    ],
)
def test_the_most_specific_resource_answers(path: str, resource: str, parameters: dict[str, str]) -> None:
    resources = ("/{proxy+}", "/pets/{petId}", "/pets/dog", "/pets", "/")
    route = find_route(api({each: methods("post") for each in resources}), "POST", path)
    assert (route.resource, route.path_parameters) == (resource, parameters)


# https://github.com/aws-powertools/powertools-lambda-python/issues/1552
# https://github.com/localstack/localstack/issues/11253
@pytest.mark.parametrize("path", ["/pets/", "//pets", "/pets//"])
def test_slashes_around_a_path_do_not_count(path: str) -> None:
    assert find_route(api({"/pets": methods("get")}), "GET", path).resource == "/pets"


def test_any_answers_the_methods_that_are_not_there() -> None:
    paths = {"/pets": methods("get", "x-amazon-apigateway-any-method")}
    assert find_route(api(paths), "GET", "/pets").integration["type"] == "get"
    assert find_route(api(paths), "PUT", "/pets").integration["type"] == "x-amazon-apigateway-any-method"


# https://github.com/ministackorg/ministack/pull/1423
@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", "/jobs/reboot", "/jobs/{type}"),
        ("POST", "/jobs/reboot", "/{proxy+}"),
        ("GET", "/jobs", "/{proxy+}"),
        ("GET", "/jobs/reboot/now", "/{proxy+}"),
    ],
)
def test_a_resource_without_the_method_lets_a_more_general_one_answer(
    method: str, path: str, resource: str
) -> None:
    greedy = methods("x-amazon-apigateway-any-method")
    paths = {"/{proxy+}": greedy, "/jobs": methods("options"), "/jobs/{type}": methods("get")}
    assert find_route(api(paths), method, path).resource == resource


@pytest.mark.parametrize(("method", "path"), [("GET", "/nope"), ("PUT", "/pets"), ("GET", "/pets//x")])
def test_what_is_not_there_is_a_missing_token(method: str, path: str) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html"""
    rest = api({"/pets": methods("get")})
    with pytest.raises(GatewayError) as refused:
        find_route(rest, method, path)
    answer = build_gateway_response(rest, refused.value, Context({}))
    assert (answer.status, answer.body) == (403, b'{"message":"Missing Authentication Token"}')
