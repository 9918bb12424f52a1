from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.api.openapi import build_openapi
from centralized_ml_api.plan.speaks import OpenAiModels
from support.synthesis import build_test_plan, container, function, model, package

if TYPE_CHECKING:
    from pathlib import Path


def test_every_path_is_there_in_config_order(tmp_path: Path) -> None:
    config = {"models": [package("z"), container("a"), model("f", integration=function())]}
    document = build_openapi(build_test_plan(config, tmp_path).api)
    assert list(document["paths"]) == ["/z", "/a", "/f"]
    assert document["openapi"].startswith("3.0.")
    assert json.loads(json.dumps(document)) == document


def test_an_operation_has_what_a_caller_needs(tmp_path: Path) -> None:
    entry = package(
        description="Draws.",
        sample={"prompt": "a cat"},
        integration={"type": "api", "headers": ["X-Caller"]},
    )
    operation = build_openapi(build_test_plan({"models": [entry]}, tmp_path).api)["paths"]["/a-package"][
        "post"
    ]
    assert operation["operationId"] == "call_a_package"
    assert operation["description"] == "Draws."
    assert operation["requestBody"]["content"]["application/json"]["example"] == {"prompt": "a cat"}
    assert [one["name"] for one in operation["parameters"]] == ["X-Caller"]


def test_errors_have_the_one_shape(tmp_path: Path) -> None:
    document = build_openapi(build_test_plan({"models": [package()]}, tmp_path).api)
    responses = document["paths"]["/a-package"]["post"]["responses"]
    for status in ("400", "413", "429", "503", "504", "default"):
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}
    error = document["components"]["schemas"]["Error"]["properties"]["error"]
    assert error["required"] == ["message", "type", "code", "request_id"]


def test_operation_ids_are_unique(tmp_path: Path) -> None:
    config = {"models": [package("a-b"), package("ab"), package("a-b-c")]}
    paths = build_openapi(build_test_plan(config, tmp_path).api)["paths"].values()
    ids = [one["post"]["operationId"] for one in paths]
    assert len(set(ids)) == 3


def test_the_paths_of_openai_are_there_for_entries_that_chat_or_embed(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package()]}, tmp_path).api
    document = build_openapi(plan, OpenAiModels(chat=("a",), embeddings=("b", "c")))
    assert list(document["paths"]) == [
        "/a-package",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/models",
        "/v1/models/{model}",
    ]
    body = document["paths"]["/v1/embeddings"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["model"]["enum"] == ["b", "c"]
    assert body["example"] == {"model": "b", "input": "What is AWS?"}
    assert "text/event-stream" in str(document["paths"]["/v1/chat/completions"]["post"]["responses"]["200"])
    assert "/v1/chat/completions" not in build_openapi(plan, OpenAiModels(embeddings=("b",)))["paths"]
