"""The document that API Gateway imports, whole and decision by decision.

`MLAPI_WRITE_GOLDEN=1 pytest tests/unit/aws/document` writes the whole documents anew.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.api.openai import CHAT_PATH, EMBEDDINGS_PATH, MODEL_PATH, MODELS_PATH
from centralized_ml_api.aws.document.event import Authorizer, is_public
from centralized_ml_api.aws.document.extend import Addresses, extend_document
from centralized_ml_api.aws.document.own_paths import StoredDocument
from centralized_ml_api.plan.aws.types import DirectRoute, FunctionRoute, OwnEndpoint, StreamRoute
from centralized_ml_api.plan.speaks import OpenAiModels

GOLDEN = Path(__file__).parent / "golden"
INTEGRATION = "x-amazon-apigateway-integration"
ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = {"get", "head", "post", "options", ANY_METHOD}
ENDS = datetime(2030, 6, 1, 16, tzinfo=UTC)

ROUTES = (
    DirectRoute("plain", OwnEndpoint("plain"), ("X-Amzn-SageMaker-Custom-Attributes",)),
    FunctionRoute("through"),
    StreamRoute("streamed", OwnEndpoint("streamed"), ()),
)
OPENAI = OpenAiModels(chat=("streamed",), embeddings=("vectors",))
STORED = (
    StoredDocument(
        ServedDocument("/", "text/html", "", (("x-frame-options", "DENY"),)), "a-bucket/page.html"
    ),
    StoredDocument(ServedDocument("/models", "application/json", ""), "a-bucket/models.json"),
)
OPEN = Addresses(
    service="arn:aws:apigateway:us-east-1",
    role="arn:aws:iam::1:role/api",
    endpoints={"plain": "Plain-1"},
    functions={"through": "arn:aws:lambda:us-east-1:1:function:through"},
    stream="arn:aws:lambda:us-east-1:1:function:stream",
    stored=STORED,
)
WITH_KEYS = replace(OPEN, authorizer=Authorizer("arn:of:the:function", "arn:aws:iam::1:role/caller"))


def public_document() -> dict[str, Any]:
    """What participants read, as far as API Gateway gets something of it."""
    operations = {
        **{
            f"/{route.name}": {"post": {"operationId": route.name, "summary": "left out"}} for route in ROUTES
        },
        CHAT_PATH: {"post": {"operationId": "chat", "parameters": []}},
        EMBEDDINGS_PATH: {"post": {"operationId": "embeddings"}},
        MODELS_PATH: {"get": {"operationId": "models"}},
        MODEL_PATH: {"get": {"operationId": "model"}},
    }
    info = {"title": "An API", "version": "1", "description": "left out"}
    return {"openapi": "3.0.3", "info": info, "paths": operations, "components": {"left": "out"}}


def extend(
    addresses: Addresses = OPEN, openai: OpenAiModels = OPENAI, ends: datetime | None = None
) -> dict[str, Any]:
    return extend_document(public_document(), ROUTES, addresses, openai, ends)


@pytest.mark.parametrize(
    ("name", "addresses", "ends"), [("open", OPEN, None), ("event", WITH_KEYS, ENDS)], ids=["open", "event"]
)
def test_the_whole_document_is_what_is_committed(
    name: str, addresses: Addresses, ends: datetime | None
) -> None:
    file = GOLDEN / f"{name}.json"
    document = extend(addresses, ends=ends)
    if os.environ.get("MLAPI_WRITE_GOLDEN"):
        file.write_text(json.dumps(document, indent=1) + "\n")
    assert document == json.loads(file.read_text())
    assert json.dumps(document) == json.dumps(json.loads(file.read_text())), "in the same order"


def test_a_model_is_called_at_its_endpoint_its_function_or_through_the_stream() -> None:
    uris = {
        name: extend()["paths"][f"/{name}"]["post"][INTEGRATION]["uri"]
        for name in ("plain", "through", "streamed")
    }
    functions = f"{OPEN.service}:lambda:path"
    assert uris == {
        "plain": f"{OPEN.service}:runtime.sagemaker:path/endpoints/Plain-1/invocations",
        "through": f"{functions}/2015-03-31/functions/{OPEN.functions['through']}/invocations",
        "streamed": f"{functions}/2021-11-15/functions/{OPEN.stream}/response-streaming-invocations",
    }


def test_every_path_answers_preflights_and_refuses_other_methods_by_name() -> None:
    paths = extend()["paths"]
    del paths["/{proxy+}"]
    for path, item in paths.items():
        answered = [method.upper() for method in item if method in METHODS - {ANY_METHOD}]
        (refusal,) = item[ANY_METHOD][INTEGRATION]["responses"].values()
        (template,) = refusal["responseTemplates"].values()
        assert refusal["statusCode"] == "405", path
        assert f'.header.Allow="{", ".join(answered)}")' in template, path
        assert item["options"][INTEGRATION]["responses"]["default"]["statusCode"] == "204"


def test_paths_below_entries_lead_to_the_function_with_either_header() -> None:
    others = extend(WITH_KEYS)["paths"]["/{proxy+}"]
    assert set(others) == {"options", ANY_METHOD}
    function = others[ANY_METHOD]
    assert OPEN.stream in function[INTEGRATION]["uri"]
    assert function[INTEGRATION]["responseTransferMode"] == "STREAM"
    assert function["security"] == [{"KeyOrBearer": []}, {"api_key": []}]
    assert [each["name"] for each in function["parameters"]] == ["proxy"]


def test_without_entries_under_v1_api_gateway_answers_other_paths_itself() -> None:
    assert list(extend(openai=OpenAiModels())["paths"]["/{proxy+}"]) == ["options"]


def test_an_unknown_path_is_told_every_call() -> None:
    unknown = extend()["x-amazon-apigateway-gateway-responses"]["MISSING_AUTHENTICATION_TOKEN"]
    message = json.loads(unknown["responseTemplates"]["application/json"])["error"]["message"]
    calls = (
        "POST /plain, POST /streamed, POST /through, POST /v1/chat/completions, POST /v1/embeddings,"
        " GET /v1/models, GET /, GET /models, GET /health"
    )
    assert message.endswith(f"Available: {calls}.")


@pytest.mark.parametrize(
    ("openai", "paths"),
    [
        (OpenAiModels(), set()),
        (OpenAiModels(chat=("streamed",)), {CHAT_PATH, MODELS_PATH, MODEL_PATH}),
        (OpenAiModels(embeddings=("vectors",)), {EMBEDDINGS_PATH, MODELS_PATH, MODEL_PATH}),
    ],
    ids=["none", "chat", "embeddings"],
)
def test_the_paths_of_openai_are_those_that_a_model_answers(openai: OpenAiModels, paths: set[str]) -> None:
    document = extend(openai=openai)
    assert {path for path in document["paths"] if path.startswith("/v1/")} == paths
    unknown = document["x-amazon-apigateway-gateway-responses"]["RESOURCE_NOT_FOUND"]
    told = unknown["responseTemplates"]["application/json"]
    assert {path for path in (CHAT_PATH, EMBEDDINGS_PATH, MODELS_PATH) if path in told} == paths - {
        MODEL_PATH
    }


def test_without_teams_nothing_asks_for_a_key() -> None:
    assert "apigateway-api-key-source" not in json.dumps(extend())
    assert "security" not in json.dumps(extend())


def test_with_teams_every_method_but_the_public_ones_asks_for_a_key() -> None:
    document = extend(WITH_KEYS)
    assert document["x-amazon-apigateway-api-key-source"] == "AUTHORIZER"
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            asks = "security" in item[method]
            assert asks is not is_public(path, method), f"{method} {path}"
    assert is_public("/plain", "options")
    assert is_public("/health", "get")
    assert not is_public("/plain", "post")


def test_openais_paths_take_either_header_and_are_asked_each_time() -> None:
    document = extend(WITH_KEYS)
    schemes = document["components"]["securitySchemes"]
    chat, plain = (document["paths"][path]["post"]["security"] for path in (CHAT_PATH, "/plain"))
    assert chat == [{"KeyOrBearer": []}, {"api_key": []}]
    assert plain == [{"PlainKey": []}, {"api_key": []}]
    remembered = {
        name: schemes[name]["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"]
        for name in ("PlainKey", "KeyOrBearer")
    }
    assert remembered == {"PlainKey": 5, "KeyOrBearer": 0}
    assert {name: scheme["name"] for name, scheme in schemes.items()} == {
        "api_key": "x-api-key",
        "PlainKey": "Unused",
        "KeyOrBearer": "Unused",
    }, "only the key itself has the header of keys"


def test_a_key_that_nobody_has_is_answered_like_none() -> None:
    responses = extend(WITH_KEYS)["x-amazon-apigateway-gateway-responses"]
    assert responses["INVALID_API_KEY"] == responses["UNAUTHORIZED"]
    assert responses["INVALID_API_KEY"]["statusCode"] == "401"
    assert extend()["x-amazon-apigateway-gateway-responses"]["INVALID_API_KEY"]["statusCode"] == "403"


def test_the_end_is_on_every_answer_that_api_gateway_makes() -> None:
    document, plain = extend(ends=ENDS), extend()
    assert "x-event-ends" not in json.dumps(plain)
    for response in document["x-amazon-apigateway-gateway-responses"].values():
        assert (
            response["responseParameters"]["gatewayresponse.header.x-event-ends"] == "'2030-06-01T16:00:00Z'"
        )
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            for response in item[method][INTEGRATION].get("responses", {}).values():
                assert "x-event-ends" in json.dumps(response), f"{method} {path}"
    passed = document["paths"]["/plain"]["post"]["responses"]["200"]
    assert passed["headers"]["x-event-ends"] == {"schema": {"type": "string"}}
    for name in ("through", "streamed"):
        assert document["paths"][f"/{name}"] | {ANY_METHOD: 0, "options": 0} == plain["paths"][f"/{name}"] | {
            ANY_METHOD: 0,
            "options": 0,
        }, "a function says it itself"
