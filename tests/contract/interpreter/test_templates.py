"""Mapping templates, with AWS's own examples."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.api_gateway.templates import Context, render


def test_a_template_goes_over_a_list() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-data-transformations-in-api-gateway.html"""
    template = """#set($inputRoot = $input.path('$'))
[
#foreach($elem in $inputRoot)
  {
    "description" : "Item $elem.id is a $elem.type.",
    "askingPrice" : $elem.price
  }#if($foreach.hasNext),#end

#end
]"""
    pets = [{"id": 1, "type": "dog", "price": 249.99}, {"id": 2, "type": "cat", "price": 124.99}]
    assert json.loads(render(template, json.dumps(pets).encode(), Context({}))) == [
        {"description": "Item 1 is a dog.", "askingPrice": 249.99},
        {"description": "Item 2 is a cat.", "askingPrice": 124.99},
    ]


def test_a_template_puts_in_the_context() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-variable-examples.html"""
    context = Context({"stage": "prod", "identity": {"sourceIp": "192.0.2.1"}})
    template = '{"stage" : "$context.stage", "source_ip" : "$context.identity.sourceIp"}'
    assert json.loads(render(template, b"", context)) == {"stage": "prod", "source_ip": "192.0.2.1"}


@pytest.mark.parametrize(("body", "status"), [({"errors": [{"key": "petId"}]}, 400), ({"id": 1}, None)])
def test_a_template_overrides_the_status(body: dict[str, Any], status: int | None) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html"""
    template = """#set($inputRoot = $input.path('$'))
$input.json("$")
#if($inputRoot.toString().contains("error"))
#set($context.responseOverride.status = 400)
#end"""
    context = Context({})
    assert json.loads(render(template, json.dumps(body).encode(), context)) == body
    assert context.status == status


def test_a_template_overrides_headers_with_hyphens() -> None:
    context = Context({"requestId": "an-id"})
    template = (
        "#set($context.responseOverride.header.x-request-id=$context.requestId)"
        '#set($context.responseOverride.header.Retry-After="2")body'
    )
    assert render(template, b"", context) == "body"
    assert context.headers == {"x-request-id": "an-id", "Retry-After": "2"}


@pytest.mark.parametrize("text", ['it\'s "so"', "a\\b/c\n\t", "é 你 🙂", "$input #end", "</script>"])
def test_an_escaped_text_is_the_same_in_json(text: str) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html"""
    template = '''"$util.escapeJavaScript($input.path('$.m')).replaceAll("\\\\'","'")"'''
    assert json.loads(render(template, json.dumps({"m": text}).encode(), Context({}))) == text


def test_an_escaped_apostrophe_alone_is_no_json() -> None:
    """The page's reason for `replaceAll`: "not valid in JSON"."""
    said = render("$util.escapeJavaScript($input.path('$.m'))", b'{"m": "it\'s"}', Context({}))
    assert said == "it\\'s"
